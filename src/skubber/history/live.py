"""The last second of all nodes together."""

from typing import Annotated

import msgspec
from msgspec import Meta

from skubber.core.post import Post
from skubber.history.recorder import LIVE_ADDRESS, Latest
from skubber.history.sample import SERVER, quantile_ms, together

PATIENCE = 0.8
"""Seconds that nodes have to answer: the next second is to be asked about in time."""

_decode = msgspec.msgpack.Decoder(Latest).decode


class LiveSample(msgspec.Struct, rename="camel"):
    """A second, all nodes together."""

    at: Annotated[int, Meta(description="When it began, seconds since the epoch.")]
    nodes: Annotated[int, Meta(description="How many nodes have answered.")]
    connections: int
    channels: Annotated[int, Meta(description="One that is occupied on several nodes counts once for each.")]
    published: Annotated[int, Meta(description="Messages taken in this second.")]
    delivered: Annotated[int, Meta(description="Messages written to clients in this second.")]
    delivered_bytes: int
    p50_ms: Annotated[float | None, Meta(description="Half of the publishes that were measured took at most as long.")]
    p99_ms: float | None
    slow_consumers: Annotated[int | None, Meta(description="Clients closed for leaving too much unread.")]
    webhooks_waiting: Annotated[int | None, Meta(description="Webhook events that wait.")]
    webhook_lag_ms: Annotated[int | None, Meta(description="Age of the oldest of them.")]


async def ask_for_live(post: Post, app_id: str = SERVER) -> LiveSample:
    """Ask all nodes.

    Args:
        post: how they are asked.
        app_id: an app, of which alone is told; what there is of the whole server only is None then.
    """
    answers = await post.ask_all(LIVE_ADDRESS, app_id.encode(), PATIENCE)
    latest = [_decode(each) for each in answers.contents]
    sample = together(each.sample for each in latest)
    return LiveSample(
        max((each.at for each in latest), default=0),
        len(latest),
        sample.connections,
        sample.channels,
        sample.published,
        sample.delivered,
        sample.delivered_bytes,
        quantile_ms(sample.durations, 0.5),
        quantile_ms(sample.durations, 0.99),
        sample.slow_consumers if app_id == SERVER else None,
        sample.waiting,
        sample.lag_ms,
    )
