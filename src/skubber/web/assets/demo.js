// The demo page: publishes over HTTP, and shows what a client of the Pusher protocol receives.
import { ClientPanel } from "./client_panel.js";
import { PusherClient } from "./pusher_client.js";

const NO_SUCH_APP = 4001;

const find = (selector) => document.querySelector(selector);
const panel = new ClientPanel(find("#pusher-client"));

let app = null;
let client = null;
let channel = find("#channel").value;

/** The server's demo app; null when it runs with apps of its operator. */
async function fetchDemoApp() {
  const response = await fetch("/demo/app.json");
  const { app: demoApp, is_exposed: isExposed } = await response.json();
  find("#exposed").hidden = !isExposed;
  return demoApp && { ...demoApp, isDemo: true };
}

function use(newApp) {
  app = newApp;
  client?.disconnect();
  client = new PusherClient(app.key, {
    onState(state, text) {
      panel.showState(state, text);
      if (state !== "connected") panel.showNote("");
    },
    onSubscribed: (name) => panel.showNote(`Subscribed to ${name} on ${location.host}`),
    onEvent: (event) => panel.showEvent(event),
    onError: (message) => panel.showNote(message),
    onStopped: (code) => code === NO_SUCH_APP && app.isDemo && useNextDemoApp(app.key),
  });
  client.connect();
  client.subscribe(channel);
  find("#publish-fields").disabled = false;
  showCurl();
}

// A server that was started anew has made up another demo app.
async function useNextDemoApp(oldKey) {
  const demoApp = await fetchDemoApp();
  if (demoApp === null) askForApp();
  else if (demoApp.key !== oldKey) use(demoApp);
}

function askForApp() {
  find("#own-app").hidden = false;
  panel.showState("stopped", "Not connected");
}

function followChannel() {
  const newChannel = find("#channel").value.trim();
  if (newChannel === channel || newChannel === "") return;
  client.unsubscribe(channel);
  channel = newChannel;
  panel.showNote("");
  client.subscribe(channel);
}

function enteredEvent() {
  return { name: find("#event-name").value, channel: find("#channel").value.trim(), data: find("#event-data").value };
}

/** What any back end does to publish: one POST request. */
function post(event) {
  return fetch(`/apps/${encodeURIComponent(app.id)}/events`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Api-Key": app.key, "X-Api-Secret": app.secret },
    body: JSON.stringify(event),
  });
}

async function publish() {
  const event = enteredEvent();
  panel.expect(event);
  const problem = await post(event).then(refusal, () => "The server cannot be reached.");
  if (problem !== null) panel.forget(event);
  find("#publish-result").textContent = problem ?? `Published on ${event.channel}`;
  find("#publish-result").classList.toggle("problem", problem !== null);
}

/** Why the server refused to publish; null if it did not. */
async function refusal(response) {
  if (response.ok) return null;
  const { code, error } = await response.json();
  return `${error} (${code})`;
}

function showCurl() {
  // The operator's secret is not put on the screen: the shell fills it in.
  const secret = app?.isDemo ? quoted(`X-Api-Secret: ${app.secret}`) : '"X-Api-Secret: $SKUBBER_SECRET"';
  find("#curl").textContent = [
    `curl -X POST ${quoted(`${location.origin}/apps/${encodeURIComponent(app?.id ?? "APP_ID")}/events`)}`,
    `  -H ${quoted(`X-Api-Key: ${app?.key ?? "YOUR_KEY"}`)}`,
    `  -H ${secret}`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${quoted(JSON.stringify(enteredEvent()))}`,
  ].join(" \\\n");
  find("#curl-note").hidden = Boolean(app?.isDemo);
}

/** A word for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

async function copyCurl() {
  try {
    await navigator.clipboard.writeText(find("#curl").textContent);
    confirmCopy("Copied");
  } catch {
    // Browsers give the clipboard to pages from https:// and localhost only; the person has to press the keys.
    getSelection().selectAllChildren(find("#curl"));
    confirmCopy("Press Ctrl+C");
  }
}

function confirmCopy(text) {
  find("#copy").textContent = text;
  find("#copy-result").textContent = text;
  setTimeout(() => (find("#copy").textContent = "Copy"), 2000);
}

find("#channel").addEventListener("change", followChannel);
find("#publish-form").addEventListener("input", showCurl);
find("#publish-form").addEventListener("submit", (submission) => {
  submission.preventDefault();
  publish();
});
find("#own-app-form").addEventListener("submit", (submission) => {
  submission.preventDefault();
  use({ id: find("#app-id").value.trim(), key: find("#app-key").value.trim(), secret: find("#app-secret").value.trim() });
});
find("#copy").addEventListener("click", copyCurl);

showCurl();
const demoApp = await fetchDemoApp();
if (demoApp === null) askForApp();
else use(demoApp);
