// Drives headless Chromium for the tests: one JSON command a line in, one JSON message a line out.
import readline from "node:readline";
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

const commands = {
  async open({ page, url }) {
    const opened = await context.newPage();
    opened.setDefaultTimeout(15000);
    opened.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    opened.on("pageerror", (error) => complaints.push(String(error)));
    pages.set(page, opened);
    await opened.goto(url);
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
    await pages.get(page).setViewportSize({ width, height });
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
