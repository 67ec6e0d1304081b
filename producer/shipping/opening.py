"""Where the lines of a plan come from, and how they are read."""

import re
import sys
import threading
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from producer.plan import Plan
from producer.shipping.lines import Source
from producer.shipping.mapping import FieldMapping, read_mapping
from producer.shipping.parsing import LineParser
from producer.shipping.presence import Say
from producer.shipping.spool import Spool
from producer.shipping.standard_input import StandardInput
from producer.shipping.tail import FileTail

STANDARD_INPUT = "-"


_DATE = re.compile(r"[-_.]?\d[\d_.:TZ-]*$")


def field_mapping(plan: Plan) -> FieldMapping:
    """Return how lines are read; raise `UsageError` for a mapping that is none."""
    mapping = read_mapping(plan.mapping) if plan.mapping else FieldMapping()
    return replace(mapping, read_as=plan.read_as) if plan.read_as else mapping


def line_parser(plan: Plan, mapping: FieldMapping) -> LineParser:
    """Return what understands the lines. Lines that name no service are of the one asked for, else of the file's."""
    service = plan.service or mapping.service or service_of_file(plan.source or STANDARD_INPUT)
    return LineParser(mapping, service, plan.time_zone or UTC)


def service_of_file(source: str) -> str | None:
    """Return the service that a file's name says, `checkout-2026-11-28.log`; None for standard input."""
    if source == STANDARD_INPUT:
        return None
    name = Path(source).name
    stem = name.lstrip(".").partition(".")[0]
    return _DATE.sub("", stem) or stem or None


def open_source(plan: Plan, mapping: FieldMapping, spool: Spool, stopping: threading.Event, say: Say) -> Source:
    """Return the file, or standard input; raise `UsageError` for one that can't be."""
    assert plan.source
    if plan.source == STANDARD_INPUT:
        return StandardInput(sys.stdin.fileno(), stopping, mapping.read_as)
    return FileTail(Path(plan.source), plan.follow, spool.positions, stopping, mapping.read_as, say)
