"""A cable between a server and its Redis that can be pulled: a network namespace with a pair of virtual interfaces."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000


class Cable:
    """Whatever is listened to at ``address`` is at the cable's other end, in a network namespace of its own.

    Once it is pulled, packets are dropped without a word, and neither end's TCP notices.
    """

    address, _own_address = "10.231.87.2", "10.231.87.1"

    def __init__(self) -> None:
        self._name = f"skubber-{os.getpid()}"
        self._here, self._there = f"sk{os.getpid()}a", f"sk{os.getpid()}b"
        _ip("netns", "add", self._name)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._name)
        _ip("address", "add", f"{self._own_address}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        _ip("-n", self._name, "address", "add", f"{self.address}/30", "dev", self._there)
        self.plug_in()

    def plug_in(self) -> None:
        """Let packets through."""
        _ip("-n", self._name, "link", "set", self._there, "up")

    def pull(self) -> None:
        """Drop all packets."""
        _ip("-n", self._name, "link", "set", self._there, "down")

    def remove(self) -> None:
        """Take it away, with everything that is connected through it."""
        _ip("link", "delete", self._here)
        _ip("netns", "delete", self._name)

    def listener(self) -> socket.socket:
        """A socket that listens at the other end. Whoever accepts there may be anywhere."""
        listening: list[socket.socket] = []

        def listen() -> None:
            # A socket belongs to the namespace in which it was made, and a thread can be in one of its own.
            with Path("/var/run/netns", self._name).open() as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            listening.append(socket.create_server((self.address, 0)))

        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
        return listening[0]


def missing_for_cables() -> str | None:
    """What this machine lacks for a cable; None if it has everything."""
    if shutil.which("ip") is None:
        return "ip"
    name = f"skubber-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "the permission to make network namespaces"
    _ip("netns", "delete", name)
    return None


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
