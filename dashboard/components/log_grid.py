"""The virtual table of log rows: it asks for blocks of rows as it is scrolled."""

from typing import Any

import dash_ag_grid as dag

from catalog.schema import told_text
from dashboard import rows
from dashboard.components.detail import local_time, took

BLOCK_ROWS = 100
SHOWN = ("timestamp", "level", "service", "status_code", "response_time_ms", "message")
"""The fields that the table shows, as a download of what is shown names them."""
COLUMNS = [
    {"field": "time", "headerName": "Time", "width": 172, "cellClass": "mono"},
    {"field": "level", "headerName": "Level", "width": 84, "cellClass": "mono"},
    {"field": "service", "headerName": "Service", "width": 122},
    {"field": "status_code", "headerName": "Status", "width": 66, "type": "rightAligned"},
    {"field": "took", "headerName": "Took", "width": 78, "type": "rightAligned"},
    {"field": "message", "headerName": "Message", "flex": 1, "minWidth": 280, "cellClass": "mono"},
]
EDGES = {
    f"edge-{level.lower()}": f"params.data && params.data.level == '{level}'"
    for level in ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
}


def log_grid(name: str) -> dag.AgGrid:
    """Return the empty table."""
    return dag.AgGrid(
        id=name,
        columnDefs=COLUMNS,
        defaultColDef={"resizable": True, "sortable": False, "suppressHeaderMenuButton": True},
        rowModelType="infinite",
        getRowId="params.data.row_id + ''",
        dangerously_allow_code=False,
        dashGridOptions={
            "theme": {"function": "themeBalham.withPart(colorSchemeVariable)"},
            "cacheBlockSize": BLOCK_ROWS,
            "maxBlocksInCache": 40,
            "maxConcurrentDatasourceRequests": 1,
            "infiniteInitialRowCount": 1,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "rowHeight": 24,
            "headerHeight": 28,
            "enableCellTextSelection": True,
            "rowClassRules": EDGES,
            "suppressNoRowsOverlay": True,
        },
        className="log-grid",
        style={"height": "100%", "width": "100%"},
    )


def grid_row(record: rows.Record, zone: str, place: int = 0) -> dict[str, Any]:
    """Return a record as the table takes it: with its time in a zone, its duration in words and a key.

    What every event must have is told where it is missing; an event without an id has its `place` in the table for one.
    """
    text = record["timestamp"] or ""
    told = {name: told_text(record[name]) for name in ("level", "service", "message")}
    key = f"{text}{record['event_id'] or place}"
    return {**record, **told, "time": local_time(text, zone), "took": took(record), "row_id": key}
