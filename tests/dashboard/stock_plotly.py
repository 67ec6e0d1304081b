"""Plotly as its makers build it, of the version that ours is built of: what ours is compared with."""

from pathlib import Path

import plotly

SCRIPT = Path(str(plotly.__file__)).parent / "package_data" / "plotly.min.js"
