/** The drawing of curves, which is loaded where there are some to draw. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A drawn chart. */
export interface Plot {
  /** Draw what has changed. */
  update(columns: uPlot.AlignedData, span: [number, number]): void;
  destroy(): void;
}

/** What a chart needs to be drawn. */
export interface Drawing {
  columns: uPlot.AlignedData;
  /** From and to when, in seconds since the epoch. */
  span: [number, number];
  format: (value: number | null) => string;
  /** Whether only whole numbers have a line on the scale. */
  isWhole: boolean;
  /** Gets the index of the point under the cursor; null: there is none. */
  onPoint: (index: number | null) => void;
}

const HEIGHT = 190;
const SECOND_STEPS = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200];
const DAY = 86_400;
const DAY_STEPS = [1, 2, 5, 7, 14].map((days) => days * DAY);
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const minute = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const second = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });

/** Draw curves into an element; the cursors of all charts on a page go together. */
export function plot(element: HTMLElement, drawing: Drawing): Plot {
  let span = drawing.span;
  const drawn = new uPlot(options(element, drawing, () => span), drawing.columns, element);
  const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
  observer.observe(element);
  return {
    update(columns, newSpan) {
      span = newSpan;
      drawn.setData(columns);
    },
    destroy() {
      observer.disconnect();
      drawn.destroy();
    },
  };
}

function options(element: HTMLElement, drawing: Drawing, span: () => [number, number]): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    cursor: {
      drag: { x: false, y: false },
      points: { size: 7 },
      y: false,
      sync: { key: "skubber" },
    },
    legend: { show: false },
    hooks: { setCursor: [(self) => drawing.onPoint(self.cursor.idx ?? null)] },
    scales: {
      x: { time: true, range: () => span() },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      { ...axis, incrs: [...SECOND_STEPS, ...DAY_STEPS], space: 64, values: times },
      {
        ...axis,
        size: 62,
        values: (_, splits) => splits.map((value) => drawing.format(value)),
        ...(drawing.isWhole ? { incrs: WHOLE_STEPS } : {}),
      },
    ],
    series: [{}, ...drawing.columns.slice(1).map((_, index) => curve(colour(`--series-${(index % 3) + 1}`)))],
  };
}

function curve(stroke: string): uPlot.Series {
  return { stroke, fill: `${stroke}14`, width: 1.5, spanGaps: false, points: { show: false } };
}

function times(_: uPlot, splits: number[], __: number, ___: number, step: number): string[] {
  return splits.map((at) => {
    const date = new Date(at * 1000);
    if (step >= DAY || (date.getHours() === 0 && date.getMinutes() === 0 && step > 60)) return day.format(date);
    return step < 60 ? second.format(date) : minute.format(date);
  });
}
