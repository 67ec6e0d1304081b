"""Where the lines of a plan come from, and how they are read."""

import sys
import threading
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from catalog.errors import UsageError
from producer.plan import Plan
from producer.shipping.lines import Source
from producer.shipping.mapping import FieldMapping, read_mapping
from producer.shipping.parsing import LineParser
from producer.shipping.spool import Spool
from producer.shipping.standard_input import StandardInput
from producer.shipping.tail import FileTail

STANDARD_INPUT = "-"


def line_parser(plan: Plan) -> LineParser:
    """Return what understands the lines; raise `UsageError` for a mapping that is none."""
    mapping = read_mapping(plan.mapping) if plan.mapping else FieldMapping()
    if plan.read_as:
        mapping = replace(mapping, read_as=plan.read_as)
    if mapping.read_as == "access" and not (plan.service or mapping.names_service()):
        raise UsageError("--read-as access needs --service: an access log does not name its own")
    return LineParser(mapping, plan.service, plan.time_zone or UTC)


def open_source(plan: Plan, spool: Spool, stopping: threading.Event) -> Source:
    """Return the file, or standard input; raise `UsageError` for one that can't be."""
    assert plan.source
    if plan.source == STANDARD_INPUT:
        return StandardInput(sys.stdin.fileno(), stopping)
    return FileTail(Path(plan.source), plan.follow, spool.positions, stopping)
