"""The app a benchmark publishes to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """An app's id, key and secret."""

    app_id: str
    key: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """Read ``ID:KEY:SECRET``.

        Raises:
            ValueError: a part is missing.
        """
        app_id, _, rest = text.partition(":")
        key, _, secret = rest.partition(":")
        if not (app_id and key and secret):
            raise ValueError("Give the app as ID:KEY:SECRET.")
        return cls(app_id, key, secret)


BENCHMARK_APP = Credentials("bench", "mps_" + "b" * 32, "s" * 48)
"""The app of the servers the benchmark starts itself; with credentials as long as real ones are."""
