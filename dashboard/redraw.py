"""How a page follows the view: one request brings what it shows for another range, level or theme.

The store `shell-draw` holds what a page is to be drawn for: view, theme, and the answer with its cube. There is no
answer yet when the range has just moved: the page is then drawn of what is kept, if all of it is, and with that its
`due` moves on to the range, which asks for the load. That, and what the page shows, are held by stores of its own, for
Dash calls whoever writes a store that it finds.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from dash import Input, Output, State, callback, dcc, no_update
from flask import current_app

from dashboard import access, shell
from dashboard.memo import Memo
from dashboard.theme import Theme, theme_of
from dashboard.view import View, query_string

Parts = tuple[Any, ...]
Draw = Callable[[Any, View, Theme], Parts]


def kept(page: str, token: str, view: View, theme: Theme, draw: Callable[[], Parts]) -> Parts:
    """Return what a page draws of a cube, made once a worker for all who look at the same."""
    memo: Memo = current_app.extensions["loglake-drawn"]
    parts: Parts = memo.get((page, *access.current().services, token, query_string(view), theme.name), draw)
    return parts


def stores(page: str, opening: shell.Opening, parts: Parts) -> list[dcc.Store]:
    """Return the stores of a page that opens with `parts`, in the order of the outputs that follow the view."""
    asked = shell.asked_for(opening.answer, opening.view, opening.theme) or {}
    shown = {**asked, "marks": _marks(parts) if asked else [""] * len(parts)}
    return [dcc.Store(id=_shown(page), data=shown), dcc.Store(id=_due(page), data=shell.span_of(opening.view))]


def follows_view(page: str, needs: tuple[str, ...], *outputs: Output) -> Callable[[Draw], Draw]:
    """Have a function draw a page's outputs, of an answer, a view and a theme, whenever one of them changes.

    Parts that look as they did are not sent: to draw a chart takes a browser long.
    """

    def register(draw: Draw) -> Draw:
        @callback(
            *outputs,
            Output(_shown(page), "data"),
            Output(_due(page), "data"),
            Input("shell-draw", "data"),
            State(_shown(page), "data"),
            prevent_initial_call=True,
        )
        @wraps(draw)
        def redraw(asked: Any, shown: Any) -> Parts:
            if not asked:
                return (no_update,) * (len(outputs) + 2)
            view = shell.view_of(asked["view"])
            due = no_update if asked["answer"] else shell.span_of(view)
            answer = asked["answer"] or shell.open_kept(view, needs).answer
            if not answer:
                return *(no_update for _ in outputs), no_update, due
            parts = draw(answer, view, theme_of(asked["theme"]))
            before = shown["marks"]
            marks = _marks(parts, before)
            changed = (no_update if mark == had else part for part, mark, had in zip(parts, marks, before, strict=True))
            return *changed, {**asked, "answer": answer, "marks": marks}, due

        return draw

    return register


def _shown(page: str) -> dict[str, str]:
    return {"type": "shown", "page": page}


def _due(page: str) -> dict[str, str]:
    return {"type": "due", "page": page}


def _marks(parts: Parts, before: list[str] | None = None) -> list[str]:
    """Return for each part what tells it from another; for one that could not be drawn the mark of what stays."""
    earlier = before or [""] * len(parts)
    return [had if part is no_update else _mark(part) for part, had in zip(parts, earlier, strict=True)]


def _mark(part: Any) -> str:
    written = orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(written, digest_size=8).hexdigest()
