"""Acting on users: ``POST /apps/{appId}/users/{userId}/terminate_connections``."""

from skubber.api.call import Call
from skubber.api.schema import EmptyResponse
from skubber.core.app import App
from skubber.core.errors import InvalidRequestError
from skubber.core.hub import Hub


async def terminate_connections(call: Call) -> EmptyResponse:
    """End every connection of a user; a user without one is no error."""
    await terminate_user(call.app, call.hub, call.arguments[0])
    return EmptyResponse()


async def terminate_user(app: App, hub: Hub, user_id: str) -> None:
    """End every connection of a user, on all nodes, for whoever may.

    Args:
        app: the user's app.
        hub: the hub.
        user_id: the user; one without a connection is no error.

    Raises:
        InvalidRequestError: ``invalid_user_id``: no user's is as long, or it is empty.
        UnavailableError: the other nodes cannot be reached.
    """
    most = app.limits.presence_user_id_length
    if not 1 <= len(user_id) <= most:
        raise InvalidRequestError("invalid_user_id", f"User ids have 1 to {most} characters.")
    await hub.broker.terminate_user(app.id, user_id)
