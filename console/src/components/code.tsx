import { useRef, useState } from "preact/hooks";
import { Button } from "./button";

const SAID_MS = 1500;

function useCopy(text: string): { word: string; copy: () => Promise<void> } {
  const [word, setWord] = useState("Copy");
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setWord("Copied");
    } catch {
      // Without TLS, but on this machine itself, browsers have no clipboard for pages.
      setWord(copyBySelection(text) ? "Copied" : "Not copied");
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setWord("Copy"), SAID_MS);
  };
  return { word, copy };
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  // Inside an open dialog nothing outside of it can be selected.
  const place = document.querySelector("dialog[open]") ?? document.body;
  place.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}

/** A button that copies a text. */
export function CopyButton(props: { text: string; what: string }) {
  const { word, copy } = useCopy(props.text);
  return (
    <Button small onPress={copy} label={`${word} ${props.what}`}>
      {word}
    </Button>
  );
}

/** Code, with a button that copies it. */
export function Code(props: { text: string; what: string }) {
  return (
    <div class="code">
      {/* What scrolls must be reachable by keyboard. */}
      <pre tabIndex={0} role="region" aria-label={props.what}>
        {props.text}
      </pre>
      <CopyButton text={props.text} what={props.what} />
    </div>
  );
}

/** A value such as a key, with a button that copies it. */
export function CopyValue(props: { value: string; what: string }) {
  return (
    <span class="copy-value">
      <code>{props.value}</code>
      <CopyButton text={props.value} what={props.what} />
    </span>
  );
}
