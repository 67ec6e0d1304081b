"""What of a stack is gone or changed behind CloudFormation's back, and making again what was deleted."""

from collections.abc import Callable, Mapping

from rich.console import Console

from cloudformation import report
from cloudformation.account import Account
from cloudformation.drift import Drift, is_gone
from cloudformation.presence import Resource, can_be_made_again, deployed_resources, find_differences, make_again
from cloudformation.stack import Stack, is_new

Ask = Callable[[str], bool]


def differences(account: Account, stack: Stack) -> list[Drift]:
    """Return what the services say is gone or other than deployed; nothing of a stack that is yet to be created."""
    return find_differences(account.client, _deployed(account, stack))


def mend(account: Account, stack: Stack, console: Console, ask: Ask, tags: Mapping[str, str]) -> bool:
    """Say what is gone, ask, and make again what can be; return False, with nothing made, if the answer was no."""
    resources = {resource.name: resource for resource in _deployed(account, stack)}
    gone = [drift for drift in find_differences(account.client, [*resources.values()]) if is_gone(drift)]
    for drift in gone:
        line = report.missing_line(drift, can_be_made_again(drift.type), stack.name)
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    mendable = [resources[drift.resource] for drift in gone if can_be_made_again(drift.type)]
    names = ", ".join(resource.name for resource in mendable)
    if not mendable:
        return True
    if not ask(f"Make {names} again?"):
        return False
    make_again(account.client, mendable, tags)
    console.print(f"Made again: {names}", highlight=False, soft_wrap=True)
    for table in (resource for resource in mendable if resource.type == "AWS::Glue::Table"):
        repair = f"MSCK REPAIR TABLE {table.properties['TableInput']['Name']}"
        hint = f"  its days come back with: loglake query --stack-name {stack.name} '{repair}'"
        console.print(hint, highlight=False, soft_wrap=True)
    return True


def _deployed(account: Account, stack: Stack) -> list[Resource]:
    described = stack.describe()
    if described is None or is_new(described):
        return []
    return deployed_resources(account.cloudformation, described, account.id, account.region)
