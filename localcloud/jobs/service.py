"""Puts the jobs engine together: runner, operations, scheduler."""

import os
from collections.abc import Mapping

from localcloud.engine import Context
from localcloud.jobs.engine import JobsEngine
from localcloud.jobs.java import find_java
from localcloud.jobs.runner import Runner


def build(context: Context, environment: Mapping[str, str] | None = None) -> JobsEngine:
    """Return the engine; Java is looked for in `environment`, this process's own when none is given."""
    found = os.environ if environment is None else environment
    return JobsEngine(context, Runner(context, lambda: find_java(found), found))
