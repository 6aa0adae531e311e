// Prints the console's snippets as JSON, filled in with the source given as JSON: {"app": [...], "webhooks": [...]}.
import { runnerImport } from "vite";

const root = `${import.meta.dirname}/..`;
const source = JSON.parse(process.argv[2]);

async function load(name) {
  const { module } = await runnerImport(`${root}/src/components/snippets/${name}.ts`, { root, configFile: false });
  return module;
}

const { snippets } = await load("snippets");
const { webhookSnippets } = await load("webhook_snippets");
process.stdout.write(JSON.stringify({ app: snippets(source), webhooks: webhookSnippets(source.secret) }));
