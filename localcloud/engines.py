"""The engines that the endpoint mounts in front of the emulator."""

import importlib

from localcloud.engine import Context, Engine

ENGINES: tuple[str, ...] = ("delivery", "athena", "crawler", "jobs")
"""Packages of `localcloud`, each with `build(context) -> Engine`."""


def build_engines(context: Context) -> tuple[Engine, ...]:
    """Return every engine, built but not started."""
    return tuple(importlib.import_module(f"localcloud.{name}").build(context) for name in ENGINES)
