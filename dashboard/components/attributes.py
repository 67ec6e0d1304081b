"""Attributes that Dash's components take by any name but do not declare: `aria-…` and `data-…`."""

from collections.abc import Mapping
from typing import Any


def attributes(named: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes to hand to a component as keyword arguments."""
    return dict(named)
