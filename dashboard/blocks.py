"""Blocks: how the rollup is cut up to be kept, so that what was asked once is never asked again.

A block is an hour, or a day for long ranges, of one kind of rollup. Its key holds the number of events that the
manifest counts in it, so a kept block never changes: it is right for as long as the count stays.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.csv

from dashboard import statements
from dashboard.athena import read_csv
from dashboard.broker import Answer, Question
from dashboard.columns import Columns, from_table
from dashboard.statements import COLUMNS, COUNTS, ENDPOINT_LATENCY, ENDPOINTS, PATTERNS, Kind
from dashboard.timerange import Window

_ARROW = {"string": pa.dictionary(pa.int32(), pa.string())}
MOST_MANIFESTS = 4
LONGEST_ROW_BYTES = 16 * 1024 * 1024
"""A row of a rollup must fit into what is parsed at once; a record of a stream holds at most 1 MiB."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block: where it is kept and the stretch of time it holds."""

    kind: Kind
    window: Window
    version: int
    services: tuple[str, ...] = ()
    """The services that it holds, for a viewer who may see no others; empty is all of them."""

    @property
    def key(self) -> str:
        scope = "|".join(self.services)
        return f"block:3:{self.kind.key}:{int(self.window.start.timestamp())}:{self.version}:{scope}"


def parse_rollup(content: bytes, name: str) -> pa.Table:
    """Return a rollup's CSV as a table of the types that `statements.COLUMNS` declares, sorted by slot."""
    wanted = schema(name)
    options = pyarrow.csv.ConvertOptions(
        column_types=wanted, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    reading = pyarrow.csv.ReadOptions(block_size=LONGEST_ROW_BYTES)
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(io.BytesIO(content), reading, parsing, options)
    return table.select(wanted.names).sort_by("slot")


def schema(name: str) -> pa.Schema:
    """Return the types of a rollup's columns."""
    return pa.schema([(column, _ARROW.get(kind) or getattr(pa, kind)()) for column, kind in COLUMNS[name].items()])


def kinds(name: str, window: Window) -> tuple[Kind, ...]:
    """Return the grains that serve a window, the wanted one first: a coarser one will do when it is already cached."""
    if window.span > timedelta(days=3):
        return (Kind(name, 3600, 86_400),)
    fine, coarse = Kind(name, 60, 3600), Kind(name, 300, 3600)
    if name == COUNTS:
        return (fine,)
    if name in (ENDPOINTS, ENDPOINT_LATENCY, PATTERNS):
        return (coarse,)
    return (fine, coarse) if window.span <= timedelta(hours=6) else (coarse, fine)


def cut_blocks(kind: Kind, window: Window, versions: dict[int, int], services: tuple[str, ...] = ()) -> list[Block]:
    """Return the blocks of a window that hold anything; hours that the manifest does not know hold nothing."""
    sums: dict[int, int] = {}
    for hour, events in versions.items():
        start = hour // kind.block_seconds * kind.block_seconds
        sums[start] = sums.get(start, 0) + events
    first = int(window.start.timestamp()) // kind.block_seconds * kind.block_seconds
    starts = range(first, int(window.end.timestamp()) + 1, kind.block_seconds)
    return [
        Block(kind, _stretch(start, kind.block_seconds), sums[start], services) for start in starts if start in sums
    ]


def _stretch(start: int, seconds: int) -> Window:
    begin = datetime.fromtimestamp(start, UTC)
    return Window(begin, begin + timedelta(seconds=seconds))


def stretches(blocks: Sequence[Block]) -> list[list[Block]]:
    """Return blocks grouped so that each group, one query, is of one kind and without a hole."""
    groups: list[list[Block]] = []
    for block in blocks:
        last = groups[-1][-1] if groups else None
        if last and last.kind == block.kind and last.window.end == block.window.start:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def question_of(stretch: Sequence[Block]) -> Question:
    """Return the one question whose answer holds a whole stretch of blocks."""
    window = Window(stretch[0].window.start, stretch[-1].window.end)
    version = ",".join(str(block.version) for block in stretch)
    services = stretch[0].services
    return Question(statements.rollup(stretch[0].kind, window, services), "|".join(services), version)


def manifest_days(window: Window) -> list[Window]:
    """Return the UTC days that a window and its previous one touch, as one stretch when they are many.

    Days have manifests of their own so that zooming, and most viewers, ask for manifests that are there already.
    """
    first = window.previous.start.replace(hour=0, minute=0, second=0, microsecond=0)
    last = (window.end - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    count = (last - first).days + 1
    if count > MOST_MANIFESTS:
        return [Window(first, last + timedelta(days=1))]
    return [Window(first + timedelta(days=place), first + timedelta(days=place + 1)) for place in range(count)]


def versions_of(manifests: Sequence[Answer]) -> dict[int, int]:
    """Return the events of each hour that manifests count, by epoch seconds."""
    rows_found = [row for manifest in manifests for row in read_csv(manifest.content or b"")[1]]
    return {int(slot): int(events or 0) for slot, events in rows_found if slot}


def columns_of(name: str, parts: Sequence[pa.Table]) -> Columns:
    """Return the rows of a kind from its blocks; no rows, but every column, from none."""
    return from_table(pa.concat_tables(parts) if parts else schema(name).empty_table())


def to_bytes(table: pa.Table) -> bytes:
    """Return a block as compressed Arrow, as the cache keeps it."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def from_bytes(content: bytes) -> pa.Table:
    """Return a kept block."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()
