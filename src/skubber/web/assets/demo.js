// The demo page: publishes over HTTP, and shows what two clients receive, one of each protocol. It plays the back end as
// well, which it can because it has the app's secret: it authorizes both clients for private and presence channels.
import { ClientPanel } from "./client_panel.js";
import { PusherClient } from "./pusher_client.js";
import { authorization } from "./pusher_signature.js";
import { SignalRClient, TokenRefused } from "./signalr_client.js";

const NO_SUCH_APP = 4001;
const CLIENT_EVENT = "client-message";
const NO_PACKAGE =
  "This server was set up without Microsoft’s client, the npm package @microsoft/signalr. Install npm and start the " +
  "server with “make run” to see it here. The hub itself is there, at /push.";

const find = (selector) => document.querySelector(selector);

// Two pages are two pairs of users.
const page = Math.random().toString(36).slice(2, 8);
const PUSHER_USER = { id: `pusher-${page}`, info: { name: "Pusher client" } };
const SIGNALR_USER = { id: `signalr-${page}`, info: { name: "SignalR client" } };

const pusher = { panel: new ClientPanel(find("#pusher-client"), (text) => say(pusher, text)), client: null };
const signalr = { panel: new ClientPanel(find("#signalr-client"), (text) => say(signalr, text)), client: null };
const sides = [pusher, signalr];

let app = null;
let signalrPackage = null;
let channel = find("#channel").value;

async function fetchConfiguration() {
  return (await fetch("/demo/app.json")).json();
}

/** The server's demo app; null when it runs with apps of its operator. */
async function fetchDemoApp() {
  const { app: demoApp, is_exposed: isExposed } = await fetchConfiguration();
  find("#exposed").hidden = !isExposed;
  return demoApp && { ...demoApp, isDemo: true };
}

/** The package @microsoft/signalr, which is no module; null where the server does not have it. */
async function loadSignalR() {
  const { signalr_script: source } = await fetchConfiguration();
  if (source === null) return null;
  const script = document.createElement("script");
  script.src = source;
  document.head.append(script);
  await new Promise((loaded) => script.addEventListener("load", loaded));
  return globalThis.signalR;
}

function use(newApp) {
  app = newApp;
  for (const { client } of sides) client?.disconnect();
  pusher.client = new PusherClient(app.key, authorizePusher, {
    ...pusher.panel.handlers,
    onStopped: (code) => code === NO_SUCH_APP && app.isDemo && useNextDemoApp(app.key),
  });
  if (signalrPackage !== null) {
    signalr.client = new SignalRClient(signalrPackage, fetchToken, signalr.panel.handlers);
  }
  for (const { client } of sides) {
    client?.subscribe(channel);
    client?.connect();
  }
  find("#publish-fields").disabled = false;
  showCurl();
}

// What a back end does for a Pusher client: it signs who may listen to what.
function authorizePusher(socketId, name) {
  return authorization(app, socketId, name, { user_id: PUSHER_USER.id, user_info: PUSHER_USER.info });
}

// What a back end does for a SignalR client: it fetches a token that says who the client is and what it may listen to.
async function fetchToken() {
  const response = await fetch("/api/auth/signalr-token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      apiKey: app.key,
      apiSecret: app.secret,
      userId: SIGNALR_USER.id,
      userInfo: SIGNALR_USER.info,
      channels: ["private-*", "presence-*"],
    }),
  });
  const problem = await refusal(response.clone());
  if (problem !== null) throw new TokenRefused(problem);
  return (await response.json()).token;
}

// A server that was started anew has made up another demo app.
async function useNextDemoApp(oldKey) {
  const demoApp = await fetchDemoApp();
  if (demoApp === null) askForApp();
  else if (demoApp.key !== oldKey) use(demoApp);
}

function askForApp() {
  find("#own-app").hidden = false;
  for (const { panel } of sides) panel.showAbsence("Not connected", "");
}

function followChannel() {
  const newChannel = find("#channel").value.trim();
  if (newChannel === channel || newChannel === "") return;
  for (const { client } of sides) client?.unsubscribe(channel);
  channel = newChannel;
  for (const { client, panel } of sides) {
    if (client === null) continue;
    panel.showNote("");
    client.subscribe(channel);
  }
}

/** Send a client event from one client to the others on the channel. */
function say(from, text) {
  const event = { name: CLIENT_EVENT, channel, data: { text } };
  for (const side of sides) if (side !== from) side.panel.expect(event, "Send");
  from.panel.showSent(event);
  from.client.trigger(event.channel, event.name, event.data);
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
  for (const { panel } of sides) panel.expect(event, "Publish");
  const problem = await post(event).then(refusal, () => "The server cannot be reached.");
  if (problem !== null) for (const { panel } of sides) panel.forget(event);
  find("#publish-result").textContent = problem ?? `Published on ${event.channel}`;
  find("#publish-result").classList.toggle("problem", problem !== null);
}

/** Why the server refused a request; null if it did not. */
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

for (const suggestion of document.querySelectorAll("[data-channel]")) {
  suggestion.addEventListener("click", () => {
    find("#channel").value = suggestion.dataset.channel;
    followChannel();
    showCurl();
  });
}

showCurl();
signalrPackage = await loadSignalR();
const demoApp = await fetchDemoApp();
if (demoApp === null) askForApp();
else use(demoApp);
if (signalrPackage === null) signalr.panel.showAbsence("Not set up", NO_PACKAGE);
