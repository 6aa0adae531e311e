"""Microsoft's Java client: building its driver, and starting it."""

import shutil
import subprocess
from pathlib import Path

from .javascript import CLIENTS
from .signalr import SignalR

PROJECT = CLIENTS / "java"
_BUILT = PROJECT / "target/.stamp"


def build() -> None:
    """Compile the driver and fetch what it needs, unless that is done already."""
    sources = [PROJECT / "pom.xml", *PROJECT.glob("src/**/*.java")]
    if _BUILT.exists() and _BUILT.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    goals = ["compile", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    built = subprocess.run(["mvn", "-B", "-q", *goals], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout
    _BUILT.touch()


def trust_store(certificate: Path) -> Path:
    """Make what a Java program needs to believe a certificate, beside it."""
    store = certificate.with_suffix(".p12")
    if not store.exists():
        options = ["-noprompt", "-alias", "server", "-storepass", "changeit", "-storetype", "PKCS12"]
        command = ["keytool", "-importcert", *options, "-file", str(certificate), "-keystore", str(store)]
        subprocess.run(command, check=True, capture_output=True)
    return store


async def start(certificate: Path, environment: dict[str, str]) -> SignalR:
    """Start the driver, which was built before."""
    java = shutil.which("java")
    assert java is not None
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    trusted = [f"-Djavax.net.ssl.trustStore={trust_store(certificate)}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    classes = f"{PROJECT}/target/classes:{PROJECT}/target/dependency/*"
    return await SignalR.launch([java, *quick, *trusted, "-cp", classes, "Driver"], environment)
