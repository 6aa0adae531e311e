"""This node's place among the others: taken, kept, lost and taken again."""

import asyncio
import random
import secrets
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

import structlog
from redis.exceptions import RedisError

from skubber.brokers.redis.advice import advice
from skubber.brokers.redis.burial import TOMBSTONE_SECONDS, Report, bury
from skubber.brokers.redis.changes import Changes
from skubber.brokers.redis.holdings import Holdings, Topics
from skubber.brokers.redis.layout import Servers
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.pipeline import Command, LostNodeError
from skubber.brokers.redis.reentry import enroll_another, enter_again, enter_for_another, take_back_owed
from skubber.brokers.redis.rosters import Rosters
from skubber.brokers.redis.scripts import HEARTBEAT, REGISTER, REHEARSE
from skubber.brokers.redis.wire import ALIVE, DEAD, GENERATION, TERMINATION_TOPIC, keys_of, rehearsal_keys
from skubber.core.broker import BrokerHealth, Upheaval
from skubber.core.errors import UnavailableError

_HEARTBEAT, _EXPIRY = 0.2, 0.7
"""Parts of a lease after which a node says that it is there, and is lost if it does not: the others notice at their
own next heartbeat, and need some time to take away what it has."""

_ANSWER_TIMEOUT = 0.4
"""Part of a lease in which Redis must answer."""

_PATIENCE = 0.5
"""Part of a lease in which a node that was away itself takes no other for lost: all may have been, and be on their way
back."""

_MOST_LOST = 10
"""Nodes that are taken for lost at once."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two attempts to connect. The longest must be well within a lease, too."""

_log = structlog.stdlib.get_logger("skubber.brokers")


