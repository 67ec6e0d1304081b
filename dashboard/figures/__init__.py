"""Figures: frames in, Plotly figures out; pure, and compared by equality in tests."""
