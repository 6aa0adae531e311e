"""Signing in to the console and out of it, as browsers do."""

import contextlib
from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from skubber.store.administration.sessions import SESSION_SECONDS
from web.admin.conftest import AdminSite
from web.admin.test_routes import error

CONSOLE = {"X-Skubber-Console": "1"}


@contextlib.asynccontextmanager
async def browser(admin: AdminSite, role: str = "owner") -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has signed in; it keeps its cookies."""
    async with admin.visitor(CONSOLE) as client:
        answer = await client.post("/session", json={"token": await admin.token(role)})
        assert answer.status_code == 200
        yield client


def cookie(answer: httpx.Response) -> Morsel[str]:
    """The cookie that is set."""
    (text,) = answer.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(text).values()
    return morsel


async def test_who_signs_in_gets_a_cookie_that_only_the_admin_api_sees(admin: AdminSite) -> None:
    token = await admin.token("owner")
    answer = await admin.stranger.post("/session", json={"token": token}, headers=CONSOLE)
    assert answer.status_code == 200
    assert answer.json()["id"] == (await admin.stranger.get("/me", headers=CONSOLE)).json()["id"]
    assert token not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    set_cookie = cookie(answer)
    assert set_cookie.key == "skubber_session"
    assert set_cookie["path"] == "/api/admin"
    assert set_cookie["max-age"] == str(SESSION_SECONDS)
    assert set_cookie["httponly"]
    assert set_cookie["samesite"].lower() == "strict"
    assert not set_cookie["domain"]


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
async def test_a_cookie_that_came_by_tls_leaves_by_nothing_else(admin: AdminSite, scheme: str, is_secure: bool) -> None:
    async with admin.visitor(CONSOLE, f"{scheme}://server/api/admin") as client:
        answer = await client.post("/session", json={"token": await admin.token("owner")})
        assert bool(cookie(answer)["secure"]) == is_secure


async def test_with_a_session_everything_can_be_done_that_the_token_is_good_for(admin: AdminSite) -> None:
    async with browser(admin) as owner:
        assert (await owner.post("/apps", json={"id": "4711"})).status_code == 201
        me = (await owner.get("/me")).json()
        assert (await admin.office.record())[0].actor == f"token:{me['id']}"
        assert (await owner.head("/apps")).status_code == 200
    async with browser(admin, "read_only") as reader:
        assert (await reader.get("/apps")).status_code == 200
        assert error(await reader.delete("/apps/4711")) == (403, "read_only_token")


@pytest.mark.parametrize("header", [{}, {"X-Skubber-Console": "0"}, {"X-Skubber-Console": ""}])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_a_cookie_alone_opens_nothing(admin: AdminSite, header: dict[str, str], method: str) -> None:
    async with browser(admin) as client:
        del client.headers["X-Skubber-Console"]
        answer = await client.request(method, "/apps", headers=header)
        assert answer.status_code == 403
        if method != "HEAD":
            assert error(answer) == (403, "console_header_missing")
        assert error(await client.delete("/session", headers=header)) == (403, "console_header_missing")
        assert (await client.get("/apps", headers=CONSOLE)).status_code == 200


async def test_another_sites_page_can_sign_nobody_in(admin: AdminSite) -> None:
    answer = await admin.stranger.post("/session", json={"token": await admin.token("owner")})
    assert error(answer) == (403, "console_header_missing")
    preflight = await admin.stranger.options("/session", headers={"Origin": "https://evil.example"})
    assert error(preflight) == (405, "method_not_allowed")
    assert not [name for name in preflight.headers if name.startswith("access-control")]


async def test_a_bearer_token_needs_no_header_and_comes_before_a_cookie(admin: AdminSite) -> None:
    async with browser(admin) as client:
        wrong = {"Authorization": "Bearer wrong"}
        assert error(await client.get("/apps", headers=wrong)) == (401, "invalid_admin_token")
        reader = {"Authorization": f"Bearer {await admin.token('read_only')}"}
        del client.headers["X-Skubber-Console"]
        assert (await client.get("/me", headers=reader)).json()["role"] == "read_only"


async def test_who_signs_out_is_out_even_with_the_cookie_kept(admin: AdminSite) -> None:
    async with browser(admin) as client, browser(admin) as other:
        kept = client.cookies["skubber_session"]
        answer = await client.delete("/session")
        assert answer.json() == {}
        assert cookie(answer)["max-age"] == "0"
        assert cookie(answer)["path"] == "/api/admin"
        assert "skubber_session" not in client.cookies
        again = await client.get("/me", headers={"Cookie": f"skubber_session={kept}"})
        assert error(again) == (401, "session_ended")
        assert (await other.get("/me")).status_code == 200


async def test_signing_out_without_a_session_is_no_error(admin: AdminSite) -> None:
    assert (await admin.stranger.delete("/session", headers=CONSOLE)).json() == {}
    headers = {**CONSOLE, "Cookie": "skubber_session=made-up"}
    assert (await admin.stranger.delete("/session", headers=headers)).json() == {}


async def test_a_revoked_tokens_sessions_end_at_once(admin: AdminSite) -> None:
    async with browser(admin) as client:
        me = (await client.get("/me")).json()
        assert (await admin.owner.delete(f"/tokens/{me['id']}")).status_code == 200
        assert error(await client.get("/me")) == (401, "session_ended")


async def test_a_session_ends_by_itself(admin: AdminSite) -> None:
    async with browser(admin) as client:
        admin.office.now += SESSION_SECONDS
        assert error(await client.get("/me")) == (401, "session_ended")


async def test_who_guesses_tokens_at_the_sign_in_is_slowed_down(admin: AdminSite) -> None:
    for _ in range(10):
        answer = await admin.stranger.post("/session", json={"token": "wrong"}, headers=CONSOLE)
        assert error(answer) == (401, "invalid_admin_token")
        assert "set-cookie" not in answer.headers
    answer = await admin.stranger.post("/session", json={"token": "wrong"}, headers=CONSOLE)
    assert error(answer) == (429, "too_many_attempts")
    assert error(await admin.stranger.get("/me")) == (429, "too_many_attempts")
    good = {"token": await admin.token("owner")}
    assert (await admin.stranger.post("/session", json=good, headers=CONSOLE)).status_code == 200


async def test_an_open_page_whose_session_has_ended_is_told_so_however_often_it_asks(admin: AdminSite) -> None:
    headers = {**CONSOLE, "Cookie": "skubber_session=ended"}
    codes = {error(await admin.stranger.get("/me", headers=headers)) for _ in range(12)}
    assert codes == {(401, "session_ended")}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"token":1}', b'{"token":"a","colour":1}', b"\xff"])
async def test_a_sign_in_that_makes_no_sense_is_refused(admin: AdminSite, body: bytes) -> None:
    answer = await admin.stranger.post("/session", content=body, headers=CONSOLE)
    assert error(answer) == (400, "invalid_body")


async def test_a_sign_in_that_is_too_large_or_has_a_query_is_refused(admin: AdminSite) -> None:
    answer = await admin.stranger.post("/session", content=b" " * 4097, headers=CONSOLE)
    assert error(answer) == (413, "body_too_large")
    answer = await admin.stranger.post("/session?token=mpa_x", headers=CONSOLE)
    assert error(answer) == (400, "invalid_query")
    answer = await admin.stranger.request("DELETE", "/session", content=b"{}", headers=CONSOLE)
    assert error(answer) == (400, "invalid_body")
