"""Calls of a broker, each beside what it does to the model."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

from brokers.model import Client, Held, Model
from skubber.core.broker import Broker
from skubber.core.channel_name import ChannelKind
from skubber.core.event import Event, PublishedEvent
from skubber.core.presence import PresenceMember

NOTHING = object()
"""The outcome of calls that say nothing."""


class Operation(Protocol):
    """A call of one node's broker."""

    @property
    def node(self) -> int: ...

    async def run(self, broker: Broker, app_id: str) -> Any:
        """Make the call; returns its outcome, in a form that can be compared."""
        ...

    def apply(self, model: Model) -> Any:
        """Do the same to the model; returns what must be the outcome."""
        ...


@dataclass(frozen=True)
class OfClient:
    """A call on behalf of a client."""

    client: Client

    @property
    def node(self) -> int:
        return self.client.node


@dataclass(frozen=True)
class Entering(OfClient):
    """One that enters something. ``most``: channels, or members, that there may be; 0: any number of them."""

    held: Held
    most: int = 0
    info: bytes = b"null"


class Subscribe(Entering):
    async def run(self, broker: Broker, app_id: str) -> Any:
        return await broker.subscribe(app_id, self.held.channel, self.most)

    def apply(self, model: Model) -> Any:
        channel = self.held.channel
        occupied = {each for each in model.channels() if not each.startswith("#")}
        if self.most and not channel.startswith("#") and channel not in occupied and len(occupied) >= self.most:
            return None
        model.enter(self.held)
        return model.count(channel)


class Join(Entering):
    async def run(self, broker: Broker, app_id: str) -> Any:
        member = PresenceMember(self.held.user, self.info)
        joined = await broker.join(app_id, self.held.channel, self.client.socket_id, member, self.most)
        if joined is None:
            return None
        assert len({each.user_id for each in joined.members}) == len(joined.members)
        return joined.is_first, {each.user_id: each.user_info for each in joined.members}

    def apply(self, model: Model) -> Any:
        members = model.members(self.held.channel)
        if self.held.user not in members and len(members) >= self.most:
            return None
        return model.enter(self.held, self.info), model.members(self.held.channel)


class SignIn(Entering):
    async def run(self, broker: Broker, app_id: str) -> Any:
        return await broker.sign_in(app_id, self.client.socket_id, self.held.user)

    def apply(self, model: Model) -> Any:
        return model.enter(self.held)


@dataclass(frozen=True)
class TakeBack(OfClient):
    """Unsubscribe, leave or sign out."""

    held: Held

    async def run(self, broker: Broker, app_id: str) -> Any:
        channel, user, socket_id = self.held.channel, self.held.user, self.client.socket_id
        if not user:
            return await broker.unsubscribe(app_id, channel)
        if not channel:
            return await broker.sign_out(app_id, socket_id, user)
        return await broker.leave(app_id, channel, socket_id, user)

    def apply(self, model: Model) -> Any:
        is_gone = model.take(self.held)
        return is_gone if self.held.user else model.count(self.held.channel)


@dataclass(frozen=True)
class OnNode(ABC):
    """A call on nobody's behalf."""

    node: int

    @abstractmethod
    async def run(self, broker: Broker, app_id: str) -> Any: ...

    @abstractmethod
    def apply(self, model: Model) -> Any: ...


@dataclass(frozen=True)
class Publish(OnNode):
    channels: tuple[str, ...]
    name: str
    is_kept: bool
    excluded: str | None

    async def run(self, broker: Broker, app_id: str) -> Any:
        event = (PublishedEvent if self.is_kept else Event)(self.name, b'"data"')
        await broker.publish(app_id, self.channels, event, self.excluded)
        return NOTHING

    def apply(self, model: Model) -> Any:
        for channel in self.channels:
            model.deliveries.append((channel, f"{self.name} not to {self.excluded}"))
            if self.is_kept and ChannelKind.of(channel).is_cache:
                model.kept[channel] = self.name
        return NOTHING


@dataclass(frozen=True)
class KeptEvent(OnNode):
    channel: str

    async def run(self, broker: Broker, app_id: str) -> Any:
        kept = await broker.kept_event(app_id, self.channel)
        return None if kept is None else kept.event.name

    def apply(self, model: Model) -> Any:
        return model.kept.get(self.channel)


@dataclass(frozen=True)
class Members(OnNode):
    channel: str

    async def run(self, broker: Broker, app_id: str) -> Any:
        return {each.user_id: each.user_info for each in await broker.members(app_id, self.channel)}

    def apply(self, model: Model) -> Any:
        return model.members(self.channel)


@dataclass(frozen=True)
class Online(OnNode):
    users: tuple[str, ...]

    async def run(self, broker: Broker, app_id: str) -> Any:
        return list(await broker.online(app_id, self.users))

    def apply(self, model: Model) -> Any:
        return [user for user in self.users if model.is_online(user)]


@dataclass(frozen=True)
class Claim(OnNode):
    key: str
    fingerprint: bytes

    async def run(self, broker: Broker, app_id: str) -> Any:
        earlier = await broker.claim_request(app_id, self.key, self.fingerprint)
        return None if earlier is None else (earlier.fingerprint, earlier.is_done)

    def apply(self, model: Model) -> Any:
        earlier = model.requests.get(self.key)
        if earlier is None:
            model.requests[self.key] = (self.fingerprint, False)
        return earlier


@dataclass(frozen=True)
class Finish(OnNode):
    key: str

    async def run(self, broker: Broker, app_id: str) -> Any:
        await broker.finish_request(app_id, self.key)
        return NOTHING

    def apply(self, model: Model) -> Any:
        if self.key in model.requests:
            model.requests[self.key] = (model.requests[self.key][0], True)
        return NOTHING


@dataclass(frozen=True)
class Release(OnNode):
    key: str

    async def run(self, broker: Broker, app_id: str) -> Any:
        await broker.release_request(app_id, self.key)
        return NOTHING

    def apply(self, model: Model) -> Any:
        model.requests.pop(self.key, None)
        return NOTHING


@dataclass(frozen=True)
class Terminate(OnNode):
    user: str

    async def run(self, broker: Broker, app_id: str) -> Any:
        await broker.terminate_user(app_id, self.user)
        return NOTHING

    def apply(self, model: Model) -> Any:
        return NOTHING
