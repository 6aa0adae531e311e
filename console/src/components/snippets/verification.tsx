import { SnippetChoice } from "./choice";
import { webhookSnippets } from "./webhook_snippets";

/** How a back end checks that a webhook comes from this server. */
export default function Verification() {
  return <SnippetChoice label="Languages" snippets={webhookSnippets(null)} />;
}
