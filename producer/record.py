"""What a call carries, and what a call answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from producer.counting import Integers


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream, and the events in it. `hash_key` is empty where the service knows none.

    `born` is when the sink took the oldest of its events, by the monotonic clock.
    """

    data: bytes
    hash_key: str
    payloads: list[bytes]
    keys: Integers
    born: float = field(default_factory=monotonic)


class PutError(Exception):
    """A whole call failed. `retryable`: it may go better later; `in_doubt`: it may have been stored all the same."""

    def __init__(self, reason: str, retryable: bool, in_doubt: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.in_doubt = in_doubt


Put = Callable[[Sequence[Record]], Sequence[str | None]]
"""Sends one call; answers None for each record that was stored, else its error code. Raises `PutError`."""


class Pace(Protocol):
    """Says which records may go now, and learns from the answers; see `producer.throttling`."""

    def admit(self, records: Sequence[Record]) -> tuple[list[Record], float]:
        """Return the records that may go now, and, when there is none, how many seconds until one may."""
        ...

    def answered(self, records: Sequence[Record], codes: Sequence[str | None]) -> None:
        """Learn from the answer to one call."""
        ...


class Unpaced:
    """The pace of a service whose limits nobody has to keep."""

    def admit(self, records: Sequence[Record]) -> tuple[list[Record], float]:
        return list(records), 0.0

    def answered(self, records: Sequence[Record], codes: Sequence[str | None]) -> None:
        pass
