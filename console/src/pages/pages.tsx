import { Route, Switch } from "wouter-preact";
import { Apps } from "./apps/apps";
import { Audit } from "./administration/audit";
import { Plans } from "./administration/plans";
import { Tokens } from "./administration/tokens";
import { Usage } from "./administration/usage";
import { AppSettings } from "./apps/settings";
import { Keys } from "./keys/keys";
import { livePages } from "./live_pages";
import { NotFound } from "./not_found";
import { Webhook } from "./webhooks/webhook";
import { Webhooks } from "./webhooks/webhooks";

/** Which page is at which address, below /console. */
export function Pages() {
  return (
    <Switch>
      <Route path="/apps" component={Apps} />
      <Route path="/apps/:appId/keys" component={Keys} />
      <Route path="/apps/:appId/webhooks" component={Webhooks} />
      <Route path="/apps/:appId/webhooks/:webhookId" component={Webhook} />
      <Route path="/apps/:appId/settings" component={AppSettings} />
      <Route path="/plans" component={Plans} />
      <Route path="/tokens" component={Tokens} />
      <Route path="/audit" component={Audit} />
      <Route path="/usage" component={Usage} />
      {livePages}
      <Route component={NotFound} />
    </Switch>
  );
}
