import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";

type After = string | number | null;

export interface Paged<Row> {
  /** All rows loaded so far; undefined at first. */
  rows: Row[] | undefined;
  error: ApiError | undefined;
  /** Load the page after these rows; null: there is none. */
  loadMore: (() => Promise<void>) | null;
  /** Begin anew with the first page; the rows stay until it is there. */
  reload: () => void;
}

/**
 * Load a list page by page.
 *
 * @param load loads the page after what `next` of the page before named; null: the first.
 * @param dependencies what it depends on: with another one it begins anew.
 */
export function usePaged<Row>(
  load: (after: After, signal: AbortSignal) => Promise<{ rows: Row[]; next: After }>,
  dependencies: readonly unknown[],
): Paged<Row> {
  const [rows, setRows] = useState<Row[]>();
  const [next, setNext] = useState<After>(null);
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const control = useRef<AbortController>();
  const latest = useRef(load);
  latest.current = load;

  const loadAfter = useCallback(async (after: After, signal: AbortSignal): Promise<void> => {
    try {
      const page = await latest.current(after, signal);
      if (signal.aborted) return;
      setRows((before) => (after === null || before === undefined ? page.rows : [...before, ...page.rows]));
      setNext(page.next);
      setError(undefined);
    } catch (failure) {
      if (signal.aborted) return;
      setError(failure instanceof ApiError ? failure : new ApiError(0, "failed", String(failure)));
    }
  }, []);

  useEffect(() => setRows(undefined), dependencies);
  useEffect(() => {
    const current = new AbortController();
    control.current = current;
    void loadAfter(null, current.signal);
    return () => current.abort();
  }, [...dependencies, round]);

  const more = async (): Promise<void> => {
    if (control.current) await loadAfter(next, control.current.signal);
  };
  const reload = useCallback(() => setRound((number) => number + 1), []);
  return { rows, error, loadMore: next === null ? null : more, reload };
}
