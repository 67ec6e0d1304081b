"""Sparklines: a few numbers as a small SVG picture in still content, so that no chart library is needed for them."""

import math
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape


def sparkline(values: Sequence[float], colour: str, width: int = 120, height: int = 28, label: str = "") -> Markup:
    """Return the course of `values` as a line with a pale area, zero at the bottom; it breaks where a value is missing.

    A picture without a label says nothing that is not written beside it.
    """
    known = [value for value in values if not math.isnan(value)]
    top = max(known, default=0.0) or 1.0
    step = width / max(1, len(values) - 1)
    points = [
        "" if math.isnan(value) else f"{place * step:.1f},{height - 2 - value / top * (height - 4):.1f}"
        for place, value in enumerate(values)
    ]
    shapes = "".join(_shape(part, colour, height) for part in _unbroken(points))
    told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
    return Markup(f'<svg class="sparkline" {told} {box}>{shapes}</svg>')


def _shape(part: Sequence[str], colour: str, height: int) -> str:
    line = " ".join(part)
    first, last = (point.split(",")[0] for point in (part[0], part[-1]))
    return (
        f'<polygon points="{first},{height} {line} {last},{height}" fill="{colour}" fill-opacity="0.13"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
    )


def _unbroken(points: Sequence[str]) -> list[list[str]]:
    return [list(part) for is_known, part in groupby(points, bool) if is_known]
