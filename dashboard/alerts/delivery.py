"""Notifications: how they reach a webhook or an SNS topic. At least once, so that none is lost."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from catalog.errors import LoglakeError
from dashboard.alerts.messages import link, message, title
from dashboard.alerts.rules import Channel, RuleBook
from dashboard.alerts.store import AlertStore, Due
from dashboard.state import DEFAULT_ADDRESS
from dashboard.wording import from_epoch

TIMEOUT_SECONDS = 10
NOT_IN_A_SUBJECT = re.compile(r"[^ -~]+")
"""SNS refuses a subject with anything but printable ASCII, and a message's pattern may hold anything."""
Publish = Callable[[str, str, str], None]
"""Sends to an SNS topic: topic, subject, text."""


def payload(due: Due, address: str) -> dict[str, Any]:
    """Return a notification as a webhook gets it; `text` is all of it in words, for a chat to show."""
    firing = due.firing
    return {
        "id": firing["id"],
        "rule": firing["rule"],
        "subject": firing["subject"],
        "state": due.kind,
        "severity": firing["severity"],
        "value": firing["value"],
        "threshold": firing["threshold"],
        "title": title(firing, due.kind),
        "text": message(firing, due.kind, address),
        "started_at": _iso(firing["started_at"]),
        "resolved_at": _iso(firing["resolved_at"]) if firing["resolved_at"] else None,
        "link": link(address, firing["query"]),
    }


def send_due(
    store: AlertStore, book: RuleBook, publish: Publish, now: float, served: str = DEFAULT_ADDRESS
) -> tuple[int, int]:
    """Send what is due; return how many were taken and how many were not. One dead channel holds up no other.

    `served` is where the dashboard is served: links begin with it unless the rule file has another address.
    """
    taken = refused = 0
    for due in store.due(now):
        try:
            _send(book.channels.get(due.channel), payload(due, book.address(served)), publish)
        except (LoglakeError, OSError, ValueError) as error:
            store.not_sent(due.id, str(error), now)
            refused += 1
        else:
            store.sent(due.id, now)
            taken += 1
    return taken, refused


def _iso(seconds: float) -> str:
    return f"{from_epoch(seconds):%Y-%m-%dT%H:%M:%SZ}"


def _send(channel: Channel | None, content: Mapping[str, Any], publish: Publish) -> None:
    if channel is None:
        raise LoglakeError("the channel is no longer in the alert rules")
    if channel.kind == "sns":
        publish(channel.target, NOT_IN_A_SUBJECT.sub(" ", content["title"])[:100], content["text"])
        return
    body = json.dumps(content).encode()
    request = urllib.request.Request(channel.target, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status >= 300:
            raise LoglakeError(f"{channel.target} answered {answer.status}")
