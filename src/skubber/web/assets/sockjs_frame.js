// The inner side of the frame in which pusher-js's SockJS library (0.3) wants its requests to be made.
//
// Its transports are all made for a frame of the server's own origin, which the page talks to by messages: eight
// characters that name the frame, a letter, and data.
//   frame to page: "s" ready, "t" a SockJS frame from the server.
//   page to frame: "s" start, with a JSON array of version, transport, session URL, base URL and options;
//                  "m" a message to send, as JSON, or nothing for a heartbeat; "c" close.
// A script that the page names has no business on this origin. So this one does what the library would do here, with
// the two transports that the server has.
"use strict";

const RECEIVE_PATHS = { "w-iframe-eventsource": "/xhr_streaming", "w-iframe-xhr-polling": "/xhr" };
const FAILED = 'c[1006,"The connection has failed"]';

const frame = location.hash.slice(1, 9);
const base = location.origin + location.pathname.replace(/[^/]*$/, "");
let session = null;

function tell(letter, data = "") {
  parent.postMessage(frame + letter + data, "*");
}

class Session {
  #url;
  #path;
  #unsent = [];
  #requests = new Set();
  #isSending = false;
  #isOver = false;

  constructor(url, path) {
    this.#url = url;
    this.#path = path;
    this.#receive();
  }

  /** Send a message that is JSON already; an empty one is a heartbeat. */
  send(message) {
    if (message !== "") this.#unsent.push(message);
    this.#sendOn();
  }

  close() {
    this.#isOver = true;
    for (const request of this.#requests) request.abort();
  }

  #receive() {
    let position = 0;
    const request = this.#post(this.#path, "", (status) => {
      if (status === 200) this.#receive();
      else this.#fail();
    });
    request.onprogress = () => {
      if (request.status !== 200) return;
      const text = request.responseText;
      for (let end; (end = text.indexOf("\n", position)) !== -1; position = end + 1) {
        if (text[position] === "c") this.#isOver = true;
        tell("t", text.slice(position, end));
      }
    };
  }

  /** What has gathered while the last message was under way leaves together: messages keep their order. */
  #sendOn() {
    if (this.#isSending || this.#isOver) return;
    this.#isSending = true;
    const messages = this.#unsent.splice(0);
    this.#post("/xhr_send", `[${messages.join(",")}]`, (status) => {
      this.#isSending = false;
      if (status !== 204) this.#fail();
      else if (this.#unsent.length > 0) this.#sendOn();
    });
  }

  #post(path, body, done) {
    const request = new XMLHttpRequest();
    this.#requests.add(request);
    request.open("POST", this.#url + path);
    request.onloadend = () => {
      this.#requests.delete(request);
      if (!this.#isOver) done(request.status);
    };
    request.send(body);
    return request;
  }

  #fail() {
    this.close();
    tell("t", FAILED);
  }
}

addEventListener("message", (event) => {
  if (event.source !== parent || typeof event.data !== "string" || event.data.slice(0, 8) !== frame) return;
  const data = event.data.slice(9);
  switch (event.data[8]) {
    case "s": {
      const [, transport, url] = JSON.parse(data);
      const path = RECEIVE_PATHS[transport];
      if (path === undefined || !url.startsWith(base)) tell("t", FAILED);
      else session ??= new Session(url, path);
      break;
    }
    case "m":
      session?.send(data);
      break;
    case "c":
      session?.close();
  }
});

tell("s");
