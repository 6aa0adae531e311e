import type { Observation, ObservationKind } from "../../api/types";

/** An observation in the list, with a number of its own. */
export interface LogRow {
  id: number;
  seen: Observation;
}

/** What is to be shown; empty: anything. A trailing * in channel and event stands for any rest. */
export interface LogFilter {
  kind: ObservationKind | "";
  channel: string;
  event: string;
  socketId: string;
  text: string;
}

/** So many rows are kept; the oldest go. */
export const MOST_ROWS = 1000;

/** Add rows, and let the oldest go where there are too many. */
export function withRows(rows: LogRow[], more: LogRow[]): LogRow[] {
  if (more.length === 0) return rows;
  return [...rows, ...more].slice(-MOST_ROWS);
}

/** Whether a filter lets an observation through. */
export function isShown({ seen }: LogRow, filter: LogFilter): boolean {
  if (filter.kind !== "" && seen.kind !== filter.kind) return false;
  if (filter.channel !== "" && !seen.channels.some((name) => isMatch(name, filter.channel))) return false;
  if (filter.event !== "" && !isMatch(seen.event ?? "", filter.event)) return false;
  if (filter.socketId !== "" && seen.socketId !== filter.socketId) return false;
  return filter.text === "" || JSON.stringify(seen).toLowerCase().includes(filter.text.toLowerCase());
}

function isMatch(value: string, pattern: string): boolean {
  return pattern.endsWith("*") ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}
