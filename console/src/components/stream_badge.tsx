import type { StreamState } from "../state/use_stream";

const WORDS: Record<StreamState, { kind: string; text: string }> = {
  connecting: { kind: "busy", text: "Connecting …" },
  open: { kind: "good", text: "Live" },
  lost: { kind: "bad", text: "Connection lost, trying again" },
  off: { kind: "", text: "Stopped" },
};

/** Says whether what is shown is up to date. */
export function StreamBadge(props: { state: StreamState }) {
  const { kind, text } = WORDS[props.state];
  return (
    <span class="stream-state" role="status">
      <span class={`dot ${kind}`} aria-hidden="true" />
      {text}
    </span>
  );
}
