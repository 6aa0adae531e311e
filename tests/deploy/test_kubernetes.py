"""The manifests for Kubernetes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from skubber.settings import Settings

DIRECTORY = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((DIRECTORY / "kustomization.yaml").read_text())
FILES = sorted(file for file in DIRECTORY.glob("*.yaml") if file.name != "kustomization.yaml")
ALL: list[dict[str, Any]] = [manifest for file in FILES for manifest in yaml.safe_load_all(file.read_text())]


def manifest(kind: str, name: str = "skubber") -> dict[str, Any]:
    """A manifest by its kind and name."""
    (found,) = (each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def pod() -> dict[str, Any]:
    """What a pod is to be."""
    specification: dict[str, Any] = manifest("Deployment")["spec"]["template"]["spec"]
    return specification


def container() -> dict[str, Any]:
    """Its only container."""
    (only,) = pod()["containers"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("version", ["1.32", "1.37"])
def test_kubernetes_would_take_it(file: Path, version: str) -> None:
    program = Path(sys.executable).parent / "kubernetes-validate"
    result = subprocess.run([program, "--strict", "-k", version, file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_all_is_applied_but_the_example_of_a_secret() -> None:
    assert set(KUSTOMIZATION["resources"]) == {file.name for file in FILES} - {"secret.example.yaml"}


def test_everything_means_the_same_pods() -> None:
    labels = manifest("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        manifest("Deployment")["spec"]["selector"]["matchLabels"],
        manifest("Service")["spec"]["selector"],
        manifest("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        manifest("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]),
    ]
    assert selectors == [labels] * len(selectors)
    target = manifest("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", manifest("Deployment")["metadata"]["name"])


@pytest.mark.parametrize(
    ("probe", "path"), [("readinessProbe", "/ready"), ("livenessProbe", "/health"), ("startupProbe", "/health")]
)
def test_probes_ask_what_they_are_to(probe: str, path: str) -> None:
    (port,) = container()["ports"]
    assert container()[probe]["httpGet"] == {"path": path, "port": port["name"]}
    assert port["containerPort"] == Settings().port


def test_a_pod_has_time_to_send_its_clients_away() -> None:
    settings = Settings()
    needed = container()["lifecycle"]["preStop"]["sleep"]["seconds"] + settings.shutdown_timeout
    assert pod()["terminationGracePeriodSeconds"] > needed + settings.webhook_timeout


def test_settings_are_such_as_there_are() -> None:
    given = [*manifest("ConfigMap")["data"], *manifest("Secret")["stringData"]]
    names = {name.removeprefix("SKUBBER_").lower() for name in given if name.startswith("SKUBBER_")}
    assert {"broker", "database", "encryption_key"} <= names <= set(Settings.__struct_fields__)
    sources = [next(iter(source.values()))["name"] for source in container()["envFrom"]]
    assert sources == [manifest("ConfigMap")["metadata"]["name"], manifest("Secret")["metadata"]["name"]]


def test_a_pod_may_do_nothing_but_serve() -> None:
    image_user = 10001
    assert pod()["securityContext"]["runAsUser"] == image_user
    assert f"USER {image_user}:{image_user}\n" in (DIRECTORY.parents[1] / "Dockerfile").read_text()
    context = container()["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in container()["volumeMounts"]] == ["/data"]


def test_what_is_many_requests_stays_with_one_pod() -> None:
    sticky, other = manifest("Ingress", "skubber-sticky"), manifest("Ingress")
    hashed = "nginx.ingress.kubernetes.io/upstream-hash-by"
    assert sticky["metadata"]["annotations"][hashed] == "$remote_addr"
    assert hashed not in other["metadata"]["annotations"]
    assert [path["path"] for path in sticky["spec"]["rules"][0]["http"]["paths"]] == ["/push", "/pusher"]


@pytest.mark.parametrize("name", ["skubber", "skubber-sticky"])
def test_an_ingress_lets_streams_and_silent_clients_be(name: str) -> None:
    settings = Settings()
    annotations = manifest("Ingress", name)["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    silence = settings.activity_timeout + settings.pong_timeout
    for timeout in ("read", "send"):
        assert int(annotations[f"nginx.ingress.kubernetes.io/proxy-{timeout}-timeout"]) > silence
