"""Content that is still: one component with HTML that the server wrote, instead of a component for each of its parts.

Dash tells every component of a page of every change on it, so that the cells of a table slow down all that a reader
does. `assets/still.js` puts the HTML in, and makes its links and buttons work.
"""

import json
from collections.abc import Mapping
from typing import Any

from dash import html
from markupsafe import Markup, escape

from dashboard.components.attributes import attributes
from dashboard.first_paint import HTML, first_paint


def still(content: str, **properties: Any) -> html.Div:
    """Return an element with HTML for its content, which a callback changes by the property `HTML`."""
    return html.Div(**properties, **attributes({HTML: content}))


def written(content: Any) -> str:
    """Return components as HTML: without their ids, and without what only Dash could do."""
    return str(first_paint(content))


def element(tag: str, *content: Any, **properties: str) -> Markup:
    """Return an element as HTML, its content escaped where it is not HTML already; `class_` is its class.

    For what is drawn anew with each change: a component takes thirty times as long to make and write.
    """
    told = "".join([f' {name.rstrip("_")}="{escape(value)}"' for name, value in properties.items()])
    return Markup(f"<{tag}{told}>{''.join([escape(part) for part in content])}</{tag}>")


def press(text: Any, store: str, value: Mapping[str, Any], **properties: Any) -> html.Button:
    """Return a button that puts a value, and the time `at`, into a store; it may stand in still content or without."""
    told = attributes({"data-press": store, "data-value": json.dumps(value)})
    return html.Button(text, type="button", **properties, **told)
