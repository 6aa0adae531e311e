"""Entering again what this node has, and making up for what it could not take back."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from skubber.brokers.redis import entries
from skubber.brokers.redis.burial import Report
from skubber.brokers.redis.changes import Changes
from skubber.brokers.redis.holdings import Entry, Holdings, SignedIn, Subscribed
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.pipeline import Command
from skubber.brokers.redis.wire import NodeKeys, apps_of, keys_of
from skubber.core.broker import Upheaval
from skubber.core.presence import PresenceMember

_AT_ONCE = 200
"""Entries that travel together."""


async def enter_again(
    membership: Membership, holdings: Holdings, changes: Changes, untold: Collection[str]
) -> list[Entry]:
    """Enter everything a node has. What it loses meanwhile is owed, to be taken back afterwards.

    Args:
        membership: the node's new one.
        holdings: what it has.
        changes: takes what changed.
        untold: apps in which nobody is to be told anything, subscribers neither.

    Returns:
        What was owed before: it is none of what has been entered.

    Raises:
        UnavailableError: Redis cannot be reached.
    """
    nodes = {app_id: await membership.enroll(app_id) for app_id in holdings.apps()}
    owed = list(holdings.owed)
    todo: list[tuple[Entry, int, Command]] = []
    for (app_id, channel), count in holdings.counts.items():
        if app_id in nodes:
            entry = Subscribed(app_id, channel)
            todo.append((entry, count, entries.subscribe(entry, nodes[app_id], count)))
    for present, member in holdings.present.items():
        if present.app_id in nodes:
            is_told = present.app_id not in untold
            todo.append((present, 1, entries.join(present, nodes[present.app_id], member, is_told=is_told)))
    todo.extend(
        (signed_in, 1, entries.sign_in(signed_in, nodes[signed_in.app_id], is_told=signed_in.app_id not in untold))
        for signed_in in holdings.signed_in
        if signed_in.app_id in nodes
    )
    for start in range(0, len(todo), _AT_ONCE):
        lot = todo[start : start + _AT_ONCE]
        answers = await membership.call(*(command for _, _, command in lot))
        told = [
            (each, count, answer)
            for (each, count, _), answer in zip(lot, answers, strict=True)
            if each.app_id not in untold
        ]
        for each, count, answer in told:
            if isinstance(each, Subscribed):
                changes.had(each.app_id, each.channel, answer - count)
        notes = ((each, partial(entries.note_entered, each, count)) for each, count, _ in told)
        _report(changes.note, notes, (answer for _, _, answer in told))
    return owed


async def enter_for_another(membership: Membership, node_id: str, owed: Iterable[Entry]) -> None:
    """Enter what a lost node had, for it to be buried with the news of it.

    Raises:
        UnavailableError: Redis cannot be reached.
    """
    owed = list(owed)
    await enroll_another(membership, node_id, {entry.app_id for entry in owed})
    commands = [_enter_quietly(entry, keys_of(entry.app_id).of_node(node_id)) for entry in owed]
    for start in range(0, len(commands), _AT_ONCE):
        await membership.call(*commands[start : start + _AT_ONCE])


async def enroll_another(membership: Membership, node_id: str, apps: Collection[str]) -> None:
    """Note the apps in which a lost node may have something, for whoever buries it.

    Raises:
        UnavailableError: Redis cannot be reached.
    """
    if apps:
        await membership.do(("SADD", apps_of(node_id), *apps))


async def take_back_owed(membership: Membership, holdings: Holdings, report: Report) -> None:
    """Take back what is owed so far.

    Raises:
        UnavailableError: Redis cannot be reached; the rest is owed still.
    """
    while owed := holdings.owed[:_AT_ONCE]:
        commands = [entries.take_back(entry, keys_of(entry.app_id).of_node(membership.node_id)) for entry in owed]
        answers = await membership.call(*commands)
        del holdings.owed[: len(owed)]
        _report(report, ((entry, partial(entries.note_taken_back, entry)) for entry in owed), answers)


def _enter_quietly(entry: Entry, node: NodeKeys) -> Command:
    if isinstance(entry, Subscribed):
        return entries.subscribe(entry, node)
    if isinstance(entry, SignedIn):
        return entries.sign_in(entry, node, is_told=False)
    return entries.join(entry, node, PresenceMember(entry.user_id, entry.user_info), is_told=False)


def _report(report: Report, notes: Iterable[tuple[Entry, Any]], answers: Iterable[Any]) -> None:
    upheavals: dict[str, Upheaval] = {}
    for (entry, note), answer in zip(notes, answers, strict=True):
        note(upheavals.setdefault(entry.app_id, Upheaval()), answer)
    for app_id, upheaval in upheavals.items():
        report(app_id, upheaval)
