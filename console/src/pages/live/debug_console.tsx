import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ObservationKind } from "../../api/types";
import { Button } from "../../components/button";
import { Select, TextField } from "../../components/field";
import { Page } from "../../components/page";
import { StreamBadge } from "../../components/stream_badge";
import { number } from "../../format";
import { isOwner } from "../../state/session";
import { EventCreator } from "./event_creator";
import { KIND_WORDS, LogLine } from "./log_line";
import { isShown, type LogFilter, type LogRow } from "./observation_log";
import { useObservations } from "./use_observations";

const KINDS = Object.entries(KIND_WORDS).map(([value, text]) => ({ value: value as ObservationKind, text }));
const NEAR_END = 24;

/** What happens in an app, as it happens, and beside it a form that sends events. */
export function DebugConsole({ appId }: { appId: string }) {
  const [filter, setFilter] = useState(filterOfAddress);
  const [isPaused, setIsPaused] = useState(false);
  const { rows, held, skipped, clear, stream } = useObservations(appId, filter, isPaused);
  const shown = rows.filter((row) => isShown(row, filter));
  const filters = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const isOnButton = event.target instanceof Element && event.target.closest("button:not(.log-line), a, summary");
      if (event.key === " " && !isOnButton) setIsPaused((before) => !before);
      else if (event.key === "/") filters.current?.querySelector("input")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  return (
    <Page
      title="Debug console"
      lead="What happens in this app, as it happens. Space pauses, / goes to the filter, arrows move, Enter expands."
      actions={<StreamBadge state={stream.state} />}
    >
      {stream.error && (
        <p class="message bad" role="alert">
          {stream.error.message}
        </p>
      )}
      <div class="split">
        <div class="stack">
          <div ref={filters}>
            <Filters filter={filter} onChange={setFilter} />
          </div>
          <div class="row apart">
            <span class="muted number">
              {number(shown.length)} shown{skipped > 0 && `, ${number(skipped)} skipped under load`}
            </span>
            <div class="row">
              <Button small pressed={isPaused} onPress={() => setIsPaused(!isPaused)}>
                {isPaused ? `Resume (${number(held)} new)` : "Pause"}
              </Button>
              <Button small onPress={clear}>
                Clear
              </Button>
            </div>
          </div>
          <Log appId={appId} rows={shown} />
        </div>
        {isOwner.value && <EventCreator appId={appId} firstChannel={filter.channel} />}
      </div>
    </Page>
  );
}

function Filters({ filter, onChange }: { filter: LogFilter; onChange: (filter: LogFilter) => void }) {
  const field = (name: "text" | "channel" | "event" | "socketId", label: string) => (
    <TextField
      label={label}
      type="search"
      value={filter[name]}
      onChange={(value) => onChange({ ...filter, [name]: value })}
    />
  );
  return (
    <div class="grid small">
      {field("text", "Holds the text")}
      <Select
        label="Kind"
        value={filter.kind}
        options={[{ value: "" as const, text: "All" }, ...KINDS]}
        onChange={(kind) => onChange({ ...filter, kind })}
      />
      {field("channel", "Channel, or prefix*")}
      {field("event", "Event, or prefix*")}
      {field("socketId", "Socket id")}
    </div>
  );
}

/** The rows, the newest last; it follows them until somebody scrolls up. */
function Log({ appId, rows }: { appId: string; rows: LogRow[] }) {
  const list = useRef<HTMLUListElement>(null);
  const follows = useRef(true);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = useCallback((id: number) => setOpen((before) => toggled(before, id)), []);

  useLayoutEffect(() => {
    if (list.current && follows.current) list.current.scrollTop = list.current.scrollHeight;
  }, [rows.at(-1)?.id]);

  const onScroll = (): void => {
    const element = list.current;
    if (element) follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
  };
  const move = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const item = document.activeElement?.closest(".log-item");
    const beside = event.key === "ArrowDown" ? item?.nextElementSibling : item?.previousElementSibling;
    // From outside of the rows the way in is the newest one.
    const to = item ? beside : list.current?.lastElementChild;
    to?.querySelector<HTMLElement>(".log-line")?.focus();
    event.preventDefault();
  };
  if (rows.length === 0) return <p class="empty muted">Nothing yet. Connect, subscribe or publish, and it is here.</p>;
  return (
    <ul ref={list} class="log" aria-label="What happened" tabIndex={0} onScroll={onScroll} onKeyDown={move}>
      {rows.map((row) => (
        <LogLine key={row.id} appId={appId} row={row} isOpen={open.has(row.id)} onToggle={toggle} />
      ))}
    </ul>
  );
}

function filterOfAddress(): LogFilter {
  const asked = new URLSearchParams(location.search);
  return { kind: "", channel: asked.get("channel") ?? "", event: "", socketId: asked.get("socketId") ?? "", text: "" };
}

function toggled(ids: ReadonlySet<number>, id: number): ReadonlySet<number> {
  const changed = new Set(ids);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}
