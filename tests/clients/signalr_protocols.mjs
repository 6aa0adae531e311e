// Lends the tests the codecs of @microsoft/signalr: one JSON command a line in, one JSON answer a line out.
import readline from "node:readline";
import { JsonHubProtocol, MessageType, NullLogger } from "@microsoft/signalr";
import { HandshakeProtocol } from "@microsoft/signalr/dist/cjs/HandshakeProtocol.js";
import { MessageBuffer } from "@microsoft/signalr/dist/cjs/MessageBuffer.js";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const protocols = { json: new JsonHubProtocol(), messagepack: new MessagePackHubProtocol() };
const isBinary = (protocol) => protocol === "messagepack";

const asArrayBuffer = (base64) => Uint8Array.from(Buffer.from(base64, "base64")).buffer;
const asText = (base64) => Buffer.from(base64, "base64").toString("utf8");
const asInput = (protocol, base64) => (isBinary(protocol) ? asArrayBuffer(base64) : asText(base64));
const asBase64 = (data) => Buffer.from(data).toString("base64");

// The message buffer acknowledges by a timer: here its time comes when the test says so.
let timers = [];
globalThis.setTimeout = (call) => timers.push(call);
globalThis.clearTimeout = () => {};

let buffer;
let written;
let stopped;

const takeWritten = () => {
  const messages = written.map(asBase64);
  written = [];
  return messages;
};

const commands = {
  parse({ protocol, data }) {
    return protocols[protocol].parseMessages(asInput(protocol, data), NullLogger.instance);
  },
  write({ protocol, message }) {
    return asBase64(protocols[protocol].writeMessage(message));
  },
  request: ({ request }) => asBase64(new HandshakeProtocol().writeHandshakeRequest(request)),
  response({ protocol, data }) {
    const [rest, response] = new HandshakeProtocol().parseHandshakeResponse(asInput(protocol, data));
    return { rest: rest === null ? null : asBase64(rest), response };
  },

  // A message buffer, used as HubConnection uses it.
  open() {
    timers = [];
    written = [];
    stopped = null;
    const connection = {
      send: async (data) => void written.push(data),
      stop: async (error) => void (stopped = error.message),
    };
    buffer = new MessageBuffer(protocols.json, connection, 100_000);
  },
  async send({ message }) {
    await buffer._send(message);
    return takeWritten();
  },
  receive({ data }) {
    const processed = [];
    for (const message of protocols.json.parseMessages(asText(data), NullLogger.instance)) {
      if (!buffer._shouldProcessMessage(message)) continue;
      if (message.type === MessageType.Ack) buffer._ack(message);
      else if (message.type === MessageType.Sequence) buffer._resetSequence(message);
      else processed.push(message);
    }
    return { processed, stopped };
  },
  disconnected: () => buffer._disconnected(),
  async resend() {
    await buffer._resend();
    return takeWritten();
  },
  async tick() {
    const due = timers;
    timers = [];
    for (const call of due) await call();
    return takeWritten();
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await commands[command](parameters)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
