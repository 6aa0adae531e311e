"""Listens to a channel with pysignalr and prints what arrives."""

import asyncio
import os
import sys
from typing import Any

import aiohttp
from pysignalr.client import SignalRClient
from pysignalr.exceptions import HubError
from websockets.exceptions import WebSocketException

URL = os.environ.get("SKUBBER_URL", "http://127.0.0.1:5187")
CHANNEL = os.environ.get("SKUBBER_CHANNEL", "my-channel")


async def fetch_token() -> str:
    """In an application this is your back end's part: it decides who gets a token, and the secret never leaves it."""
    credentials = {"apiKey": os.environ["SKUBBER_KEY"], "apiSecret": os.environ["SKUBBER_SECRET"]}
    async with aiohttp.ClientSession() as http, http.post(f"{URL}/api/auth/signalr-token", json=credentials) as answer:
        body = await answer.json()
    if answer.status != 200:
        sys.exit(f"{body['error']} ({body['code']})")
    token: str = body["token"]
    return token


async def listen() -> None:
    """Listen for as long as the connection lasts."""
    client = SignalRClient(f"{URL}/push?access_token={await fetch_token()}")

    async def show(arguments: list[Any]) -> None:
        print(arguments[0]["channel"], arguments[0]["event"], arguments[0]["data"], flush=True)

    async def subscribed(arguments: list[Any]) -> None:
        print(f"Listening on {arguments[0]['channel']}", flush=True)

    async def refused(arguments: list[Any]) -> None:
        sys.exit(arguments[0]["error"])

    async def subscribe() -> None:
        await client.send("Subscribe", [CHANNEL])

    client.on("Event", show)
    client.on("SubscriptionSucceeded", subscribed)
    client.on("SubscriptionError", refused)
    client.on_open(subscribe)
    await client.run()


async def listen_again_and_again() -> None:
    """A connection that was made anew needs a client, a token and a subscription of its own."""
    while True:
        try:
            await listen()
        except (aiohttp.ClientError, HubError, OSError, WebSocketException) as error:
            print(f"Connecting again: {error}", file=sys.stderr)
        await asyncio.sleep(2)


if __name__ == "__main__":
    asyncio.run(listen_again_and_again())
