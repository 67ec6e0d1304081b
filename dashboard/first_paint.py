"""The first paint: a page's layout as plain HTML, so that a browser shows it before it has read a script.

It looks like what Dash makes of the same layout a moment later, and is taken away then: it has no ids, so that nothing
takes it for the page itself. What a component shows only when it is used (a dialog, a menu's options) is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dash.development.base_component import Component
from markupsafe import Markup, escape

from dashboard.figures.drawing import drawn

VOID = {"img", "input", "br", "hr", "col"}
NAMES = {"className": "class", "htmlFor": "for", "colSpan": "colspan", "autoComplete": "autocomplete"}
PLAIN = {"title", "role", "type", "href", "src", "alt", "scope", "lang", "method", "action"} | set(NAMES)
FLAGS = {"hidden", "open", "disabled"}
HTML = "data-html"
"""The property with an element's content as HTML that we wrote: see `components/still.py`."""


def first_paint(layout: Any) -> Markup:
    """Return a layout as HTML; every value is escaped."""
    if layout is None or isinstance(layout, bool):
        return Markup("")
    if isinstance(layout, list | tuple):
        return Markup("").join(first_paint(child) for child in layout)
    if not isinstance(layout, Component):
        return escape(layout)
    properties = layout.to_plotly_json()["props"]
    if layout._namespace == "dash_html_components":
        return _element(layout._type.lower(), properties)
    stand_in = STAND_INS.get(layout._type)
    return stand_in(properties) if stand_in else Markup("")


def _element(tag: str, properties: Mapping[str, Any], **more: Any) -> Markup:
    attributes = _attributes({**properties, **more})
    if tag in VOID:
        return Markup(f"<{tag}{attributes}>")
    content = properties[HTML] if HTML in properties else first_paint(properties.get("children"))
    return Markup(f"<{tag}{attributes}>{content}</{tag}>")


def _attributes(properties: Mapping[str, Any]) -> Markup:
    """Return attributes with their values escaped, in plain text: formatting `Markup` takes twenty times as long."""
    found = [f" {name}" for name in FLAGS if properties.get(name)]
    for name, value in properties.items():
        if value is not None and name != HTML and (name in PLAIN or name.startswith(("aria-", "data-"))):
            found.append(f' {NAMES.get(name, name)}="{escape(value)}"')
    if style := properties.get("style"):
        found.append(f' style="{escape(";".join(f"{name}:{value}" for name, value in style.items()))}"')
    return Markup("".join(found))


def _graph(properties: Mapping[str, Any]) -> Markup:
    figure = properties.get("figure") or {}
    return _element("div", {**properties, "children": drawn(figure)})


def _input(properties: Mapping[str, Any]) -> Markup:
    kept = {name: properties[name] for name in ("type", "aria-label") if name in properties}
    text = _shown(properties, "value") + _shown(properties, "placeholder")
    size = "form-control form-control-sm" if properties.get("size") == "sm" else "form-control"
    return Markup("<input{}{} tabindex=-1 readonly>").format(_attributes({**kept, "className": size}), text)


def _shown(properties: Mapping[str, Any], name: str) -> Markup:
    return Markup(' {}="{}"').format(name, properties[name]) if properties.get(name) else Markup("")


def _dropdown(properties: Mapping[str, Any]) -> Markup:
    text = ", ".join(properties.get("value") or []) or properties.get("placeholder", "")
    return Markup('<div class="dash-dropdown-wrapper"><div class="first-field">{}</div></div>').format(text)


def _dates(properties: Mapping[str, Any]) -> Markup:
    days = (properties.get("start_date", ""), properties.get("end_date", ""))
    return Markup('<div class="dash-datepicker"><div class="first-field">{} → {}</div></div>').format(*days)


def _choices(properties: Mapping[str, Any]) -> Markup:
    chosen = properties.get("value")
    choice = Markup('<div class="form-check form-check-inline"><input type="radio" class="form-check-input"{}>')
    label = Markup('<label class="form-check-label">{}</label></div>')
    parts = [
        choice.format(Markup(" checked") if option["value"] == chosen else "") + label.format(option["label"])
        for option in properties.get("options", [])
    ]
    classes = {"className": properties.get("className", "")}
    return Markup("<div{}>{}</div>").format(_attributes(classes), Markup("").join(parts))


def _button(properties: Mapping[str, Any]) -> Markup:
    size = " btn-sm" if properties.get("size") == "sm" else ""
    return _element("button", properties, className=f"btn btn-{properties.get('color', 'secondary')}{size}")


def _alert(properties: Mapping[str, Any]) -> Markup:
    return _element("div", properties, className=f"alert alert-{properties['color']} {properties.get('className', '')}")


STAND_INS: dict[str, Callable[[Mapping[str, Any]], Markup]] = {
    "Alert": _alert,
    "Button": _button,
    "DatePickerRange": _dates,
    "Dropdown": _dropdown,
    "Graph": _graph,
    "Input": _input,
    "Link": lambda properties: _element("a", properties),
    "RadioItems": _choices,
    "AgGrid": lambda properties: _element("div", {"className": f"ag-place {properties.get('className', '')}"}),
}
"""What to show for components that are more than HTML; for any other, nothing."""
