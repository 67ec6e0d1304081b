"""Measurements against named peers in the same run: `python -m benchmarks.<name>` prints ratios and one JSON line."""
