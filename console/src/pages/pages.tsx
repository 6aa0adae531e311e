import { Route, Switch } from "wouter-preact";
import { Apps } from "./apps/apps";
import { livePages } from "./live_pages";
import { NotFound } from "./not_found";

/** Which page is at which address, below /console. */
export function Pages() {
  return (
    <Switch>
      <Route path="/apps" component={Apps} />
      {livePages}
      <Route component={NotFound} />
    </Switch>
  );
}
