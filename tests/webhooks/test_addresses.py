"""Which addresses may be connected to, in whatever form they are written."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.webhooks.addresses import Address, GuardedNetwork, RefusedAddressError, is_allowed

PRIVATE_NETWORKS = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/127",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "64:ff9b:1::/48",
    "2001:db8::/32",
]


def addresses_in(network: str) -> st.SearchStrategy[Address]:
    inside = ip_network(network)
    first = int(inside.network_address)
    kind = type(inside.network_address)
    return st.integers(first, first + inside.num_addresses - 1).map(kind)


private_v4 = st.sampled_from([each for each in PRIVATE_NETWORKS if ":" not in each]).flatmap(addresses_in)
private = st.sampled_from(PRIVATE_NETWORKS).flatmap(addresses_in)
public_v4 = st.sampled_from(["8.8.0.0/16", "93.184.216.0/24", "1.1.1.0/24"]).flatmap(addresses_in)


def disguises(address: Address) -> list[IPv6Address]:
    """An IPv4 address as a part of IPv6 ones."""
    number = int(address)
    return [
        IPv6Address(f"::ffff:{IPv4Address(number)}"),
        IPv6Address(f"64:ff9b::{IPv4Address(number)}"),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x2001_0000 << 96) | (0x0808_0808 << 64) | (number ^ 0xFFFF_FFFF)),
        IPv6Address((0x2001_0000 << 96) | (number << 64) | (0x0808_0808 ^ 0xFFFF_FFFF)),
    ]


@given(private)
def test_no_private_address_is_allowed(address: Address) -> None:
    assert not is_allowed(address)


@given(private_v4)
def test_no_private_address_is_allowed_in_disguise(address: Address) -> None:
    assert [form for form in disguises(address) if is_allowed(form)] == []
    assert not is_allowed(IPv6Address(int(address)))


@given(public_v4)
def test_a_public_address_is_allowed_in_every_form(address: Address) -> None:
    assert all(map(is_allowed, [address, *disguises(address)]))


@given(addresses_in("2606:4700::/32"))
def test_a_public_ipv6_address_is_allowed(address: Address) -> None:
    assert is_allowed(address)


@given(addresses_in("10.1.0.0/16"))
def test_a_network_that_is_named_is_allowed_in_every_form(address: Address) -> None:
    named = [IPv4Network("10.1.0.0/16")]
    assert all(is_allowed(form, named) for form in [address, *disguises(address)])
    assert not is_allowed(ip_address("10.2.0.1"), named)


def test_a_scoped_link_local_address_is_refused() -> None:
    assert not is_allowed(ip_address("fe80::1%1"))


# Ways to write 127.0.0.1 that the resolver knows, too.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0"])
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(RefusedAddressError, match="webhooks may not go to"):
        await GuardedNetwork().connect_tcp(host, 80)


async def test_an_unknown_host_is_said_to_be_unknown() -> None:
    with pytest.raises(httpcore.ConnectError, match=r"Cannot look nobody\.invalid up"):
        await GuardedNetwork().connect_tcp("nobody.invalid", 80)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", ".."])
async def test_what_is_no_host_is_said_to_be_none(host: str) -> None:
    with pytest.raises(httpcore.ConnectError, match="Cannot look"):
        await GuardedNetwork().connect_tcp(host, 80)


async def test_it_connects_to_the_address_that_it_has_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to an allowed address first and to another one a moment later: DNS rebinding."""
    loop = asyncio.get_running_loop()
    lookups: list[str] = []

    async def lead_elsewhere(host: str, port: int, **_: object) -> object:
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    listener = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    monkeypatch.setattr(loop, "getaddrinfo", lead_elsewhere)
    stream = await GuardedNetwork(["127.0.0.1/32"]).connect_tcp("rebinding.example", port)
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    assert lookups == ["rebinding.example"]
    with pytest.raises(RefusedAddressError, match=r"is at 127\.0\.0\.2"):
        await GuardedNetwork(["127.0.0.1/32"]).connect_tcp("rebinding.example", port)
    await stream.aclose()
    listener.close()
    await listener.wait_closed()
