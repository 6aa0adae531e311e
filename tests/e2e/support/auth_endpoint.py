"""A back end that authorizes channel subscriptions and sign-ins, with the official SDK, as an application would."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pusher
from pusher.signature import sign

from .server import APP_ID, KEY, SECRET

MASTER_KEY = base64.b64encode(b"an encryption master key of 32 B").decode()
"""With it the back end encrypts what it publishes on encrypted channels; the server never sees it."""


class AuthEndpoint:
    """``POST /auth?user=ID`` signs for that user; ``/auth?deny=1`` refuses; ``/auth?wrong=1`` signs wrongly.

    Without a channel it is a sign-in, with ``watch=ID`` for each user on the watchlist.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/auth"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        query = parse_qs(urlsplit(self.path).query)
        if "deny" in query:
            self._answer(403, {"error": "denied"})
            return
        user, socket_id = query.get("user", ["1"])[0], form["socket_id"][0]
        secret = "wrong" if "wrong" in query else SECRET
        client = pusher.Pusher(app_id=APP_ID, key=KEY, secret=secret, encryption_master_key_base64=MASTER_KEY)
        if "channel_name" not in form:
            # Its authenticate_user takes few characters in user ids; the SDK for Node takes any.
            user_data = json.dumps({"id": user, "watchlist": query.get("watch", [])})
            signature = sign(secret, f"{socket_id}::user::{user_data}")
            self._answer(200, {"auth": f"{KEY}:{signature}", "user_data": user_data})
            return
        channel = form["channel_name"][0]
        data: dict[str, Any] | None = None
        if channel.startswith("presence-"):
            data = {"user_id": user, "user_info": {"name": f"User {user}"}}
        self._answer(200, client.authenticate(channel=channel, socket_id=socket_id, custom_data=data))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        # The SDK gives an encrypted channel's secret as bytes of Base64.
        text = json.dumps(body, default=bytes.decode).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""
