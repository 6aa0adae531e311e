import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colours } from "../state/theme";

export interface Series {
  label: string;
  values: (number | null)[];
}

const HEIGHT = 200;

/**
 * Curves over time.
 *
 * A canvas tells nothing to a screen reader: `summary` says in a sentence what the curves show.
 */
export function Chart(props: {
  title: string;
  summary: string;
  /** Seconds since the epoch. */
  at: number[];
  series: Series[];
  format: (value: number | null) => string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const names = props.series.map(({ label }) => label).join("|");
  const version = colours.value;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const drawn = new uPlot(options(element, props.series, props.format), columns(props.at, props.series), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
      plot.current = undefined;
    };
  }, [names, version]);

  useEffect(() => {
    plot.current?.setData(columns(props.at, props.series));
  }, [props.at, props.series]);

  return (
    <figure class="chart" role="img" aria-label={`${props.title}. ${props.summary}`}>
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  );
}

function columns(at: number[], series: Series[]): uPlot.AlignedData {
  return [at, ...series.map(({ values }) => values)];
}

function options(element: HTMLElement, series: Series[], format: (value: number | null) => string): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { points: { size: 6 } },
    legend: { live: true },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [axis, { ...axis, size: 64, values: (_, splits) => splits.map((value) => format(value)) }],
    series: [
      {},
      ...series.map(({ label }, index) => ({
        label,
        stroke: colour(`--series-${(index % 3) + 1}`),
        width: 1.5,
        spanGaps: false,
        points: { show: false },
        value: (_: uPlot, value: number | null) => format(value),
      })),
    ],
  };
}
