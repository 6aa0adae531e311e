import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, get } from "../api/client";
import type { History, Sample } from "../api/types";
import { HistoryWindow } from "./history_window";
import { type StreamState, useStream } from "./use_stream";

export type Grain = "second" | "hour";

export interface Figures {
  /** The curves; undefined until the history is there. */
  history: HistoryWindow | undefined;
  /** The second that was last heard of. */
  latest: Sample | undefined;
  /** Counts up with whatever is added to the history. */
  version: number;
  stream: StreamState;
  error: ApiError | undefined;
  reload: () => void;
}

/**
 * The history of the server or of an app, kept up to date by the live stream.
 *
 * After the stream was lost the history is loaded anew: what was missed is in it.
 *
 * @param appId the app; null: all of them.
 * @param grain a point for each second of the last hour, or for each hour of the last month.
 */
export function useFigures(appId: string | null, grain: Grain): Figures {
  const [history, setHistory] = useState<HistoryWindow>();
  const [latest, setLatest] = useState<Sample>();
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const wasLost = useRef(false);
  const reload = (): void => setRound((number) => number + 1);

  const stream = useStream("/live", { appId }, (name, data) => {
    if (name !== "sample") return;
    const sample = JSON.parse(data) as Sample;
    history?.append(sample);
    setLatest(sample);
    setVersion((number) => number + 1);
  });

  useEffect(() => {
    if (stream.state === "lost") wasLost.current = true;
    if (stream.state !== "open" || !wasLost.current) return;
    wasLost.current = false;
    reload();
  }, [stream.state]);

  useEffect(() => {
    const control = new AbortController();
    get<History>("/history", { grain, appId }, control.signal)
      .then((loaded) => {
        setHistory(new HistoryWindow(loaded));
        setError(undefined);
      })
      .catch((failure: ApiError) => {
        if (!control.signal.aborted) setError(failure);
      });
    return () => control.abort();
  }, [appId, grain, round]);

  return { history, latest, version, stream: stream.state, error: error ?? stream.error, reload };
}
