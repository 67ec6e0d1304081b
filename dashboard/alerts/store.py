"""What became of the rules: firings with their history, acknowledgements, silences and the deliveries that are due.

A firing is open from its first breach until an evaluation without one. At most one is open per rule and subject.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.alerts.evaluation import Finding
from dashboard.alerts.rules import Rule
from dashboard.state import StateFile

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
RETRY_SECONDS = (15, 60, 300, 900, 3600)
KEPT_SECONDS = 90 * 86_400


@dataclass(frozen=True, slots=True)
class Due:
    """A notification that is to be sent now."""

    id: int
    channel: str
    kind: str
    firing: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Breach:
    """What one evaluation says of all its breaches: when, of which moment, and whether that is a later one."""

    rule: Rule
    now: float
    moment: float
    is_later: bool


class AlertStore:
    """The alert tables of a state file."""

    def __init__(self, state: StateFile) -> None:
        self._state = state

    def keep(self, rule: Rule, findings: Sequence[Finding], now: float, judged_to: float | None = None) -> None:
        """Take in one evaluation, of the window that ends at `judged_to`, or now."""
        self.keep_all(rule, [(now if judged_to is None else judged_to, findings)], now)

    def keep_all(self, rule: Rule, judged: Sequence[tuple[float, Sequence[Finding]]], now: float) -> None:
        """Take in what was found in windows, by their ends: open, move on and resolve firings, and make notifications.

        Firings begin and end with windows, and only one that ends later than all before counts as a further breach in a
        row. All of it or nothing: an evaluator that dies half-way repeats itself without a second notification.
        """
        with self._state.open() as connection:
            for moment, findings in judged:
                self._keep(connection, _Breach(rule, now, moment, self._is_later(connection, rule, moment)), findings)

    def breach(self, rule: Rule, finding: Finding, now: float) -> None:
        """Open or move on the firing of one finding, of a rule that is unknown otherwise."""
        with self._state.open() as connection:
            query = "SELECT * FROM firings WHERE rule = ? AND subject = ? AND resolved_at IS NULL"
            found = connection.execute(query, (rule.name, finding.subject)).fetchone()
            self._open(connection, _Breach(rule, now, now, True), finding, dict(found) if found else None)

    def unknown(self, rule_name: str, error: str, now: float, since: float | None = None) -> float:
        """Note that nothing is known of a rule since a moment, the last judged one unless given; return since when so.

        Its firings stay as they are, and notify nobody.
        """
        with self._state.open() as connection:
            row = connection.execute("SELECT * FROM judgements WHERE rule = ?", (rule_name,)).fetchone()
            before = dict(row) if row else dict.fromkeys(("judged_to", "unknown_since", "failing_since"))
            known_to = next((at for at in (since, before["unknown_since"], before["judged_to"]) if at is not None), now)
            failing_since = now if before["failing_since"] is None else before["failing_since"]
            values = (rule_name, now, before["judged_to"], known_to, failing_since, error)
            connection.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?, ?, ?, ?)", values)
        return float(failing_since)

    def retire(self, names: Sequence[str], now: float) -> None:
        """Resolve the firings of rules that are not among `names` any more, and forget what is too old to tell."""
        marks = ", ".join("?" * len(names))
        with self._state.open() as connection:
            connection.execute(
                f"UPDATE firings SET state = ?, resolved_at = ? WHERE resolved_at IS NULL AND rule NOT IN ({marks})",
                (RESOLVED, now, *names),
            )
            connection.execute(f"DELETE FROM judgements WHERE rule NOT IN ({marks})", tuple(names))
            connection.execute("DELETE FROM firings WHERE resolved_at < ?", (now - KEPT_SECONDS,))

    def open_firings(self) -> list[dict[str, Any]]:
        """Return what fires or is about to, the unacknowledged and the severe first."""
        return self._rows(
            "SELECT * FROM firings WHERE resolved_at IS NULL ORDER BY acknowledged_at IS NOT NULL, state = 'pending', "
            "CASE severity WHEN 'page' THEN 0 WHEN 'ticket' THEN 1 ELSE 2 END, started_at DESC"
        )

    def history(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the firings that are over, newest first; what never got beyond pending is left out."""
        query = "SELECT * FROM firings WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT ?"
        return self._rows(query, limit)

    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Return when each rule was evaluated, up to what moment, and since when and why nothing is known of it."""
        return {row["rule"]: row for row in self._rows("SELECT * FROM judgements")}

    def deliveries(self, limit: int = 20) -> list[dict[str, Any]]:
        """Return the latest notifications and what became of them."""
        query = (
            "SELECT deliveries.*, firings.rule, firings.subject FROM deliveries JOIN firings ON firings.id = firing "
        )
        return self._rows(query + "ORDER BY deliveries.id DESC LIMIT ?", limit)

    def acknowledge(self, firing: int, person: str, now: float, note: str = "") -> bool:
        """Note that someone is on it: it stays on the list, and says by whom. Return whether it is open."""
        with self._state.open() as connection:
            changed = connection.execute(
                "UPDATE firings SET acknowledged_by = ?, acknowledged_at = ?, note = ? "
                "WHERE id = ? AND resolved_at IS NULL",
                (person, now, note[:300], firing),
            )
            return changed.rowcount > 0

    def silence(self, rule: str, subject: str, until: float, person: str, reason: str = "") -> None:
        """Send no notifications of a rule's subject, all its subjects when empty, until a moment."""
        with self._state.open() as connection:
            values = (rule, subject, until, person, reason[:300])
            connection.execute(
                "INSERT INTO silences (rule, subject, until, made_by, reason) VALUES (?, ?, ?, ?, ?)", values
            )

    def end_silence(self, silence: int) -> None:
        """End a silence before its time."""
        with self._state.open() as connection:
            connection.execute("DELETE FROM silences WHERE id = ?", (silence,))

    def silences(self, now: float) -> list[dict[str, Any]]:
        """Return the silences that hold."""
        return self._rows("SELECT * FROM silences WHERE until > ? ORDER BY until", now)

    def due(self, now: float) -> list[Due]:
        """Return the notifications to be sent now, the oldest first."""
        query = "SELECT * FROM deliveries WHERE sent_at IS NULL AND due_at <= ? AND attempts < ? ORDER BY id LIMIT 50"
        rows = self._rows(query, now, len(RETRY_SECONDS) + 1)
        return [Due(row["id"], row["channel"], row["kind"], self._firing(row["firing"])) for row in rows]

    def sent(self, delivery: int, now: float) -> None:
        """Note that a notification has been taken."""
        with self._state.open() as connection:
            connection.execute("UPDATE deliveries SET sent_at = ?, error = '' WHERE id = ?", (now, delivery))

    def not_sent(self, delivery: int, error: str, now: float) -> None:
        """Note why a notification was not taken, and when to try again."""
        with self._state.open() as connection:
            tried = connection.execute("SELECT attempts FROM deliveries WHERE id = ?", (delivery,)).fetchone()[0]
            wait = RETRY_SECONDS[min(tried, len(RETRY_SECONDS) - 1)]
            values = (tried + 1, now + wait, error[:300], delivery)
            connection.execute("UPDATE deliveries SET attempts = ?, due_at = ?, error = ? WHERE id = ?", values)

    def _keep(self, connection: Any, breach: _Breach, findings: Sequence[Finding]) -> None:
        rule = breach.rule
        rows = connection.execute("SELECT * FROM firings WHERE rule = ? AND resolved_at IS NULL", (rule.name,))
        open_firings = {row["subject"]: dict(row) for row in rows}
        for finding in findings:
            if finding.is_breach:
                self._open(connection, breach, finding, open_firings.pop(finding.subject, None))
        for firing in open_firings.values():
            self._resolve(connection, rule, firing, breach.now, breach.moment)
        query = "INSERT OR REPLACE INTO judgements (rule, at, judged_to) VALUES (?, ?, ?)"
        connection.execute(query, (rule.name, breach.now, breach.moment))

    def _is_later(self, connection: Any, rule: Rule, moment: float) -> bool:
        found = connection.execute("SELECT judged_to FROM judgements WHERE rule = ?", (rule.name,)).fetchone()
        return found is None or found["judged_to"] is None or moment > found["judged_to"]

    def _open(self, connection: Any, breach: _Breach, finding: Finding, firing: dict[str, Any] | None) -> None:
        rule = breach.rule
        breaches = firing["breaches"] + breach.is_later if firing else 1
        state = FIRING if breaches >= rule.breaches else PENDING
        facts = (state, rule.severity, finding.value, rule.threshold, finding.text, breaches, breach.now)
        if firing is None:
            query = (
                "INSERT INTO firings (state, severity, value, threshold, text, breaches, seen_at, rule, subject, "
                "query, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )
            values = (*facts, rule.name, finding.subject, finding.query, breach.moment)
            number = connection.execute(query, values).lastrowid
        else:
            number = firing["id"]
            connection.execute(
                "UPDATE firings SET state = ?, severity = ?, value = ?, threshold = ?, text = ?, breaches = ?, "
                "seen_at = ?, query = ? WHERE id = ?",
                (*facts, finding.query, number),
            )
        if state == FIRING:
            self._notify(connection, rule, number, finding.subject, FIRING, breach.now)

    def _resolve(self, connection: Any, rule: Rule, firing: dict[str, Any], now: float, moment: float) -> None:
        if firing["state"] == PENDING:
            connection.execute("DELETE FROM firings WHERE id = ?", (firing["id"],))
            return
        query = "UPDATE firings SET state = ?, resolved_at = ? WHERE id = ?"
        connection.execute(query, (RESOLVED, max(moment, firing["started_at"]), firing["id"]))
        self._notify(connection, rule, firing["id"], firing["subject"], RESOLVED, now)

    def _notify(self, connection: Any, rule: Rule, firing: int, subject: str, kind: str, now: float) -> None:
        silenced = connection.execute(
            "SELECT 1 FROM silences WHERE until > ? AND rule = ? AND subject IN ('', ?)", (now, rule.name, subject)
        ).fetchone()
        if silenced:
            return
        query = "INSERT OR IGNORE INTO deliveries (firing, channel, kind, made_at, due_at) VALUES (?, ?, ?, ?, ?)"
        connection.executemany(query, [(firing, channel, kind, now, now) for channel in rule.notify])

    def _firing(self, number: int) -> dict[str, Any]:
        return self._rows("SELECT * FROM firings WHERE id = ?", number)[0]

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._state.open() as connection:
            return [dict(row) for row in connection.execute(query, values)]
