import { useState } from "preact/hooks";
import { Code } from "../code";
import { Tabs } from "../tabs";
import type { Snippet } from "./snippets";

/** Snippets, one of which is shown. */
export function SnippetChoice(props: { label: string; snippets: Snippet[] }) {
  const [id, setId] = useState(props.snippets[0]?.id ?? "");
  const shown = props.snippets.find((each) => each.id === id) ?? props.snippets[0];
  if (!shown) return null;
  return (
    <Tabs
      label={props.label}
      tabs={props.snippets.map(({ id: value, title: text }) => ({ value, text }))}
      selected={shown.id}
      onSelect={setId}
    >
      <div class="stack tight">
        <p class="muted">{shown.note}</p>
        <Code text={shown.text} what={`the code for ${shown.title}`} />
      </div>
    </Tabs>
  );
}
