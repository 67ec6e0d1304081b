"""Columns of a cube from rows that a test spells out."""

import pandas as pd
import pyarrow as pa

from dashboard.columns import Columns, from_table

NUMBERS = ("slot", "events", "bucket", "response_bytes")


def columns(frame: pd.DataFrame) -> Columns:
    """Return a frame's rows; a frame without any has numbers all the same."""
    kinds = {name: "int64" if name in NUMBERS else "category" for name in frame}
    return from_table(pa.Table.from_pandas(frame.astype(kinds), preserve_index=False))
