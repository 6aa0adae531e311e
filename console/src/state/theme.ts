import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const PLACE = "skubber-theme";

/** Light, dark, or what the system says; kept in this browser. */
export const theme = signal<Theme>(stored());

/** Counts up whenever the colours change: charts, which are no CSS, are drawn anew. */
export const colours = signal(0);

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

effect(() => {
  localStorage.setItem(PLACE, theme.value);
  paint();
});

systemIsDark.addEventListener("change", paint);

function paint(): void {
  const system = systemIsDark.matches ? "dark" : "light";
  document.documentElement.dataset["theme"] = theme.value === "system" ? system : theme.value;
  colours.value = colours.peek() + 1;
}

function stored(): Theme {
  const value = localStorage.getItem(PLACE);
  return value === "light" || value === "dark" ? value : "system";
}
