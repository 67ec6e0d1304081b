"""Personal data and secrets, masked or hashed by kind: addresses, users, e-mails, tokens, cards.

The hot path asks `suspicions` first, once for all messages of a batch: most hold none of this, and are then never
touched by a pattern. Whoever widens a rule's pattern must widen its `needles`, or `_DIGITS`, with it.
"""

import hashlib
import hmac
import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate

OFF, MASK, HASH = "off", "mask", "hash"
DEFAULT_MODES: Mapping[str, str] = {"client_ip": MASK, "user_id": OFF, "email": MASK, "token": MASK, "card": MASK}
"""Kind -> what is done to it. `client_ip` is IPv4 addresses in messages too, `card` social security numbers too."""
HASH_DIGITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What one sort of secret looks like: the first group of `pattern` is what must go, and `label` says what it was.

    No text matches that lacks all `needles`, in lower case, with one of the characters `then` somewhere behind it, or
    that has a needle fewer than `times` times. A rule without needles needs a long run of digits, see `_DIGITS`.
    """

    kind: str
    label: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...] = ()
    then: str = ""
    times: int = 1


_NAME = (
    r"(?<![^\W_])"
    r"(?:token|password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key)"
)
_VENDORS = (
    r"\b((?:gh[pousr]_|github_pat_|glpat-|npm_|[sr]k_(?:live|test)_|xox[abeoprs]-)[A-Za-z0-9_-]{16,}"
    r"|AIza[A-Za-z0-9_-]{35})"
)
_RULES: tuple[Rule, ...] = (
    Rule("token", "token", re.compile(r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9+/_.~=-]{8,})"), ("bearer", "basic")),
    Rule(
        "token",
        "secret",
        re.compile(rf"(?i){_NAME}[\"']?\s*[=:]\s*(\"[^\"]*\"?|'[^']*'?|(?!\[)[^\s,;&\"']+)"),
        ("token", "secret", "pass", "pwd", "key"),
        "=:",
    ),
    Rule("token", "secret", re.compile(r"://[^\s/:@]*:([^\s/@]+)@"), ("://",), "@"),
    Rule("token", "jwt", re.compile(r"(eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?)?)"), ("eyj",)),
    Rule(
        "token", "aws-key", re.compile(r"\b((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})\b"), ("akia", "asia", "aroa", "aida")
    ),
    Rule("token", "token", re.compile(_VENDORS), ("_", "glpat-", "xox", "aiza")),
    Rule("email", "email", re.compile(r"(?<![\w.%+'-])([\w.%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"), ("@",), "."),
    Rule("card", "ssn", re.compile(r"(?<![\d-])(\d{3}-\d{2}-\d{4})(?![\d-])")),
    Rule("card", "card", re.compile(r"(?<![\d.-])(\d(?:[ -]?\d){12,18})(?![\d-])")),
    Rule(
        "client_ip", "ip", re.compile(r"(?<![\w./])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\w.]*\w)"), (".",), times=3
    ),
)
_DIGITS = re.compile(r"\d[\d -]{10,}")
"""What every rule without needles needs."""
_AS_ZEROS = dict.fromkeys(map(ord, "123456789 -"), "0")
_ZEROS = "0" * 11
"""What `_DIGITS` can only match once all its characters are zeros: to look for that is several times as fast."""
_DIGIT_RULES = tuple(rule for rule in _RULES if not rule.needles)
_WHOLE_IPV4 = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.)\d{1,3}", re.ASCII)


@dataclass(frozen=True)
class Masking:
    """What is done to each kind; `salt` is the key of the hashes, so that they can't be looked up in a table."""

    modes: Mapping[str, str] = field(default_factory=lambda: DEFAULT_MODES)
    salt: bytes = b""

    @cached_property
    def field_masks(self) -> tuple[tuple[str, Callable[[str], str]], ...]:
        """The event's own fields that change, each with what makes the new value of the old."""
        masks: list[tuple[str, Callable[[str], str]]] = []
        if self.modes["client_ip"] != OFF:
            masked = truncate_ip if self.modes["client_ip"] == MASK else self.hash
            masks.append(("client_ip", lru_cache(maxsize=8192)(masked)))
        if self.modes["user_id"] != OFF:
            masks.append(("user_id", _masked_user if self.modes["user_id"] == MASK else self.hash))
        return tuple(masks)

    def hash(self, text: str) -> str:
        """Return the same sixteen hex digits for the same text and salt; an empty text stays empty."""
        digest = hmac.new(self.salt, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest.hexdigest()[:HASH_DIGITS] if text else text

    def mask_text(self, text: str, rules: Iterable[Rule] = _RULES) -> str:
        """Return `text` with every secret in it replaced: by its kind, `[email]`, or its hash, `[email:0f3a…]`.

        IPv4 addresses are truncated to /24. A card-like number counts only when its Luhn digit is right.
        """
        replacements = self._replacements
        for rule in rules:
            if rule in replacements:
                text = rule.pattern.sub(replacements[rule], text)
        return text

    @cached_property
    def _replacements(self) -> Mapping[Rule, Callable[[re.Match[str]], str]]:
        return {rule: self._replacement(rule) for rule in _RULES if self.modes[rule.kind] != OFF}

    def _replacement(self, rule: Rule) -> Callable[[re.Match[str]], str]:
        mode = self.modes[rule.kind]

        def replace(match: re.Match[str]) -> str:
            whole, secret = match[0], match[1]
            if (rule.label == "card" and not _luhn(secret)) or (rule.label == "jwt" and "." not in secret):
                return whole
            if rule.label == "ip" and mode == MASK:
                return truncate_ip(secret)
            mark = f"[{rule.label}:{self.hash(secret)}]" if mode == HASH else f"[{rule.label}]"
            return whole[: match.start(1) - match.start()] + mark + whole[match.end(1) - match.start() :]

        return replace


def masking_from(environment: Mapping[str, str]) -> tuple[Masking, str]:
    """Return what `LOGLAKE_MASKING` (`user_id=hash,email=off`) and `LOGLAKE_MASKING_SALT` ask for, and what was wrong.

    What can't be understood, and a hash without a salt, is masked: a slip in a setting must not let anything through.
    """
    modes, wrong = dict(DEFAULT_MODES), []
    salt = environment.get("LOGLAKE_MASKING_SALT", "")
    for part in filter(None, environment.get("LOGLAKE_MASKING", "").replace(" ", "").split(",")):
        kind, _, mode = part.partition("=")
        if kind not in modes:
            wrong.append(f"`{kind}` must be one of {', '.join(modes)}")
        elif mode in (OFF, MASK, HASH) and (salt or mode != HASH):
            modes[kind] = mode
        else:
            modes[kind] = MASK
            wrong.append(f"`{kind}` must be off, mask, or hash with LOGLAKE_MASKING_SALT; got {mode!r}: masked")
    return Masking(modes, salt.encode()), "; ".join(wrong)


def suspicions(texts: Sequence[str]) -> dict[int, list[Rule]]:
    """Return, by its place, the rules that each text may match; a text that is not in it matches none.

    All texts are searched as one, so that the cost is that of finding a few short words in some kilobytes.
    """
    joined = "\n".join(texts)
    lowered = joined.lower()
    if len(lowered) != len(joined):  # a letter whose lower case is longer moves all behind it
        return {place: list(_RULES) for place in range(len(texts))}
    ends = list(accumulate(len(text) + 1 for text in texts))
    found: dict[int, list[Rule]] = {}
    for rule in _RULES:
        for place in {place for needle in rule.needles for place in _places(lowered, needle, ends, rule)}:
            found.setdefault(place, []).append(rule)
    for place in _with_digits(texts, joined, ends):
        found.setdefault(place, []).extend(_DIGIT_RULES)
    return found


def _places(lowered: str, needle: str, ends: Sequence[int], rule: Rule | None = None) -> Iterable[int]:
    start = lowered.find(needle)
    while start >= 0:
        place = bisect_right(ends, start)
        end = ends[place]
        if rule is None or _is_suspicious(lowered, needle, start, end, rule):
            yield place
        start = lowered.find(needle, end)


def _is_suspicious(lowered: str, needle: str, start: int, end: int, rule: Rule) -> bool:
    if rule.times > 1:
        return lowered.count(needle, start, end) >= rule.times
    return not rule.then or any(lowered.find(character, start, end) >= 0 for character in rule.then)


def _with_digits(texts: Sequence[str], joined: str, ends: Sequence[int]) -> Iterable[int]:
    """Yield the places of the texts that may hold a social security number or a card's."""
    places: Iterable[int] = range(len(texts))
    if joined.isascii():  # other scripts have digits of their own
        places = _places(joined.translate(_AS_ZEROS), _ZEROS, ends)
    return (place for place in places if _DIGITS.search(texts[place]))


def truncate_ip(address: str) -> str:
    """Return `address` with its host part zeroed: IPv4 to /24, IPv6 to /48; what is no address becomes `[ip]`."""
    if match := _WHOLE_IPV4.fullmatch(address):
        return match[1] + "0"
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return "[ip]" if address else address
    if parsed.ipv4_mapped:
        return truncate_ip(str(parsed.ipv4_mapped))
    return str(ipaddress.ip_network((int(parsed), 48), strict=False).network_address)


def _masked_user(user_id: str) -> str:
    return "[user]" if user_id else user_id


def _luhn(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
