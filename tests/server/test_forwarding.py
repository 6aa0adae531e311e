"""Who is believed about a client's connection."""

import pytest

from skubber.server.forwarding import Forwarding

PROXY, STRANGER = "10.1.2.3", "192.0.2.1"
FORWARDING = Forwarding("127.0.0.1,10.0.0.0/8")


@pytest.mark.parametrize(
    ("told", "is_tls"), [(b"https", True), (b"wss", True), (b" https ", True), (b"http", False), (b"ws", False)]
)
def test_a_proxy_is_believed(told: bytes, is_tls: bool) -> None:
    headers = [(b"host", b"push.example.com"), (b"x-forwarded-proto", told)]
    assert FORWARDING.came_over_tls(PROXY, headers, is_tls=not is_tls) is is_tls


@pytest.mark.parametrize("peer", [STRANGER, "", None, "not an address"])
@pytest.mark.parametrize("is_tls", [True, False])
def test_nobody_else_is(peer: str | None, is_tls: bool) -> None:
    for told in (b"https", b"http"):
        assert FORWARDING.came_over_tls(peer, [(b"x-forwarded-proto", told)], is_tls=is_tls) is is_tls


@pytest.mark.parametrize("headers", [[], [(b"x-forwarded-proto", b"gopher")], [(b"x-forwarded-proto", b"")]])
@pytest.mark.parametrize("is_tls", [True, False])
def test_of_a_proxy_that_says_nothing_of_use_the_connection_counts(
    headers: list[tuple[bytes, bytes]], is_tls: bool
) -> None:
    assert FORWARDING.came_over_tls(PROXY, headers, is_tls=is_tls) is is_tls


def test_what_the_client_said_itself_is_overruled_by_the_proxy() -> None:
    headers = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"http")]
    assert not FORWARDING.came_over_tls(PROXY, headers, is_tls=False)


def test_everybody_may_be_believed() -> None:
    assert Forwarding("*").came_over_tls(STRANGER, [(b"x-forwarded-proto", b"https")], is_tls=False)
