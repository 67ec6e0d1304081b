"""Columns of a cube from rows that a test spells out."""

import pandas as pd
import pyarrow as pa

from dashboard.columns import Columns, from_table

NUMBERS = ("slot", "events", "bucket", "response_bytes")


def columns(frame: pd.DataFrame) -> Columns:
    """Return a frame's rows; a frame without any has numbers all the same."""
    numbers = frame.astype({name: "int64" for name in NUMBERS if name in frame})
    return from_table(pa.Table.from_pandas(numbers, preserve_index=False))
