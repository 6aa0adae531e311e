"""The ``skubber`` command and its groups."""

from typing import Annotated

import typer

from skubber import __version__
from skubber.cli import apps, keys, messages, plans, reports, secrets, serving, tokens, webhooks
from skubber.cli.bench.command import bench
from skubber.cli.doctor.command import doctor
from skubber.cli.stats import stats

main = typer.Typer(
    name="skubber",
    help="A self-hosted realtime push server: Pusher Channels and SignalR on one port.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


@main.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


main.command()(serving.serve)
main.command()(doctor)
main.command()(bench)
main.command()(messages.trigger)
main.command()(messages.tail)
main.add_typer(apps.group, name="apps")
main.add_typer(keys.group, name="keys")
main.add_typer(plans.group, name="plans")
main.add_typer(webhooks.group, name="webhooks")
main.add_typer(tokens.group, name="tokens")
main.command()(reports.usage)
main.command()(stats)
main.command()(reports.audit)
main.add_typer(secrets.group, name="secrets")
