"""``skubber plans``."""

import dataclasses
from typing import Annotated

import typer

from skubber.cli.administering import (
    Desk,
    JsonOption,
    LimitOption,
    YesOption,
    administer,
    confirm,
    given,
    limits,
    show_json,
    show_table,
)
from skubber.cli.common import ConfigOption
from skubber.core.limits import Limits
from skubber.core.plans import PLANS, UNLIMITED
from skubber.store.administration.plans import PlanChange, PlanDetails, PlanList
from skubber.store.administration.rules import checked

group = typer.Typer(help="Plans: named sets of limits.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The plan's name.")]


@group.command("list")
def list_plans(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the plans, with the limits in which each differs from the unlimited one."""
    result = administer(config, lambda desk: desk.administration.plans.list())
    if json:
        show_json(result)
    else:
        _show(result)


@group.command("set")
def set_plan(
    name: NameArgument, limit: LimitOption = None, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Make a plan, or give one new limits; those that are not given are as in the unlimited one."""

    async def act(desk: Desk) -> PlanDetails:
        request = checked(PlanChange, {"limits": given(**limits(limit or ()))})
        return await desk.administration.plans.put(desk.actor, name, request)

    result = administer(config, act)
    if json:
        show_json(result)
    else:
        _show(PlanList([result]))


@group.command()
def delete(name: NameArgument, yes: YesOption = False, config: ConfigOption = None) -> None:
    """Delete a plan. One that the configuration has, too, is again as it is there."""
    confirm(f"Delete the plan {name}?", yes)
    administer(config, lambda desk: desk.administration.plans.delete(desk.actor, name))


def _show(result: PlanList) -> None:
    show_table(
        ("NAME", "SOURCE", "LIMITS"), ((plan.name, plan.source, _differing(plan.limits)) for plan in result.plans)
    )


def _differing(own: Limits) -> dict[str, int]:
    unlimited = dataclasses.asdict(PLANS[UNLIMITED])
    return {name: value for name, value in dataclasses.asdict(own).items() if value != unlimited[name]}
