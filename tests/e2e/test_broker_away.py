"""What a server says and does while its broker does not let it in, or is not there."""

import httpx

from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, NewServer, Server
from e2e.support.waiting import until_ready_answers
from support.redis import RedisServer

PASSWORD = "pass-word-of-the-broker"


def start(new_server: NewServer, broker: str, *flags: str) -> Server:
    """A server with a broker."""
    return new_server("--set", f"broker={broker}", "--set", "broker_lease=2", "--set", "database=", *flags)


async def publish(http: httpx.AsyncClient, channel: str, **more: str) -> httpx.Response:
    """Publish an event ``e`` on a channel."""
    event = {"name": "e", "channel": channel, "data": "d", **more}
    return await http.post(f"/apps/{APP_ID}/events", headers=HEADERS, json=event)


async def test_a_user_whom_redis_does_not_know_any_more_makes_a_server_unready_and_is_told_of_in_the_log(
    new_server: NewServer, redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "skubber", "reset", "on", f">{PASSWORD}", "~*", "&*", "+@all")
        server = start(new_server, f"redis://skubber:{PASSWORD}@127.0.0.1:{redis_server.port}/0")
        client.execute_command("ACL", "DELUSER", "skubber")
    async with httpx.AsyncClient(base_url=server.url) as http:
        await until_ready_answers(http, 503)
        assert (await publish(http, "c")).status_code == 503
    server.wait_for_log("check user and password in the setting broker")
    assert "Traceback" not in server.log
    assert PASSWORD not in server.log


async def test_a_server_that_may_publish_alone_answers_200_without_redis_and_its_subscribers_get_it(
    new_server: NewServer, redis_server: RedisServer
) -> None:
    server = start(new_server, redis_server.url, "--set", "broker_publish_alone=true")
    async with RawClient.connected(server) as client, httpx.AsyncClient(base_url=server.url) as http:
        await client.subscribe("c")
        redis_server.kill()
        try:
            await until_ready_answers(http, 503)
            assert (await publish(http, "c")).status_code == 200
            assert (await client.receive())["event"] == "e"
            # Whether it has been done before, nobody can tell now.
            assert (await publish(http, "c", idempotency_key="k")).status_code == 503
        finally:
            redis_server.start()
        await until_ready_answers(http, 200)
        assert (await publish(http, "c", idempotency_key="k")).status_code == 200
        assert (await client.receive())["event"] == "e"
