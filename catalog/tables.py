"""The curated tables: their columns, partition keys and places in the lake bucket.

The CloudFormation template repeats them because a template can't import; a test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.schema import EVENT_COLUMNS, Column


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake: `prefix` is its folder in the lake bucket, `partition_keys` are strings, zero-padded."""

    name: str
    prefix: str
    columns: tuple[Column, ...]
    partition_keys: tuple[str, ...]
    doc: str

    def partition_folder(self, values: Sequence[str]) -> str:
        """Return the folder of a partition below a folder of the table: `service=payment/year=2026/…/`."""
        return "".join(f"{key}={value}/" for key, value in zip(self.partition_keys, values, strict=True))


def _curated(column: Column) -> Column:
    return Column("timestamp", "timestamp", True, "when it happened, UTC") if column.name == "timestamp" else column


LOGS = Table(
    "logs",
    "curated/logs/",
    (
        *(_curated(column) for column in EVENT_COLUMNS if column.name != "service"),
        Column("received_at", "timestamp", False, "when the delivery stream received it, UTC"),
        Column(
            "extra", "string", False, "keys that the schema does not know, as one JSON object; null when there are none"
        ),
        Column("pattern_id", "string", False, "16 hex digits that stand for the pattern, the same in every run"),
        Column("pattern", "string", False, "the message with `<*>` for what varies: numbers, ids, quoted text"),
    ),
    ("service", "year", "month", "day"),
    "curated events of the kept levels, each once",
)

LOG_MINUTES = Table(
    "log_minutes",
    "curated/log_minutes/",
    (
        Column("minute", "timestamp", True, "start of the minute, UTC"),
        Column("service", "string", True),
        Column("level", "string", True),
        Column("status_class", "string", False, "`2xx` to `5xx`; null without a status"),
        Column("endpoint", "string", False),
        Column("event_count", "bigint", True, "events, before any level is dropped"),
        Column("response_bytes_sum", "bigint", False),
        Column("response_time_ms_sum", "double", False),
        Column("response_time_ms_max", "double", False),
        Column("latency_histogram", "map<int,bigint>", False, "events per latency bucket, see catalog/latency.py"),
        Column(
            "patterns", "map<string,bigint>", False, "events per message pattern; `<other>` beyond the 50 commonest"
        ),
    ),
    ("year", "month", "day"),
    "additive counts per minute over every event; readers SUM them",
)

REJECTS = Table(
    "rejects",
    "rejects/",
    (
        Column("reason", "string", True, "what is wrong, naming the field and the value"),
        Column("raw_line", "string", True, "the line as it was read"),
        Column("source_object", "string", True, "key of the raw object it came from"),
        Column("source_offset", "bigint", False, "byte of its text, unzipped, at which the line begins; null if gone"),
        Column("rejected_at", "timestamp", True, "when the job met it, UTC"),
    ),
    ("year", "month", "day"),
    "lines that could not be curated, by the day the job met them",
)

RUNS = Table(
    "runs",
    "runs/",
    (
        Column("run_id", "string", True, "one id per run of the job"),
        Column("batch_id", "bigint", True, "the micro-batch; a replayed batch has the same id"),
        Column("started_at", "timestamp", True),
        Column("finished_at", "timestamp", True),
        Column("input_objects", "bigint", True),
        Column("input_rows", "bigint", True, "lines read, blank ones not counted"),
        Column("log_rows", "bigint", True, "rows written to logs"),
        Column("minute_rows", "bigint", True, "rows written to log_minutes"),
        Column("counted_rows", "bigint", True, "events counted by log_minutes"),
        Column("reject_rows", "bigint", True),
        Column("duplicate_rows", "bigint", True, "events dropped because their id was seen before"),
        Column("dropped_level_rows", "bigint", True, "events counted but kept out of logs"),
        Column("oldest_received_at", "timestamp", False),
        Column("newest_received_at", "timestamp", False, "the lake is complete up to about here"),
        Column("input_bytes", "bigint", False, "bytes of the raw objects, compressed"),
        Column("late_rows", "bigint", False, "events that arrived more than an hour after they happened"),
        Column("latest_seconds", "double", False, "how late the latest of all arrived"),
        Column("seconds", "double", False, "how long the batch took until its files were written"),
    ),
    (),
    "what each micro-batch of the job read and wrote",
)

TABLES: tuple[Table, ...] = (LOGS, LOG_MINUTES, REJECTS, RUNS)
