"""Notifications: what they say, and how they reach a webhook or an SNS topic. At least once, so that none is lost."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from catalog.errors import LoglakeError
from dashboard.alerts.rules import Channel, RuleBook
from dashboard.alerts.store import AlertStore, Due
from dashboard.wording import from_epoch

TIMEOUT_SECONDS = 10
Publish = Callable[[str, str, str], None]
"""Sends to an SNS topic: topic, subject, text."""


def payload(due: Due, link: str) -> dict[str, Any]:
    """Return a notification as a webhook gets it; `link` is the dashboard's address, ending in a slash."""
    firing = due.firing
    return {
        "id": firing["id"],
        "rule": firing["rule"],
        "subject": firing["subject"],
        "state": due.kind,
        "severity": firing["severity"],
        "value": firing["value"],
        "threshold": firing["threshold"],
        "text": firing["text"],
        "started_at": f"{from_epoch(firing['started_at']):%Y-%m-%dT%H:%M:%SZ}",
        "link": f"{link.rstrip('/')}/explore?{firing['query']}",
    }


def send_due(store: AlertStore, book: RuleBook, publish: Publish, now: float) -> tuple[int, int]:
    """Send what is due; return how many were taken and how many were not. One dead channel holds up no other."""
    taken = refused = 0
    for due in store.due(now):
        try:
            _send(book.channels.get(due.channel), payload(due, book.link), publish)
        except (LoglakeError, OSError, ValueError) as error:
            store.not_sent(due.id, str(error), now)
            refused += 1
        else:
            store.sent(due.id, now)
            taken += 1
    return taken, refused


def _send(channel: Channel | None, content: Mapping[str, Any], publish: Publish) -> None:
    if channel is None:
        raise LoglakeError("the channel is no longer in the alert rules")
    if channel.kind == "sns":
        lines = (content["text"], "", f"Rule {content['rule']}, severity {content['severity']}", str(content["link"]))
        publish(channel.target, f"{content['state'].upper()} {content['rule']}: {content['subject']}", "\n".join(lines))
        return
    body = json.dumps(content).encode()
    request = urllib.request.Request(channel.target, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status >= 300:
            raise LoglakeError(f"{channel.target} answered {answer.status}")
