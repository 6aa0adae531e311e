import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";

export interface Loaded<Value> {
  /** What was loaded last; undefined at first. It stays while it is loaded again. */
  value: Value | undefined;
  error: ApiError | undefined;
  /** Load again. */
  reload: () => void;
  /** Put something in its place, what a change was answered with, say. */
  replace: (value: Value) => void;
}

/**
 * Load something from the server, and again whenever a dependency changes.
 *
 * @param load what loads it; it is to hand the signal on.
 * @param dependencies what it depends on.
 * @param everyMs after so many milliseconds it is loaded again, while the page is looked at; 0: never.
 * @param keeps whether what was loaded for other dependencies stays until the new is there, so that nothing jumps.
 */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  dependencies: readonly unknown[],
  everyMs = 0,
  keeps = false,
): Loaded<Value> {
  const [value, setValue] = useState<Value>();
  const [error, setError] = useState<ApiError>();
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (!keeps) setValue(undefined);
    setError(undefined);
  }, dependencies);

  useEffect(() => {
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      try {
        const loaded = await latest.current(control.signal);
        if (control.signal.aborted) return;
        setValue(() => loaded);
        setError(undefined);
      } catch (failure) {
        if (control.signal.aborted) return;
        setError(failure instanceof ApiError ? failure : new ApiError(0, "failed", String(failure)));
      }
      if (everyMs > 0) timer = setTimeout(next, everyMs);
    };
    const next = (): void => {
      // Nobody looks: ask again in a while whether somebody does.
      if (document.hidden) timer = setTimeout(next, everyMs);
      else void run();
    };
    void run();
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  }, [...dependencies, round, everyMs]);

  const reload = useCallback(() => setRound((number) => number + 1), []);
  const replace = useCallback((given: Value) => setValue(() => given), []);
  return { value, error, reload, replace };
}
