"""What the operating system allows."""

from pathlib import Path

import pytest

from skubber.cli.doctor.finding import Status
from skubber.cli.doctor.machine import check_kernel, check_open_files
from skubber.settings import Settings

MANY = Settings(connections=50_000)


@pytest.mark.parametrize("settings", [Settings(connections=5000), Settings(tcp_connections=5000)])
def test_fewer_open_files_than_connections_are_a_failure(settings: Settings) -> None:
    finding = check_open_files(settings, 5000)
    assert finding.status is Status.FAILED
    assert "5100" in finding.advice
    assert check_open_files(settings, 5100).status is Status.OK


def test_few_open_files_are_worth_a_warning_when_the_settings_name_no_number() -> None:
    finding = check_open_files(Settings(), 1024)
    assert finding.status is Status.WARNING
    assert "ulimit -n" in finding.advice
    assert check_open_files(Settings(), 4096).status is Status.OK


def parameters(folder: Path, **values: str) -> Path:
    """A folder as the kernel has it; two underscores in a parameter's name stand for a dot."""
    for name, value in values.items():
        file = folder.joinpath(*name.split("__"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return folder


def test_a_short_backlog_is_told_with_the_line_that_mends_it(tmp_path: Path) -> None:
    finding = check_kernel(Settings(), parameters(tmp_path, net__core__somaxconn="128"))
    assert finding.status is Status.WARNING
    assert finding.message == "net.core.somaxconn is 128"
    assert "net.core.somaxconn = 4096" in finding.advice


def test_memory_for_connections_matters_with_many_clients(tmp_path: Path) -> None:
    folder = parameters(
        tmp_path,
        net__core__somaxconn="4096",
        net__ipv4__tcp_mem="1000\t2000\t3000",
        net__ipv4__tcp_rmem="4096\t131072\t6291456",
        net__ipv4__tcp_wmem="4096\t16384\t4194304",
        net__netfilter__nf_conntrack_max="65536",
    )
    assert check_kernel(Settings(), folder).status is Status.OK
    finding = check_kernel(MANY, folder)
    assert finding.status is Status.WARNING
    assert "net.ipv4.tcp_mem = 1000 2000 1048576" in finding.advice
    assert "net.ipv4.tcp_rmem = 4096 16384 1048576" in finding.advice
    assert "net.netfilter.nf_conntrack_max = 524288" in finding.advice
    assert "tcp_wmem" not in finding.advice


def test_parameters_that_a_container_does_not_show_are_left_alone(tmp_path: Path) -> None:
    assert check_kernel(MANY, tmp_path).status is Status.OK
