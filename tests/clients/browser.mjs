// Drives headless Chromium for the tests: one JSON command a line in, one JSON message a line out.
import { readFileSync } from "node:fs";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true });
const pages = new Map();
const complaints = [];

const AXE = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));

const commands = {
  async open({ page, url }) {
    const opened = await context.newPage();
    opened.setDefaultTimeout(15000);
    opened.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    opened.on("pageerror", (error) => complaints.push(String(error)));
    pages.set(page, opened);
    await opened.goto(url);
  },
  go: ({ page, url }) => pages.get(page).goto(url).then(() => null),
  press: ({ page, key }) => pages.get(page).keyboard.press(key),
  type: ({ page, text }) => pages.get(page).keyboard.type(text),
  async look({ page, width, height, scheme }) {
    await pages.get(page).setViewportSize({ width, height });
    await pages.get(page).emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  },
  // What axe-core finds that keeps people out. Evaluated, not loaded: the page's own policy lets nothing in.
  async accessibility({ page }) {
    await pages.get(page).evaluate(readFileSync(AXE, "utf8"));
    const { violations } = await pages.get(page).evaluate("axe.run()");
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html.slice(0, 200)) }));
  },
  close: ({ page }) => pages.get(page).close(),
  fill: ({ page, selector, value }) => pages.get(page).fill(selector, value),
  click: ({ page, selector }) => pages.get(page).click(selector),
  select: ({ page, selector, value }) => pages.get(page).selectOption(selector, value),
  text: ({ page, selector }) => pages.get(page).locator(selector).first().textContent(),
  evaluate: ({ page, expression }) => pages.get(page).evaluate(expression),
  add_script: ({ page, path }) => pages.get(page).addScriptTag({ path }).then(() => null),
  async wait_for({ page, selector }) {
    await pages.get(page).waitForSelector(selector);
  },
  async wait_until({ page, expression }) {
    await pages.get(page).waitForFunction(expression);
  },
  async screenshot({ page, path, width, height }) {
    if (width) await pages.get(page).setViewportSize({ width, height });
    await pages.get(page).screenshot({ path });
  },
  complaints: () => complaints,
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then((result) => say({ id, result: result ?? null }))
    .catch((error) => say({ id, error: String(error.stack ?? error) }));
}
await browser.close();
process.exit(0);
