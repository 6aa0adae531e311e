"""Pub/sub of a cluster in which what is published stays on the primary that has the channel's slot.

Commands and scripts are written for one Redis. For a primary with sharded pub/sub they are put into its terms at the
very end: whoever publishes or subscribes need not know where.
"""

from collections.abc import Sequence

from skubber.brokers.redis.scripts import ALL_SCRIPTS, Script

SHARDED_SCRIPTS = tuple(Script(script.text.replace("'PUBLISH'", "'SPUBLISH'")) for script in ALL_SCRIPTS)
"""The scripts, likewise."""

_DIGESTS: dict[str | bytes | int, str] = {
    script.digest: sharded.digest for script, sharded in zip(ALL_SCRIPTS, SHARDED_SCRIPTS, strict=True)
}


def in_shard(command: Sequence[str | bytes | int]) -> Sequence[str | bytes | int]:
    """The command that does the same in a shard."""
    if command[0] == "EVALSHA":
        return (command[0], _DIGESTS[command[1]], *command[2:])
    if command[0] == "PUBLISH":
        return ("SPUBLISH", *command[1:])
    return command
