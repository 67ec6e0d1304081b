"""What the server sends first: the page as a picture, and scripts that keep out of its way."""

import re
from html.parser import HTMLParser
from pathlib import Path

import dash_bootstrap_components as dbc
import plotly.graph_objects as go
import pytest
from dash import dcc, html
from plotly.offline import get_plotlyjs_version

import dashboard
from dashboard.figures.drawing import drawn
from dashboard.first_paint import first_paint
from dashboard.live import figures
from tests.dashboard.conftest import Served

BUNDLE = Path(str(dashboard.__file__)).parent / "assets" / "plotly-loglake.min.js"
TRACES = {"bar", "heatmap", "scatter"}


def _shape(**changes: object) -> dict[str, object]:
    trace = {"type": "bar", "x": ["2026-11-21 10:00:30", "2026-11-21 10:01:30"], "y": [30, 60], "width": 51_600}
    layout = {
        "xaxis": {"range": ["2026-11-21 10:00:00", "2026-11-21 10:02:00"]},
        "yaxis": {"ticksuffix": " ms"},
        "margin": {"l": 48, "b": 28},
    }
    return {"data": [trace | {"marker": {"color": "#123456"}} | changes], "layout": layout}


def test_elements_keep_what_is_seen_and_lose_their_ids() -> None:
    layout = html.Div(
        [html.Label("a < b", htmlFor="field"), html.Img(src="x.png", alt='"'), dcc.Link("go", href="/explore?q=a&b=c")],
        id="page",
        className="page",
        hidden=True,
        style={"height": "9px"},
    )
    assert first_paint(layout) == (
        '<div hidden class="page" style="height:9px"><label for="field">a &lt; b</label>'
        '<img alt="&#34;" src="x.png"><a href="/explore?q=a&amp;b=c">go</a></div>'
    )


def test_controls_are_shown_with_what_they_hold_and_dialogs_not_at_all() -> None:
    assert 'value="now-2h to now"' in first_paint(dbc.Input(id="range", value="now-2h to now"))
    assert "ERROR, WARNING" in first_paint(dcc.Dropdown(options=[], value=["ERROR", "WARNING"], multi=True))
    assert first_paint([dbc.Modal("help"), dcc.Store(id="store"), None]) == ""


def test_bars_are_drawn_where_the_axis_puts_them() -> None:
    picture = drawn(_shape())
    assert 'fill="#123456"' in picture
    [left, top, width, tall] = [float(part) for part in re.findall(r"M([\d.]+),([\d.]+)h([\d.]+)v([\d.]+)", picture)[1]]
    assert left + width / 2 == pytest.approx(750, abs=0.2)
    assert top == pytest.approx(1000 - 1000 / 1.05, abs=0.2)
    assert tall == pytest.approx(1000 / 1.05, abs=0.2)
    assert re.findall(r"<i [^>]*>([^<]*)", picture) == ["0 ms", "20 ms", "40 ms", "60 ms"]


def test_line_breaks_where_a_value_is_missing() -> None:
    line = {"color": "#123456", "width": 2}
    moments = [f"2026-11-21 10:00:{second:02}" for second in range(0, 50, 10)]
    picture = drawn(_shape(type="scatter", x=moments, y=[1, 2, None, 2, 1], line=line))
    assert 'd="M0,523.8L83.3,47.6M250,47.6L333.3,523.8"' in picture


def test_figure_that_shows_nothing_has_no_picture() -> None:
    assert drawn({"data": [], "layout": {"xaxis": {"visible": False}}}) == ""


def test_live_chart_is_one_that_plotly_takes() -> None:
    from dashboard.theme import LIGHT
    from dashboard.view import View

    assert go.Figure(figures.rate({}, View(), LIGHT, 1_795_000_000.0)).layout.barmode == "stack"


def test_bundled_plotly_is_the_version_that_dash_expects_and_draws_what_the_figures_ask() -> None:
    text = BUNDLE.read_text()
    assert f"plotly.js {get_plotlyjs_version()}" in text[:200]
    sources = Path(str(dashboard.__file__)).parent.rglob("*.py")
    asked = {kind for path in sources for kind in re.findall(r'"type": "(\w+)",\s+"x"', path.read_text())}
    assert {"bar", "heatmap"} <= asked <= TRACES


class _Page(HTMLParser):
    """The addresses of scripts and the ids in a page's HTML, a template's apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: dict[bool, list[str]] = {True: [], False: []}
        self.ids: list[str] = []
        self._is_template = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._is_template = self._is_template or tag == "template"
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag == "script" and named.get("src"):
            self.scripts[self._is_template].append(named["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._is_template = self._is_template and tag != "template"


@pytest.mark.parametrize("path", ["/", "/explore", "/services/payment", "/sql", "/no-such-page"])
def test_page_paints_before_its_scripts_and_sends_no_script_twice_or_in_vain(served: Served, path: str) -> None:
    import urllib.request

    with urllib.request.urlopen(served.url + path) as answer:
        text, headers = answer.read().decode(), answer.headers
    page = _Page(text)
    assert [source.partition("?")[0] for source in page.scripts[False]] == ["/assets/start.js"]
    late = page.scripts[True]
    assert len(late) == len(set(late))
    assert not [source for source in late if "polyfill@" in source or "dash_table" in source or "ag_grid" in source]
    assert len(page.ids) == len(set(page.ids))
    assert ("first-paint" in page.ids) == (path != "/no-such-page")
    assert headers["Cache-Control"] == "private, no-cache"


def test_what_a_link_asks_is_text_in_the_first_paint(served: Served) -> None:
    import urllib.request
    from urllib.parse import quote

    with urllib.request.urlopen(f"{served.url}/?q={quote('<script>alert(1)</script>')}&from={quote('<b>')}") as answer:
        text = answer.read().decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>" not in text.partition("<template")[0].partition('class="notice')[2]
