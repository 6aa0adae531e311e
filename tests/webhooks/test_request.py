"""Requests as Pusher's own validators want them."""

import time

import pytest
from pusher import Pusher

from skubber import __version__
from skubber.core.app import ApiKey
from skubber.webhooks.request import webhook_body, webhook_headers
from support.apps import KEY, SECRET

EVENTS = ['{"name":"channel_occupied","channel":"ä"}', '{"name":"channel_vacated","channel":"b"}']


def test_the_official_sdk_takes_it() -> None:
    time_ms = int(time.time() * 1000)
    body = webhook_body(time_ms, EVENTS)
    headers = dict(webhook_headers(ApiKey(KEY, SECRET), body))
    sdk = Pusher(app_id="1", key=KEY, secret=SECRET)
    signature = headers[b"X-Pusher-Signature"].decode()
    assert sdk.validate_webhook(headers[b"X-Pusher-Key"].decode(), signature, body.decode()) == {
        "time_ms": time_ms,
        "events": [{"name": "channel_occupied", "channel": "ä"}, {"name": "channel_vacated", "channel": "b"}],
    }
    assert sdk.validate_webhook(KEY, signature, body.decode() + " ") is None
    assert headers[b"Content-Type"] == b"application/json"
    assert headers[b"User-Agent"] == f"Skubber/{__version__}".encode()


def test_an_endpoint_has_header_fields_of_its_own() -> None:
    headers = webhook_headers(ApiKey(KEY, SECRET), b"{}", [("Authorization", " Bearer t "), ("X-Env", "test")])
    assert headers[-2:] == [(b"Authorization", b"Bearer t"), (b"X-Env", b"test")]


@pytest.mark.parametrize(
    "name", ["Content-Type", "x-pusher-key", "X-PUSHER-SIGNATURE", "user-agent", "Host", "Content-Length", "connection"]
)
def test_they_do_not_stand_in_for_those_that_every_request_has(name: str) -> None:
    key = ApiKey(KEY, SECRET)
    assert webhook_headers(key, b"{}", [(name, "forged")]) == webhook_headers(key, b"{}")
