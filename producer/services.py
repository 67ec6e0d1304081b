"""The company whose traffic is made: six services, their routes, and how one user request runs through them.

Everything here is description; `producer.traffic` turns it into numbers. A message may name a word of the vocabulary in
braces, such as `{email}`; see `producer.vocabulary`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One way a route goes wrong: how often (`rate`, of its calls), the answer's status and what the log says."""

    rate: float
    status: int
    error_type: str
    message: str
    level: str = ""

    @property
    def severity(self) -> str:
        """The level that follows: a caller's mistake warns, our own failure is an error unless said otherwise."""
        return self.level or ("WARNING" if self.status < 500 else "ERROR")


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint of a service: `latency_ms` is the median of its own work, without what it calls."""

    service: str
    method: str
    endpoint: str
    latency_ms: float
    message: str
    debug: str
    failures: tuple[Failure, ...]
    status: int = 200
    request_bytes: int = 0
    response_bytes: int = 900
    spread: float = 0.45


@dataclass(frozen=True, slots=True)
class Call:
    """A route called, and the calls it makes before it answers, in order."""

    route: Route
    calls: tuple["Call", ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """One kind of user request: its share of the traffic and the call at the edge."""

    weight: float
    edge: Call


def _gateway(method: str, endpoint: str, path: str, status: int = 200, sent: int = 0, answered: int = 1400) -> Route:
    failures = (
        Failure(0.004, 429, "RateLimitExceeded", f"{method} {path} 429 client {{user}} over 100 requests per minute"),
        Failure(0.002, 400, "InvalidRequest", f"{method} {path} 400 body is not valid JSON at line {{small}}"),
        Failure(0.002, 504, "GatewayTimeout", f"{method} {path} 504 no answer from upstream within 30000 ms"),
    )
    debug = f"route {method} {endpoint} matched, {{small}} filters applied"
    return Route(
        "api-gateway",
        method,
        endpoint,
        3.0,
        f"{method} {path} {status} {{agent}}",
        debug,
        failures,
        status,
        sent,
        answered,
    )


_VERIFY = Route(
    "authentication",
    "POST",
    "/tokens/verify",
    4.0,
    "token of user {user} verified, expires in {number} s",
    "signing key kid={hex} found in cache",
    (
        Failure(0.012, 401, "TokenExpired", "token of user {user} expired {number} s ago"),
        Failure(0.003, 401, "InvalidSignature", "signature check failed for kid={hex} from {ip}"),
        Failure(0.002, 503, "KeyStoreUnavailable", "KeyStoreUnavailable: no connection to keystore-{small}"),
    ),
    request_bytes=420,
    response_bytes=180,
)
_LOGIN = Route(
    "authentication",
    "POST",
    "/tokens",
    85.0,
    "user {user} logged in by password, session {hex}",
    "bcrypt cost 12 took {number} ms for user {user}",
    (
        Failure(0.09, 401, "InvalidCredentials", "login failed for {email} from {ip}: wrong password"),
        Failure(0.008, 423, "AccountLocked", "account {email} locked after 5 failed logins"),
        Failure(0.001, 500, "HashingError", "HashingError: worker pool exhausted ({small} of {small} busy)"),
    ),
    status=201,
    request_bytes=160,
    response_bytes=640,
    spread=0.25,
)
_LOGOUT = Route(
    "authentication",
    "DELETE",
    "/tokens/{id}",
    5.0,
    "session {hex} of user {user} ended",
    "revocation list now holds {number} entries",
    (Failure(0.004, 404, "SessionNotFound", "session {hex} is unknown or ended already"),),
    status=204,
    response_bytes=0,
)
_GET_USER = Route(
    "user-service",
    "GET",
    "/users/{id}",
    7.0,
    "profile of user {user} read from cache",
    "cache lookup user:{user} took {small} ms",
    (
        Failure(0.006, 404, "UserNotFound", "user {user} does not exist"),
        Failure(0.005, 500, "DatabaseError", "DatabaseError: connection to users-db-{small} reset by peer"),
    ),
    response_bytes=1100,
)
_PATCH_USER = Route(
    "user-service",
    "PATCH",
    "/users/{id}",
    22.0,
    "profile of user {user} updated, {small} fields changed",
    "optimistic lock version {number} taken for user {user}",
    (
        Failure(0.02, 422, "ValidationError", "phone number of user {user} is not valid for country {country}"),
        Failure(0.01, 409, "EditConflict", "user {user} changed meanwhile, version {number} is stale"),
        Failure(0.001, 500, "DatabaseError", "DatabaseError: deadlock detected in UPDATE users"),
    ),
    request_bytes=380,
    response_bytes=1150,
)
_NEW_USER = Route(
    "user-service",
    "POST",
    "/users",
    30.0,
    "user {user} registered from {city}",
    "username check took {small} ms",
    (
        Failure(0.05, 409, "EmailTaken", "registration refused, {email} has an account"),
        Failure(0.001, 500, "DatabaseError", "DatabaseError: could not INSERT INTO users, disk quota reached"),
    ),
    status=201,
    request_bytes=450,
    response_bytes=1200,
)
_ITEMS = Route(
    "inventory",
    "GET",
    "/items",
    14.0,
    "listed {number} items of category {word}, page {small}",
    "index items_by_category scanned {number} rows",
    (Failure(0.006, 500, "SearchIndexError", "SearchIndexError: shard {small} of index items did not answer"),),
    response_bytes=9800,
    spread=0.6,
)
_ITEM = Route(
    "inventory",
    "GET",
    "/items/{sku}",
    6.0,
    "item {sku} has {number} in stock at {city}",
    "cache miss for {sku}",
    (
        Failure(0.02, 404, "ItemNotFound", "item {sku} does not exist"),
        Failure(0.004, 500, "SearchIndexError", "SearchIndexError: shard {small} of index items did not answer"),
    ),
    response_bytes=1900,
)
_RESERVE = Route(
    "inventory",
    "POST",
    "/reservations",
    18.0,
    "reserved {small} of {sku} for order {order}",
    "stock row of {sku} locked for {small} ms",
    (
        Failure(0.03, 409, "OutOfStock", "cannot reserve {small} of {sku}: {small} left"),
        Failure(0.002, 503, "LockTimeout", "LockTimeout: row lock on stock({sku}) not granted within 5000 ms"),
    ),
    status=201,
    request_bytes=210,
    response_bytes=260,
)
_CHARGE = Route(
    "payment",
    "POST",
    "/charges",
    190.0,
    "charged {amount} {currency} to card ending {digits} for order {order}",
    "provider {provider} chosen, score {small}",
    (
        Failure(0.035, 402, "CardDeclined", "card {card} declined by issuer for order {order}"),
        Failure(0.004, 502, "ProviderError", "ProviderError: {provider} answered 500 for charge of order {order}"),
        Failure(0.003, 504, "ProviderTimeout", "ProviderTimeout: {provider} silent for 10000 ms, order {order}"),
        Failure(
            0.0005,
            500,
            "LedgerMismatch",
            "LedgerMismatch: booked {amount}, captured {amount}, order {order}",
            "CRITICAL",
        ),
    ),
    status=201,
    request_bytes=520,
    response_bytes=610,
    spread=0.5,
)
_REFUND = Route(
    "payment",
    "POST",
    "/refunds",
    160.0,
    "refunded {amount} {currency} for order {order}",
    "refund window of order {order} ends in {number} h",
    (
        Failure(0.03, 409, "AlreadyRefunded", "order {order} was refunded before"),
        Failure(0.004, 502, "ProviderError", "ProviderError: {provider} answered 503 for refund of order {order}"),
    ),
    status=201,
    request_bytes=240,
    response_bytes=380,
    spread=0.5,
)
_EMAIL = Route(
    "notification",
    "POST",
    "/emails",
    35.0,
    "mail '{word}' to {email} queued as {hex}",
    "template {word} rendered in {small} ms",
    (
        Failure(0.015, 422, "MailboxUnknown", "mail to {email} bounced: mailbox unknown"),
        Failure(0.004, 503, "SmtpUnavailable", "SmtpUnavailable: 421 smtp-{small} closing transmission channel"),
    ),
    status=202,
    request_bytes=900,
    response_bytes=90,
    spread=0.7,
)

JOURNEYS: tuple[Journey, ...] = (
    Journey(24, Call(_gateway("GET", "/products", "/products?page={small}", answered=10_400), (Call(_ITEMS),))),
    Journey(30, Call(_gateway("GET", "/products/{sku}", "/products/{sku}", answered=2_200), (Call(_ITEM),))),
    Journey(7, Call(_gateway("POST", "/sessions", "/sessions", 201, sent=160), (Call(_LOGIN), Call(_GET_USER)))),
    Journey(16, Call(_gateway("GET", "/users/me", "/users/me"), (Call(_VERIFY), Call(_GET_USER)))),
    Journey(
        4,
        Call(_gateway("PATCH", "/users/me", "/users/me", sent=380), (Call(_VERIFY), Call(_PATCH_USER), Call(_EMAIL))),
    ),
    Journey(
        11,
        Call(
            _gateway("POST", "/orders", "/orders", 201, sent=640),
            (Call(_VERIFY), Call(_CHARGE, (Call(_RESERVE),)), Call(_EMAIL)),
        ),
    ),
    Journey(
        2,
        Call(
            _gateway("POST", "/orders/{id}/refund", "/orders/{order}/refund", 201, sent=80),
            (Call(_VERIFY), Call(_REFUND), Call(_EMAIL)),
        ),
    ),
    Journey(3, Call(_gateway("DELETE", "/sessions/{id}", "/sessions/{hex}", 204, answered=0), (Call(_LOGOUT),))),
    Journey(
        3,
        Call(_gateway("POST", "/users", "/users", 201, sent=450), (Call(_NEW_USER), Call(_LOGIN), Call(_EMAIL))),
    ),
)
"""Every kind of user request, by weight."""

DEBUG_SHARE = 0.2
"""Share of the successful requests whose services also write their DEBUG lines."""
SLOW_SHARE = 0.006
"""Share of the calls that answer well but far too late, and warn about it."""
SLOW_FACTOR = 18.0
