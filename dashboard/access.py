"""Who is asking, and what they may: enforced where data is read, not by hiding buttons."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import g, has_request_context

from catalog.errors import LoglakeError
from dashboard.users import ROLES

EXPORT_ROWS = {"viewer": 0, "exporter": 1_000_000, "admin": None}
"""Rows that a role may download at once; None is any number."""


class ForbiddenError(LoglakeError):
    """The role of whoever asks does not allow it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who uses the dashboard; empty `services` means all of them."""

    name: str
    role: str
    services: tuple[str, ...] = ()

    def may(self, role: str) -> bool:
        """Return whether this person's role is `role` or above."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Person("local", "admin")
"""Whoever sits at the machine, when the dashboard listens on loopback and nobody has been added."""


def current() -> Person:
    """Return who asks; nobody at all when the request was let through without being identified."""
    if not has_request_context() or "person" not in g:
        raise ForbiddenError("a request must be somebody's; log in again")
    person: Person = g.person
    return person


def require(role: str, what: str) -> Person:
    """Return who asks if their role allows `what`; raise `ForbiddenError` otherwise."""
    person = current()
    if not person.may(role):
        raise ForbiddenError(f"{what} needs the role {role}; {person.name!r} is {person.role}")
    return person


def require_all_services(what: str) -> Person:
    """Return who asks if they may see every service; raise `ForbiddenError` otherwise."""
    person = current()
    if person.services:
        raise ForbiddenError(f"{what} needs every service; {person.name!r} may see {', '.join(person.services)}")
    return person


Identify = Callable[[], Person | None]
