import type { UsageDay } from "../../api/administration";

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

/** What all apps used on a day. */
export interface DayTotal {
  day: string;
  published: number;
  delivered: number;
  deliveredBytes: number;
  webhooks: number;
}

/** The days of a range, as the API writes them; none for what is no range. */
export function daysBetween(from: string, to: string): string[] {
  const first = Date.parse(from);
  const count = (Date.parse(to) - first) / DAY_MS + 1;
  if (!(count >= 1 && count <= MOST_DAYS)) return [];
  return Array.from({ length: count }, (_, index) => new Date(first + index * DAY_MS).toISOString().slice(0, 10));
}

/** All of it in one. */
export function totalOf(usage: UsageDay[], day = ""): DayTotal {
  const total: DayTotal = { day, published: 0, delivered: 0, deliveredBytes: 0, webhooks: 0 };
  for (const each of usage) {
    total.published += each.published;
    total.delivered += each.delivered;
    total.deliveredBytes += each.deliveredBytes;
    total.webhooks += each.webhooks;
  }
  return total;
}

/** What was used on each of the days, those on which nothing was among them. */
export const totalsByDay = (usage: UsageDay[], days: string[]): DayTotal[] =>
  days.map((day) =>
    totalOf(
      usage.filter((each) => each.day === day),
      day,
    ),
  );

const COLUMNS = [
  "day",
  "appId",
  "messages",
  "published",
  "delivered",
  "deliveredBytes",
  "connectionsPeak",
  "webhooks",
] as const;

/** A table as RFC 4180 has it. App ids and numbers have no character that would need quotes. */
export const usageCsv = (usage: UsageDay[]): string =>
  [COLUMNS.join(","), ...usage.map((each) => COLUMNS.map((column) => each[column]).join(","))].join("\r\n") + "\r\n";
