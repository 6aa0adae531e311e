"""The compose file."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from conftest import require
from deploy.front import replace
from skubber.settings import Settings
from support.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
TEXT = FILE.read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
SERVERS = ["skubber-1", "skubber-2"]


def test_it_is_as_the_specification_of_compose_has_it() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    result = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_no_secret_has_a_default() -> None:
    used = re.findall(r"(?<!\$)\$\{(\w+)(.*?)\}", TEXT)
    assert {name for name, _ in used} == {
        "REDIS_PASSWORD",
        "POSTGRES_PASSWORD",
        "SKUBBER_ENCRYPTION_KEY",
        "SKUBBER_SITE",
    }
    assert all(rest.startswith(":?") for _, rest in used)


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_has_only_settings_that_there_are(server: str) -> None:
    names = {name for name in SERVICES[server]["environment"] if name.startswith("SKUBBER_")}
    assert names
    assert {name.removeprefix("SKUBBER_").lower() for name in names} <= set(Settings.__struct_fields__)


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_has_time_to_stop(server: str) -> None:
    assert int(SERVICES[server]["stop_grace_period"].removesuffix("s")) > Settings().shutdown_timeout


@pytest.mark.parametrize("service", SERVICES)
def test_who_waits_for_another_waits_until_it_is_well(service: str) -> None:
    for other, how in SERVICES[service].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        # The servers' own check is in their image.
        assert "healthcheck" in SERVICES[other] or other in SERVERS


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"caddy"}))
def test_nobody_but_the_front_can_be_reached_from_outside(service: str) -> None:
    assert "ports" not in SERVICES[service]


def test_only_the_network_of_the_front_is_believed() -> None:
    (pool,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    for server in SERVERS:
        assert SERVICES[server]["environment"]["FORWARDED_ALLOW_IPS"] == pool["subnet"]
    assert {name for name in SERVICES if "front" in SERVICES[name]["networks"]} == {*SERVERS, "caddy"}


def test_the_front_passes_on_to_the_servers_there_are() -> None:
    caddyfile = (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert set(re.findall(r"(\S+):5187", caddyfile)) == set(SERVERS)
    mounted = [volume.split(":")[0] for volume in SERVICES["caddy"]["volumes"] if volume.startswith("./")]
    assert [(DEPLOY / file).is_file() for file in mounted] == [True]


def test_redis_runs_as_it_is_configured() -> None:
    require("A test with Redis", "redis-server")
    port = free_port()
    shell, flag, script = SERVICES["redis"]["command"]
    command = replace(script, {"$$": "$", "redis-server -": f"redis-server - --port {port}"})
    environment = {"REDIS_PASSWORD": "hidden", "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [shell, flag, command], cwd=tempfile.gettempdir(), env=environment, stdout=subprocess.DEVNULL
    )
    try:
        retry = Retry(ConstantBackoff(0.05), 200)
        with redis.Redis(port=port, password="hidden", retry=retry, decode_responses=True) as client:
            assert client.ping()
            settings: Any = client.config_get("*")
        expected = {"maxmemory-policy": "noeviction", "save": "", "appendonly": "no", "timeout": "0"}
        assert expected.items() <= settings.items()
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        process.terminate()
        process.wait(20)
