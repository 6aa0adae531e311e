"""What a parent tells a worker."""

import socket

from skubber.server.workers.addresses import Address
from skubber.server.workers.assignment import Assignment, decode_assignment, encode_assignment
from skubber.settings import AppSettings, KeySettings, LimitSettings, Settings, WebhookSettings

SETTINGS = Settings(
    workers=3,
    broker="redis://127.0.0.1/0",
    webhook_allowed_networks=("10.0.0.0/8",),
    plans={"small": LimitSettings(connections=1)},
    apps=(
        AppSettings(
            "a",
            (KeySettings("k", "s\n\u2028"),),
            plan="small",
            webhooks=(WebhookSettings("https://example.com/", headers={"X": "y"}),),
            limits=LimitSettings(channels=0),
        ),
    ),
)
ADDRESSES = (Address(socket.AF_INET, ("127.0.0.1", 5187)), Address(socket.AF_INET6, ("::1", 5187, 0, 0)))


def test_it_arrives_as_it_was_in_one_line() -> None:
    assignment = Assignment(2, ADDRESSES, SETTINGS)
    line = encode_assignment(assignment)
    assert line.count(b"\n") == 1
    assert decode_assignment(line) == assignment
    (app,) = decode_assignment(line).apps()
    assert (app.limits.connections, app.limits.channels, app.keys["k"].secret) == (1, 0, "s\n\u2028")
    assert app.webhooks == assignment.apps()[0].webhooks


def test_the_demo_app_is_the_same_for_all() -> None:
    assignment = decode_assignment(encode_assignment(Assignment(1, ADDRESSES, Settings(), ("key", "secret"))))
    (app,) = assignment.apps()
    assert app.is_demo
    assert app.keys["key"].secret == "secret"


def test_each_has_its_own_port_for_metrics_if_there_is_to_be_one() -> None:
    settings = Settings(metrics_port=9187)
    assert [Assignment(number, ADDRESSES, settings).own_settings().metrics_port for number in (1, 2, 3)] == [
        9187,
        9188,
        9189,
    ]
    assert Assignment(2, ADDRESSES, Settings()).own_settings() == Settings()
