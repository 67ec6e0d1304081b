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


@dataclass(frozen=True, slots=True)
class Rule:
    """What one sort of secret looks like: the first group of `pattern` is what must go, and `label` says what it was.

    No text matches that lacks all `needles`, in lower case, with one of the characters `then` somewhere behind it.
    """

    kind: str
    label: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...] = ()
    then: str = ""


_NAME = (
    r"(?:[a-z0-9]+[_-])*"
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
        re.compile(rf"(?i)\b{_NAME}[\"']?\s*[=:]\s*(\"[^\"]*\"?|'[^']*'?|(?!\[)[^\s,;&\"']+)"),
        ("token", "secret", "pass", "pwd", "key"),
        "=:",
    ),
    Rule("token", "secret", re.compile(r"://[^\s/:@]*:([^\s/@]+)@"), ("://",), "@"),
    Rule("token", "jwt", re.compile(r"(eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?)"), ("eyj",)),
    Rule(
        "token", "aws-key", re.compile(r"\b((?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})\b"), ("akia", "asia", "aroa", "aida")
    ),
    Rule("token", "token", re.compile(_VENDORS), ("_", "glpat-", "xox", "aiza")),
    Rule("email", "email", re.compile(r"([\w.%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"), ("@",), "."),
    Rule("card", "ssn", re.compile(r"(?<![\d-])(\d{3}-\d{2}-\d{4})(?![\d-])")),
    Rule("card", "card", re.compile(r"(?<![\d.-])(\d(?:[ -]?\d){12,18})(?![\d-])")),
    Rule("client_ip", "ip", re.compile(r"(?<![\w./])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\w.]*\w)")),
)
_DIGITS = re.compile(r"[0-9][0-9 .-]{6,}")
_ANY_DIGITS = re.compile(r"\d[\d .-]{6,}")
"""What every rule without needles needs; the first is the faster one, for texts in ASCII."""
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
        for rule in rules:
            if self.modes[rule.kind] != OFF:
                text = rule.pattern.sub(self._replacement(rule), text)
        return text

    def _replacement(self, rule: Rule) -> Callable[[re.Match[str]], str]:
        mode = self.modes[rule.kind]

        def replace(match: re.Match[str]) -> str:
            whole, secret = match[0], match[1]
            if rule.label == "card" and not _luhn(secret):
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
        for place in {place for needle in rule.needles for place in _places(lowered, needle, rule.then, ends)}:
            found.setdefault(place, []).append(rule)
    digits = _DIGITS if joined.isascii() else _ANY_DIGITS
    runs = (match for match in digits.finditer(joined) if _is_long(match[0]))
    for place in {bisect_right(ends, match.start()) for match in runs}:
        found.setdefault(place, []).extend(_DIGIT_RULES)
    return found


def _is_long(digits: str) -> bool:
    """Tell whether a run of digits could be an address, a social security number or a card's number."""
    return digits.count(".") > 2 or digits.count("-") > 1 or len(digits) > 12


def _places(lowered: str, needle: str, then: str, ends: Sequence[int]) -> Iterable[int]:
    start = lowered.find(needle)
    while start >= 0:
        place = bisect_right(ends, start)
        end = ends[place]
        if not then or any(lowered.find(character, start, end) >= 0 for character in then):
            yield place
        start = lowered.find(needle, end)


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
