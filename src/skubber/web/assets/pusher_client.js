// A client of Pusher protocol 7 in plain JavaScript, to read and to learn from.
//
// Every WebSocket message is a JSON object with an `event`. The server greets with `pusher:connection_established`. The
// client sends `pusher:subscribe` with the name of a channel, which the server confirms with
// `pusher_internal:subscription_succeeded`. From then on each event published on the channel arrives as
// {"event": "...", "channel": "...", "data": "..."}. Names that start with `pusher:` or `pusher_internal:` are the
// protocol's own, all others are the application's.
//
// The greeting also carries the connection's `socket_id`. A publisher may name it to leave this one connection out. For
// private and presence channels, a back end that wants to let the user in signs the `socket_id` and the channel's name.

const PONG_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 30;

export class PusherClient {
  #key;
  #authorize;
  #handlers;
  #channels = new Set();
  #socket = null;
  #socketId = null;
  #failures = 0;
  #activitySeconds = 120;
  #timer = null;

  /**
   * @param {string} key - the app's key. It is public; the secret stays with those who publish.
   * @param {(socketId: string, channel: string) => Promise<object>} authorize - asks the back end for the `auth` of a
   *   private or presence channel, and for the `channel_data` of the latter.
   * @param {object} handlers - called with what happens:
   *   onState(state, text): "connecting", "connected", "waiting" (to connect again) or "stopped"; and a line about it;
   *   onSubscribed(channel, members): the server has confirmed a subscription; on presence channels with who is there,
   *     the client's own user included, as a list of { id, info };
   *   onMemberAdded(channel, member), onMemberRemoved(channel, id): somebody has come to a presence channel, or left it;
   *   onEvent({ name, channel, data, userId }): an event was published, data is the publisher's string; or another client
   *     has sent it, data is any JSON and userId, on presence channels, the sender;
   *   onError(message): the server refused something;
   *   onStopped(code): the server has closed with one of the codes after which clients stay away, 4000 to 4099.
   */
  constructor(key, authorize, handlers) {
    this.#key = key;
    this.#authorize = authorize;
    this.#handlers = handlers;
  }

  connect() {
    this.#handlers.onState("connecting", "Connecting");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = "protocol=7&client=skubber-demo&version=1.0";
    const socket = new WebSocket(`${scheme}://${location.host}/app/${encodeURIComponent(this.#key)}?${query}`);
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
  }

  /** Listen on a channel, now and after every reconnection. */
  subscribe(channel) {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    if (this.#socketId !== null) this.#subscribe(channel);
  }

  unsubscribe(channel) {
    this.#channels.delete(channel);
    if (this.#socketId !== null) this.#send("pusher:unsubscribe", { channel });
  }

  /** Send a client event to the channel's other subscribers, of whichever protocol. Its name starts with client-. */
  trigger(channel, name, data) {
    if (this.#socketId !== null) this.#socket.send(JSON.stringify({ event: name, channel, data }));
  }

  /** Close the connection and stay away; the handlers are not called any more. */
  disconnect() {
    clearTimeout(this.#timer);
    this.#letGo();
  }

  #send(event, data) {
    this.#socket.send(JSON.stringify({ event, data }));
  }

  async #subscribe(channel) {
    const socketId = this.#socketId;
    try {
      const isPublic = !/^(private|presence)-/.test(channel);
      const authorization = isPublic ? {} : await this.#authorize(socketId, channel);
      // Meanwhile the connection may have been lost, or the channel left.
      if (socketId !== this.#socketId || !this.#channels.has(channel)) return;
      this.#send("pusher:subscribe", { channel, ...authorization });
    } catch (error) {
      this.#handlers.onError(error.message);
    }
  }

  #receive(message) {
    this.#watchForSilence();
    switch (message.event) {
      case "pusher:connection_established":
        // The data of the protocol's messages is a string that holds JSON; that of errors is not.
        this.#established(JSON.parse(message.data));
        break;
      case "pusher_internal:subscription_succeeded":
        this.#handlers.onSubscribed(message.channel, members(JSON.parse(message.data)));
        break;
      case "pusher_internal:member_added":
        this.#handlers.onMemberAdded(message.channel, member(JSON.parse(message.data)));
        break;
      case "pusher_internal:member_removed":
        this.#handlers.onMemberRemoved(message.channel, JSON.parse(message.data).user_id);
        break;
      case "pusher:subscription_error":
        this.#handlers.onError(message.data.error);
        break;
      case "pusher:error":
        this.#handlers.onError(message.data.message);
        break;
      case "pusher:ping":
        this.#send("pusher:pong", {});
        break;
      default:
        if (/^pusher(_internal)?:/.test(message.event)) break;
        this.#handlers.onEvent({
          name: message.event,
          channel: message.channel,
          data: message.data,
          userId: message.user_id,
        });
    }
  }

  #established({ socket_id: socketId, activity_timeout: activitySeconds }) {
    this.#socketId = socketId;
    this.#failures = 0;
    this.#activitySeconds = activitySeconds;
    this.#watchForSilence();
    this.#handlers.onState("connected", "Connected");
    for (const channel of this.#channels) this.#subscribe(channel);
  }

  // Networks may lose a connection without a word. After a time of silence, a ping shows whether it is still there.
  #watchForSilence() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#send("pusher:ping", {});
      this.#timer = setTimeout(() => this.#closed(1006, ""), PONG_SECONDS * 1000);
    }, this.#activitySeconds * 1000);
  }

  // What the server means by its code: 40xx do not come back, 41xx come back after a pause, 42xx come back at once.
  #closed(code, reason) {
    clearTimeout(this.#timer);
    this.#letGo();
    if (code >= 4000 && code < 4100) {
      this.#handlers.onState("stopped", reason);
      this.#handlers.onStopped(code);
      return;
    }
    if (code >= 4200 && code < 4300) {
      this.connect();
      return;
    }
    this.#connectLater();
  }

  // Each pause is twice the last, and a random part of it is left out: clients must not all come back at the same time.
  #connectLater() {
    const pause = Math.min(2 ** this.#failures, LONGEST_PAUSE_SECONDS) * (1 - Math.random() / 2);
    this.#failures += 1;
    this.#handlers.onState("waiting", "Connection lost, trying again soon");
    this.#timer = setTimeout(() => this.connect(), pause * 1000);
  }

  // A connection that does not answer would also keep its close event waiting.
  #letGo() {
    this.#socketId = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
  }
}

const member = ({ user_id: id, user_info: info }) => ({ id, info });

// On channels without presence the data is an empty object.
const members = ({ presence }) => presence?.ids.map((id) => ({ id, info: presence.hash[id] }));
