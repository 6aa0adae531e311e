import { Route, Switch } from "wouter-preact";
import { Apps } from "./apps/apps";
import { AppSettings } from "./apps/settings";
import { Keys } from "./keys/keys";
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

      <Route component={NotFound} />
    </Switch>
  );
}
