"""Taking a port for several processes."""

import socket

import pytest

from skubber.server.workers.addresses import addresses_of, bind, reserve
from skubber.settings import SettingsError


def test_a_port_that_is_reserved_is_there_for_every_worker() -> None:
    (reserved,) = reserve("127.0.0.1", 0)
    (address,) = addresses_of([reserved])
    with reserved, bind(address) as one, bind(address) as two:
        for worker in (one, two):
            worker.listen()
        with socket.create_connection(reserved.getsockname()):
            pass
        assert one.getsockname() == two.getsockname() == reserved.getsockname()


def test_who_connects_does_not_end_up_with_a_process_that_only_reserves() -> None:
    (reserved,) = reserve("127.0.0.1", 0)
    (address,) = addresses_of([reserved])
    with reserved:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(reserved.getsockname())
        with bind(address) as worker:
            worker.listen()
            with socket.create_connection(reserved.getsockname()):
                worker.accept()[0].close()


def test_all_addresses_of_a_host_have_the_same_port() -> None:
    reserved = reserve("", 0)
    ports = {address.parts[1] for address in addresses_of(reserved)}
    families = [each.family for each in reserved]
    for each in reserved:
        each.close()
    assert len(ports) == 1
    assert socket.AF_INET in families
    assert len(set(families)) == len(families)


def test_a_port_on_which_others_listen_cannot_be_had_though_they_would_share_it() -> None:
    (first,) = reserve("127.0.0.1", 0)
    (address,) = addresses_of([first])
    port = first.getsockname()[1]
    with first, bind(address) as worker:
        worker.listen()
        with pytest.raises(SettingsError, match=f"port {port}: Address already in use"):
            reserve("127.0.0.1", port)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"Cannot listen on no-such-host\.invalid"):
        reserve("no-such-host.invalid", 0)
