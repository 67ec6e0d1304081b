"""The job's arguments: what Glue's `DefaultArguments` may set. An argument that is a path is opened by Spark itself."""

import argparse
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from catalog.schema import LEVELS
from glue_streaming.levels import Levels

TASKS = ("available-now", "continuous", "compact", "reprocess")
NONE = "NONE"
"""Stands for the empty list, because Glue allows no empty argument."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one run of the job does, and where.

    The paths end in `/`; `max_files_per_batch` bounds what one micro-batch reads; one of `arrow_from_bytes` gzipped
    bytes or more is parsed in Arrow, which saves time by the line and costs some to begin with.
    """

    raw_path: str
    checkpoint_path: str
    staging_path: str
    lake_bucket: str
    database: str
    run_id: str
    task: str = "available-now"
    levels: Levels = field(default_factory=Levels)
    dedup_window_hours: float = 2.0
    max_files_per_batch: int = 400
    arrow_from_bytes: float = 16e6
    max_file_age_days: int = 30
    interval_seconds: int = 60
    run_seconds: float = math.inf
    before_days: int = 1
    grace_hours: float = 1.0
    from_day: date | None = None
    to_day: date | None = None
    with_csv: bool = False


def parse(argv: Sequence[str]) -> Arguments:
    """Return the run that `argv` describes; Glue's own arguments are let pass. Wrong usage exits 2."""
    parser = _parser()
    known, _ = parser.parse_known_args(argv)
    if known.task == "reprocess" and not (known.from_day and known.to_day and known.from_day <= known.to_day):
        parser.error(f"--from and --to must be days in order; got {known.from_day} and {known.to_day}")
    return Arguments(
        raw_path=_folder(known.raw_path),
        checkpoint_path=_folder(known.checkpoint_path),
        staging_path=_folder(known.staging_path),
        lake_bucket=known.lake_bucket,
        database=known.database,
        run_id=known.JOB_RUN_ID or f"run-{uuid.uuid4().hex}",
        task=known.task,
        levels=Levels(known.drop_levels, known.keep_sample),
        dedup_window_hours=known.dedup_window_hours,
        max_files_per_batch=known.max_files_per_batch,
        arrow_from_bytes=known.arrow_from_mb * 1e6,
        max_file_age_days=known.max_file_age_days,
        interval_seconds=known.interval_seconds,
        run_seconds=known.run_seconds,
        before_days=known.before_days,
        grace_hours=known.grace_hours,
        from_day=known.from_day,
        to_day=known.to_day,
        with_csv=known.format == "csv",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="job.py", allow_abbrev=False, description="Curate raw log events.")
    add = parser.add_argument
    add("--task", choices=TASKS, default="available-now")
    add("--raw-path", required=True, help="folder of the raw objects, one folder per service below it")
    add("--checkpoint-path", required=True, help="folder of the job's progress and of recent event ids")
    add("--staging-path", required=True, help="folder where files are written before their publication")
    add("--lake-bucket", required=True, help="bucket the tables are published to")
    add("--database", required=True, help="Glue database of the tables")
    add("--drop-levels", type=_levels, default=("DEBUG", "INFO"), help="comma-separated, or NONE")
    add(
        "--keep-sample",
        type=_sample,
        default={},
        help="share of a dropped level to keep: INFO=0.01,DEBUG=0.001, or NONE",
    )
    add("--dedup-window-hours", type=_positive, default=2.0, help="hours of arrival time")
    add("--max-files-per-batch", type=int, default=400, help="raw objects one micro-batch reads at most")
    add(
        "--arrow-from-mb", type=float, default=16, help="gzipped megabytes of a batch that is parsed in Arrow, and more"
    )
    add("--max-file-age-days", type=int, default=30, help="objects older than the newest by more are left")
    add("--format", choices=["parquet", "csv"], default="parquet", help="csv: `logs` as CSV too, beside the tables")
    add("--interval-seconds", type=int, default=60, help="continuous: seconds from one micro-batch to the next")
    add("--run-seconds", type=_positive, default=math.inf, help="continuous: end after so long; else when stopped")
    add("--before-days", type=_days_back, default=1, help="compact: days this many before today and earlier")
    add("--grace-hours", type=float, default=1.0, help="hours that replaced files stay for queries that read them")
    add("--from", dest="from_day", type=date.fromisoformat, help="reprocess: first day, YYYY-MM-DD")
    add("--to", dest="to_day", type=date.fromisoformat, help="reprocess: last day")
    add("--JOB_RUN_ID", default="", help="set by Glue")
    return parser


def _levels(text: str) -> tuple[str, ...]:
    return tuple(_level(part) for part in _parts(text))


def _sample(text: str) -> dict[str, float]:
    shares = {}
    for part in _parts(text):
        level, _, share = part.partition("=")
        try:
            shares[_level(level)] = float(share)
        except ValueError:
            raise argparse.ArgumentTypeError(f"a sample must be LEVEL=SHARE; got {part!r}") from None
        if not 0 <= float(share) <= 1:
            raise argparse.ArgumentTypeError(f"a share must be between 0 and 1; got {share!r}")
    return shares


def _parts(text: str) -> list[str]:
    return [] if text.strip().upper() == NONE else [part.strip() for part in text.split(",") if part.strip()]


def _level(text: str) -> str:
    level = text.strip().upper()
    if level not in LEVELS:
        raise argparse.ArgumentTypeError(f"a level must be one of {', '.join(LEVELS)}; got {level!r}")
    return level


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"the number must be more than 0; got {text!r}")
    return number


def _days_back(text: str) -> int:
    days = int(text)
    if days < 0:
        raise argparse.ArgumentTypeError(f"the days must be 0 or more; got {text!r}")
    return days


def _folder(path: str) -> str:
    return path.rstrip("/") + "/"
