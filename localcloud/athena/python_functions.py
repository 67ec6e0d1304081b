"""Trino's functions that DuckDB has no words for, in Python. An instance gets those that its query calls."""

import hashlib
import hmac
import math
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any

_SOUNDEX = {
    letter: str(digit)
    for digit, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), start=1)
    for letter in letters
}
_UNITS = ("", "K", "M", "B", "T", "Q")
_TYPE_NAMES = {"VARCHAR": "varchar", "BLOB": "varbinary", "FLOAT": "real", "TIMESTAMP": "timestamp(3)"} | {
    "TIMESTAMP WITH TIME ZONE": "timestamp(3) with time zone",
    '"NULL"': "unknown",
    "INTERVAL": "interval day to second",
}


def _hmac(name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda data, key: hmac.new(key, data, name).digest()


def soundex(text: str) -> str:
    """Return the American Soundex code, as Apache Commons makes it: H and W do not part equal codes."""
    letters = re.sub("[^a-z]", "", text.lower())
    if not letters:
        return ""
    code, last = letters[0].upper(), _SOUNDEX.get(letters[0])
    for letter in letters[1:]:
        digit = _SOUNDEX.get(letter)
        if digit and digit != last:
            code += digit
        last = last if letter in "hw" else digit
    return (code + "000")[:4]


def luhn_check(text: str) -> bool:
    """Tell whether a string of digits ends in its Luhn check digit; anything but digits raises."""
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"luhn_check takes digits; got {text!r}")
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(text))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def format_number(value: float) -> str:
    """Return a number in three digits and a unit: `123.5K`, as Trino's `format_number` writes it."""
    size, unit = abs(value), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    digits = 2 if size < 10 else 1 if size < 100 else 0
    text = f"{size:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{'-' if value < 0 else ''}{text}{_UNITS[unit]}"


def human_readable_seconds(seconds: float) -> str:
    """Return `1 minute, 36 seconds` of a number of seconds."""
    rest, parts = abs(round(seconds)), []
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts) or "0 seconds"


def type_name(text: str) -> str:
    """Return Trino's name of a type that DuckDB calls `text`."""
    if text.endswith("[]"):
        return f"array({type_name(text[:-2])})"
    inside = re.fullmatch(r"(MAP|STRUCT)\((.*)\)", text, re.DOTALL)
    if inside is None:
        return _TYPE_NAMES.get(text, text.lower())
    parts = _split(inside[2])
    if inside[1] == "MAP":
        return f"map({', '.join(type_name(part) for part in parts)})"
    named = [re.fullmatch(r'("(?:[^"]|"")*"|[a-z_]\w*) (.+)', part, re.DOTALL) for part in parts]
    fields = [
        f"{name[1]} {type_name(name[2])}" if name else type_name(part) for name, part in zip(named, parts, strict=True)
    ]
    return f"row({', '.join(fields)})"


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _bits(form: str) -> Callable[[Any], bytes]:
    return lambda value: struct.pack(form, value)


def _value(form: str) -> Callable[[bytes], Any]:
    return lambda data: struct.unpack(form, data)[0]


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], tuple[str, ...], str]] = {
    "crc32": (lambda data: zlib.crc32(data), ("BLOB",), "BIGINT"),
    "format_number": (format_number, ("DOUBLE",), "VARCHAR"),
    "from_base": (lambda text, radix: int(text, radix), ("VARCHAR", "BIGINT"), "BIGINT"),
    "from_big_endian_32": (_value(">i"), ("BLOB",), "INTEGER"),
    "from_big_endian_64": (_value(">q"), ("BLOB",), "BIGINT"),
    "from_ieee754_32": (_value(">f"), ("BLOB",), "FLOAT"),
    "from_ieee754_64": (_value(">d"), ("BLOB",), "DOUBLE"),
    "hmac_md5": (_hmac("md5"), ("BLOB", "BLOB"), "BLOB"),
    "hmac_sha1": (_hmac("sha1"), ("BLOB", "BLOB"), "BLOB"),
    "hmac_sha256": (_hmac("sha256"), ("BLOB", "BLOB"), "BLOB"),
    "hmac_sha512": (_hmac("sha512"), ("BLOB", "BLOB"), "BLOB"),
    "human_readable_seconds": (human_readable_seconds, ("DOUBLE",), "VARCHAR"),
    "inverse_normal_cdf": (lambda mean, sd, p: NormalDist(mean, sd).inv_cdf(p), ("DOUBLE",) * 3, "DOUBLE"),
    "luhn_check": (luhn_check, ("VARCHAR",), "BOOLEAN"),
    "normal_cdf": (
        lambda mean, sd, v: 0.5 * (1 + math.erf((v - mean) / (sd * math.sqrt(2)))),
        ("DOUBLE",) * 3,
        "DOUBLE",
    ),
    "sha512": (lambda data: hashlib.sha512(data).digest(), ("BLOB",), "BLOB"),
    "soundex": (soundex, ("VARCHAR",), "VARCHAR"),
    "to_big_endian_32": (_bits(">i"), ("INTEGER",), "BLOB"),
    "to_big_endian_64": (_bits(">q"), ("BIGINT",), "BLOB"),
    "to_ieee754_32": (_bits(">f"), ("FLOAT",), "BLOB"),
    "to_ieee754_64": (_bits(">d"), ("DOUBLE",), "BLOB"),
    "type_name": (type_name, ("VARCHAR",), "VARCHAR"),
}
"""By name: the function, its arguments' DuckDB types, its result's. SQL calls it `python_<name>`; NULL gives NULL."""


def register(connection: Any, sql: str) -> None:
    """Give an instance the functions that `sql` calls; doing so again does no harm."""
    for name in sorted(set(re.findall(r"\bpython_(\w+)", sql)) & set(FUNCTIONS)):
        function, parameters, result = FUNCTIONS[name]
        known = connection.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = ?", [f"python_{name}"])
        if not known.fetchone():
            connection.create_function(f"python_{name}", function, list(parameters), result)
