import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { tellError } from "./toasts";

export type Look = "plain" | "primary" | "danger" | "quiet";

/** A button. While what it does is under way it cannot be pressed again; an error is told at the page's edge. */
export function Button(props: {
  children: ComponentChildren;
  onPress?: () => void | Promise<unknown>;
  look?: Look;
  small?: boolean;
  type?: "button" | "submit";
  disabled?: boolean;
  label?: string;
  title?: string;
  pressed?: boolean;
  expanded?: boolean;
  class?: string;
}) {
  const [isBusy, setIsBusy] = useState(false);
  const press = async (): Promise<void> => {
    const doing = props.onPress?.();
    if (!(doing instanceof Promise)) return;
    setIsBusy(true);
    try {
      await doing;
    } catch (error) {
      tellError(error);
    } finally {
      setIsBusy(false);
    }
  };
  const look = props.look && props.look !== "plain" ? ` ${props.look}` : "";
  return (
    <button
      type={props.type ?? "button"}
      class={`button${look}${props.small ? " small" : ""}${props.class ? ` ${props.class}` : ""}`}
      disabled={props.disabled === true || isBusy}
      aria-busy={isBusy}
      aria-label={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      title={props.title}
      onClick={() => void press()}
    >
      {props.children}
    </button>
  );
}
