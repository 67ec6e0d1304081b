"""Alerts: what fires, who is on it, what fired before, and the rules. They are evaluated by `loglake alerts run`."""

from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update

from catalog.errors import LoglakeError
from dashboard import access, audit, shell
from dashboard.access import Person
from dashboard.alerts.messages import LATE_SECONDS, unknown_lines
from dashboard.alerts.rules import Rule, RuleFile, rule_of
from dashboard.alerts.store import AlertStore
from dashboard.components import alert_tables as tables
from dashboard.components.panel import message, panel
from dashboard.components.rule_form import facts_of, rule_form

dash.register_page(__name__, path="/alerts", name="Alerts", title="Alerts · Loglake", order=5, icon="⚑")

NEW_RULE = Rule("new-rule", "error_rate", 0.05, 5, 50)
SCROLLS = "table-scroll"


def layout(**query: Any) -> html.Div:
    new = html.Button(
        "New rule", id={"type": "alerts-edit", "of": ""}, type="button", className="text-button small legend"
    )
    parts = [
        html.Div(id="alerts-banner"),
        panel("Firing now", html.Div(id="alerts-firing", className=f"{SCROLLS} skeleton-block")),
        panel(
            "Rules", html.Div(id="alerts-rules", className=SCROLLS), note="alerts.yaml in the state folder", aside=new
        ),
        panel("History", html.Div(id="alerts-history", className=SCROLLS), note="what fired and is over"),
        html.Div(
            [
                panel(
                    "Silences", html.Div(id="alerts-silences", className=SCROLLS), note="they fire, but notify nobody"
                ),
                panel("Notifications", html.Div(id="alerts-deliveries", className=SCROLLS)),
            ],
            className="columns",
        ),
        _modal(),
        dcc.Store(id="alerts-changed"),
    ]
    return shell.frame(query, "Alerts", parts, ("counts",), stands_alone=True)


def _modal() -> dbc.Modal:
    buttons = [
        html.Button("Save", id="alerts-save", type="button", className="text-button"),
        html.Button("Delete", id="alerts-delete", type="button", className="text-button"),
    ]
    body = [html.Div(id="alerts-form"), html.Div(id="alerts-problem", className="control-error", role="alert")]
    parts = [dbc.ModalHeader(dbc.ModalTitle("Alert rule")), dbc.ModalBody(body), dbc.ModalFooter(buttons)]
    return dbc.Modal(parts, id="alerts-modal", is_open=False, scrollable=True)


@callback(
    Output("alerts-firing", "children"),
    Output("alerts-firing", "className"),
    Output("alerts-rules", "children"),
    Output("alerts-history", "children"),
    Output("alerts-silences", "children"),
    Output("alerts-deliveries", "children"),
    Output("alerts-banner", "children"),
    Input("shell-refresh", "n_intervals"),
    Input("shell-run", "n_clicks"),
    Input("shell-view", "data"),
    Input("alerts-changed", "data"),
)
def draw(_tick: Any, _run: Any, store: Any, _changed: Any) -> Any:
    person, found, zone = access.current(), AlertStore(shell.state()), shell.view_of(store).zone
    now = shell.lake().clock().timestamp()
    try:
        rules, problem = RuleFile(shell.state().folder).read().rules, ""
    except LoglakeError as error:
        rules, problem = (), str(error)
    kinds = {rule.name: rule.kind for rule in rules}
    firing, history = ([row for row in rows if sees(person, row)] for rows in (found.open_firings(), found.history()))
    silences, evaluations = found.silences(now), found.evaluations()
    deliveries = [] if person.services else found.deliveries()
    return (
        tables.firing_table(firing, kinds, now, zone) if firing else message("Nothing fires", _quiet(rules)),
        SCROLLS,
        tables.rules_table(rules, evaluations, now, person.may("admin")),
        tables.history_table(history, kinds, zone)
        if history
        else message("Nothing yet", "Nothing has fired and ended."),
        tables.silences_table(silences, zone) if silences else message("No silences", "Every rule may notify."),
        tables.deliveries_table(deliveries, zone)
        if deliveries
        else message("None sent", "Rules with a channel notify."),
        _banner(problem, evaluations, now),
    )


