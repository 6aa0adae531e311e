import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import type { DeliveryStatus, WebhookDetails } from "../../api/administration";
import { get, path, remove } from "../../api/client";
import type { AppDetails } from "../../api/types";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Configured } from "../../components/configured";
import { ConfirmButton } from "../../components/dialog";
import { Loading } from "../../components/loading";
import { Card, Empty, Page } from "../../components/page";
import { Time } from "../../components/time";
import { tell } from "../../components/toasts";
import { number } from "../../format";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { Attempts } from "./attempts";
import { DeadLetters } from "./dead_letters";
import { TestCard } from "./test_card";
import { WebhookDialog } from "./webhook_dialog";
import { eventsText } from "./webhooks";

const STATUS_EVERY_MS = 3000;

interface Both {
  webhook: WebhookDetails | undefined;
  isConfigured: boolean;
}

/** One webhook: how its delivery stands, what was tried, and what was given up. */
export function Webhook(props: { params: { appId: string; webhookId: string } }) {
  const { appId, webhookId } = props.params;
  const loaded = useLoaded<Both>(
    async (signal) => {
      const [app, { webhooks }] = await Promise.all([
        get<AppDetails>(path`/apps/${appId}`, {}, signal),
        get<{ webhooks: WebhookDetails[] }>(path`/apps/${appId}/webhooks`, {}, signal),
      ]);
      return { webhook: webhooks.find(({ id }) => id === webhookId), isConfigured: app.source === "configuration" };
    },
    [appId, webhookId],
  );
  const all = `/apps/${encodeURIComponent(appId)}/webhooks`;
  return (
    <Page title="Webhook" lead={<Link href={all}>All webhooks of {appId}</Link>}>
      <Loading of={loaded}>
        {({ webhook, isConfigured }) =>
          webhook === undefined ? (
            <Empty title="There is no such webhook" action={<Link href={all}>To the webhooks</Link>}>
              It may have been deleted.
            </Empty>
          ) : (
            <>
              {isConfigured && <Configured what="the webhook" />}
              <Details webhook={webhook} canChange={isOwner.value && !isConfigured} onChanged={loaded.reload} />
              <Deliveries webhook={webhook} />
            </>
          )
        }
      </Loading>
    </Page>
  );
}

function Details(props: { webhook: WebhookDetails; canChange: boolean; onChanged: () => void }) {
  const { webhook } = props;
  return (
    <Card
      title="Where and what"
      actions={props.canChange && <Changes webhook={webhook} onChanged={props.onChanged} />}
    >
      <dl class="facts">
        <dt>URL</dt>
        <dd>
          <code>{webhook.url}</code>
        </dd>
        <dt>State</dt>
        <dd>
          <Badge kind={webhook.enabled ? "good" : "bad"}>{webhook.enabled ? "Enabled" : "Disabled"}</Badge>
        </dd>
        <dt>Events</dt>
        <dd>{eventsText(webhook.events)}</dd>
        <dt>Channels</dt>
        <dd>{webhook.channelPrefix ? <code>{webhook.channelPrefix}*</code> : "All"}</dd>
        <dt>Headers</dt>
        <dd>{webhook.headerNames.length > 0 ? webhook.headerNames.join(", ") : "None of its own"}</dd>
        <dt>Events a request</dt>
        <dd>{webhook.isBatched ? "Up to 100" : "One"}</dd>
      </dl>
    </Card>
  );
}

function Changes(props: { webhook: WebhookDetails; onChanged: () => void }) {
  const { appId, id, url } = props.webhook;
  const [isEditing, setIsEditing] = useState(false);
  const [, navigate] = useLocation();
  const close = (): void => setIsEditing(false);
  const erase = async (): Promise<void> => {
    await remove(path`/apps/${appId}/webhooks/${id}`);
    tell("The webhook is deleted.");
    navigate(`/apps/${encodeURIComponent(appId)}/webhooks`);
  };
  const saved = (): void => {
    close();
    tell("The webhook is saved.");
    props.onChanged();
  };
  return (
    <>
      <Button onPress={() => setIsEditing(true)}>Edit</Button>
      <ConfirmButton
        question="Delete the webhook?"
        explanation={`Nothing more is told to ${url}. What waits for it and its dead letters are gone.`}
        confirm="Delete the webhook"
        onConfirm={erase}
      >
        Delete
      </ConfirmButton>
      {isEditing && <WebhookDialog appId={appId} changed={props.webhook} onSaved={saved} onClose={close} />}
    </>
  );
}

function Deliveries(props: { webhook: WebhookDetails }) {
  const { appId, id } = props.webhook;
  const address = path`/apps/${appId}/webhooks/${id}`;
  const status = useLoaded((signal) => get<DeliveryStatus>(`${address}/delivery`, {}, signal), [address], STATUS_EVERY_MS);
  // A test, an attempt or a letter more changes what the lists below have to show.
  const [round, setRound] = useState(0);
  const mark = `${status.value?.lastAttemptAt}|${status.value?.failures}`;
  const changed = (): void => {
    setRound(round + 1);
    status.reload();
  };
  return (
    <>
      <Loading of={status}>{(value) => <Status of={value} />}</Loading>
      <TestCard address={address} onTested={changed} />
      <Attempts address={address} mark={`${mark}|${round}`} />
      <DeadLetters address={address} mark={`${status.value?.deadLetters}|${round}`} onChanged={changed} />
    </>
  );
}

function Status(props: { of: DeliveryStatus }) {
  const { waiting, deadLetters, failures, retryAt, lastAttemptAt, lastOutcome } = props.of;
  return (
    <section class="stack tight" aria-label="How delivery stands">
      <dl class="grid small">
        <Figure label="Events that wait" value={waiting} />
        <Figure label="Failures in a row" value={failures} />
        <Figure label="Dead letters" value={deadLetters} />
      </dl>
      <p class="muted">
        {lastOutcome === null ? (
          "Nothing was sent yet."
        ) : (
          <>
            Last attempt: <Time at={lastAttemptAt} />. {lastOutcome}
          </>
        )}
        {waiting > 0 && failures > 0 && retryAt !== null && (
          <>
            {" "}
            Next attempt: <Time at={retryAt} />.
          </>
        )}
      </p>
    </section>
  );
}

function Figure(props: { label: string; value: number }) {
  return (
    <div class="figure">
      <dt>{props.label}</dt>
      <dd>{number(props.value)}</dd>
    </div>
  );
}
