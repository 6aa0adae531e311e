"""A back end that authorizes channel subscriptions, with the official SDK, as an application would."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pusher

from .server import APP_ID, KEY, SECRET


class AuthEndpoint:
    """``POST /auth?user=ID`` signs for that user; ``/auth?deny=1`` refuses; ``/auth?wrong=1`` signs wrongly."""

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
        channel, socket_id = form["channel_name"][0], form["socket_id"][0]
        user = query.get("user", ["1"])[0]
        secret = "wrong" if "wrong" in query else SECRET
        client = pusher.Pusher(app_id=APP_ID, key=KEY, secret=secret)
        data: dict[str, Any] | None = None
        if channel.startswith("presence-"):
            data = {"user_id": user, "user_info": {"name": f"User {user}"}}
        self._answer(200, client.authenticate(channel=channel, socket_id=socket_id, custom_data=data))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""
