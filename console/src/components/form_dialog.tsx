import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Form } from "./field";

/** A dialog with a form. What the server says against it is shown in it, and it stays open. */
export function FormDialog(props: {
  title: string;
  submit: string;
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    setError(null);
    try {
      await props.onSubmit();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <Form onSubmit={() => void submit()}>
        {props.children}
        {error && (
          <p class="message bad" role="alert">
            {error}
          </p>
        )}
        <div class="row">
          <Button type="submit" look="primary" disabled={isBusy}>
            {props.submit}
          </Button>
          <Button onPress={props.onClose}>Cancel</Button>
        </div>
      </Form>
    </Dialog>
  );
}
