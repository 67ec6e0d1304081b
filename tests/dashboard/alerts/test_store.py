import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts.delivery import send_due
from dashboard.alerts.evaluation import Finding
from dashboard.alerts.rules import Channel, Rule, RuleBook
from dashboard.alerts.store import FIRING, PENDING, RESOLVED, AlertStore
from dashboard.state import StateFile

RULE = Rule("error-rate", "error_rate", 0.05, notify=("chat",))
BAD = Finding("payment", 0.2, True, "20 % errors", "from=a&to=b&service=payment")
GOOD = Finding("payment", 0.0, False, "0 % errors", "from=c&to=d&service=payment")


@pytest.fixture
def store(tmp_path: Path) -> AlertStore:
    return AlertStore(StateFile(tmp_path))


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """A real HTTP server: its address, what it was sent, and the answers it is to give (200 when there are none)."""
    got: list[dict[str, Any]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got, answers
    server.shutdown()


def test_a_firing_opens_once_moves_on_and_is_resolved_into_the_history(store: AlertStore) -> None:
    store.keep(RULE, [BAD], 100)
    store.keep(RULE, [BAD, GOOD], 160)
    (firing,) = store.open_firings()
    assert (firing["state"], firing["breaches"], firing["started_at"], firing["seen_at"]) == (FIRING, 2, 100, 160)
    store.keep(RULE, [GOOD], 220)
    assert store.open_firings() == []
    (over,) = store.history()
    assert (over["state"], over["resolved_at"]) == (RESOLVED, 220)


def test_a_firing_is_pending_until_it_broke_often_enough_and_a_pending_one_leaves_no_trace(store: AlertStore) -> None:
    patient = Rule("patient", "p95", 100, breaches=2, notify=("chat",))
    store.keep(patient, [BAD], 100)
    assert [row["state"] for row in store.open_firings()] == [PENDING]
    assert store.due(1e12) == []
    store.keep(patient, [GOOD], 160)
    assert store.open_firings() == store.history() == []
    store.keep(patient, [BAD], 220)
    store.keep(patient, [BAD], 280)
    assert [due.kind for due in store.due(280)] == [FIRING]


def test_acknowledging_says_who_and_survives_the_next_evaluation(store: AlertStore) -> None:
    store.keep(RULE, [BAD], 100)
    store.acknowledge(store.open_firings()[0]["id"], "ada", 130, "on it")
    store.keep(RULE, [BAD], 160)
    assert store.open_firings()[0]["acknowledged_by"] == "ada"


def test_silenced_subject_notifies_nobody_until_the_silence_ends(store: AlertStore) -> None:
    store.silence("error-rate", "payment", 200, "ada")
    store.keep(RULE, [BAD], 100)
    assert store.due(150) == []
    assert [row["made_by"] for row in store.silences(150)] == ["ada"]
    store.keep(RULE, [BAD], 260)
    assert [due.channel for due in store.due(260)] == ["chat"]


def test_rule_that_is_removed_resolves_its_firings(store: AlertStore) -> None:
    store.keep(RULE, [BAD], 100)
    store.retire(["another"], 160)
    assert store.open_firings() == []


def test_failed_evaluation_leaves_firings_as_they_are(store: AlertStore) -> None:
    store.keep(RULE, [BAD], 100)
    store.unknown("error-rate", "Athena is down", 160)
    assert len(store.open_firings()) == 1
    store.unknown("error-rate", "Athena is down", 220)
    found = store.evaluations()["error-rate"]
    assert (found["error"], found["unknown_since"], found["failing_since"]) == ("Athena is down", 100, 160)
    store.keep(RULE, [BAD], 280)
    assert store.evaluations()["error-rate"]["error"] == ""


def test_breaches_in_a_row_are_of_windows_that_move_on(store: AlertStore) -> None:
    patient = Rule("patient", "p95", 100, breaches=2, notify=("chat",))
    for now, judged_to in ((100, 60), (160, 60), (220, 60)):
        store.keep(patient, [BAD], now, judged_to)
    assert [row["state"] for row in store.open_firings()] == [PENDING]
    store.keep(patient, [BAD], 280, 120)
    assert [(row["state"], row["started_at"]) for row in store.open_firings()] == [(FIRING, 60)]


def test_webhook_is_told_once_of_the_firing_and_once_of_its_end_with_the_exact_link(
    store: AlertStore, webhook: tuple[str, list[dict[str, Any]], list[int]]
) -> None:
    address, got, _ = webhook
    book = RuleBook((RULE,), {"chat": Channel("chat", "webhook", address)}, "https://logs.example.com/")
    for now in (100, 160):
        store.keep(RULE, [BAD], now)
        send_due(store, book, lambda *_: None, now)
    store.keep(RULE, [GOOD], 220)
    send_due(store, book, lambda *_: None, 220)
    assert [(sent["state"], sent["subject"]) for sent in got] == [(FIRING, "payment"), (RESOLVED, "payment")]
    assert got[0]["link"] == "https://logs.example.com/explore?from=a&to=b&service=payment"


def test_notification_that_is_refused_is_sent_again_later_and_a_gone_channel_holds_up_no_other(
    store: AlertStore, webhook: tuple[str, list[dict[str, Any]], list[int]]
) -> None:
    address, got, answers = webhook
    answers.append(500)
    both = Rule("error-rate", "error_rate", 0.05, notify=("gone", "chat"))
    book = RuleBook((both,), {"chat": Channel("chat", "webhook", address)})
    store.keep(both, [BAD], 100)
    assert send_due(store, book, lambda *_: None, 100) == (0, 2)
    assert send_due(store, book, lambda *_: None, 101) == (0, 0)
    assert send_due(store, book, lambda *_: None, 120) == (1, 1)
    assert len(got) == 2
    assert {row["channel"]: row["error"] for row in store.deliveries()} == {
        "chat": "",
        "gone": "the channel is no longer in the alert rules",
    }


def test_sns_topic_gets_a_subject_and_all_that_someone_woken_needs(store: AlertStore) -> None:
    book = RuleBook((RULE,), {"chat": Channel("chat", "sns", "arn:topic")}, "https://logs.example.com")
    published: list[tuple[str, ...]] = []
    for now, finding in ((100, BAD), (760, GOOD)):
        store.keep(RULE, [finding], now)
        send_due(store, book, lambda *sent: published.append(sent), now)
    assert [sent[:2] for sent in published] == [
        ("arn:topic", "FIRING error-rate: payment"),
        ("arn:topic", "RESOLVED error-rate: payment"),
    ]
    assert published[0][2] == (
        "FIRING error-rate: payment\n\n20 % errors\nsince 1970-01-01 00:01 UTC\nseverity ticket, alert 1\n\n"
        "look: https://logs.example.com/explore?from=a&to=b&service=payment\n"
        "take it: https://logs.example.com/alerts, or 'loglake alerts ack 1'"
    )
    assert "since 1970-01-01 00:01 UTC, over at 1970-01-01 00:12 UTC after 11 min" in published[1][2]


def test_subject_holds_only_what_sns_takes(store: AlertStore) -> None:
    book = RuleBook((RULE,), {"chat": Channel("chat", "sns", "arn:topic")})
    store.keep(RULE, [replace(BAD, subject="payment: Größe\n" + "x" * 200)], 100)
    published: list[tuple[str, ...]] = []
    send_due(store, book, lambda *sent: published.append(sent), 100)
    assert published[0][1] == ("FIRING error-rate: payment: Gr e " + "x" * 200)[:100]
