import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A page: its heading, which takes the focus when the page is entered, what can be done on it, and the rest. */
export function Page(props: {
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · Skubber`;
  }, [props.title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  return (
    <>
      <header class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
          {props.lead && <p class="lead">{props.lead}</p>}
        </div>
        {props.actions && <div class="row">{props.actions}</div>}
      </header>
      <div class="stack">{props.children}</div>
    </>
  );
}

/** A part of a page in a box of its own, with a heading. */
export function Card(props: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="card">
      <div class="stack">
        {(props.title || props.actions) && (
          <div class="row apart">
            <h2>{props.title}</h2>
            {props.actions && <div class="row">{props.actions}</div>}
          </div>
        )}
        {props.children}
      </div>
    </section>
  );
}

/** What stands where there is nothing yet: what would be here, and how to come by it. */
export function Empty(props: { title: string; children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{props.title}</h2>
      <p>{props.children}</p>
      {props.action}
    </div>
  );
}
