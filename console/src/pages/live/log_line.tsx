import { memo } from "preact/compat";
import type { ObservationKind } from "../../api/types";
import { CopyButton, Code } from "../../components/code";
import { publishCommand } from "../../curl";
import { clock, moment, pretty } from "../../format";
import type { LogRow } from "./observation_log";

/** What each kind of observation is called. */
export const KIND_WORDS: Record<ObservationKind, string> = {
  publish: "Publish",
  client_event: "Client event",
  connected: "Connected",
  disconnected: "Disconnected",
  subscribed: "Subscribed",
  unsubscribed: "Unsubscribed",
  member_added: "Member added",
  member_removed: "Member removed",
  channel_occupied: "Occupied",
  channel_vacated: "Vacated",
  signed_in: "Signed in",
  webhook: "Webhook",
  error: "Error",
};

/** A row of the debug console; only one that has changed is drawn anew. */
export const LogLine = memo(function LogLine(props: {
  appId: string;
  row: LogRow;
  isOpen: boolean;
  onToggle: (id: number) => void;
}) {
  const { row, isOpen } = props;
  const { seen } = row;
  return (
    <li class="log-item">
      <button
        type="button"
        class="log-line"
        aria-expanded={isOpen}
        onClick={() => props.onToggle(row.id)}
      >
        <span class="number muted">{clock(seen.at)}</span>
        <span class={`badge kind-${seen.kind}`}>{KIND_WORDS[seen.kind] ?? seen.kind}</span>
        <span class="mono">{seen.channels.join(" ")}</span>
        <span>{seen.event ?? seen.detail}</span>
        <span class="mono muted">{seen.socketId}</span>
        <span class="mono muted">{seen.userId}</span>
      </button>
      {isOpen && <LogDetails appId={props.appId} row={row} />}
    </li>
  );
});

function LogDetails({ appId, row: { seen } }: { appId: string; row: LogRow }) {
  const facts: [string, string | null][] = [
    ["Time", moment(seen.at)],
    ["Channels", seen.channels.join(", ") || null],
    ["Event", seen.event],
    [seen.kind === "publish" ? "Left out" : "Socket id", seen.socketId],
    ["User", seen.userId],
    ["Detail", seen.detail],
    ["Code", seen.code],
    ["Node", seen.node],
  ];
  const { kind, channels, event, data, socketId } = seen;
  const canRepeat = kind === "publish" && event !== null && data !== null && !seen.isCut;
  return (
    <div class="log-details stack">
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name} class="fact">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {data !== null && <Code text={pretty(data)} what="the data" />}
      {seen.isCut && <p class="muted">The data is longer; this is its beginning.</p>}
      <div class="row">
        <span class="muted">Copy:</span>
        <CopyButton text={JSON.stringify(seen, null, 2)} what="as JSON" />
        {canRepeat && (
          <>
            <span class="muted">as cURL:</span>
            <CopyButton text={publishCommand(appId, { channels, name: event, data, socketId })} what="as cURL" />
          </>
        )}
      </div>
    </div>
  );
}
