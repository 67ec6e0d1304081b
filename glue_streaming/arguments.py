"""The job's arguments: what Glue's `DefaultArguments` may set. An argument that is a path is opened by Spark itself."""

import argparse
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.schema import LEVELS


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one run of the job does, and where.

    The paths end in `/`; `max_files_per_batch` bounds what one micro-batch reads.
    """

    raw_path: str
    checkpoint_path: str
    staging_path: str
    lake_bucket: str
    database: str
    run_id: str
    drop_levels: tuple[str, ...] = ("DEBUG", "INFO")
    dedup_window_hours: float = 2.0
    max_files_per_batch: int = 1000
    max_file_age_days: int = 30


def parse(argv: Sequence[str]) -> Arguments:
    """Return the run that `argv` describes; Glue's own arguments are let pass. Wrong usage exits 2."""
    known, _ = _parser().parse_known_args(argv)
    return Arguments(
        raw_path=_folder(known.raw_path),
        checkpoint_path=_folder(known.checkpoint_path),
        staging_path=_folder(known.staging_path),
        lake_bucket=known.lake_bucket,
        database=known.database,
        run_id=known.JOB_RUN_ID or f"run-{uuid.uuid4().hex}",
        drop_levels=known.drop_levels,
        dedup_window_hours=known.dedup_window_hours,
        max_files_per_batch=known.max_files_per_batch,
        max_file_age_days=known.max_file_age_days,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="job.py", allow_abbrev=False, description="Curate raw log events.")
    parser.add_argument("--mode", choices=["available-now"], default="available-now")
    parser.add_argument("--raw-path", required=True, help="folder of the raw objects, one folder per service below it")
    parser.add_argument("--checkpoint-path", required=True, help="folder of the job's progress and of recent event ids")
    parser.add_argument(
        "--staging-path", required=True, help="folder where a micro-batch is written before publication"
    )
    parser.add_argument("--lake-bucket", required=True, help="bucket the tables are published to")
    parser.add_argument("--database", required=True, help="Glue database of the tables")
    parser.add_argument("--drop-levels", type=_levels, default=("DEBUG", "INFO"), help="comma-separated, may be empty")
    parser.add_argument("--dedup-window-hours", type=_positive, default=2.0, help="hours of arrival time")
    parser.add_argument(
        "--max-files-per-batch", type=int, default=1000, help="raw objects one micro-batch reads at most"
    )
    parser.add_argument(
        "--max-file-age-days", type=int, default=30, help="objects older than the newest by more are left"
    )
    parser.add_argument("--format", choices=["parquet"], default="parquet")
    parser.add_argument("--JOB_RUN_ID", default="", help="set by Glue")
    return parser


def _levels(text: str) -> tuple[str, ...]:
    levels = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [level for level in levels if level not in LEVELS]
    if unknown:
        raise argparse.ArgumentTypeError(f"a level must be one of {', '.join(LEVELS)}; got {unknown[0]!r}")
    return levels


def _positive(text: str) -> float:
    hours = float(text)
    if hours <= 0:
        raise argparse.ArgumentTypeError(f"hours must be more than 0; got {text!r}")
    return hours


def _folder(path: str) -> str:
    return path.rstrip("/") + "/"
