"""Which triggers there are to fire, by their records."""

from collections.abc import Iterable, Mapping
from typing import Any

Trigger = Mapping[str, Any]
Ending = tuple[str, str, str]
"""What ended: `job` or `crawler`, its name, and the state it ended in."""


def scheduled(triggers: Iterable[Trigger]) -> dict[str, Trigger]:
    """Return the triggers that fire by the clock: SCHEDULED, activated, with a schedule."""
    return {
        trigger["Name"]: trigger
        for trigger in triggers
        if trigger.get("Type") == "SCHEDULED" and trigger.get("State") == "ACTIVATED" and trigger.get("Schedule")
    }


def watched(condition: Mapping[str, str]) -> Ending:
    """Return the ending that a condition waits for."""
    if condition.get("CrawlerName"):
        return "crawler", condition["CrawlerName"], condition.get("CrawlState", "")
    return "job", condition.get("JobName", ""), condition.get("State", "")


class Conditions:
    """What the CONDITIONAL triggers have seen since each fired last."""

    def __init__(self) -> None:
        self._met: dict[str, set[Ending]] = {}

    def ended(self, ending: Ending, triggers: Iterable[Trigger]) -> list[Trigger]:
        """Return the activated CONDITIONAL triggers that this ending fires, by completing their predicate."""
        fired = []
        for trigger in triggers:
            if trigger.get("Type") != "CONDITIONAL" or trigger.get("State") != "ACTIVATED":
                continue
            predicate = trigger.get("Predicate") or {}
            wanted = {watched(condition) for condition in predicate.get("Conditions") or ()}
            if ending not in wanted:
                continue
            met = self._met.setdefault(trigger["Name"], set())
            met.add(ending)
            if predicate.get("Logical") == "ANY" or wanted <= met:
                del self._met[trigger["Name"]]
                fired.append(trigger)
        return fired
