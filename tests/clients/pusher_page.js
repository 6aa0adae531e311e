// Added to a page behind pusher-js: clients as an application has them, whose words are kept for the test.
window.clients = {};

window.connect = (client, key, options) => {
  const pusher = new Pusher(key, options);
  const kept = { pusher, states: [], errors: [], events: [] };
  window.clients[client] = kept;
  pusher.connection.bind("state_change", ({ current }) => void kept.states.push(current));
  pusher.connection.bind("error", ({ error, data }) => void kept.errors.push((error?.data ?? data ?? {}).code ?? null));
};

window.subscribe = (client, channel) => {
  const { pusher, events } = window.clients[client];
  pusher.subscribe(channel).bind_global((event, data) => void events.push([channel, event, data]));
};

// The data of the events of a name on a channel, in the order in which they came.
window.received = (client, channel, event) =>
  window.clients[client].events.filter(([on, name]) => on === channel && name === event).map(([, , data]) => data);

window.transport = (client) => window.clients[client].pusher.connection.connection?.transport.name;
