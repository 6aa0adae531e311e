// Drives Laravel Echo for the tests: one JSON command a line in, one JSON message a line out.
import readline from "node:readline";
import Echo from "laravel-echo";
import Pusher from "pusher-js";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const clients = new Map();

function report(client, channel, kind) {
  return (data) => say({ client, channel, kind, data });
}

const commands = {
  connect({ client, options }) {
    const echo = new Echo({ ...options, Pusher });
    clients.set(client, echo);
    return new Promise((resolve) => echo.connector.pusher.connection.bind("connected", () => resolve(echo.socketId())));
  },
  // `how` is the method of Echo: channel, private, encryptedPrivate or join.
  listen({ client, how, channel, event }) {
    const subscription = clients.get(client)[how](channel);
    subscription.subscribed(report(client, channel, "subscribed")).error(report(client, channel, "error"));
    subscription.listen(event, report(client, channel, "event"));
    if (how === "channel") return;
    if (how !== "encryptedPrivate") subscription.listenForWhisper("typing", report(client, channel, "whisper"));
    if (how !== "join") return subscription.notification(report(client, channel, "notification"));
    subscription
      .here(report(client, channel, "here"))
      .joining(report(client, channel, "joining"))
      .leaving(report(client, channel, "leaving"));
  },
  whisper: ({ client, how, channel, data }) => void clients.get(client)[how](channel).whisper("typing", data),
  leave: ({ client, channel }) => clients.get(client).leave(channel),
  disconnect: ({ client }) => clients.get(client).disconnect(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then((result) => say({ id, result: typeof result === "string" ? result : null }))
    .catch((error) => say({ id, error: String(error.stack ?? error) }));
}
process.exit(0);
