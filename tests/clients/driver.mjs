// Drives pusher-js and the pusher SDK for the tests: one JSON command a line in, one JSON message a line out.
import readline from "node:readline";
import Pusher from "pusher-js";
import PusherServer from "pusher";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const clients = new Map();

const commands = {
  connect({ client, key, options }) {
    const pusher = new Pusher(key, options);
    clients.set(client, pusher);
    pusher.connection.bind("state_change", ({ current }) => say({ client, kind: "state", state: current }));
    pusher.connection.bind("error", (error) => say({ client, kind: "error", error }));
    pusher.connection.bind("disconnected", () => say({ client, kind: "disconnected" }));
  },
  subscribe({ client, channel }) {
    const subscription = clients.get(client).subscribe(channel);
    subscription.bind_global((event, data) => say({ client, kind: "event", channel, event, data }));
    subscription.bind("client-signed", (data, metadata) => say({ client, kind: "metadata", metadata }));
  },
  signin({ client }) {
    const { user } = clients.get(client);
    user.bind_global((event, data) => say({ client, kind: "user", event, data }));
    for (const event of ["online", "offline"]) {
      user.watchlist.bind(event, ({ user_ids: users }) => say({ client, kind: "watchlist", event, users }));
    }
    clients.get(client).signin();
    return user.signinDonePromise.then(() => user.user_data);
  },
  count: ({ client, channel }) => clients.get(client).channel(channel).subscriptionCount,
  unsubscribe: ({ client, channel }) => clients.get(client).unsubscribe(channel),
  trigger: ({ client, channel, event, data }) => clients.get(client).channel(channel).trigger(event, data),
  members({ client, channel }) {
    const { members } = clients.get(client).channel(channel);
    return { count: members.count, me: members.me, members: members.members };
  },
  socket_id: ({ client }) => clients.get(client).connection.socket_id,
  state: ({ client }) => clients.get(client).connection.state,
  disconnect: ({ client }) => clients.get(client).disconnect(),
  async sdk({ options, method, args }) {
    try {
      const response = await new PusherServer(options)[method](...args);
      return { status: response.status, body: await response.text() };
    } catch (error) {
      if (error.status === undefined) throw error;
      return { status: error.status, body: error.body };
    }
  },
  webhook({ options, headers, body }) {
    const webhook = new PusherServer(options).webhook({ headers, rawBody: body });
    return { isValid: webhook.isValid(), events: webhook.getEvents() };
  },
  async fetch({ url, options }) {
    const response = await fetch(url, options);
    return { status: response.status, body: await response.text() };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, command, ...parameters } = JSON.parse(line);
  Promise.resolve()
    .then(() => commands[command](parameters))
    .then((result) => say({ id, result: result ?? null }))
    .catch((error) => say({ id, error: String(error.stack ?? error) }));
}
process.exit(0);
