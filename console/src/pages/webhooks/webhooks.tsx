import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import type { WebhookDetails } from "../../api/administration";
import { get, path } from "../../api/client";
import type { AppDetails } from "../../api/types";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Configured } from "../../components/configured";
import { Loading } from "../../components/loading";
import { Card, Empty, Page } from "../../components/page";
import { WebhookVerification } from "../../components/snippets/lazy";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { WebhookDialog } from "./webhook_dialog";
import { WEBHOOK_EVENTS } from "./webhook_events";

/** The webhooks of an app. */
export function Webhooks(props: { params: { appId: string } }) {
  const { appId } = props.params;
  const [isCreating, setIsCreating] = useState(false);
  const [, navigate] = useLocation();
  const app = useLoaded((signal) => get<AppDetails>(path`/apps/${appId}`, {}, signal), [appId]);
  const webhooks = useLoaded(
    (signal) => get<{ webhooks: WebhookDetails[] }>(path`/apps/${appId}/webhooks`, {}, signal),
    [appId],
  );
  const canChange = isOwner.value && app.value?.source === "database";
  const create = canChange && (
    <Button look="primary" onPress={() => setIsCreating(true)}>
      Create a webhook
    </Button>
  );
  return (
    <Page title="Webhooks" lead="The server tells your back end what happens on the app's channels." actions={create}>
      {app.value?.source === "configuration" && <Configured what="its webhooks" />}
      <Loading of={webhooks}>
        {(list) => (list.webhooks.length === 0 ? <NoWebhooks /> : <WebhookTable webhooks={list.webhooks} />)}
      </Loading>
      <Card title="Check the signature">
        <p class="muted">
          Anybody can post to your URL. Each request is signed: <code>X-Pusher-Signature</code> is the HMAC-SHA256 of the
          body under the secret of the key in <code>X-Pusher-Key</code>, the first of the app's keys that is good. Pusher's
          SDKs check it as well.
        </p>
        <WebhookVerification />
      </Card>
      {isCreating && (
        <WebhookDialog
          appId={appId}
          onSaved={({ id }) => navigate(addressOf(appId, id))}
          onClose={() => setIsCreating(false)}
        />
      )}
    </Page>
  );
}

const addressOf = (appId: string, id: string): string =>
  `/apps/${encodeURIComponent(appId)}/webhooks/${encodeURIComponent(id)}`;

function NoWebhooks() {
  return (
    <Empty title="No webhook yet">
      With a webhook your back end knows who is online without asking: the server posts JSON to a URL of yours when a
      channel gets its first subscriber, when a member of a presence channel leaves, and so on. What cannot be delivered is
      tried again, and then kept for you to replay.
    </Empty>
  );
}

function WebhookTable(props: { webhooks: WebhookDetails[] }) {
  return (
    <Table
      label="Webhooks"
      rows={props.webhooks}
      rowKey={(webhook) => webhook.id}
      columns={[
        {
          title: "URL",
          isHead: true,
          cell: (webhook) => (
            <Link class="mono" href={addressOf(webhook.appId, webhook.id)}>
              {webhook.url}
            </Link>
          ),
        },
        {
          title: "State",
          cell: ({ enabled }) => <Badge kind={enabled ? "good" : "bad"}>{enabled ? "Enabled" : "Disabled"}</Badge>,
        },
        { title: "Events", cell: ({ events }) => eventsText(events) },
        { title: "Channels", cell: ({ channelPrefix }) => (channelPrefix ? <code>{channelPrefix}*</code> : "All") },
        { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
      ]}
    />
  );
}

/** The events a webhook wants, in words. */
export const eventsText = (events: string[]): string =>
  events.length === WEBHOOK_EVENTS.length ? "All" : events.join(", ");
