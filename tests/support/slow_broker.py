"""A broker that waits for its answers, or fails, where a test says so: what one over a network does at any time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from skubber.brokers.memory import MemoryBroker
from skubber.core.broker import EarlierRequest, Joined, KeptEvent, Occupancy
from skubber.core.errors import UnavailableError
from skubber.core.event import Event
from skubber.core.presence import PresenceMember

Answer = TypeVar("Answer")


class Hold:
    """Calls that wait."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    async def reached(self) -> None:
        """Wait until a call waits."""
        async with asyncio.timeout(10):
            await self._reached.wait()

    def release(self) -> None:
        """Let every call through, now and later."""
        self._released.set()

    async def wait(self) -> None:
        """Be such a call."""
        self._reached.set()
        await self._released.wait()


class SlowBroker(MemoryBroker):
    """A ``MemoryBroker`` whose calls can be made to wait and to fail, by the names of its methods."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, Hold] = {}
        self._held_replies: dict[str, Hold] = {}
        self._failures: dict[str, Exception] = {}

    def hold(self, call: str) -> Hold:
        """Make a call wait before it does anything."""
        return self._held.setdefault(call, Hold())

    def hold_reply(self, call: str) -> Hold:
        """Make a call wait after what it does is done."""
        return self._held_replies.setdefault(call, Hold())

    def fail(self, *calls: str, error: Exception | None = None) -> None:
        """Make calls fail, as with a lost connection if not otherwise, without doing anything."""
        for call in calls:
            self._failures[call] = error or UnavailableError("broker_unavailable", "Try again later.")

    def recover(self) -> None:
        """Let no call fail any more."""
        self._failures = {}

    async def _slowly(self, call: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
        if call in self._held:
            await self._held[call].wait()
        if call in self._failures:
            raise self._failures[call]
        answer = await act()
        if call in self._held_replies:
            await self._held_replies[call].wait()
        return answer

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        publish = super().publish
        await self._slowly("publish", lambda: publish(app_id, channels, event, excluded))

    async def kept_event(self, app_id: str, channel: str) -> KeptEvent | None:
        kept_event = super().kept_event
        return await self._slowly("kept_event", lambda: kept_event(app_id, channel))

    async def connect(self, app_id: str, max_connections: int) -> bool:
        connect = super().connect
        return await self._slowly("connect", lambda: connect(app_id, max_connections))

    async def disconnect(self, app_id: str) -> None:
        disconnect = super().disconnect
        await self._slowly("disconnect", lambda: disconnect(app_id))

    async def subscribe(self, app_id: str, channel: str, max_channels: int = 0) -> int | None:
        subscribe = super().subscribe
        return await self._slowly("subscribe", lambda: subscribe(app_id, channel, max_channels))

    async def unsubscribe(self, app_id: str, channel: str) -> int | None:
        unsubscribe = super().unsubscribe
        return await self._slowly("unsubscribe", lambda: unsubscribe(app_id, channel))

    async def join(
        self, app_id: str, channel: str, socket_id: str, member: PresenceMember, max_members: int
    ) -> Joined | None:
        join = super().join
        return await self._slowly("join", lambda: join(app_id, channel, socket_id, member, max_members))

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        leave = super().leave
        return await self._slowly("leave", lambda: leave(app_id, channel, socket_id, user_id))

    async def occupancy(self, app_id: str, channel: str) -> Occupancy:
        occupancy = super().occupancy
        return await self._slowly("occupancy", lambda: occupancy(app_id, channel))

    async def channels(self, app_id: str, prefix: str) -> Mapping[str, Occupancy]:
        channels = super().channels
        return await self._slowly("channels", lambda: channels(app_id, prefix))

    async def members(self, app_id: str, channel: str) -> Sequence[PresenceMember]:
        members = super().members
        return await self._slowly("members", lambda: members(app_id, channel))

    async def claim_request(self, app_id: str, key: str, fingerprint: bytes) -> EarlierRequest | None:
        claim_request = super().claim_request
        return await self._slowly("claim_request", lambda: claim_request(app_id, key, fingerprint))

    async def finish_request(self, app_id: str, key: str) -> None:
        finish_request = super().finish_request
        await self._slowly("finish_request", lambda: finish_request(app_id, key))

    async def release_request(self, app_id: str, key: str) -> None:
        release_request = super().release_request
        await self._slowly("release_request", lambda: release_request(app_id, key))

    async def sign_in(self, app_id: str, socket_id: str, user_id: str) -> bool:
        sign_in = super().sign_in
        return await self._slowly("sign_in", lambda: sign_in(app_id, socket_id, user_id))

    async def sign_out(self, app_id: str, socket_id: str, user_id: str) -> bool:
        sign_out = super().sign_out
        return await self._slowly("sign_out", lambda: sign_out(app_id, socket_id, user_id))

    async def online(self, app_id: str, user_ids: Sequence[str]) -> Sequence[str]:
        online = super().online
        return await self._slowly("online", lambda: online(app_id, user_ids))

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        terminate_user = super().terminate_user
        await self._slowly("terminate_user", lambda: terminate_user(app_id, user_id))
