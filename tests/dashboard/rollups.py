"""Columns of a cube from rows that a test spells out."""

import pandas as pd

from dashboard.columns import Columns, from_frame

NUMBERS = ("slot", "events", "bucket", "response_bytes")


def columns(frame: pd.DataFrame) -> Columns:
    """Return a frame's rows; a frame without any has numbers all the same."""
    return from_frame(frame.astype({name: "int64" for name in NUMBERS if name in frame}))
