"""What stack events say: which is the last, which one failed first, and what to do about it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Event = Mapping[str, Any]

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"already exists",
        "something of that name exists outside this stack: delete it, or deploy under another --stack-name "
        "(a second stack also needs --parameter DatabaseName=…)",
    ),
    (r"not authorized|AccessDenied|access denied", "the credentials in use may not do that: see docs/deploy.md"),
    (r"LimitExceeded|quota|limit exceeded", "a quota of the account is reached: raise it, or remove what is unused"),
    (
        r"NoSuchKey|does not exist|Error occurred while GetObject",
        "run 'loglake deploy' again: it uploads what is missing",
    ),
)


def ends_operation(event: Event) -> bool:
    """Say whether the event is the stack's own and final; a failed creation or update is not, for it is rolled back."""
    status = event["ResourceStatus"]
    on_the_way = status.endswith("IN_PROGRESS") or status in ("CREATE_FAILED", "UPDATE_FAILED")
    return concerns_stack(event) and not on_the_way


def concerns_stack(event: Event) -> bool:
    """Say whether the event is the stack's own, not one of its resources'."""
    return bool(event["PhysicalResourceId"] == event["StackId"])


def first_failure(events: Iterable[Event]) -> Event | None:
    """Return what made the operation fail, from events oldest first; the cancelled resources only followed it."""
    for event in events:
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason.lower():
            return event
    return None


def explain(event: Event) -> str:
    """Return a failed event in plain words: which resource, the service's own reason, and what mends it if known."""
    reason = event.get("ResourceStatusReason", "no reason given")
    verb = event["ResourceStatus"].removesuffix("_FAILED").lower()
    text = f"{event['LogicalResourceId']} ({event['ResourceType']}) could not be {verb}d: {reason}"
    advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, reason, re.IGNORECASE)), None)
    return f"{text}; {advice}" if advice else text
