import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { get, path, remove } from "../../api/client";
import type { ConnectionDetails } from "../../api/types";
import { ConfirmButton } from "../../components/dialog";
import { Loading } from "../../components/loading";
import { Card, Page } from "../../components/page";
import { Time } from "../../components/time";
import { tell } from "../../components/toasts";
import { bytes, milliseconds } from "../../format";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";

const REFRESH_MS = 2000;
const GONE = "no_such_connection";

/** A connection, for as long as it is there. */
export function Connection({ appId, socketId }: { appId: string; socketId: string }) {
  const connection = useLoaded(
    (signal) => get<ConnectionDetails>(path`/apps/${appId}/connections/${socketId}`, {}, signal),
    [appId, socketId],
    REFRESH_MS,
  );
  const isGone = connection.error?.code === GONE;
  const end = async (): Promise<void> => {
    await remove(path`/apps/${appId}/connections/${socketId}`);
    tell("The connection was ended.");
    connection.reload();
  };
  return (
    <Page
      title={socketId}
      lead="A connection; what is shown is looked up every two seconds."
      actions={
        <>
          <Link class="button" href={appPage(appId, ["debug"], { socketId })}>
            Debug console for it
          </Link>
          {isOwner.value && !isGone && (
            <ConfirmButton
              question="End this connection?"
              explanation="It is closed as terminated by the application (code 4009 in the Pusher protocol); its client does not come back by itself."
              confirm="End connection"
              onConfirm={end}
            >
              End connection
            </ConfirmButton>
          )}
        </>
      }
    >
      {isGone && (
        <p class="message" role="status">
          This connection has gone.{connection.value && " Below is what was last known of it."}
        </p>
      )}
      {isGone ? (
        connection.value && <Details appId={appId} details={connection.value} />
      ) : (
        <Loading of={connection}>{(details) => <Details appId={appId} details={details} />}</Loading>
      )}
    </Page>
  );
}

function Details({ appId, details }: { appId: string; details: ConnectionDetails }) {
  const facts: [string, ComponentChildren][] = [
    ["Protocol", `${details.protocol}, ${details.transport}`],
    ["Open since", <Time key="opened" at={details.openedAt} />],
    ["Last heard", <Time key="heard" at={details.lastHeardAt} />],
    ["User", details.userId ?? "–"],
    ["Key", <code key="key">{details.key}</code>],
    ["Address", details.address ?? "–"],
    ["Node", `${details.host} (${details.node})`],
    ["Sent", bytes(details.bytesSent)],
    ["Received", bytes(details.bytesReceived)],
    ["Buffered", bytes(details.bufferedBytes)],
    ["Round trip", milliseconds(details.roundTripMs)],
  ];
  return (
    <div class="grid">
      <Card title="What it is">
        <dl class="facts number">
          {facts.map(([name, value]) => (
            <div key={name} class="fact">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Channels">
        {details.channels.length === 0 && <p class="muted">It is subscribed to none.</p>}
        <ul class="plain">
          {details.channels.map(({ name, userId }) => (
            <li key={name}>
              <Link class="mono" href={appPage(appId, ["channels", name])}>
                {name}
              </Link>
              {userId !== null && <span class="muted"> as {userId}</span>}
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
