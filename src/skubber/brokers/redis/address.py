"""The URL that says where Redis is."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio.connection import ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from skubber.brokers.redis.cluster import Cluster
from skubber.brokers.redis.layout import Servers
from skubber.brokers.redis.sentinel import Sentinels
from skubber.brokers.redis.standalone import Standalone

_SCHEME = re.compile(r"(rediss?)(?:\+(sentinel|cluster))?|unix")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
_SENTINEL_PORT, _REDIS_PORT = 26379, 6379
_YES_AND_NO = {"yes": True, "no": False}


def parse_address(url: str) -> Servers:
    """What a URL names: one Redis, one that Sentinels watch over, or a cluster. Nothing is connected to.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://`` as redis-py has them; ``redis+sentinel://`` with the Sentinels'
            hosts, and a path of the service's name and the database; ``redis+cluster://`` with hosts of some of its
            servers. ``rediss+`` of either for TLS, with Sentinels as well. Options of a connection may follow as the
            query, besides them ``sentinel_username`` and ``sentinel_password``, and ``sharded_pubsub=no``.

    Raises:
        ValueError: it is none; the message does not repeat what may be a password.
        TypeError: it has options that no connection has.
    """
    split = _split(url)
    scheme = _SCHEME.fullmatch(split.scheme)
    if scheme is None:
        raise ValueError("it begins with redis://, rediss:// or unix://, or with redis+sentinel:// and the like")
    if scheme[2] is None:
        return Standalone(_checked(_options(url)))
    user, _, hosts = split.netloc.rpartition("@")
    options = _options(f"{scheme[1]}://{user and user + '@'}host/?{split.query}")
    del options["host"]
    if scheme[2] == "sentinel":
        return _sentinels(split, hosts, options)
    is_sharded = _YES_AND_NO.get(str(options.pop("sharded_pubsub", "yes")))
    if is_sharded is None:
        raise ValueError("sharded_pubsub is yes or no")
    if split.path.strip("/") not in {"", "0"} or options.get("db"):
        raise ValueError("a cluster has no database but 0")
    return Cluster(_parse_hosts(hosts, _REDIS_PORT), _checked(options), allows_sharded=is_sharded)


def _sentinels(split: SplitResult, hosts: str, options: dict[str, Any]) -> Sentinels:
    service, _, database = split.path.strip("/").partition("/")
    if not service or not re.fullmatch("[0-9]*", database):
        raise ValueError("after the Sentinels comes a path of the service's name and the number of the database")
    credentials = {
        name: options.pop(f"sentinel_{name}") for name in ("username", "password") if f"sentinel_{name}" in options
    }
    own = ("username", "password", "db")
    sentinel_options = {name: value for name, value in options.items() if name not in own} | credentials
    if database:
        options["db"] = int(database)
    return Sentinels(
        _parse_hosts(hosts, _SENTINEL_PORT), unquote(service), _checked(sentinel_options), _checked(options)
    )


def _split(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
    except ValueError:
        raise _no_url() from None
    return split


def _no_url() -> ValueError:
    """What is said of a URL instead of what is wrong with it: a password written as it is may be taken for a port."""
    return ValueError("it is no URL; special characters in a password are to be percent-encoded")


def _options(url: str) -> dict[str, Any]:
    """The options of a connection that a URL of redis-py has."""
    try:
        options = dict(parse_url(url))
    except ValueError as error:
        if "connection URL" in str(error):  # it names the option only
            raise
        raise _no_url() from None
    return options | {
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        "retry": Retry(NoBackoff(), 0),
    }


def _parse_hosts(hosts: str, port: int) -> list[tuple[str, int]]:
    found = []
    for each in hosts.split(","):
        match = _HOST.fullmatch(each)
        if match is None or int(match[2] or port) > 65535:
            raise ValueError("its hosts are separated by commas, each with or without a port")
        found.append((unquote(match[1].strip("[]")), int(match[2] or port)))
    return found


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    # A pool connects to nothing, and its connection refuses what it does not know.
    ConnectionPool(**options).make_connection()  # type: ignore[no-untyped-call]
    return options
