import { Route } from "wouter-preact";
import { segmentValue } from "../addresses";
import { Channel } from "./channels/channel";
import { Channels } from "./channels/channels";
import { Connection } from "./connections/connection";
import { Connections } from "./connections/connections";
import { DebugConsole } from "./live/debug_console";
import { Nodes } from "./nodes/nodes";
import { AppOverview } from "./overview/app_overview";
import { Overview } from "./overview/overview";
import { Users } from "./users/users";

/** The pages that show what goes on right now. */
export const livePages = [
  <Route key="overview" path="/" component={Overview} />,
  <Route key="nodes" path="/nodes" component={Nodes} />,
  <Route key="app" path="/apps/:appId">
    {({ appId }: { appId: string }) => <AppOverview key={appId} appId={segmentValue(appId)} />}
  </Route>,
  <Route key="debug" path="/apps/:appId/debug">
    {({ appId }: { appId: string }) => <DebugConsole key={appId} appId={segmentValue(appId)} />}
  </Route>,
  <Route key="channels" path="/apps/:appId/channels">
    {({ appId }: { appId: string }) => <Channels key={appId} appId={segmentValue(appId)} />}
  </Route>,
  <Route key="users" path="/apps/:appId/users">
    {({ appId }: { appId: string }) => <Users key={appId} appId={segmentValue(appId)} />}
  </Route>,
  <Route key="connections" path="/apps/:appId/connections">
    {({ appId }: { appId: string }) => <Connections key={appId} appId={segmentValue(appId)} />}
  </Route>,
  <Route key="channel" path="/apps/:appId/channels/:name">
    {({ appId, name }: { appId: string; name: string }) => (
      <Channel key={name} appId={segmentValue(appId)} name={segmentValue(name)} />
    )}
  </Route>,
  <Route key="connection" path="/apps/:appId/connections/:socketId">
    {({ appId, socketId }: { appId: string; socketId: string }) => (
      <Connection key={socketId} appId={segmentValue(appId)} socketId={segmentValue(socketId)} />
    )}
  </Route>,
];
