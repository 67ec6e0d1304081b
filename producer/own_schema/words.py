"""Pools of words from Faker, drawn once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from faker import Faker

from producer.own_schema.fields import Kind, Pool, Sometimes


@dataclass(frozen=True, slots=True)
class Words:
    """A pool that Faker fills: its provider with its arguments, how many words, and how often the field is null."""

    provider: str
    arguments: Mapping[str, Any]
    pool: int
    locale: str
    null: float = 0.0
    references: tuple[str, ...] = ()

    def filled(self, seed: int) -> Kind:
        """Return the pool, drawn from `seed`."""
        kind = Pool.of(self._draw(seed, self.pool))
        return Sometimes(kind, self.null) if self.null else kind

    def trial(self) -> None:
        """Draw one word; raise whatever Faker raises when it has no such provider or argument."""
        self._draw(0, 1)

    def _draw(self, seed: int, count: int) -> list[Any]:
        fake = Faker(self.locale, use_weighting=False)
        fake.seed_instance(f"{seed} {self.provider}")
        provider = getattr(fake, self.provider)
        return [_plain(provider(**self.arguments)) for _ in range(count)]


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
