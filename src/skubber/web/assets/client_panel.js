// The part of the page that shows one client: its state, the events it receives, who is there, and what it can say.
// Everything that came over the network is put into the page as text, never as HTML.

const MOST_EVENTS = 100;
const LONGEST_LATENCY_MS = 10_000;
const LONG_DATA = 64;

export class ClientPanel {
  #element;
  #template = document.querySelector("#event-template");
  #expected = [];
  #members = new Map();

  /**
   * @param {Element} element - an <article class="client">.
   * @param {(text: string) => void} onSay - called with what is entered for the other clients.
   */
  constructor(element, onSay) {
    this.#element = element;
    this.#find(".say").addEventListener("submit", (submission) => {
      submission.preventDefault();
      onSay(this.#find(".say input").value);
      submission.target.reset();
    });
  }

  /** What a client has to be given, to be shown here; see PusherClient. */
  get handlers() {
    return {
      onState: (state, text) => this.#showState(state, text),
      onSubscribed: (channel, members) => this.#showSubscription(channel, members),
      onMemberAdded: (_, member) => this.#showMembers(this.#members.set(member.id, member)),
      onMemberRemoved: (_, id) => this.#members.delete(id) && this.#showMembers(this.#members),
      onEvent: (event) => this.#showEvent(event, this.#origin(event)),
      onError: (message) => this.showNote(message),
      onStopped: () => {},
    };
  }

  /** Show that there is no client, and why. */
  showAbsence(state, note) {
    this.#showState("stopped", state);
    this.showNote(note);
  }

  /** Show a line about the client; whether it can say something follows. */
  showNote(text, canSpeak = false) {
    this.#find(".listening").textContent = text;
    this.#find(".say").hidden = !canSpeak;
    if (!canSpeak) this.#showMembers(new Map());
  }

  /** Show an event that this client sends itself: it will not receive it. */
  showSent(event) {
    this.#showEvent(event, "sent from here");
  }

  /** Note that the page sends an event now, to tell the time it takes. Nobody else's clock can be compared. */
  expect(event, cause) {
    this.#expected.push({ identity: identity(event), cause, since: performance.now() });
  }

  /** Take the last such note back: the event was refused. */
  forget(event) {
    const position = this.#expected.findLastIndex((expected) => expected.identity === identity(event));
    if (position >= 0) this.#expected.splice(position, 1);
  }

  #showState(state, text) {
    this.#find(".state").dataset.state = state;
    this.#find(".state-text").textContent = text;
    if (state !== "connected") this.showNote("");
  }

  #showSubscription(channel, members = []) {
    this.showNote(`Subscribed to ${channel}`, /^(private|presence)-(?!encrypted-)/.test(channel));
    this.#showMembers(new Map(members.map((member) => [member.id, member])));
  }

  #showMembers(members) {
    this.#members = members;
    const names = [...members.values()].map(({ id, info }) => String(info?.name ?? id));
    this.#find(".members").textContent = names.length ? `Here: ${names.join(", ")}` : "";
  }

  #showEvent(event, origin) {
    const row = this.#template.content.cloneNode(true);
    const set = (selector, text) => (row.querySelector(selector).textContent = text);
    set(".event-name", event.name);
    set(".event-channel", event.channel);
    set(".event-data", readable(event.data));
    set(".event-time", new Date().toLocaleTimeString([], { hour12: false }));
    set(".event-origin", origin);
    row.querySelector(".event-origin").toggleAttribute("data-measured", origin.includes(" ms "));
    const events = this.#find(".events");
    events.prepend(row);
    while (events.children.length > MOST_EVENTS) events.lastElementChild.remove();
    this.#find(".empty").hidden = true;
  }

  /** Where an event came from: the page itself, some time ago; a user; or elsewhere. */
  #origin(event) {
    const now = performance.now();
    this.#expected = this.#expected.filter(({ since }) => now - since < LONGEST_LATENCY_MS);
    const position = this.#expected.findIndex((expected) => expected.identity === identity(event));
    if (position < 0) return `from ${this.#members.get(event.userId)?.info?.name ?? event.userId ?? "elsewhere"}`;
    const [{ since, cause }] = this.#expected.splice(position, 1);
    return `${(now - since).toFixed(1)} ms after ${cause}`;
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }
}

const identity = ({ name, channel, data }) => JSON.stringify([name, channel, data]);

// Publishers send strings, clients any JSON. Most strings hold JSON, of which a long piece is easier to read with line
// breaks.
function readable(data) {
  if (typeof data !== "string") return JSON.stringify(data);
  if (data.length < LONG_DATA) return data;
  try {
    return JSON.stringify(JSON.parse(data), null, 2);
  } catch {
    return data;
  }
}
