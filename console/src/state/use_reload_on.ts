import { useEffect, useRef } from "preact/hooks";

/** Load something again when a mark changes, but not at first: then it is being loaded anyway. */
export function useReloadOn(mark: string, reload: () => void): void {
  const seen = useRef(mark);
  useEffect(() => {
    if (seen.current === mark) return;
    seen.current = mark;
    reload();
  }, [mark, reload]);
}
