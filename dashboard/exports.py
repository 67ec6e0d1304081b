"""Downloads: the rows of a view as CSV or JSON, streamed page by page, as many as the role allows."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from flask import Flask, Response, request

from catalog.errors import LoglakeError
from dashboard import access, audit, rows, shell
from dashboard.access import EXPORT_ROWS, ForbiddenError
from dashboard.components.log_grid import SHOWN
from dashboard.lake import Lake
from dashboard.timerange import resolve
from dashboard.view import View, parse

PAGE_ROWS = 20_000
"""Rows of one query: a download of a million scans its partitions fifty times, not a thousand."""
FORMATS = {"csv": "text/csv", "json": "application/json"}
Page = list[rows.Record]


def install(server: Flask, prefix: str) -> None:
    """Add the download's route: the view's own query, plus `fields` and the `token` of the cube on screen."""

    @server.get(f"{prefix}export/events.<kind>")
    def export(kind: str) -> Any:
        """Answer with a file of the rows; with a sentence when they can't be had."""
        if kind not in FORMATS:
            return "a download is events.csv or events.json", 404
        try:
            person = access.require("exporter", "downloading rows")
            lake = shell.lake()
            view, _ = parse({key: value for key, value in request.args.items() if key not in OWN}, lake.clock())
            pages = _pages(
                lake, view, request.args.get("token", ""), EXPORT_ROWS[person.role], "confirmed" in request.args
            )
            first = next(pages, [])  # what can't be had at all must be said before the file has begun
        except ForbiddenError as error:
            return str(error), 403
        except LoglakeError as error:
            return str(error), 502
        audit.record(shell.state(), person.name, f"download {kind}", request.query_string.decode("utf-8", "replace"))
        columns = rows.FIELDS if request.args.get("fields") == "all" else SHOWN
        content = WRITERS[kind](chain([first], pages), columns)
        name = f"attachment; filename=loglake-events.{kind}"
        return Response(
            content, mimetype=FORMATS[kind], headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )


OWN = ("token", "fields", "confirmed")


def _pages(lake: Lake, view: View, token: str, limit: int | None, is_confirmed: bool) -> Iterator[Page]:
    """Give a view's rows, newest first, a page at a time, at most `limit` of them."""
    window, services = resolve(view.time_range, lake.clock()), lake.cube(token).services
    after: rows.Record | None = None
    given = 0
    while limit is None or given < limit:
        wanted = PAGE_ROWS if limit is None else min(PAGE_ROWS, limit - given)
        page = lake.rows_below(view, window, services, after, "export", token, wanted, is_confirmed)
        yield page
        given += len(page)
        if len(page) < wanted:
            return
        after = page[-1]


def csv_parts(pages: Iterator[Page], columns: Sequence[str]) -> Iterator[str]:
    """Give the text of a CSV: a header, then a part per page."""
    yield rows.to_csv([], columns)
    for page in pages:
        yield rows.to_csv(page, columns).partition("\r\n")[2]


def json_parts(pages: Iterator[Page], columns: Sequence[str]) -> Iterator[str]:
    """Give the text of a JSON array of objects, one object a line."""
    separator = "[\n"
    for page in pages:
        for record in page:
            yield separator + json.dumps({column: record.get(column) for column in columns}, ensure_ascii=False)
            separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


WRITERS: dict[str, Callable[[Iterator[Page], Sequence[str]], Iterator[str]]] = {"csv": csv_parts, "json": json_parts}
