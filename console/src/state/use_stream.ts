import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, events } from "../api/client";

export type StreamState = "connecting" | "open" | "lost" | "off";

const RETRY_MS = 2000;

/**
 * Read a stream of server-sent events for as long as the component is there; a lost one is opened again.
 *
 * @param address below /api/admin; null: none for now.
 * @param query its query.
 * @param take gets each event's name and its data, JSON text.
 */
export function useStream(
  address: string | null,
  query: Record<string, string | null>,
  take: (name: string, data: string) => void,
): { state: StreamState; error: ApiError | undefined } {
  const [state, setState] = useState<StreamState>("connecting");
  const [error, setError] = useState<ApiError>();
  const latest = useRef(take);
  latest.current = take;
  const queryText = JSON.stringify(query);

  useEffect(() => {
    if (address === null) {
      setState("off");
      return;
    }
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      setState("connecting");
      try {
        const take = (name: string, data: string): void => latest.current(name, data);
        await events(address, JSON.parse(queryText) as Record<string, string | null>, control.signal, take, () => {
          setState("open");
          setError(undefined);
        });
      } catch (failure) {
        if (control.signal.aborted) return;
        if (failure instanceof ApiError) setError(failure);
      }
      if (control.signal.aborted) return;
      setState("lost");
      timer = setTimeout(() => void run(), RETRY_MS);
    };
    void run();
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  }, [address, queryText]);

  return { state, error };
}
