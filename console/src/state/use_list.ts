import { useEffect, useState } from "preact/hooks";
import { get } from "../api/client";
import type { ListPage } from "../api/inspection";
import { type Loaded, useLoaded } from "./use_loaded";

export interface List<Page> extends Loaded<Page> {
  /** How many entries are on the pages before this one. */
  before: number;
  /** To the page after; undefined: this is the last. */
  next: (() => void) | undefined;
  /** To the page before; undefined: this is the first. */
  previous: (() => void) | undefined;
}

const PAGE_SIZE = 50;

/**
 * Load a list page by page. A page stays until the next is there; a change of the query begins anew.
 *
 * @param address below /api/admin.
 * @param query what is asked for, but for the page.
 * @param everyMs after so many milliseconds the page is loaded again.
 */
export function useList<Page extends ListPage>(
  address: string,
  query: Record<string, string>,
  everyMs: number,
): List<Page> {
  const [cursors, setCursors] = useState<string[]>([]);
  const asked = JSON.stringify([address, query]);
  useEffect(() => setCursors([]), [asked]);
  const after = cursors.at(-1) ?? null;
  const loaded = useLoaded<Page>(
    (signal) => get<Page>(address, { ...query, limit: PAGE_SIZE, after }, signal),
    [asked, after],
    everyMs,
    true,
  );
  const next = loaded.value?.next ?? null;
  return {
    ...loaded,
    before: cursors.length * PAGE_SIZE,
    next: next === null ? undefined : () => setCursors([...cursors, next]),
    previous: cursors.length === 0 ? undefined : () => setCursors(cursors.slice(0, -1)),
  };
}