@callback(
    Output("alerts-changed", "data"),
    Input({"type": "alerts-ack", "of": ALL}, "n_clicks"),
    Input({"type": "alerts-silence", "of": ALL}, "n_clicks"),
    Input({"type": "alerts-unsilence", "of": ALL}, "n_clicks"),
    prevent_initial_call=True,
)
def act(*clicks: list[Any]) -> Any:
    """Acknowledge, silence, or end a silence."""
    if not ctx.triggered_id or not any(any(group) for group in clicks):
        return no_update
    person, found = access.current(), AlertStore(shell.state())
    kind, target = ctx.triggered_id["type"], ctx.triggered_id["of"]
    now = shell.lake().clock().timestamp()
    if kind == "alerts-unsilence":
        access.require_all_services("ending a silence")
        found.end_silence(int(target))
    else:
        number, _, hours = target.partition(":")
        firing = next((row for row in found.open_firings() if row["id"] == int(number) and sees(person, row)), None)
        if firing is None:
            return now
        if kind == "alerts-ack":
            found.acknowledge(firing["id"], person.name, now)
        else:
            found.silence(firing["rule"], firing["subject"], now + 3600 * int(hours), person.name)
    audit.record(shell.state(), person.name, kind.removeprefix("alerts-"), target)
    return now


@callback(
    Output("alerts-modal", "is_open"),
    Output("alerts-form", "children"),
    Output("alerts-problem", "children"),
    Input({"type": "alerts-edit", "of": ALL}, "n_clicks"),
    prevent_initial_call=True,
)
def open_form(clicks: list[Any]) -> Any:
    if not ctx.triggered_id or not any(clicks):
        return no_update, no_update, no_update
    try:
        access.require("admin", "editing alert rules")
        book = RuleFile(shell.state().folder).read()
    except LoglakeError as error:
        return True, None, str(error)
    wanted = ctx.triggered_id["of"]
    rule = next((rule for rule in book.rules if rule.name == wanted), NEW_RULE)
    return True, rule_form(rule, list(book.channels)), ""


@callback(
    Output("alerts-modal", "is_open", allow_duplicate=True),
    Output("alerts-problem", "children", allow_duplicate=True),
    Output("alerts-changed", "data", allow_duplicate=True),
    Input("alerts-save", "n_clicks"),
    Input("alerts-delete", "n_clicks"),
    State({"type": "alerts-field", "name": ALL}, "value"),
    State({"type": "alerts-field", "name": ALL}, "id"),
    prevent_initial_call=True,
)
def save(_save: Any, _delete: Any, values: list[Any], ids: list[dict[str, str]]) -> Any:
    """Write the rule that the form holds, or remove the one it names."""
    try:
        person = access.require("admin", "editing alert rules")
        facts = facts_of([identity["name"] for identity in ids], values)
        rules = RuleFile(shell.state().folder)
        if ctx.triggered_id == "alerts-delete":
            rules.remove(str(facts["name"]))
        else:
            rules.put(rule_of(facts))
    except LoglakeError as error:
        return no_update, str(error), no_update
    audit.record(shell.state(), person.name, f"rule {ctx.triggered_id.removeprefix('alerts-')}", str(facts["name"]))
    return False, "", shell.lake().clock().timestamp()


def sees(person: Person, firing: dict[str, Any]) -> bool:
    """Return whether a firing is of a service that a person may see."""
    return not person.services or firing["subject"].partition(": ")[0] in person.services


def _quiet(rules: tuple[Rule, ...]) -> str:
    return f"{sum(rule.is_enabled for rule in rules)} rules are on."


def _banner(problem: str, evaluations: dict[str, Any], now: float) -> Any:
    if problem:
        return html.Div(f"The rules can't be read: {problem}", className="banner warn")
    latest = max((found["at"] for found in evaluations.values()), default=None)
    if latest is None:
        return html.Div("No rule was evaluated yet: run 'loglake alerts run'.", className="banner warn")
    if now - latest > LATE_SECONDS:
        return html.Div("Rules are not being evaluated: is 'loglake alerts run' running?", className="banner warn")
    unknown = unknown_lines(evaluations)
    return (
        html.Div([html.Div(line[0].upper() + line[1:]) for line in unknown], className="banner warn")
        if unknown
        else None
    )
