"""The debug stream: what happens in an app on all nodes, as it happens."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from msgspec import Meta

from skubber.api.endpoints import QueryParameter
from skubber.core.errors import InvalidRequestError
from skubber.core.observers import Kind
from skubber.insight.insight import Insight
from skubber.insight.questions import Answer, Observe
from skubber.web.admin.call import AdminCall
from skubber.web.admin.endpoint import AdminEndpoint

INTERVAL = 0.25
"""Seconds between two questions to the nodes."""


class Observed(msgspec.Struct, rename="camel"):
    """Something that happened in an app, told by the node where it did."""

    at: Annotated[int, Meta(description="Milliseconds since the epoch.")]
    node: Annotated[str, Meta(description="The id of the node.")]
    kind: Kind
    channels: list[str]
    event: str | None
    data: Annotated[str | None, Meta(description="The event's data, at most 10,000 characters of it.")]
    is_cut: Annotated[bool, Meta(description="Whether there is more of the data.")]
    socket_id: Annotated[str | None, Meta(description="Whose connection it is about; of a publish, who was left out.")]
    user_id: str | None
    detail: Annotated[str | None, Meta(description="More, as a sentence.")]
    code: Annotated[str | None, Meta(description="The code of an error; `failed`, of a webhook.")]


class Observations(msgspec.Struct, rename="camel"):
    """What has happened since the event before."""

    observations: Annotated[list[Observed], Meta(description="The oldest first.")]
    skipped: Annotated[int, Meta(description="How much more there was: each node tells at most 200 things at a time.")]


async def watch_app(call: AdminCall) -> AsyncIterator[Observations]:
    """An event `observations` for what happens in the app from now on, on all nodes, at most four a second."""
    app_id = call.app.id
    kinds = [kind for kind in call.query.get("kinds", "").split(",") if kind]
    if not {*kinds} <= {*Kind}:
        raise InvalidRequestError("invalid_query", f"kinds are some of {', '.join(Kind)}, with commas between them.")
    question = Observe(
        app_id,
        secrets.token_hex(8),
        kinds,
        call.query.get("channel"),
        call.query.get("event"),
        call.query.get("socketId"),
    )
    return _watch(call.services.insight, question)


async def _watch(insight: Insight, question: Observe) -> AsyncIterator[Observations]:
    while True:
        answers, _ = await insight.ask(question)
        observations = [each for answer in answers for each in _observed(answer)]
        skipped = sum(answer.skipped for answer in answers)
        if observations or skipped:
            yield Observations(sorted(observations, key=lambda each: each.at), skipped)
        await asyncio.sleep(INTERVAL)


def _observed(answer: Answer) -> list[Observed]:
    return [
        Observed(node=answer.node, **{**msgspec.structs.asdict(each), "kind": Kind(each.kind)})
        for each in answer.observations
    ]


DEBUG_STREAM = AdminEndpoint(
    "GET",
    "/apps/{appId}/debug",
    "watchApp",
    "Watch what happens in an app",
    watch_app,
    Observations,
    query=(
        QueryParameter("kinds", "Only things of these kinds, with commas between them.", "publish,error"),
        QueryParameter("channel", "Only on this channel, or with a `*` at the end on those that start so.", "orders*"),
        QueryParameter("event", "Only events of this name, likewise.", "order-*"),
        QueryParameter("socketId", "Only what this connection does, or is left out of.", "1234.5678"),
    ),
    event="observations",
)
