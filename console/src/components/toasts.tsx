import { signal } from "@preact/signals";

interface Toast {
  id: number;
  kind: "good" | "bad";
  text: string;
}

const SHOWN_MS = 6000;

const toasts = signal<Toast[]>([]);
let count = 0;

/** Say something at the page's edge for a while. */
export function tell(text: string, kind: "good" | "bad" = "good"): void {
  const toast = { id: (count += 1), kind, text };
  toasts.value = [...toasts.value, toast];
  setTimeout(() => {
    toasts.value = toasts.value.filter((each) => each !== toast);
  }, SHOWN_MS);
}

/** Say what went wrong. */
export function tellError(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), "bad");
}

/** Where it is said; there is one of it. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <p key={toast.id} class={`message ${toast.kind}`}>
          {toast.text}
        </p>
      ))}
    </div>
  );
}
