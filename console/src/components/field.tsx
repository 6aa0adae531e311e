import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface Common {
  label: string;
  hint?: ComponentChildren;
}

/** A field for a line of text or a number, with its label and a word of help. */
export function TextField(
  props: Common & {
    value: string;
    onChange: (value: string) => void;
    type?: "text" | "password" | "number" | "url" | "search" | "date";
    mono?: boolean;
    required?: boolean;
    placeholder?: string;
    pattern?: string;
    min?: number;
    max?: number;
    autoFocus?: boolean;
    suggestions?: string[];
    disabled?: boolean;
  },
) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        class={`input${props.mono ? " mono" : ""}`}
        type={props.type ?? "text"}
        value={props.value}
        required={props.required}
        placeholder={props.placeholder}
        pattern={props.pattern}
        min={props.min}
        max={props.max}
        disabled={props.disabled}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        autofocus={props.autoFocus}
        list={props.suggestions ? `${id}-list` : undefined}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      {props.suggestions && (
        <datalist id={`${id}-list`}>
          {props.suggestions.map((value) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
      {props.hint && (
        <span id={`${id}-hint`} class="hint">
          {props.hint}
        </span>
      )}
    </div>
  );
}

/** A field for several lines. */
export function TextArea(
  props: Common & { value: string; onChange: (value: string) => void; rows?: number; required?: boolean },
) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <textarea
        id={id}
        class="input mono"
        rows={props.rows ?? 5}
        value={props.value}
        required={props.required}
        spellcheck={false}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      {props.hint && (
        <span id={`${id}-hint`} class="hint">
          {props.hint}
        </span>
      )}
    </div>
  );
}

/** A choice of one out of a few. */
export function Select<Value extends string>(
  props: Common & {
    value: Value;
    options: { value: Value; text: string }[];
    onChange: (value: Value) => void;
    disabled?: boolean;
  },
) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select
        id={id}
        class="input"
        value={props.value}
        disabled={props.disabled}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onChange={(event) => props.onChange(event.currentTarget.value as Value)}
      >
        {props.options.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      {props.hint && (
        <span id={`${id}-hint`} class="hint">
          {props.hint}
        </span>
      )}
    </div>
  );
}

/** Yes or no. */
export function Checkbox(props: Common & { checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }) {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      {props.hint && (
        <span id={`${id}-hint`} class="hint">
          {props.hint}
        </span>
      )}
    </div>
  );
}

/** A form: Enter sends it, and the browser's own checks are made first. */
export function Form(props: { onSubmit: () => void; children: ComponentChildren; label?: string; class?: string }) {
  const submit = (event: JSX.TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    props.onSubmit();
  };
  return (
    <form class={props.class ?? "stack"} aria-label={props.label} autocomplete="off" onSubmit={submit}>
      {props.children}
    </form>
  );
}
