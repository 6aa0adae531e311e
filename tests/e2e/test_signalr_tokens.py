"""``POST /api/auth/signalr-token``, and what its tokens are good for."""

import json
from typing import Any

import httpx
import jwt
import pytest
import requests

from e2e.support.api import error_code
from e2e.support.server import APP_ID, KEY, OTHER_ID, OTHER_KEY, OTHER_SECRET, SECRET, NewServer, Server
from e2e.support.signalr import TOKEN_PATH, access_token, publish, token_request
from e2e.support.signalr_raw import RawHub

ORIGIN = "https://app.example.com"


def ask(server: Server, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(server.url + TOKEN_PATH, content=content, verify=False)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_token_is_a_jwt_for_an_hour_without_a_secret(server: Server) -> None:
    answer = requests.post(server.url + TOKEN_PATH, json={"apiKey": KEY, "apiSecret": SECRET}, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"token"}
    token = answer.json()["token"]
    claims = claims_of(token)
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert SECRET not in json.dumps([claims, jwt.get_unverified_header(token)])


def test_a_token_says_what_was_asked_for(server: Server) -> None:
    asked = {"userId": "ann", "userInfo": {"name": "Ann"}, "channels": ["private-*"], "permissions": ["subscribe"]}
    claims = claims_of(access_token(server, **asked, expiresIn=60))
    assert (claims["userId"], claims["channels"], claims["permissions"]) == ("ann", ["private-*"], ["subscribe"])
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        {"apiKey": KEY},
        {"apiKey": KEY, "apiSecret": None},
        token_request(userId=7),
        token_request(expiresIn=3601),
        token_request(channels=["no spaces"]),
        token_request(permissions=["publish"]),
    ],
    ids=lambda body: str(body)[-40:],
)
def test_a_request_that_asks_for_something_else_is_refused(server: Server, body: Any) -> None:
    answer = ask(server, body)
    assert answer.status_code == 400
    assert error_code(answer).startswith("invalid_")
    assert SECRET not in answer.text


def test_a_body_may_not_be_huge(server: Server) -> None:
    answer = ask(server, b" " * 70_000)
    assert (answer.status_code, error_code(answer)) == (413, "body_too_large")


def test_the_path_takes_posts_only(server: Server) -> None:
    answer = httpx.get(server.url + TOKEN_PATH)
    assert (answer.status_code, error_code(answer)) == (405, "method_not_allowed")


def test_key_and_secret_have_to_belong_together(new_server: NewServer) -> None:
    server = new_server()
    for key, secret in ((KEY, "wrong"), ("mps_" + "x" * 32, SECRET), (KEY, OTHER_SECRET), (SECRET, KEY)):
        answer = ask(server, {"apiKey": key, "apiSecret": secret})
        assert (answer.status_code, error_code(answer)) == (401, "invalid_credentials")
        assert secret not in answer.text


def test_a_secret_cannot_be_guessed(new_server: NewServer) -> None:
    server = new_server("--access-log")
    good, other = {"apiKey": KEY, "apiSecret": SECRET}, {"apiKey": OTHER_KEY, "apiSecret": OTHER_SECRET}
    for _ in range(20):
        assert ask(server, good).status_code == 200
    statuses = [ask(server, {"apiKey": KEY, "apiSecret": f"guess-{n}"}).status_code for n in range(12)]
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429
    refused = ask(server, good)
    assert (refused.status_code, error_code(refused)) == (429, "too_many_attempts")
    assert ask(server, other).status_code == 200
    for text in (SECRET, OTHER_SECRET, "guess-"):
        assert text not in server.log


async def test_no_token_and_no_secret_is_in_the_log(new_server: NewServer) -> None:
    server = new_server("--access-log", "--set", "log_level=debug")
    token = access_token(server)
    async with RawHub.connected(server, token) as hub:
        assert await hub.is_alive()
    httpx.post(f"{server.url}/push/negotiate?access_token={token}")
    server.wait_for_log("/push/negotiate")
    for text in (token, token.rpartition(".")[2], SECRET):
        assert text not in server.log


def test_a_token_opens_nothing_but_the_hub(server: Server) -> None:
    token = access_token(server)
    for credentials in (
        {"X-Api-Key": KEY, "X-Api-Secret": token},
        {"X-Api-Key": token, "X-Api-Secret": token},
        {"Authorization": f"Bearer {token}"},
    ):
        event = {"name": "e", "channel": "c", "data": "d"}
        answer = httpx.post(f"{server.url}/apps/{APP_ID}/events", json=event, headers=credentials)
        assert answer.status_code == 401
    assert httpx.post(server.url + TOKEN_PATH, headers={"Authorization": f"Bearer {token}"}).status_code == 400


@pytest.mark.parametrize(("algorithm", "secret"), [("HS256", SECRET), ("HS256", KEY), ("none", "")])
def test_whoever_makes_up_a_token_is_not_let_in(server: Server, algorithm: str, secret: str) -> None:
    genuine = access_token(server, userId="ann")
    key_id = jwt.get_unverified_header(genuine)["kid"]
    forged = jwt.encode({**claims_of(genuine), "userId": "admin"}, secret, algorithm, {"kid": key_id})
    answer = httpx.post(f"{server.url}/push/negotiate?access_token={forged}")
    assert (answer.status_code, error_code(answer)) == (401, "invalid_access_token")


async def test_an_apps_token_is_no_other_apps(server: Server) -> None:
    token = ask(server, {"apiKey": OTHER_KEY, "apiSecret": OTHER_SECRET, "channels": ["*"]}).json()["token"]
    async with RawHub.connected(server, token) as hub:
        await hub.invoke("Subscribe", "private-apps")
        publish(server, "private-apps")
        event = {"name": "e", "channel": "private-apps", "data": "of the other app"}
        headers = {"X-Api-Key": OTHER_KEY, "X-Api-Secret": OTHER_SECRET}
        assert httpx.post(f"{server.url}/apps/{OTHER_ID}/events", json=event, headers=headers).text == "{}"
        assert (await hub.receive())["arguments"][0]["data"] == "of the other app"


async def test_a_token_outlives_a_restart_of_the_server(new_server: NewServer) -> None:
    server = new_server()
    token = access_token(server)
    server.stop()
    server.start()
    async with RawHub.connected(server, token) as hub:
        assert await hub.is_alive()


def test_browsers_of_other_origins_may_ask(server: Server) -> None:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = httpx.options(server.url + TOKEN_PATH, headers={"origin": ORIGIN, **wanted})
    assert preflight.status_code == 200
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    url, headers = server.url + TOKEN_PATH, {"origin": ORIGIN}
    good, bad = (httpx.post(url, json=body, headers=headers) for body in (token_request(), token_request(expiresIn=0)))
    assert [answer.status_code for answer in (preflight, good, bad)] == [200, 200, 400]
    for answer in (preflight, good, bad):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
