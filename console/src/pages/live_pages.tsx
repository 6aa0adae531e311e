import { Route } from "wouter-preact";
import { segmentValue } from "../addresses";
import { Nodes } from "./nodes/nodes";
import { AppOverview } from "./overview/app_overview";
import { Overview } from "./overview/overview";

/** The pages that show what goes on right now. */
export const livePages = [
  <Route key="overview" path="/" component={Overview} />,
  <Route key="nodes" path="/nodes" component={Nodes} />,
  <Route key="app" path="/apps/:appId">
    {({ appId }: { appId: string }) => <AppOverview key={appId} appId={segmentValue(appId)} />}
  </Route>,
];
