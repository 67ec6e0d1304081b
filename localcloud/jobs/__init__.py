"""Glue jobs: runs deployed scripts on local Spark, and fires triggers and crawler schedules."""

from localcloud.jobs.engine import JobsEngine, build

__all__ = ["JobsEngine", "build"]