class Attendance:
    """Keeps this node connected, or connecting.

    Args:
        servers: tells where Redis is.
        lease: seconds after which a silent node is lost.
        holdings: what this node has entered.
        topics: what it listens to.
        rosters: what its clients have been told of who is present.
        deliver: takes what is published; see ``Feed``.
        report: takes what changed without anybody's call.

    Attributes:
        membership: the present membership, all holdings entered; None without one.
        health: how it has gone so far.
    """

    def __init__(
        self,
        servers: Servers,
        lease: float,
        holdings: Holdings,
        topics: Topics,
        rosters: Rosters,
        deliver: Callable[[bytes, bytes], None],
        report: Report,
    ) -> None:
        self.membership: Membership | None = None
        self.health = BrokerHealth()
        self._servers = servers
        self._lease = lease
        self._holdings = holdings
        self._topics = topics
        self._rosters = rosters
        self._deliver = deliver
        self._report = report
        self._former: dict[str, set[str]] = {}
        self._away_since = self._returned_at = -inf
        self._generation: bytes | None = None
        self._lost_apps: set[str] = set()
        self._is_unsure = False
        self._told: set[str | None] = set()
        self._is_stopping = False
        self._first_attempt_over = asyncio.Event()
        self._task: asyncio.Task[None]

    async def start(self) -> None:
        """Connect; returns when that has succeeded or failed for the first time."""
        self._task = asyncio.create_task(self._attend())
        await self._first_attempt_over.wait()

    async def stop(self) -> None:
        """Take back everything that is entered, and disconnect."""
        membership, self.membership = self.membership, None
        self._is_stopping = True
        if membership is not None:
            try:
                async with asyncio.timeout(self._lease):
                    await bury(membership, membership.node_id, self._report)
            except (UnavailableError, TimeoutError):
                _log.warning("left without a farewell: the other nodes will notice within the lease")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _attend(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            membership = Membership(self._servers, self._lease * _ANSWER_TIMEOUT, self._deliver)
            was_member = False

            async def work(membership: Membership = membership) -> None:
                await self._take_place(membership)
                await self._keep_place(membership)

            try:
                await membership.run(work)
            except (RedisError, OSError, TimeoutError, LostNodeError, UnavailableError) as error:
                was_member = self.membership is not None
                self._lost(error)
            except Exception as error:  # a bug, say: the node must not stay alone for it
                _log.exception("the broker's connection failed")
                self._lost(error)
            finally:
                if self.membership is membership:
                    self._away_since = _now()
                self.membership = None
                await membership.disconnect()
            self._first_attempt_over.set()
            pause = _FIRST_PAUSE if was_member else min(pause * 2, _LONGEST_PAUSE, self._lease / 8)
            # All nodes have lost Redis at the same time: they do not come back at the same time.
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311

    def _lost(self, error: Exception) -> None:
        cause = error.__cause__ or error
        what_to_do = advice(cause)
        # Once each: a Redis that is gone may come back with another password.
        if what_to_do in self._told or self._is_stopping:
            return
        self._told.add(what_to_do)
        more = {} if what_to_do is None else {"advice": what_to_do}
        _log.error("the broker cannot be reached", reason=str(cause) or type(cause).__name__, **more)

    async def _take_place(self, membership: Membership) -> None:
        """Become a member, and enter everything this node has."""
        topics = list(self._topics)
        self._rosters.begin()
        await rehearse(membership)
        await membership.listen([TERMINATION_TOPIC, *topics])
        former = dict(self._former)
        lease = int(self._lease * 1000)
        generation = await membership.do(
            REGISTER.call(
                (ALIVE, DEAD, GENERATION),
                secrets.token_hex(8),
                membership.node_id,
                int(lease * _EXPIRY),
                lease,
                *former,
            )
        )
        self._former[membership.node_id] = membership.enrolled
        for node_id, apps in former.items():
            # In a cluster those who know of it may be lost while what it has is not.
            await enroll_another(membership, node_id, apps)
        # To be remembered until all is entered: what is entered of an app by then does not show that it was lost.
        self._lost_apps |= await self._find_lost_apps(membership, former, generation)
        self._generation = generation
        changes = await self._enter(membership, list(former))
        self._former = {membership.node_id: membership.enrolled}
        await self._rosters.reconcile(membership, self._lost_apps)
        self._is_unsure = bool(self._lost_apps)
        self._lost_apps.clear()
        if former:
            self._returned_at = _now()
            self.health.reconnects += 1
        for topic in topics:
            if topic not in self._topics:
                membership.feed(topic).unsubscribe(topic)
        for topic in set(self._topics).difference(topics):
            membership.feed(topic).subscribe(topic)
        self.membership = membership
        if self._told:
            _log.info("the broker can be reached again")
            self._told.clear()
        self._first_attempt_over.set()
        for app_id, upheaval in changes:
            self._report(app_id, upheaval)

    async def _find_lost_apps(
        self, membership: Membership, former: Mapping[str, Collection[str]], generation: bytes
    ) -> set[str]:
        """The apps of which Redis has lost its data. In a cluster that may be some of them."""
        holdings = self._holdings
        if self._generation not in {None, generation}:
            return holdings.apps().union((entry.app_id for entry in holdings.owed), *former.values())
        if not membership.is_in_cluster or not former or _now() - self._away_since > TOMBSTONE_SECONDS:
            return set()
        # What this node had is there, or a tombstone, or the data is not what it was.
        apps = list(holdings.apps())
        questions: list[Command] = [
            ("EXISTS", *(key for node_id in former for key in keys_of(app_id).of_node(node_id).all()))
            for app_id in apps
        ]
        found = await membership.call(*questions) if apps else ()
        return {app_id for app_id, count in zip(apps, found, strict=True) if not count}

    async def _enter(self, membership: Membership, former: list[str]) -> list[tuple[str, Upheaval]]:
        """Enter everything anew; returns what changed by it."""
        holdings, lost, changes = self._holdings, self._lost_apps, Changes()
        # Where Redis has lost its data everybody enters everything, and nobody has been told that anybody was gone.
        owed = await enter_again(membership, holdings, changes, lost)
        # Others may have the same user, and be about to say so: it is not told before a lease has passed.
        if former:
            await enter_for_another(membership, former[-1], (entry for entry in owed if entry.app_id in lost))
        for node_id in former:
            await bury(membership, node_id, changes.note, lost)
        del holdings.owed[: len(owed)]
        while holdings.owed:
            await take_back_owed(membership, holdings, changes.note)
        return changes.outcome()

    async def _keep_place(self, membership: Membership) -> None:
        """Say again and again that this node is there, and bury those that are not."""
        burials: set[asyncio.Task[None]] = set()
        lease = int(self._lease * 1000)
        patient_until = self._returned_at + self._lease * _PATIENCE
        try:
            while True:
                await asyncio.sleep(self._lease * _HEARTBEAT)
                if self._is_stopping:
                    continue
                most_lost = _MOST_LOST if _now() > patient_until else 0
                asked_at = _now()
                lost: list[Any] | None = await membership.do(
                    HEARTBEAT.call((ALIVE, DEAD), membership.node_id, int(lease * _EXPIRY), lease, most_lost)
                )
                self.health.round_trips.observe(_now() - asked_at)
                if lost is None:
                    raise LostNodeError("The other nodes took this one for lost")
                for node_id in lost:
                    burial = asyncio.create_task(self._bury(membership, node_id.decode()))
                    burials.add(burial)
                    burial.add_done_callback(burials.discard)
                await take_back_owed(membership, self._holdings, self._report)
                if self._is_unsure and _now() > self._returned_at + self._lease:
                    # Whoever is still there has entered by now what it has.
                    self._rosters.begin()
                    await self._rosters.reconcile(membership)
                    self._is_unsure = False
                # A connection on which only Redis speaks may be dead for long without anybody noticing.
                async with asyncio.timeout(self._lease * _ANSWER_TIMEOUT):
                    await membership.catch_up()
        finally:
            for burial in burials:
                burial.cancel()
            await asyncio.gather(*burials, return_exceptions=True)

    async def _bury(self, membership: Membership, node_id: str) -> None:
        _log.warning("a node is lost", node=node_id)
        try:
            await bury(membership, node_id, self._report)
        except UnavailableError:
            _log.warning("a lost node is left to the others", node=node_id)


async def rehearse(membership: Membership) -> None:
    """Do once what this node will have to do, so that what Redis forbids is known before it counts on it.

    Raises:
        UnavailableError: something is forbidden, or Redis cannot be reached.
    """
    key, topic = rehearsal_keys(membership.node_id)
    await membership.do(REHEARSE.call((key, topic)))
    feed = membership.feed(topic.encode())
    await feed.unsubscribe(topic.encode())
    await feed.catch_up()


def _now() -> float:
    """Seconds, monotonic."""
    return asyncio.get_running_loop().time()
