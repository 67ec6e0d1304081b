"""The rows of a query's result, as text in a grid."""

import dash_ag_grid as dag


def result_grid(header: list[str], found: list[list[str | None]]) -> dag.AgGrid:
    """Return rows in a grid; columns go by number, for a name may hold what a field path would cut."""
    columns = [
        {"field": f"c{place}", "headerName": name, "flex": 1, "minWidth": 120, "cellClass": "mono"}
        for place, name in enumerate(header)
    ]
    rows = [{f"c{place}": value for place, value in enumerate(row)} for row in found]
    return dag.AgGrid(
        columnDefs=columns,
        rowData=rows,
        defaultColDef={"resizable": True, "sortable": True},
        dashGridOptions={
            "theme": {"function": "themeBalham.withPart(colorSchemeVariable)"},
            "rowHeight": 24,
            "headerHeight": 28,
            "enableCellTextSelection": True,
        },
        className="log-grid",
        style={"height": f"{min(520, 36 + 25 * len(rows))}px", "width": "100%"},
    )
