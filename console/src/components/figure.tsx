import type { ComponentChildren } from "preact";

/** Figures side by side: what each is, and how much. */
export function FigureList(props: { children: ComponentChildren }) {
  return <dl class="grid small">{props.children}</dl>;
}

/** One figure, with a word beneath where it needs one. */
export function Figure(props: { name: string; value: string; note?: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        {props.note && <small> {props.note}</small>}
      </dd>
    </div>
  );
}
