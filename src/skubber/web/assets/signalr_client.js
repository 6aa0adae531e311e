// Microsoft's SignalR client, used as in an application: to read and to learn from, beside pusher_client.js.
//
// The hub is at /push. It takes an access token, which a back end fetches with the app's key and secret. The client calls
// Subscribe(channel), Unsubscribe(channel) and Trigger(channel, event, data); the server calls Event for each event, and
// tells by further calls what becomes of a subscription and who is there.

const LONGEST_PAUSE_SECONDS = 30;

/** Each pause is twice the last, and a random part of it is left out: clients must not all come back at once. */
const pauseMilliseconds = (failures) =>
  Math.min(2 ** failures, LONGEST_PAUSE_SECONDS) * (1 - Math.random() / 2) * 1000;

/** The back end gives no token: there is no point in asking again. */
export class TokenRefused extends Error {}

export class SignalRClient {
  #handlers;
  #fetchToken;
  #connection;
  #channels = new Set();
  #refusal = null;
  #failures = 0;
  #timer = null;

  /**
   * @param {object} signalR - what the package @microsoft/signalr exports.
   * @param {() => Promise<string>} fetchToken - asks the back end for a token; throws TokenRefused.
   * @param {object} handlers - called with what happens; see PusherClient.
   */
  constructor(signalR, fetchToken, handlers) {
    this.#handlers = handlers;
    this.#fetchToken = fetchToken;
    this.#connection = new signalR.HubConnectionBuilder()
      .withUrl("/push", { accessTokenFactory: () => this.#token() })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount }) => this.#nextPause(previousRetryCount) })
      .configureLogging(signalR.LogLevel.None)
      .build();
    this.#listen();
  }

  async connect() {
    this.#handlers.onState("connecting", "Connecting");
    try {
      await this.#connection.start();
      this.#established();
    } catch {
      this.#failed();
    }
  }

  /** Listen on a channel, now and after every reconnection. */
  subscribe(channel) {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    this.#send("Subscribe", channel);
  }

  unsubscribe(channel) {
    this.#channels.delete(channel);
    this.#send("Unsubscribe", channel);
  }

  /** Send a client event to the channel's other subscribers, of whichever protocol. */
  trigger(channel, name, data) {
    this.#send("Trigger", channel, name, data);
  }

  /** Close the connection and stay away; the handlers are not called any more. */
  disconnect() {
    clearTimeout(this.#timer);
    this.#handlers = Object.fromEntries(Object.keys(this.#handlers).map((name) => [name, () => {}]));
    this.#connection.stop();
  }

  #listen() {
    const connection = this.#connection;
    connection.on("Event", ({ event, channel, data, userId }) =>
      this.#handlers.onEvent({ name: event, channel, data, userId }),
    );
    connection.on("SubscriptionSucceeded", ({ channel, members }) =>
      this.#handlers.onSubscribed(channel, members?.map(({ userId, userInfo }) => ({ id: userId, info: userInfo }))),
    );
    connection.on("SubscriptionError", ({ error }) => this.#handlers.onError(error));
    connection.on("MemberAdded", ({ channel, userId, userInfo }) =>
      this.#handlers.onMemberAdded(channel, { id: userId, info: userInfo }),
    );
    connection.on("MemberRemoved", ({ channel, userId }) => this.#handlers.onMemberRemoved(channel, userId));
    connection.on("Error", ({ error }) => this.#handlers.onError(error));
    connection.onreconnecting(() => this.#handlers.onState("waiting", "Connection lost, trying again soon"));
    // An automatic reconnect is a new connection, which is subscribed to nothing.
    connection.onreconnected(() => this.#established());
    connection.onclose((error) => this.#handlers.onState("stopped", error?.message ?? "Closed"));
  }

  #established() {
    this.#failures = 0;
    this.#handlers.onState("connected", "Connected");
    for (const channel of this.#channels) this.#send("Subscribe", channel);
  }

  // What is called without waiting for an answer is answered by a call of SubscriptionError or Error if it fails.
  #send(method, ...args) {
    if (this.#connection.state === "Connected") this.#connection.send(method, ...args).catch(() => {});
  }

  async #token() {
    try {
      return await this.#fetchToken();
    } catch (error) {
      if (error instanceof TokenRefused) this.#refusal = error;
      throw error;
    }
  }

  #nextPause(failures) {
    return this.#refusal === null ? pauseMilliseconds(failures) : null;
  }

  // A connection that was never there is not reconnected by the client itself.
  #failed() {
    if (this.#refusal !== null) {
      this.#handlers.onState("stopped", this.#refusal.message);
      return;
    }
    this.#handlers.onState("waiting", "Cannot connect, trying again soon");
    this.#timer = setTimeout(() => this.connect(), pauseMilliseconds(this.#failures));
    this.#failures += 1;
  }
}
