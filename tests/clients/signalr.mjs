// Drives @microsoft/signalr for the tests: one JSON command a line in, one JSON message a line out.
import readline from "node:readline";
import * as signalR from "@microsoft/signalr";
import WebSocket from "ws";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

// Returns nothing: what a handler returns would be taken for the result of the call.
const say = (message) => void process.stdout.write(JSON.stringify(message) + "\n");
const connections = new Map();
const streams = new Map();

const TARGETS = ["Event", "SubscriptionSucceeded", "SubscriptionError", "MemberAdded", "MemberRemoved", "Error"];

async function fetchToken({ url, body }) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()).token;
}

function build({ url, token, tokenRequest, transport, protocol, skipNegotiation, reconnect, resume }) {
  const options = { skipNegotiation, WebSocket };
  if (transport) options.transport = signalR.HttpTransportType[transport];
  if (token) options.accessTokenFactory = () => token;
  if (tokenRequest) options.accessTokenFactory = () => fetchToken(tokenRequest);
  const builder = new signalR.HubConnectionBuilder().withUrl(url, options).configureLogging(signalR.LogLevel.None);
  if (protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
  if (reconnect) builder.withAutomaticReconnect(reconnect);
  if (resume) builder.withStatefulReconnect();
  return builder.build();
}

const commands = {
  // As an application does: handlers first, then start, and on every reconnection the subscriptions anew.
  async connect({ client, targets = [], resubscribe = [], ...options }) {
    const connection = build(options);
    connections.set(client, connection);
    for (const target of [...TARGETS, ...targets]) {
      connection.on(target, (...args) => say({ client, kind: "call", target, args }));
    }
    const reason = (error) => (error ? error.message : null);
    connection.onclose((error) => say({ client, kind: "closed", error: reason(error) }));
    connection.onreconnecting((error) => say({ client, kind: "reconnecting", error: reason(error) }));
    connection.onreconnected(async (id) => {
      for (const channel of resubscribe) await connection.invoke("Subscribe", channel);
      say({ client, kind: "reconnected", connectionId: id });
    });
    await connection.start();
    return connection.connectionId;
  },
  invoke: ({ client, method, args }) => connections.get(client).invoke(method, ...args),
  send: ({ client, method, args }) => connections.get(client).send(method, ...args),
  stream({ client, stream, method, args }) {
    const subscription = connections.get(client).stream(method, ...args).subscribe({
      next: (item) => say({ stream, kind: "item", item }),
      complete: () => say({ stream, kind: "complete" }),
      error: (error) => say({ stream, kind: "failed", error: error.message }),
    });
    streams.set(stream, subscription);
  },
  cancel: ({ stream }) => streams.get(stream).dispose(),
  async upload({ client, method, items }) {
    const subject = new signalR.Subject();
    const answer = connections.get(client).invoke(method, subject);
    for (const item of items) subject.next(item);
    subject.complete();
    return answer;
  },
  state: ({ client }) => connections.get(client).state,
  stop: ({ client }) => connections.get(client).stop(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then((result) => say({ id, result: result ?? null }))
    .catch((error) => say({ id, error: String(error.message ?? error) }));
}
process.exit(0);
