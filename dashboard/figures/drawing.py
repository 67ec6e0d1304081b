"""A time chart drawn by the server: bars, lines and areas as SVG in the places where Plotly will put them.

It is what a browser shows until the chart library runs, so it draws what the library would, but for the last pixel.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from markupsafe import Markup

WIDE, HIGH = 1000, 1000
HEADROOM = 1.05
TICKS = 5
MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080)
TIME_TICKS = 9
PICTURE = Markup(
    '<div class="drawn" aria-hidden="true" style="--left:{left}px;--below:{below}px">'
    '<svg viewBox="0 0 {wide} {high}" preserveAspectRatio="none">{shapes}</svg>'
    "{labels}</div>"
)
PATH = Markup(
    '<path d="{path}" fill="{fill}" stroke="{stroke}" stroke-width="{width}" stroke-dasharray="{dash}" '
    'opacity="{opacity}" vector-effect="non-scaling-stroke"/>'
)


def drawn(figure: Mapping[str, Any]) -> Markup:
    """Return a figure's picture; an empty text for a figure without a range of time or with nothing to draw."""
    layout = figure.get("layout", {})
    span = layout.get("xaxis", {}).get("range")
    traces = [trace for trace in figure.get("data", ()) if trace.get("type") in ("bar", "scatter")]
    if not span or not traces:
        return Markup("")
    start, end = (_seconds(text) for text in span)
    top = _top(traces)
    grid = _path("".join(f"M0,{HIGH - value / top * HIGH:g}h{WIDE}" for value in _ticks(top)), "none", "var(--line)", 1)
    bands = [_band(shape, start, end) for shape in layout.get("shapes", ())]
    marks = [shape for trace in _stacked(traces) for shape in _shapes(trace, start, end, top)]
    shapes = Markup("").join([grid, *bands, *marks])
    stops = layout["xaxis"]["tickformatstops"][1]["value"] if "tickformatstops" in layout["xaxis"] else "%H:%M"
    labels = _value_labels(layout.get("yaxis", {}), top) + _time_labels(start, end, stops)
    margin = layout["margin"]
    return PICTURE.format(left=margin["l"], below=margin["b"], wide=WIDE, high=HIGH, shapes=shapes, labels=labels)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else float(value) for value in values])


def _top(traces: Sequence[Mapping[str, Any]]) -> float:
    bars = [_numbers(trace["y"]) for trace in traces if trace["type"] == "bar"]
    lines = [_numbers(trace["y"]) for trace in traces if trace["type"] == "scatter"]
    known = [np.nan_to_num(np.sum(bars, axis=0))] if bars else []
    highest = max((float(np.nanmax(values, initial=0.0)) for values in (*known, *lines)), default=0.0)
    return highest * HEADROOM or 1.0


def _stacked(traces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the traces with the height that each bar stands on."""
    base: Any = 0.0
    found = []
    for trace in traces:
        found.append({**trace, "base": base})
        if trace["type"] == "bar":
            base = base + np.nan_to_num(_numbers(trace["y"]))
    return found


def _shapes(trace: Mapping[str, Any], start: float, end: float, top: float) -> list[Markup]:
    x = (np.array([_seconds(text) for text in trace["x"]]) - start) / (end - start) * WIDE
    y = _numbers(trace["y"])
    if trace["type"] == "bar":
        return _bars(trace, x, y, trace["width"] / 1000 / (end - start) * WIDE, top)
    line = trace["line"]
    points = list(zip(x.round(1), (HIGH - y / top * HIGH).round(1), strict=True))
    parts = _unbroken(points)
    path = "".join("M" + "L".join(f"{a:g},{b:g}" for a, b in part) for part in parts)
    area = "".join(
        f"M{part[0][0]:g},{HIGH}L" + "L".join(f"{a:g},{b:g}" for a, b in part) + f"L{part[-1][0]:g},{HIGH}Z"
        for part in parts
    )
    shapes = [_path(area, fill=trace["fillcolor"])] if trace.get("fill") == "tozeroy" and parts else []
    dash = "3,3" if line.get("dash") == "dot" else "none"
    return [*shapes, _path(path, "none", line["color"], line["width"], dash, trace.get("opacity", 1))]


def _bars(trace: Mapping[str, Any], x: np.ndarray, y: np.ndarray, width: float, top: float) -> list[Markup]:
    """Return one path per shade: the bars that are done, and the last ones, paler."""
    marker = trace["marker"]
    shades = np.broadcast_to(np.array(marker.get("opacity", 1.0), dtype=float), x.shape)
    heights = np.nan_to_num(y) / top * HIGH
    floors = HIGH - np.broadcast_to(np.array(trace["base"], dtype=float), x.shape) / top * HIGH
    found = []
    for shade in np.unique(shades):
        chosen = (shades == shade) & (heights > 0)
        places = zip(x[chosen] - width / 2, floors[chosen] - heights[chosen], heights[chosen], strict=True)
        path = "".join(f"M{left:.1f},{high:.1f}h{width:.1f}v{tall:.1f}h-{width:.1f}z" for left, high, tall in places)
        found.append(_path(path, fill=marker["color"], opacity=shade))
    return found


def _path(
    path: str, fill: str, stroke: str = "none", width: float = 0, dash: str = "none", opacity: float = 1
) -> Markup:
    return PATH.format(path=path, fill=fill, stroke=stroke, width=width, dash=dash, opacity=f"{opacity:g}")


def _unbroken(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if math.isnan(point[1]):
            parts.append([])
        else:
            parts[-1].append(point)
    return [part for part in parts if part]


def _band(shape: Mapping[str, Any], start: float, end: float) -> Markup:
    left, right = ((_seconds(shape[name]) - start) / (end - start) * WIDE for name in ("x0", "x1"))
    return _path(f"M{max(left, 0):.1f},0H{right:.1f}V{HIGH}H{max(left, 0):.1f}z", fill=shape["fillcolor"])


def _ticks(top: float) -> np.ndarray:
    """Return at most a few round values from zero up to the top."""
    rough = top / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return np.arange(0, top, step)


def _value_labels(axis: Mapping[str, Any], top: float) -> Markup:
    label = Markup('<i style="bottom:calc(var(--below) + (100% - var(--below) - 8px)*{:.4f})">{}</i>')
    return Markup("").join(label.format(value / top, _worded(float(value), axis)) for value in _ticks(top))


def _worded(value: float, axis: Mapping[str, Any]) -> str:
    if "%" in axis.get("tickformat", ""):
        return f"{value * 100:.3g}%"
    suffix = axis.get("ticksuffix", "")
    short = f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1000:g}k" if value >= 1000 else f"{value:.3g}"
    return f"{value:,.0f}{suffix}" if suffix == " ms" else f"{short}{suffix}"


def _time_labels(start: float, end: float, shown: str) -> Markup:
    minutes = (end - start) / 60
    step = 60 * next((choice for choice in MINUTES if minutes / choice <= TIME_TICKS), MINUTES[-1])
    label = Markup('<b style="left:calc(var(--left) + (100% - var(--left) - 12px)*{:.4f})">{}</b>')
    found = []
    for place, moment in enumerate(np.arange(math.ceil(start / step) * step, end, step)):
        when = datetime.fromtimestamp(float(moment), UTC)
        is_dated = "%d" in shown and (place == 0 or when.hour + when.minute == 0)
        words = Markup("{:%H:%M}<br>{:%d %b}").format(when, when) if is_dated else f"{when:%H:%M}"
        found.append(label.format((moment - start) / (end - start), f"{when:%d %b}" if step >= 86_400 else words))
    return Markup("").join(found)
