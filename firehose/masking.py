"""Personal data and secrets, masked by field: the caller's address is truncated, a message loses what identifies.

Each pattern runs only when a cheap look says that it could match: most messages hold none of this.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_AWS_KEY = re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b")
_DIGIT_GROUPS = re.compile(r"\d{4}[ -]?\d{4}")
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_IPV4 = re.compile(r"(?<![\w.])(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}(?![\w.]*\w)")
_WHOLE_IPV4 = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.)\d{1,3}", re.ASCII)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.~=-]{8,}")
_ASSIGNED = re.compile(
    r"(?i)\b((?:[a-z0-9]+[_-])*(?:token|password|passwd|pwd|secret|api[_-]?key|secret_access_key)[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|(?!\[)[^\s,;&\"']+)"
)


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


def mask_text(text: str) -> str:
    """Return `text` with e-mails, tokens, passwords, AWS keys, card and social security numbers replaced by their kind.

    IPv4 addresses in it are truncated to /24. A card-like number is masked only when its Luhn digit is right.
    """
    if _may_hold_a_secret(text.lower()):
        text = _ASSIGNED.sub(r"\1[secret]", _BEARER.sub(r"\1 [token]", text))
    if "eyJ" in text:
        text = _JWT.sub("[jwt]", text)
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if "AKIA" in text or "ASIA" in text or "AROA" in text or "AIDA" in text:
        text = _AWS_KEY.sub("[aws-key]", text)
    if text.count(".") > 2:
        text = _IPV4.sub(r"\1.0", text)
    if text.count("-") > 1:
        text = _SSN.sub("[ssn]", text)
    return _CARD.sub(_mask_card, text) if _DIGIT_GROUPS.search(text) else text


def _may_hold_a_secret(lowered: str) -> bool:
    # Spelled out: a loop or an alternation costs three times as much, for every message.
    return (
        "token" in lowered
        or "secret" in lowered
        or "passw" in lowered
        or "pwd" in lowered
        or "key" in lowered
        or "bearer" in lowered
        or "basic " in lowered
    )


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match.group() if character.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return "[card]" if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match.group()


MASKS: Mapping[str, Callable[[str], str]] = {"client_ip": truncate_ip, "message": mask_text}
"""Field -> how its text is masked."""
