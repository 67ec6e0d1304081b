"""The bars of our Plotly: a path for each shade of a trace, in the places where Plotly puts an element for each bar."""

import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.figures import charts
from dashboard.theme import LIGHT
from dashboard.view import View
from tests.dashboard import stock_plotly
from tests.dashboard.conftest import browsing
from tests.dashboard.figures.test_charts import cube  # noqa: F401  the cube of ten minutes
from tests.dashboard.test_first_paint import BUNDLE

DRAW = """
async (figure) => {
  const place = document.body.appendChild(document.createElement("div"));
  place.style.cssText = "position: absolute; left: 0; top: 0; width: 700px; height: 230px";
  await Plotly.newPlot(place, figure.data, figure.layout);
  window.graph = place;
}
"""
BARS = """
() => [...graph.querySelectorAll(".bars path")].flatMap((path) => {
  const { fill, opacity } = getComputedStyle(path);
  const bars = path.getAttribute("d").split("M").slice(1).map((bar) => bar.match(/[\\d.]+/g).map(Number));
  return bars.filter(([left, low, high, right]) => low !== high && left !== right)
    .map((edges) => [fill, Number(opacity), edges]);
})
"""


def _drawn(chromium: Any, script: Path, figure: dict[str, Any]) -> tuple[list[Any], str, int]:
    """The bars by colour, opacity and edges in pixels; what hovering in the middle says; the number of elements."""
    with browsing(chromium) as page:
        page.set_content("<body></body>")
        page.add_script_tag(path=str(script))
        page.evaluate(DRAW, json.loads(json.dumps(figure)))
        page.mouse.move(64 + (700 - 64 - 22) * 0.05, 120)
        page.wait_for_selector(".hoverlayer .legend text")
        said = page.text_content(".hoverlayer .legend")
        elements = page.evaluate("graph.querySelectorAll('.bars path').length")
        return sorted(page.evaluate(BARS)), said, elements


@pytest.mark.browser
@pytest.mark.parametrize("changes", [{}, {"text": "seen"}], ids=["plain", "with-text"])
def test_bars_stand_where_plotly_puts_them_and_say_the_same(chromium: Any, cube: Any, changes: dict[str, Any]) -> None:  # noqa: F811
    figure = charts.volume(cube, View(), LIGHT)
    figure["data"] = [trace | changes for trace in figure["data"]]
    bars, said, elements = _drawn(chromium, BUNDLE, figure)
    theirs, told, one_each = _drawn(chromium, stock_plotly.SCRIPT, figure)
    assert [bar[:2] for bar in bars] == [bar[:2] for bar in theirs]
    for (*_, edges), (*_, expected) in zip(bars, theirs, strict=True):
        assert edges == pytest.approx(expected, abs=0.01)
    assert said == told
    assert "INFO" in said
    assert {opacity for _, opacity, _ in bars} == {0.45, 1}
    assert elements == one_each if changes else elements < one_each
