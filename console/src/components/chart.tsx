import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { colours } from "../state/theme";
import { tellError } from "./toasts";
import type { Plot } from "./plot";

/** A curve: its name and its values, null where none is known. */
export interface Series {
  label: string;
  values: (number | null)[];
}

interface ChartProps {
  title: string;
  /** Seconds since the epoch. */
  at: number[];
  series: Series[];
  /** From and to when it shows, in seconds since the epoch. */
  span: [number, number];
  /** Counts up whenever something was added to the columns, which may stay the same arrays. */
  version: number;
  format: (value: number | null) => string;
  isWhole?: boolean;
}

/**
 * Curves over time. What draws them is loaded with the first chart.
 *
 * A canvas tells nothing to a screen reader: a sentence says what the curves show.
 */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const pointed = useSignal<number | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const names = props.series.map(({ label }) => label).join("|");
  const theme = colours.value;

  useEffect(() => {
    let isGone = false;
    const draw = async (): Promise<void> => {
      const drawing = await import("./plot");
      if (isGone || !place.current) return;
      const { span, format, isWhole } = latest.current;
      const onPoint = (index: number | null): void => void (pointed.value = index);
      const given = { columns: columns(latest.current), span, format, isWhole: isWhole === true, onPoint };
      plot.current = drawing.plot(place.current, given);
    };
    draw().catch(tellError);
    return () => {
      isGone = true;
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names, theme]);

  useEffect(() => plot.current?.update(columns(props), props.span), [props.at, props.version]);

  return (
    <figure class="chart">
      <figcaption>{props.title}</figcaption>
      <div role="img" aria-label={`${props.title}. ${summary(props)}`}>
        <div ref={place} class="plot" aria-hidden="true" />
      </div>
      <Legend {...props} pointed={pointed} />
    </figure>
  );
}

/** What the curves are, with their values under the cursor, or else the last ones. */
function Legend(props: ChartProps & { pointed: Signal<number | null> }) {
  const index = props.pointed.value ?? props.at.length - 1;
  const at = props.at[index];
  return (
    <div class="chart-legend" aria-hidden="true">
      {props.series.map(({ label, values }, number) => (
        <span key={label}>
          <i class={`swatch series-${(number % 3) + 1}`} />
          {label} <b>{props.format(values[index] ?? null)}</b>
        </span>
      ))}
      <span class="muted">{props.pointed.value === null || at === undefined ? "now" : moment(at, props.span)}</span>
    </div>
  );
}

function moment(at: number, [from, to]: [number, number]): string {
  const date = new Date(at * 1000);
  if (to - from <= 3600) return date.toLocaleTimeString(undefined, { timeStyle: "medium" });
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function columns({ at, series }: ChartProps): [number[], ...(number | null)[][]] {
  return [at, ...series.map(({ values }) => values)];
}

function summary({ series, format }: ChartProps): string {
  const parts = series.map(({ label, values }) => {
    const most = values.reduce<number | null>((so, value) => (value !== null && value > (so ?? 0) ? value : so), null);
    return `${label}: ${format(values.at(-1) ?? null)} now, at most ${format(most)}`;
  });
  return `${parts.join("; ")}.`;
}
