"""The `loglake` command: gathers each folder's `cli.py`, imported only when one of its commands is asked for."""

import difflib
import importlib
import sys
from collections.abc import Mapping, Sequence

import click

from catalog.errors import LoglakeError

COMMANDS: Mapping[str, str] = {
    "up": "localcloud.cli",
    "down": "localcloud.cli",
    "status": "localcloud.cli",
    "logs": "localcloud.cli",
    "doctor": "localcloud.cli",
    "env": "localcloud.cli",
    "produce": "producer.cli",
    "verify": "producer.cli",
    "consume": "consumer.cli",
    "tail": "consumer.cli",
    "deploy": "cloudformation.cli",
    "diff": "cloudformation.cli",
    "package": "cloudformation.cli",
    "outputs": "cloudformation.cli",
    "destroy": "cloudformation.cli",
    "cost": "cloudformation.cost.cli",
    "crawl": "glue_streaming.cli",
    "curate": "glue_streaming.cli",
    "compact": "glue_streaming.cli",
    "query": "catalog.cli",
    "dashboard": "dashboard.cli",
    "users": "dashboard.cli",
    "alerts": "dashboard.cli",
}
"""Command name -> the module whose attribute of that name is the click command."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs or the help lists it.

    Its help wraps what commands say of themselves instead of cutting it off, and it knows what a slip was meant to be.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS)
            mend = f"did you mean {' or '.join(map(repr, near))}?" if near else "'loglake --help' lists them"
            raise click.UsageError(f"no such command {args[0]!r}; {mend}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = [(name, self.get_command(ctx, name)) for name in COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1_000)) for name, command in found if command])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loglake")
def cli() -> None:
    """Loglake: application logs become answers, on AWS and on one laptop."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 failed as explained, 2 wrong usage, 130 interrupted."""
    try:
        code = cli.main(args=arguments, prog_name="loglake", standalone_mode=False)
    except LoglakeError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
