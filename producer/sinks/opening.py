"""The sink that a plan asks for."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from catalog.schema import EVENT_COLUMNS
from catalog.settings import Settings
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.ledger import Ledger
from producer.plan import Plan
from producer.sinks.file_formats import CsvLines, FileFormat, JsonLines
from producer.sinks.files import FilesSink
from producer.sinks.sink import Sink
from producer.sinks.stdout import StdoutSink


def dead_letters_of(plan: Plan) -> DeadLetters:
    """Return the file for what finally fails: the asked one, else one named after this run in the working folder."""
    default = Path(f"dead-letters-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.jsonl")
    return DeadLetters(plan.dead_letters or default)


def open_sink(
    plan: Plan,
    settings: Settings,
    counts: Counts,
    dead_letters: DeadLetters,
    ledger: Ledger | None,
    services: Sequence[str],
) -> Sink:
    """Return the sink that was asked for; `settings` are only read for a name that the plan does not give."""
    if plan.to == "files":
        return FilesSink(plan.output_dir, services, counts, _file_format(plan), plan.gzip)
    if plan.to == "stdout":
        return StdoutSink(sys.stdout.buffer, counts)
    from producer.sinks.streams import open_stream_sink

    return open_stream_sink(plan, settings, counts, dead_letters, ledger)


def _file_format(plan: Plan) -> FileFormat:
    if plan.file_format == "json":
        return JsonLines()
    if plan.schema:
        from producer.own_schema.reading import read_schema

        return CsvLines([field.name for field in read_schema(plan.schema).fields])
    return CsvLines([column.name for column in EVENT_COLUMNS])
