// Drives @microsoft/signalr for the tests: one JSON command a line in, one JSON message a line out.
import readline from "node:readline";
import * as signalR from "@microsoft/signalr";
import WebSocket from "ws";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const connections = new Map();
const streams = new Map();
const sockets = new Map();

const TARGETS = ["Event", "SubscriptionSucceeded", "SubscriptionError", "MemberAdded", "MemberRemoved",
  "SubscriptionCount", "CacheMiss", "Error"];

// Remembers each connection's WebSockets, so that a test can cut one as a bad network would.
function rememberingSockets(client) {
  sockets.set(client, []);
  return class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.get(client).push(this);
    }
  };
}

const commands = {
  async connect({ client, url, token, transport, protocol, skipNegotiation, reconnect, resume, targets = [] }) {
    const options = { logger: signalR.LogLevel.None, skipNegotiation: skipNegotiation ?? false,
      WebSocket: rememberingSockets(client) };
    if (transport) options.transport = signalR.HttpTransportType[transport];
    if (token) options.accessTokenFactory = () => token;
    let builder = new signalR.HubConnectionBuilder().withUrl(url, options).configureLogging(signalR.LogLevel.None);
    if (protocol === "messagepack") builder = builder.withHubProtocol(new MessagePackHubProtocol());
    if (reconnect) builder = builder.withAutomaticReconnect(reconnect);
    if (resume) builder = builder.withStatefulReconnect();
    const connection = builder.build();
    connections.set(client, connection);
    for (const target of [...TARGETS, ...targets]) {
      connection.on(target, (...args) => say({ client, kind: "call", target, args }));
    }
    connection.onclose((error) => say({ client, kind: "closed", error: error ? error.message : null }));
    connection.onreconnecting((error) => say({ client, kind: "reconnecting", error: error ? error.message : null }));
    connection.onreconnected((id) => say({ client, kind: "reconnected", connection_id: id }));
    await connection.start();
    return connection.connectionId ?? null;
  },
  invoke: ({ client, method, args }) => connections.get(client).invoke(method, ...args),
  send: ({ client, method, args }) => connections.get(client).send(method, ...args),
  stream({ client, stream, method, args }) {
    streams.set(stream, connections.get(client).stream(method, ...args).subscribe({
      next: (item) => say({ stream, kind: "item", item }),
      complete: () => say({ stream, kind: "complete" }),
      error: (error) => say({ stream, kind: "stream_error", error: error.message }),
    }));
  },
  cancel: ({ stream }) => streams.get(stream).dispose(),
  state: ({ client }) => connections.get(client).state,
  connection_id: ({ client }) => connections.get(client).connectionId,
  stop: ({ client }) => connections.get(client).stop(),
  cut: ({ client }) => sockets.get(client).at(-1).terminate(),
};

process.on("unhandledRejection", () => {});

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then((result) => say({ id, result: result ?? null }))
    .catch((error) => say({ id, error: String(error.message ?? error) }));
}
process.exit(0);
