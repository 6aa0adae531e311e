/** Programs to copy, filled in with an app, a key and this server. No JSX: they are run by the tests as they are. */

import { envQuoted, phpQuoted, quoted, shellQuoted } from "./quoting";

export interface SnippetSource {
  appId: string;
  key: string;
  /** null: it is not known any more. */
  secret: string | null;
  host: string;
  port: number;
  isTls: boolean;
}

export interface Snippet {
  id: string;
  title: string;
  /** Where it runs, and what is to be known. */
  note: string;
  text: string;
}

/** What stands where the secret would, when it is not known. */
export const SECRET_PLACEHOLDER = "<your secret>";

const STAYS = "It holds the secret: keep it on your back end.";
const IN_BROWSERS = "For browsers and apps: the key is public, the secret is not needed.";

/** All of them: first what publishes, then what listens. */
export function snippets(source: SnippetSource): Snippet[] {
  return [
    curl(source),
    javaScript(source),
    python(source),
    php(source),
    cSharp(source),
    laravelEnvironment(source),
    pusherJs(source),
    laravelEcho(source),
    signalR(source),
  ];
}

const secretOf = (source: SnippetSource): string => source.secret ?? SECRET_PLACEHOLDER;

/** The server's URL, without the port where it is the scheme's own. */
function urlOf({ host, port, isTls }: SnippetSource): string {
  const isUsual = port === (isTls ? 443 : 80);
  return `${isTls ? "https" : "http"}://${host}${isUsual ? "" : `:${port}`}`;
}

function curl(source: SnippetSource): Snippet {
  const event = { name: "my-event", channel: "my-channel", data: JSON.stringify({ message: "hello world" }) };
  return {
    id: "curl",
    title: "cURL",
    note: `Publishes an event. ${STAYS}`,
    text: `curl -X POST ${urlOf(source)}/apps/${source.appId}/events \\
  -H ${shellQuoted(`X-Api-Key: ${source.key}`)} \\
  -H ${shellQuoted(`X-Api-Secret: ${secretOf(source)}`)} \\
  -H 'Content-Type: application/json' \\
  -d ${shellQuoted(JSON.stringify(event))}`,
  };
}

function javaScript(source: SnippetSource): Snippet {
  return {
    id: "javascript",
    title: "JavaScript",
    note: `Publishes from Node, with Pusher's SDK: npm install pusher. ${STAYS}`,
    text: `import Pusher from "pusher";

const pusher = new Pusher({
  appId: ${quoted(source.appId)},
  key: ${quoted(source.key)},
  secret: ${quoted(secretOf(source))},
  host: ${quoted(source.host)},
  port: "${source.port}",
  useTLS: ${source.isTls},
});

await pusher.trigger("my-channel", "my-event", { message: "hello world" });`,
  };
}

function python(source: SnippetSource): Snippet {
  return /^[0-9]+$/.test(source.appId) ? pythonWithSdk(source) : pythonWithRequests(source);
}

function pythonWithSdk(source: SnippetSource): Snippet {
  return {
    id: "python",
    title: "Python",
    note: `Publishes with Pusher's SDK: pip install pusher. ${STAYS}`,
    text: `from pusher import Pusher

pusher = Pusher(
    app_id=${quoted(source.appId)},
    key=${quoted(source.key)},
    secret=${quoted(secretOf(source))},
    host=${quoted(source.host)},
    port=${source.port},
    ssl=${source.isTls ? "True" : "False"},
)

pusher.trigger("my-channel", "my-event", {"message": "hello world"})`,
  };
}

function pythonWithRequests(source: SnippetSource): Snippet {
  return {
    id: "python",
    title: "Python",
    note: `Publishes with requests: pip install requests. Pusher's SDK takes only digits as an app's id. ${STAYS}`,
    text: `import json

import requests

response = requests.post(
    "${urlOf(source)}/apps/${source.appId}/events",
    headers={"X-Api-Key": ${quoted(source.key)}, "X-Api-Secret": ${quoted(secretOf(source))}},
    json={"name": "my-event", "channel": "my-channel", "data": json.dumps({"message": "hello world"})},
    timeout=10,
)
response.raise_for_status()`,
  };
}

