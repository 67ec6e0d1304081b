"""The words of the traffic: Faker is asked once for pools, and every later draw is an index into them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from faker import Faker

POOL = 400
SESSIONS = 3000
_ANONYMOUS = 0.3
_PROVIDERS = ("stripe", "adyen", "worldpay", "paypal")
_CURRENCIES = ("EUR", "USD", "GBP", "CHF")
_CATEGORIES = ("garden", "kitchen", "books", "lighting", "outdoor", "welcome", "receipt", "profile-changed", "toys")


@dataclass(frozen=True, slots=True)
class Session:
    """One caller: the address, user (None when not logged in) and user agent that stay the same."""

    client_ip: str
    user_id: str | None
    user_agent: str


class Vocabulary:
    """Pools of words drawn from one seed; `fill` puts them into a message."""

    def __init__(self, seed: int) -> None:
        fake = Faker("en_US", use_weights=False)
        fake.seed_instance(seed)
        self._random = Random(seed)
        agents = [fake.user_agent() for _ in range(60)]
        self.sessions = [self._session(fake, agents) for _ in range(SESSIONS)]
        emails = [fake.ascii_safe_email() for _ in range(POOL)]
        cities = [fake.city() for _ in range(POOL)]
        cards = [fake.credit_card_number("visa") for _ in range(POOL)]
        random = self._random
        self._words: dict[str, Callable[[], str]] = {
            "email": lambda: random.choice(emails),
            "city": lambda: random.choice(cities),
            "card": lambda: random.choice(cards),
            "country": fake.country_code,
            "ip": lambda: random.choice(self.sessions).client_ip,
            "user": lambda: f"u-{random.randrange(100_000, 999_999)}",
            "order": lambda: f"o-{random.randrange(10**7, 10**8)}",
            "sku": lambda: f"SKU-{random.randrange(1000, 9999)}",
            "hex": lambda: f"{random.randrange(16**8):08x}",
            "digits": lambda: f"{random.randrange(10_000):04}",
            "amount": lambda: f"{random.lognormvariate(3.6, 0.8):.2f}",
            "number": lambda: str(random.randrange(20, 2_000)),
            "small": lambda: str(random.randrange(1, 20)),
            "agent": lambda: random.choice(("web", "ios", "android", "partner")),
            "word": lambda: random.choice(_CATEGORIES),
            "provider": lambda: random.choice(_PROVIDERS),
            "currency": lambda: random.choice(_CURRENCIES),
        }

    def _session(self, fake: Faker, agents: list[str]) -> Session:
        known = self._random.random() >= _ANONYMOUS
        user = f"u-{self._random.randrange(100_000, 999_999)}" if known else None
        return Session(fake.ipv4_public(), user, self._random.choice(agents))

    def fill(self, template: str) -> str:
        """Return `template` with each `{word}` replaced by a draw; braces that name no word of ours stay."""
        parts = template.split("{")
        filled = [parts[0]]
        for part in parts[1:]:
            word, closed, rest = part.partition("}")
            filled.append(self._words[word]() + rest if closed and word in self._words else "{" + part)
        return "".join(filled)
