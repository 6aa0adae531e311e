import type { ComponentChildren, JSX } from "preact";
import { useId, useRef } from "preact/hooks";

/** Tabs, as the ARIA Authoring Practices Guide has them: arrow keys go from one to the next. */
export function Tabs<Value extends string>(props: {
  label: string;
  tabs: { value: Value; text: string }[];
  selected: Value;
  onSelect: (value: Value) => void;
  children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: JSX.TargetedKeyboardEvent<HTMLDivElement>): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const index = props.tabs.findIndex(({ value }) => value === props.selected);
    const next = (index + step + props.tabs.length) % props.tabs.length;
    const tab = props.tabs[next];
    if (tab) props.onSelect(tab.value);
    list.current?.querySelectorAll("button")[next]?.focus();
    event.preventDefault();
  };
  return (
    <div class="stack tight">
      <div ref={list} class="tabs" role="tablist" aria-label={props.label} onKeyDown={move}>
        {props.tabs.map(({ value, text }) => (
          <button
            key={value}
            id={`${id}-${value}`}
            type="button"
            role="tab"
            aria-selected={value === props.selected}
            aria-controls={`${id}-panel`}
            tabIndex={value === props.selected ? 0 : -1}
            onClick={() => props.onSelect(value)}
          >
            {text}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${props.selected}`}>
        {props.children}
      </div>
    </div>
  );
}
