"""`loglake deploy`, `diff`, `package`, `outputs` and `destroy`."""

import json
import re
import shlex
import sys
from pathlib import Path

import click

from catalog.errors import LoglakeError, UsageError
from catalog.settings import DEFAULT_STACK, stack_outputs
from cloudformation import buckets, report
from cloudformation.account import Account, explained
from cloudformation.deployment import Deployment, code_parameters, destroy_stack
from cloudformation.drift import is_gone
from cloudformation.mending import Ask
from cloudformation.packaging import build_artifacts
from cloudformation.presence import can_be_made_again


def _checked_stack_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,24}", name):
        raise UsageError(
            "--stack-name must be 1 to 25 lower case letters, digits and dashes, for buckets are named after it; "
            f"got {name!r}"
        )
    return name


_stack_name = click.option(
    "--stack-name",
    default=DEFAULT_STACK,
    envvar="LOGLAKE_STACK",
    show_default=True,
    show_envvar=True,
    callback=_checked_stack_name,
    help="The stack; part of the name of everything in it.",
)
_parameter = click.option(
    "--parameter", "-p", multiple=True, metavar="NAME=VALUE", help="A parameter of the template; repeatable."
)
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.command()
@_stack_name
@_parameter
@_yes
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the change until it is done.")
def deploy(stack_name: str, parameter: tuple[str, ...], yes: bool, as_json: bool, wait: bool) -> None:
    """Create or update the stack: package the code, show what would change, ask, do it and follow it.

    Running it again is safe: nothing to change is success. A parameter not given keeps the value it has.
    """
    with explained():
        console = report.new_console(stderr=as_json)
        result = Deployment(Account.connect(), stack_name, console, _asker(yes)).run(parameter, wait)
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2))


@click.command()
@_stack_name
@_parameter
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def diff(stack_name: str, parameter: tuple[str, ...], as_json: bool) -> int:
    """Show what deploy would change, and what was changed by hand since; exit 1 if there is any of either.

    Nothing is changed or uploaded.
    """
    console = report.new_console()
    with explained():
        changes, drifts = Deployment(Account.connect(), stack_name, console, _asker(True)).compare(parameter)
    if as_json:
        found = {"changes": [change.as_dict() for change in changes], "drift": [drift.as_dict() for drift in drifts]}
        click.echo(json.dumps(found, indent=2))
        return 1 if changes or drifts else 0
    if changes:
        console.print(report.changes_table(stack_name, changes))
    for drift in drifts:
        if is_gone(drift):
            line = report.missing_line(drift, can_be_made_again(drift.type), stack_name)
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not all(is_gone(drift) for drift in drifts):
        console.print(report.drift_table(stack_name, [drift for drift in drifts if not is_gone(drift)]))
    if not changes and not drifts:
        console.print(f"No difference: stack {stack_name} is as the template and the code say.")
    return 1 if changes or drifts else 0


@click.command()
@_stack_name
@click.option("--bucket", help="Upload there; by default the stack's own artifacts bucket, made if absent.")
@click.option("--output-dir", type=click.Path(path_type=Path), help="Write the files there instead of uploading them.")
def package(stack_name: str, bucket: str | None, output_dir: Path | None) -> None:
    """Build the code, upload what is missing, and print the --parameter-overrides for the plain AWS CLI.

    With --output-dir nothing is uploaded and AWS is not called; --bucket then says where you will put the files.
    """
    artifacts = build_artifacts()
    if output_dir is not None:
        if bucket is None:
            raise UsageError("--output-dir needs --bucket, the bucket that you will upload the files to; got none")
        for artifact in artifacts:
            path = output_dir / artifact.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.body)
    else:
        with explained():
            account = Account.connect()
            bucket = bucket or buckets.artifacts_bucket(stack_name, account.id, account.region)
            buckets.ensure_artifacts_bucket(account.s3, bucket, account.id, account.region)
            buckets.upload_missing(account.s3, bucket, account.id, artifacts)
    for name, value in code_parameters(bucket, artifacts).items():
        click.echo(f"{name}={value}")


@click.command()
@_stack_name
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object of settings.")
@click.option("--env", "as_env", is_flag=True, help="Print lines to `eval` in a shell: export LOGLAKE_RAW_BUCKET=…")
def outputs(stack_name: str, as_json: bool, as_env: bool) -> None:
    """Print the stack's outputs: the settings that every other command reads."""
    if as_json and as_env:
        raise UsageError("--json and --env exclude each other; got both")
    with explained():
        settings = stack_outputs(stack_name)
    if as_json:
        click.echo(json.dumps(settings, indent=2, sort_keys=True))
    elif as_env:
        for name, value in sorted(settings.items()):
            click.echo(f"export LOGLAKE_{name.upper()}={shlex.quote(value)}")
    else:
        report.new_console().print(report.outputs_table(stack_name, settings))


@click.command()
@_stack_name
@_yes
@click.option("--delete-data", is_flag=True, help="Delete the stack's buckets too, with all the logs in them.")
def destroy(stack_name: str, yes: bool, delete_data: bool) -> None:
    """Delete the stack. Its buckets stay, with all the logs in them, unless --delete-data.

    Asks for the stack's name first. A later deploy of the same name takes the buckets over again.
    """
    lost = "its stream, tables AND ALL ITS LOGS" if delete_data else "its stream and tables; its buckets stay"
    if not yes and _ask_text(f"This deletes stack {stack_name}: {lost}.\nType the stack's name to go on") != stack_name:
        raise LoglakeError(f"nothing was deleted: the stack's name must be typed as it is, {stack_name!r}")
    console = report.new_console()
    with explained():
        left = destroy_stack(Account.connect(), stack_name, console, delete_data)
    if left:
        console.print("Left, and still charged for:")
        for name in left:
            console.print(f"  s3://{name}", highlight=False, soft_wrap=True)
        console.print(f"'loglake destroy --stack-name {stack_name} --delete-data' deletes them.", soft_wrap=True)


def _asker(yes: bool) -> Ask:
    return (
        (lambda _question: True) if yes else (lambda question: _ask_text(f"{question} [y/N]").lower() in ("y", "yes"))
    )


def _ask_text(question: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("a terminal must answer the question, or --yes must; got neither")
    return str(click.prompt(question, default="", show_default=False, err=True))
