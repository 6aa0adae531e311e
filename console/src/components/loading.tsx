import type { ComponentChildren } from "preact";
import type { Loaded } from "../state/use_loaded";
import { Button } from "./button";

/** What is shown while something is loaded, when that fails, and when it is there. */
export function Loading<Value>(props: { of: Loaded<Value>; children: (value: Value) => ComponentChildren }) {
  const { value, error, reload } = props.of;
  return (
    <>
      {error && (
        <div class="message bad row apart" role="alert">
          <span>{error.message}</span>
          <Button small onPress={reload}>
            Try again
          </Button>
        </div>
      )}
      {value === undefined && !error && (
        <p class="muted" role="status">
          Loading …
        </p>
      )}
      {value !== undefined && props.children(value)}
    </>
  );
}
