/** Numbers, sizes and times as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** A number in full: 12,345. */
export const number = (value: number | null): string => (value === null ? "–" : whole.format(value));

/** A number with three digits at most: 12.3K. */
export const compact = (value: number | null): string => (value === null ? "–" : short.format(value));

/** Milliseconds: 0.42 ms, 1.3 s. */
export function milliseconds(value: number | null): string {
  if (value === null) return "–";
  return value < 1000 ? `${precise.format(value)} ms` : `${precise.format(value / 1000)} s`;
}

/** Bytes: 512 B, 1.2 MB. */
export function bytes(value: number | null): string {
  if (value === null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${precise.format(size)} ${units[unit]}`;
}

/** A point in time, given in ISO 8601 or in milliseconds since the epoch. */
export function moment(at: string | number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** The time of day with milliseconds. */
export function clock(atMs: number): string {
  const date = new Date(atMs);
  const part = (value: number, width = 2): string => String(value).padStart(width, "0");
  const seconds = `${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`;
  return `${part(date.getHours())}:${part(date.getMinutes())}:${seconds}`;
}

/** How long ago something was: 12 s, 5 min, 3 h, 2 d. */
export function since(at: string | number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** JSON text with line breaks; any other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
