// The part of the page that shows one client: its state, and the events it receives. Everything that came over the
// network is put into the page as text, never as HTML.

const MOST_EVENTS = 100;
const LONGEST_LATENCY_MS = 10_000;
const LONG_DATA = 64;

export class ClientPanel {
  #element;
  #template = document.querySelector("#event-template");
  #expected = [];

  /** @param {Element} element - an <article class="client">. */
  constructor(element) {
    this.#element = element;
  }

  showState(state, text) {
    this.#find(".state").dataset.state = state;
    this.#find(".state-text").textContent = text;
  }

  showNote(text) {
    this.#find(".listening").textContent = text;
  }

  /** Note that the page publishes an event now, to tell the time it takes. Nobody else's clock can be compared. */
  expect(event) {
    this.#expected.push({ identity: identity(event), since: performance.now() });
  }

  /** Take the last such note back: the event was refused. */
  forget(event) {
    const position = this.#expected.findLastIndex((expected) => expected.identity === identity(event));
    if (position >= 0) this.#expected.splice(position, 1);
  }

  showEvent(event) {
    const latency = this.#latency(event);
    const row = this.#template.content.cloneNode(true);
    const set = (selector, text) => (row.querySelector(selector).textContent = text);
    set(".event-name", event.name);
    set(".event-channel", event.channel);
    set(".event-data", readable(event.data));
    set(".event-time", new Date().toLocaleTimeString());
    set(".event-latency", latency === null ? "from elsewhere" : `${latency.toFixed(1)} ms after Publish`);
    row.querySelector(".event-latency").toggleAttribute("data-measured", latency !== null);
    const events = this.#find(".events");
    events.prepend(row);
    while (events.children.length > MOST_EVENTS) events.lastElementChild.remove();
    this.#find(".empty").hidden = true;
  }

  #latency(event) {
    const now = performance.now();
    this.#expected = this.#expected.filter(({ since }) => now - since < LONGEST_LATENCY_MS);
    const position = this.#expected.findIndex((expected) => expected.identity === identity(event));
    return position < 0 ? null : now - this.#expected.splice(position, 1)[0].since;
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }
}

const identity = ({ name, channel, data }) => JSON.stringify([name, channel, data]);

// Publishers send strings. Most of them hold JSON, of which a long piece is easier to read with line breaks.
function readable(data) {
  if (data.length < LONG_DATA) return data;
  try {
    return JSON.stringify(JSON.parse(data), null, 2);
  } catch {
    return data;
  }
}
