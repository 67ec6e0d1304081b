"""What the KCL's workers and whoever runs their daemon agree on."""

SAID = "loglake: "
"""Marks a line as ours among what the daemon passes on."""
