"""What the README and docs/ name of `loglake`: its commands and their options are there."""

import click
import pytest

import loglake
from tests.documented import PAGES, calls, commands, mentions, missed


def complaint(arguments: list[str]) -> str | None:
    """Return what the command says of arguments that it does not know, a value that is left away apart."""
    command: click.Command = loglake.cli
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        found = command.get_command(click.Context(command), arguments[0])
        if found is None:
            return f"no such command {arguments[0]!r}"
        command, arguments = found, arguments[1:]
    context = click.Context(command)
    try:
        given, left, _ = command.make_parser(context).parse_args(args=list(arguments))
    except click.BadOptionUsage:
        return None
    except click.UsageError as error:
        return error.format_message()
    return f"one too many: {left}" if left else _not_a_choice(command, context, given)


def _not_a_choice(command: click.Command, context: click.Context, given: dict[str, str]) -> str | None:
    for option in command.params:
        value = given.get(option.name or "")
        if isinstance(option, click.Option) and isinstance(option.type, click.Choice) and isinstance(value, str):
            try:
                option.type_cast_value(context, value)
            except click.UsageError as error:
                return error.format_message()
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_of_the_command_is_there(page):
    named = [(text, arguments) for text in [*commands(page), *mentions(page)] for arguments in calls(text)]
    complaints = {text: said for text, arguments in named if (said := complaint(arguments))}
    assert complaints == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_of_a_page_is_taken_for_something_else(page):
    assert missed(page) == []
    assert ("```sh" in page.read_text()) == (page.name == "aws-cli.md")  # tests/localcloud/test_newcomer.py runs it


def test_commands_and_mentions_are_found():
    assert sum(len(commands(page)) for page in PAGES) > 60
    assert sum(len(mentions(page)) for page in PAGES) > 60


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loglake quiery --list", "no such command 'quiery'"),
        ("loglake users remove", None),
        ("loglake users forget ada", "no such command 'forget'"),
        ("loglake up --port", None),
        ("loglake produce --to kafka", "Invalid value for '--to': 'kafka' is not one of 'files', 'stdout', 'kinesis'"),
        ("loglake status --jason", "No such option '--jason'"),
        ("loglake status now", "one too many: ['now']"),
    ],
)
def test_what_is_not_there_is_complained_of(text, said):
    (arguments,) = calls(text)
    assert (complaint(arguments) or "").startswith(said or "")
    assert (complaint(arguments) is None) == (said is None)


def test_calls_are_found_in_pipes_and_substitutions():
    assert list(calls('eval "$(.venv/bin/loglake env)"; echo x | loglake query - --limit 1 && loglake down')) == [
        ["env"], ["query", "-", "--limit", "1"], ["down"],
    ]  # fmt: skip
