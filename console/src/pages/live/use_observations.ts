import { useEffect, useRef, useState } from "preact/hooks";
import { path } from "../../api/client";
import type { Observation } from "../../api/types";
import { useSettled } from "../../state/use_settled";
import { useStream } from "../../state/use_stream";
import { type LogFilter, type LogRow, withRows } from "./observation_log";

/**
 * Read an app's debug stream into a list of bounded length.
 *
 * What comes is taken over once per frame that the browser draws. While it is paused, what comes is kept aside.
 */
export function useObservations(appId: string, filter: LogFilter, isPaused: boolean) {
  const [rows, setRows] = useState<LogRow[]>([]);
  const [held, setHeld] = useState(0);
  const [skipped, setSkipped] = useState(0);
  const waiting = useRef<LogRow[]>([]);
  const heldCount = useRef(0);
  const count = useRef(0);
  const frame = useRef<number>();
  const pausedNow = useRef(isPaused);
  pausedNow.current = isPaused;

  const takeOver = (): void => {
    frame.current = undefined;
    if (pausedNow.current) {
      setHeld(heldCount.current);
      return;
    }
    const more = waiting.current;
    waiting.current = [];
    heldCount.current = 0;
    setHeld(0);
    setRows((before) => withRows(before, more));
  };
  const schedule = (): void => {
    frame.current ??= requestAnimationFrame(takeOver);
  };

  const query = useSettled(
    JSON.stringify({
      kinds: filter.kind,
      channel: filter.channel,
      event: filter.event,
      socketId: filter.socketId,
    }),
  );
  const stream = useStream(path`/apps/${appId}/debug`, JSON.parse(query) as Record<string, string>, (name, data) => {
    if (name !== "observations") return;
    const batch = JSON.parse(data) as { observations: Observation[]; skipped: number };
    const more = batch.observations.map((seen) => ({ id: (count.current += 1), seen }));
    heldCount.current += more.length;
    waiting.current = withRows(waiting.current, more);
    if (batch.skipped > 0) setSkipped((before) => before + batch.skipped);
    schedule();
  });

  useEffect(schedule, [isPaused]);
  useEffect(() => () => cancelAnimationFrame(frame.current ?? 0), []);

  const clear = (): void => {
    waiting.current = [];
    heldCount.current = 0;
    setHeld(0);
    setSkipped(0);
    setRows([]);
  };
  return { rows, held, skipped, clear, stream };
}