function php(source: SnippetSource): Snippet {
  return {
    id: "php",
    title: "PHP",
    note: `Publishes with Pusher's SDK: composer require pusher/pusher-php-server. ${STAYS}`,
    text: `<?php

require __DIR__ . '/vendor/autoload.php';

$pusher = new Pusher\\Pusher(
    ${phpQuoted(source.key)},
    ${phpQuoted(secretOf(source))},
    ${phpQuoted(source.appId)},
    [
        'host' => ${phpQuoted(source.host)},
        'port' => ${source.port},
        'scheme' => '${source.isTls ? "https" : "http"}',
        'useTLS' => ${source.isTls},
    ]
);

$pusher->trigger('my-channel', 'my-event', ['message' => 'hello world']);`,
  };
}

function cSharp(source: SnippetSource): Snippet {
  return {
    id: "csharp",
    title: "C#",
    note: `Publishes with Pusher's SDK: dotnet add package PusherServer. ${STAYS}`,
    text: `using PusherServer;

var pusher = new Pusher(
    ${quoted(source.appId)},
    ${quoted(source.key)},
    ${quoted(secretOf(source))},
    new PusherOptions { HostName = ${quoted(source.host)}, Port = ${source.port}, Encrypted = ${source.isTls} });

await pusher.TriggerAsync("my-channel", "my-event", new { message = "hello world" });`,
  };
}

function laravelEnvironment(source: SnippetSource): Snippet {
  return {
    id: "laravel",
    title: "Laravel .env",
    note: `For Laravel's broadcasting: composer require pusher/pusher-php-server. ${STAYS}`,
    text: `BROADCAST_CONNECTION=pusher

PUSHER_APP_ID=${envQuoted(source.appId)}
PUSHER_APP_KEY=${envQuoted(source.key)}
PUSHER_APP_SECRET=${envQuoted(secretOf(source))}
PUSHER_HOST=${envQuoted(source.host)}
PUSHER_PORT=${source.port}
PUSHER_SCHEME=${source.isTls ? "https" : "http"}
PUSHER_APP_CLUSTER=

VITE_PUSHER_APP_KEY="\${PUSHER_APP_KEY}"
VITE_PUSHER_HOST="\${PUSHER_HOST}"
VITE_PUSHER_PORT="\${PUSHER_PORT}"
VITE_PUSHER_SCHEME="\${PUSHER_SCHEME}"`,
  };
}

/** What pusher-js has to be told about a server that is not Pusher's own. */
function clientOptions({ host, port, isTls }: SnippetSource): string {
  return `wsHost: ${quoted(host)},
  wsPort: ${port},
  wssPort: ${port},
  forceTLS: ${isTls},
  enabledTransports: ["ws", "wss"],
  cluster: "",`;
}

function pusherJs(source: SnippetSource): Snippet {
  return {
    id: "pusher-js",
    title: "pusher-js",
    note: `Listens: npm install pusher-js. ${IN_BROWSERS}`,
    text: `import Pusher from "pusher-js";

const pusher = new Pusher(${quoted(source.key)}, {
  ${clientOptions(source)}
});

pusher.subscribe("my-channel").bind("my-event", (data) => {
  console.log("my-event", data);
});`,
  };
}

function laravelEcho(source: SnippetSource): Snippet {
  return {
    id: "echo",
    title: "Laravel Echo",
    note: `Listens: npm install laravel-echo pusher-js. ${IN_BROWSERS} The dot stands for: no namespace before the name.`,
    text: `import Echo from "laravel-echo";
import Pusher from "pusher-js";

window.Pusher = Pusher;
window.Echo = new Echo({
  broadcaster: "pusher",
  key: ${quoted(source.key)},
  ${clientOptions(source)}
});

window.Echo.channel("my-channel").listen(".my-event", (data) => {
  console.log("my-event", data);
});`,
  };
}

function signalR(source: SnippetSource): Snippet {
  const url = urlOf(source);
  return {
    id: "signalr",
    title: "SignalR",
    note: "Listens: npm install @microsoft/signalr. In a browser, fetchToken has to ask your back end, which keeps the secret.",
    text: `import { HubConnectionBuilder } from "@microsoft/signalr";

async function fetchToken() {
  const response = await fetch("${url}/api/auth/signalr-token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      apiKey: ${quoted(source.key)},
      apiSecret: ${quoted(secretOf(source))},
    }),
  });
  const { token } = await response.json();
  return token;
}

const connection = new HubConnectionBuilder()
  .withUrl("${url}/push", { accessTokenFactory: fetchToken })
  .withAutomaticReconnect()
  .build();

connection.on("Event", ({ event, data }) => console.log(event, data));
connection.onreconnected(() => connection.send("Subscribe", "my-channel"));

await connection.start();
await connection.invoke("Subscribe", "my-channel");`,
  };
}
