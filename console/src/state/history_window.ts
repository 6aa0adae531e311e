import type { History, Sample } from "../api/types";

type ColumnName = Exclude<keyof History, "grain" | "at">;

const COLUMNS: readonly ColumnName[] = [
  "connections",
  "channels",
  "published",
  "delivered",
  "deliveredBytes",
  "p50Ms",
  "p99Ms",
  "slowConsumers",
  "webhooksWaiting",
  "webhookLagMs",
];

const SUMS: ReadonlySet<ColumnName> = new Set(["published", "delivered", "deliveredBytes", "slowConsumers"]);
const PEAKS: ReadonlySet<ColumnName> = new Set(["connections", "channels", "webhooksWaiting", "webhookLagMs"]);

/**
 * The history of the last hour or month, and what the live stream adds to it.
 *
 * The columns are added to in place. What is too old goes a batch at a time, so that a sample costs the same however
 * long the history is.
 */
export class HistoryWindow {
  readonly columns: History;
  readonly #length: number;
  readonly #batch: number;

  /** @param history as the server answered it; its columns are taken over. */
  constructor(history: History) {
    this.columns = history;
    this.#length = history.grain === 1 ? 3600 : 31 * 24;
    this.#batch = Math.ceil(this.#length / 10);
  }

  /** From and to when the charts show, in seconds since the epoch. */
  get span(): [number, number] {
    const to = this.columns.at.at(-1) ?? Math.floor(Date.now() / 1000);
    return [to - this.#length * this.columns.grain, to];
  }

  /** Take a second's sample in. One that the history holds already is left out. */
  append(sample: Sample): void {
    if (this.columns.grain === 1) this.#appendSecond(sample);
    else this.#addToHour(sample);
  }

  #appendSecond(sample: Sample): void {
    const last = this.columns.at.at(-1);
    if (last !== undefined && sample.at <= last) return;
    // Where samples are missing the curve has a gap.
    if (last !== undefined && sample.at > last + 1) this.#push(last + 1, null);
    this.#push(sample.at, sample);
  }

  #addToHour(sample: Sample): void {
    const hour = sample.at - (sample.at % 3600);
    const last = this.columns.at.at(-1) ?? 0;
    if (hour < last) return;
    if (hour > last) this.#push(hour, null);
    const index = this.columns.at.length - 1;
    for (const name of COLUMNS) {
      const value = sample[name];
      const known = this.columns[name][index] ?? 0;
      if (value === null) continue;
      if (SUMS.has(name)) this.columns[name][index] = known + value;
      if (PEAKS.has(name)) this.columns[name][index] = Math.max(known, value);
    }
  }

  #push(at: number, sample: Sample | null): void {
    this.columns.at.push(at);
    for (const name of COLUMNS) this.columns[name].push(sample?.[name] ?? null);
    if (this.columns.at.length < this.#length + this.#batch) return;
    this.columns.at.splice(0, this.#batch);
    for (const name of COLUMNS) this.columns[name].splice(0, this.#batch);
  }
}
