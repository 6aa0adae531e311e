"""Taking away what a lost node has."""

from collections.abc import Callable, Collection

from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.scripts import BURY, FORGET
from skubber.brokers.redis.wire import ALIVE, DEAD, MEMBER_REMOVED_MARK, OFFLINE_MARK, apps_of, keys_of, pairs
from skubber.core.broker import Upheaval
from skubber.core.channel_name import WATCHLIST_PREFIX

_AT_ONCE = 200
"""Entries a script takes away in one go: a fraction of a millisecond, for which Redis does nothing else."""

TOMBSTONE_SECONDS = 3600
"""No command is under way for so long."""

Report = Callable[[str, Upheaval], None]
"""Takes what changed in an app."""


async def bury(membership: Membership, node_id: str, report: Report, later: Collection[str] = ()) -> None:
    """Take away everything a lost node has, with the news of it. Doing so twice, or two at once, is harmless.

    Args:
        membership: who does it.
        node_id: the lost node.
        report: is told bit by bit, of each change once among all who do it.
        later: apps in which it is left to whoever does it next.

    Raises:
        UnavailableError: Redis cannot be reached; what is left is left.
    """
    apps = {app_id.decode() for app_id in await membership.do(("SMEMBERS", apps_of(node_id)))}
    for app_id in apps.difference(later):
        await _bury_in(membership, node_id, app_id, report)
    if apps.isdisjoint(later):
        await membership.do(FORGET.call((ALIVE, DEAD, apps_of(node_id)), node_id))


async def _bury_in(membership: Membership, node_id: str, app_id: str, report: Report) -> None:
    app = keys_of(app_id)
    node = app.of_node(node_id)
    keys = (app.counts, app.own_counts, app.signed_in, node.counts, node.present, node.signed_in, node.gone)
    there_is_more = True
    while there_is_more:
        there_is_more, departed, counts = await membership.do(
            BURY.call(
                keys, app.prefix, _AT_ONCE, TOMBSTONE_SECONDS, MEMBER_REMOVED_MARK, OFFLINE_MARK, WATCHLIST_PREFIX
            )
        )
        upheaval = Upheaval(
            counts={channel.decode(): count for channel, count in pairs(counts) if not channel.startswith(b"#")},
            departed=[(channel.decode(), user_id.decode()) for channel, user_id in pairs(departed)],
        )
        report(app_id, upheaval)
