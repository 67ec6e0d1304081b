"""Sparklines: a few numbers as a small SVG picture in still content, so that no chart library is needed for them."""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape


def sparkline(values: Sequence[float], colour: str, width: int = 120, height: int = 28, label: str = "") -> Markup:
    """Return the course of `values` as a line with a pale area, zero at the bottom; it breaks where a value is missing.

    A picture without a label says nothing that is not written beside it.
    """
    known = [value for value in values if not math.isnan(value)]
    top = max(known, default=0.0) or 1.0
    step = width / max(1, len(values) - 1)
    points = [
        None if math.isnan(value) else (round(place * step, 1), round(height - 2 - value / top * (height - 4), 1))
        for place, value in enumerate(values)
    ]
    shapes = "".join(_shape(part, colour, height) for part in _unbroken(points))
    told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
    return Markup(f'<svg class="sparkline" {told} {box}>{shapes}</svg>')


def _shape(part: Sequence[tuple[float, float]], colour: str, height: int) -> str:
    line = " ".join(f"{x},{y}" for x, y in part)
    area = f"{part[0][0]},{height} {line} {part[-1][0]},{height}"
    return (
        f'<polygon points="{area}" fill="{colour}" fill-opacity="0.13"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/>'
    )


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            parts.append([])
        else:
            parts[-1].append(point)
    return [part for part in parts if part]
