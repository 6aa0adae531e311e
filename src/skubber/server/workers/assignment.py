"""What a worker is told by its parent: one line on its standard input, which then stays open.

When that ends, the worker is to stop: the parent is stopping, or gone, however that came about. A signal would tell it
only while the parent lives, and would be one too many where somebody sends it to all processes at once, as service
managers and terminals do.
"""

import msgspec

from skubber.core.app import ApiKey, App
from skubber.server.demo_app import demo_app
from skubber.server.workers.addresses import Address
from skubber.settings import Settings

READY = b"ready\n"
"""What a worker says on its standard output once it serves."""


class Assignment(msgspec.Struct, frozen=True):
    """One worker's.

    Attributes:
        number: its number, from 1.
        addresses: where to listen.
        settings: the settings.
        demo_key: key and secret of the demo app, if there is to be one: it is the same in all workers.
    """

    number: int
    addresses: tuple[Address, ...]
    settings: Settings
    demo_key: tuple[str, str] | None = None

    def own_settings(self) -> Settings:
        """The worker's settings: all have the same, but each its own port for metrics, whose numbers are its own."""
        port = self.settings.metrics_port
        return msgspec.structs.replace(self.settings, metrics_port=port and port + self.number - 1)

    def apps(self) -> list[App]:
        """The apps to serve, besides those of the database.

        Raises:
            SettingsError: an app's plan is not there.
        """
        if self.demo_key is not None:
            return [demo_app(ApiKey(*self.demo_key))]
        return self.settings.configured_apps()


def encode_assignment(assignment: Assignment) -> bytes:
    """The line that says it."""
    return msgspec.json.encode(assignment) + b"\n"


def decode_assignment(line: bytes) -> Assignment:
    """What a line says.

    Raises:
        msgspec.DecodeError: nothing that a parent would say.
    """
    return msgspec.json.decode(line, type=Assignment)
