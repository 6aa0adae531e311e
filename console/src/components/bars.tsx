export interface Bar {
  label: string;
  /** From the bottom up. */
  parts: number[];
}

const WIDTH = 720;
const HEIGHT = 180;
const GAP = 0.2;

/**
 * A bar for each day, in parts that stand on one another.
 *
 * @param parts what the parts are called.
 * @param summary says in a sentence what the bars show, for those who do not see them.
 */
export function Bars(props: {
  title: string;
  summary: string;
  parts: string[];
  bars: Bar[];
  format: (value: number) => string;
}) {
  const most = Math.max(1, ...props.bars.map(total));
  const step = WIDTH / Math.max(1, props.bars.length);
  return (
    <figure class="bars">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${props.title}. ${props.summary}`}>
        {props.bars.map((bar, index) => (
          <g key={bar.label}>
            <title>{`${bar.label}: ${props.parts.map((part, place) => `${props.format(bar.parts[place] ?? 0)} ${part}`).join(", ")}`}</title>
            <rect class="bar-room" x={index * step} y={0} width={step} height={HEIGHT} />
            {stacked(bar, most).map(({ y, height }, place) => (
              <rect
                key={place}
                class={`series-${place + 1}`}
                x={index * step + (step * GAP) / 2}
                y={y}
                width={step * (1 - GAP)}
                height={height}
              />
            ))}
          </g>
        ))}
      </svg>
      <div class="row apart muted number">
        <span>{props.bars[0]?.label}</span>
        <span>Most: {props.format(most)}</span>
        <span>{props.bars.at(-1)?.label}</span>
      </div>
      <ul class="row legend">
        {props.parts.map((part, place) => (
          <li key={part}>
            <span class={`swatch series-${place + 1}`} aria-hidden="true" />
            {part}
          </li>
        ))}
      </ul>
    </figure>
  );
}

const total = (bar: Bar): number => bar.parts.reduce((sum, part) => sum + part, 0);

/** Where each part begins, and how high it is. */
function stacked(bar: Bar, most: number): { y: number; height: number }[] {
  let top = HEIGHT;
  return bar.parts.map((part) => {
    const height = (part / most) * HEIGHT;
    top -= height;
    return { y: top, height };
  });
}
