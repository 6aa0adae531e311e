/** Back ends that take webhooks and check their signature, to copy. No JSX: the tests run them as they are. */

import { quoted } from "./quoting";
import { SECRET_PLACEHOLDER, type Snippet } from "./snippets";

/**
 * All of them.
 *
 * @param secret that of the app's oldest good key; null: it is not known any more.
 */
export function webhookSnippets(secret: string | null): Snippet[] {
  return [node(secret ?? SECRET_PLACEHOLDER), python(secret ?? SECRET_PLACEHOLDER)];
}

function node(secret: string): Snippet {
  return {
    id: "node",
    title: "Node",
    note: "It needs no package. Save it as webhooks.mjs and run node webhooks.mjs.",
    text: `import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = ${quoted(secret)};

function isGood(body, signature) {
  const expected = createHmac("sha256", SECRET).update(body).digest("hex");
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!isGood(body, request.headers["x-pusher-signature"] ?? "")) {
    response.writeHead(401).end();
    return;
  }
  for (const event of JSON.parse(body).events) console.log(event.name, event.channel);
  response.writeHead(200).end();
}).listen(process.env.PORT ?? 8000);`,
  };
}

function python(secret: string): Snippet {
  return {
    id: "python",
    title: "Python",
    note: "It needs no package. Save it as webhooks.py and run python webhooks.py.",
    text: `import hashlib
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = ${quoted(secret)}


def is_good(body, signature):
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


class Webhooks(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = is_good(body, self.headers.get("X-Pusher-Signature", ""))
        if good:
            for event in json.loads(body)["events"]:
                print(event["name"], event["channel"], flush=True)
        self.send_response(200 if good else 401)
        self.end_headers()


ThreadingHTTPServer(("", int(os.environ.get("PORT", 8000))), Webhooks).serve_forever()`,
  };
}
