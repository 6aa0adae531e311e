import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { CopyValue } from "./code";

/**
 * What is shown once: a secret that was just made. It stays until it is put away, and takes the focus.
 *
 * It is no dialog: Escape, pressed by mistake, would lose the secret.
 */
export function NewSecret(props: {
  title: string;
  values: { label: string; value: string }[];
  onDone: () => void;
  done?: string;
  actions?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="card new-secret">
      <div class="stack">
        <h2 ref={heading} tabIndex={-1}>
          {props.title}
        </h2>
        <p class="message">Copy it now: it is not shown again.</p>
        <dl class="stack tight">
          {props.values.map(({ label, value }) => (
            <div key={label} class="field">
              <dt class="label">{label}</dt>
              <dd>
                <CopyValue value={value} what={`the ${label.toLowerCase()}`} />
              </dd>
            </div>
          ))}
        </dl>
        {props.children}
        <div class="row">
          {props.actions}
          <Button onPress={props.onDone}>{props.done ?? "I have kept it"}</Button>
        </div>
      </div>
    </section>
  );
}
