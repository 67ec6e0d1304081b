"""What people and scripts rely on: commands, flags, tables, settings. A change here is a promise broken."""

import click

from catalog.settings import OUTPUTS
from catalog.tables import TABLES
from loglake import COMMANDS, cli

FLAGS = {
    "up": {"--data-dir", "--rate", "--backfill-days", "--port", "--endpoint-port", "--detach"},
    "down": {"--data-dir"},
    "status": {"--json"},
    "produce": {
        *("--to", "--days", "--entries", "--output-dir", "--rate", "--duration", "--count", "--start", "--seed"),
        "--malformed",
    },
    "verify": {"--json"},
    "deploy": {"--stack-name", "--parameter", "--yes"},
    "destroy": {"--stack-name", "--yes"},
    "outputs": {"--stack-name", "--json"},
    "curate": {"--stack-name", "--from", "--to", "--json"},
    "compact": {"--stack-name", "--dry-run", "--before", "--json"},
    "query": {"--format", "--param"},
    "dashboard": {"--host", "--port", "--workers", "--prefix", "--state-dir"},
}


def flags_of(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}


def test_every_command_exists_and_says_what_it_does() -> None:
    with click.Context(cli) as context:
        commands = {name: cli.get_command(context, name) for name in COMMANDS}
    assert all(command is not None and command.help for command in commands.values())


def test_every_promised_flag_exists() -> None:
    with click.Context(cli) as context:
        for name, promised in FLAGS.items():
            command = cli.get_command(context, name)
            assert command is not None
            assert promised <= flags_of(command), name


def test_the_settings_are_the_stacks_outputs() -> None:
    assert sorted(OUTPUTS) == [
        *("Crawler", "Database", "DeliveryStream", "DropLevels", "IngestMode", "Job", "LakeBucket", "LiveTable"),
        *("RawBucket", "Region", "ResultsBucket", "ScanCutoffBytes", "Stream", "Trigger", "WorkGroup"),
    ]


def test_the_curated_tables_keep_their_names_and_keys() -> None:
    assert {table.name: table.partition_keys for table in TABLES} == {
        "logs": ("service", "year", "month", "day"),
        "log_minutes": ("year", "month", "day"),
        "rejects": ("year", "month", "day"),
        "runs": (),
    }
