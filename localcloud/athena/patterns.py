"""Date patterns: Joda's (`format_datetime`) and MySQL's (`date_format`) as DuckDB's strftime."""

import re
from collections.abc import Mapping

from localcloud.athena.failures import QueryFailure

_JODA: Mapping[str, str] = {
    "yyyy": "%Y", "YYYY": "%Y", "xxxx": "%G", "yy": "%y", "y": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m",
    "dd": "%d", "d": "%-d", "DDD": "%j", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M",
    "ss": "%S", "s": "%-S", "SSS": "%g", "EEEE": "%A", "EEE": "%a", "E": "%a", "a": "%p", "ww": "%V", "e": "%u",
    "Z": "+0000", "ZZ": "+00:00", "ZZZ": "UTC", "z": "UTC",
}  # fmt: skip

_MYSQL: Mapping[str, str] = {
    "Y": "%Y", "y": "%y", "m": "%m", "c": "%-m", "M": "%B", "b": "%b", "d": "%d", "e": "%-d", "H": "%H", "k": "%-H",
    "h": "%I", "I": "%I", "l": "%-I", "i": "%M", "s": "%S", "S": "%S", "f": "%f", "p": "%p", "j": "%j", "a": "%a",
    "W": "%A", "v": "%V", "x": "%G", "T": "%H:%M:%S", "r": "%I:%M:%S %p", "%": "%%",
}  # fmt: skip

_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|(y+|Y+|x+|M+|d+|D+|H+|h+|m+|s+|S+|E+|a+|w+|e+|Z+|z+|[A-Za-z])|([^A-Za-z'])")


def joda_to_strftime(pattern: str) -> str:
    """Return the strftime pattern of a Joda one; quoted text stays, an unknown letter is refused."""
    out = []
    for quoted, letters, other in _JODA_TOKEN.findall(pattern):
        if letters:
            if letters not in _JODA:
                raise QueryFailure(
                    "NOT_SUPPORTED", f"date pattern {letters!r} in {pattern!r} is not supported by this engine"
                )
            out.append(_JODA[letters])
        else:
            out.append((quoted.replace("''", "'") or other).replace("%", "%%"))
    return "".join(out)


def mysql_to_strftime(pattern: str) -> str:
    """Return the strftime pattern of a MySQL one; an unknown specifier is refused."""

    def replace(found: re.Match[str]) -> str:
        if found[1] not in _MYSQL:
            raise QueryFailure(
                "NOT_SUPPORTED", f"date pattern '%{found[1]}' in {pattern!r} is not supported by this engine"
            )
        return _MYSQL[found[1]]

    return re.sub(r"%(.)", replace, pattern)
