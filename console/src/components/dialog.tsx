import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Button } from "./button";
import { TextField } from "./field";

/** A modal dialog: the browser keeps the focus inside, and Escape closes it. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={props.onClose}>
      <div class="stack">
        <h2 id={id}>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}

/**
 * A button that asks before it does something that cannot be taken back.
 *
 * With `typed`, that text has to be typed first.
 */
export function ConfirmButton(props: {
  children: ComponentChildren;
  question: string;
  explanation: ComponentChildren;
  confirm: string;
  onConfirm: () => Promise<unknown>;
  typed?: string;
  small?: boolean;
  label?: string;
  disabled?: boolean;
}) {
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState("");
  const close = (): void => {
    setIsOpen(false);
    setText("");
  };
  const confirm = async (): Promise<void> => {
    await props.onConfirm();
    close();
  };
  return (
    <>
      <Button
        look="danger"
        small={props.small === true}
        disabled={props.disabled === true}
        {...(props.label ? { label: props.label } : {})}
        onPress={() => setIsOpen(true)}
      >
        {props.children}
      </Button>
      {isOpen && (
        <Dialog title={props.question} onClose={close}>
          <p>{props.explanation}</p>
          {props.typed && <TextField label={`Type ${props.typed} to go on`} value={text} onChange={setText} mono />}
          <div class="row">
            <Button look="danger" disabled={props.typed !== undefined && text !== props.typed} onPress={confirm}>
              {props.confirm}
            </Button>
            <Button onPress={close}>Cancel</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
