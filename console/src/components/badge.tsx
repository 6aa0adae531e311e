import type { ComponentChildren } from "preact";

/** A word about a state. */
export function Badge(props: { children: ComponentChildren; kind?: "good" | "busy" | "bad" }) {
  return <span class={`badge${props.kind ? ` ${props.kind}` : ""}`}>{props.children}</span>;
}
