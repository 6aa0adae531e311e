"""Acting on users: ``POST /apps/{appId}/users/{userId}/terminate_connections``."""

from skubber.api.call import Call
from skubber.api.schema import EmptyResponse
from skubber.core.errors import InvalidRequestError


async def terminate_connections(call: Call) -> EmptyResponse:
    """End every connection of a user; a user without one is no error."""
    user_id = call.arguments[0]
    if len(user_id) > call.app.limits.presence_user_id_length:
        raise InvalidRequestError(
            "invalid_user_id", f"User ids have 1 to {call.app.limits.presence_user_id_length} characters."
        )
    await call.hub.broker.terminate_user(call.app.id, user_id)
    return EmptyResponse()
