"""The engines that the endpoint mounts in front of the emulator."""

import importlib
import logging

from localcloud.engine import Context, Engine

ENGINES: tuple[str, ...] = ("delivery", "athena", "crawler", "jobs")
"""Packages of `localcloud`, each with `build(context) -> Engine`."""

logger = logging.getLogger(__name__)


def build_engines(context: Context) -> tuple[Engine, ...]:
    """Return every engine, built but not started."""
    return tuple(engine for name in ENGINES if (engine := _build(name, context)) is not None)


def _build(name: str, context: Context) -> Engine | None:
    package = f"localcloud.{name}"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        logger.warning("no engine %r in this build: the emulator answers for it", name)
        return None
    engine: Engine = module.build(context)
    return engine
