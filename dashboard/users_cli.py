"""`loglake users`: who may log in to the dashboard."""

import json
import sys
from pathlib import Path

import click

from catalog.errors import UsageError
from dashboard.folders import asked_state
from dashboard.users import ROLES, Users


@click.group()
def users() -> None:
    """Manage who may log in to the dashboard."""


@users.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.option("--service", "services", multiple=True, help="A service that they may see; repeat it. Default: all.")
@click.option("--no-password", is_flag=True, help="For someone whom the load balancer identifies, by e-mail address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@asked_state
def add(
    name: str, role: str, services: tuple[str, ...], no_password: bool, password_stdin: bool, state_dir: Path
) -> None:
    """Add the user NAME, asking for a password."""
    password = None if no_password else _password(password_stdin)
    Users(state_dir / "users.json").add(name, role, services, password)
    click.echo(f"{name} is {role} of {', '.join(services) or 'every service'}")


@users.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@asked_state
def passwd(name: str, password_stdin: bool, state_dir: Path) -> None:
    """Change the password of NAME, which logs them out everywhere."""
    found = Users(state_dir / "users.json")
    found.get(name)
    found.set_password(name, _password(password_stdin))
    click.echo(f"{name} has a new password")


@users.command()
@click.argument("name")
@asked_state
def remove(name: str, state_dir: Path) -> None:
    """Remove the user NAME, which logs them out everywhere."""
    Users(state_dir / "users.json").remove(name)
    click.echo(f"{name} is removed")


@users.command("list")
@click.option("--json", "as_json", is_flag=True)
@asked_state
def list_(as_json: bool, state_dir: Path) -> None:
    """List the users, their roles and services."""
    found = [*Users(state_dir / "users.json").all().values()]
    if as_json:
        facts = [
            {"name": user.name, "role": user.role, "services": user.services, "password": bool(user.password_hash)}
            for user in found
        ]
        click.echo(json.dumps(facts))
        return
    if not found:
        click.echo("no users yet: on loopback nobody logs in, elsewhere nobody can; 'loglake users add NAME' adds one")
    for user in found:
        click.echo(f"{user.name:<24} {user.role:<9} {', '.join(user.services) or 'every service'}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise UsageError("a password is asked for on a terminal; got none; pipe it in with --password-stdin")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
