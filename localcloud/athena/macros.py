"""DuckDB macros that the templates of `localcloud.athena.functions` call.

An instance gets only those that its query names, and those that they name. `typeof` of a bound expression is a
constant, so a CASE over it costs nothing when the query runs.
"""

import re
from collections.abc import Mapping

_DIGITS = "regexp_replace(split_part(t, 'e', 1), '[-.]', '', 'g')"

MACROS: Mapping[str, str] = {
    "trino_div": "(a, b) AS CASE WHEN b = 0 THEN CASE WHEN typeof(a // b) IN ('DOUBLE', 'FLOAT') "
    "THEN cast_to_type(a / b, (CASE WHEN TRUE THEN a ELSE b END) * 1) "
    "ELSE cast_to_type(CAST('Division by zero' AS INTEGER), (CASE WHEN TRUE THEN a ELSE b END) * 1) END "
    "ELSE cast_to_type(a // b, (CASE WHEN TRUE THEN a ELSE b END) * 1) END",
    "trino_mod": "(a, b) AS CASE WHEN b = 0 AND typeof(a // b) NOT IN ('DOUBLE', 'FLOAT') "
    "THEN cast_to_type(CAST('Division by zero' AS INTEGER), a % b) ELSE a % b END",
    "trino_double_text": "(t) AS CASE WHEN t IS NULL THEN NULL WHEN t IN ('nan', '-nan') THEN 'NaN' "
    "WHEN t = 'inf' THEN 'Infinity' "
    "WHEN t = '-inf' THEN '-Infinity' WHEN abs(CAST(t AS DOUBLE)) = 0 THEN t "
    "WHEN abs(CAST(t AS DOUBLE)) >= 1e-3 AND abs(CAST(t AS DOUBLE)) < 1e7 THEN t "
    "ELSE trino_scientific(starts_with(t, '-'), ltrim(" + _DIGITS + ", '0'), "
    "CASE WHEN contains(t, 'e') THEN CAST(split_part(t, 'e', 2) AS INTEGER) "
    "WHEN abs(CAST(t AS DOUBLE)) >= 1 THEN length(ltrim(split_part(t, '.', 1), '-')) - 1 "
    "ELSE length(ltrim(split_part(t, '.', 2), '0')) - length(split_part(t, '.', 2)) - 1 END) END",
    "trino_scientific": "(negative, digits, exponent) AS (CASE WHEN negative THEN '-' ELSE '' END) || digits[1] || '.' "
    "|| "
    "(CASE WHEN rtrim(digits[2:], '0') = '' THEN '0' ELSE rtrim(digits[2:], '0') END) "
    "|| 'E' || CAST(exponent AS VARCHAR)",
    "trino_timestamp_text": "(t) AS left(CASE WHEN contains(t, '.') THEN t || '000' ELSE t || '.000' END, 23)",
    "trino_text": "(x) AS CASE typeof(x) WHEN 'DOUBLE' THEN trino_double_text(CAST(x AS VARCHAR)) "
    "WHEN 'FLOAT' THEN trino_double_text(CAST(x AS VARCHAR)) "
    "WHEN 'TIMESTAMP' THEN trino_timestamp_text(CAST(x AS VARCHAR)) "
    "WHEN 'TIMESTAMP WITH TIME ZONE' THEN "
    "trino_timestamp_text(regexp_replace(CAST(x AS VARCHAR), '[+-][0-9:]+$', '')) || ' UTC' "
    "WHEN 'JSON' THEN TRY_CAST(CAST(x AS VARCHAR) AS JSON) ->> '$' "
    "ELSE CAST(x AS VARCHAR) END",
    "trino_rounded_text": "(t) AS CAST(CAST(round(CAST(t AS DOUBLE)) AS HUGEINT) AS VARCHAR)",
    "trino_integer_text": "(x) AS CASE typeof(x) WHEN 'DOUBLE' THEN trino_rounded_text(CAST(x AS VARCHAR)) "
    "WHEN 'FLOAT' THEN trino_rounded_text(CAST(x AS VARCHAR)) "
    "WHEN 'BOOLEAN' THEN CASE CAST(x AS VARCHAR) WHEN 'true' THEN '1' WHEN 'false' THEN '0' END "
    "WHEN 'VARCHAR' THEN CASE WHEN CAST(x AS VARCHAR) IS NULL OR regexp_full_match(CAST(x AS VARCHAR), '[+-]?[0-9]+') "
    "THEN CAST(x AS VARCHAR) ELSE '?' || CAST(x AS VARCHAR) END "
    "ELSE CAST(x AS VARCHAR) END",
    "trino_iso8601": "(x) AS CASE typeof(x) WHEN 'DATE' THEN CAST(x AS VARCHAR) WHEN 'TIMESTAMP' THEN "
    "replace(trino_timestamp_text(CAST(x AS VARCHAR)), ' ', 'T') ELSE replace(trino_timestamp_text(regexp_replace("
    "CAST(x AS VARCHAR), '[+-][0-9:]+$', '')), ' ', 'T') || 'Z' END",
    "trino_width_bucket": "(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 "
    "ELSE CAST(floor(CAST(n AS DOUBLE) * (CAST(x AS DOUBLE) - low) / (CAST(high AS DOUBLE) - low)) + 1 AS BIGINT) END",
    "trino_array_distinct": "(a) AS list_filter(a, lambda e, i: coalesce(list_position(a, e), "
    "list_position(list_transform(a, lambda z: z IS NULL), TRUE)) = i)",
    "trino_blob_text": "(x) AS rtrim(regexp_replace(lower(hex(x)), '(..)', '\\1 ', 'g'))",
    "trino_multimap": "(ks, vs) AS map_from_entries(list_transform(trino_array_distinct(ks), "
    "lambda k: row(k, list_transform(list_filter(list_zip(ks, vs), lambda p: p[1] = k), lambda p: p[2]))))",
    "trino_array_histogram": "(a) AS map_from_entries(list_transform(trino_array_distinct(list_filter(a, "
    "lambda e: e IS NOT NULL)), lambda k: row(k, len(list_filter(a, lambda e: e = k)))))",
    "trino_most_frequent": "(n, h) AS map_from_entries(list_transform(list_slice(list_sort(list_transform("
    "map_entries(h), lambda e: {'count': -e.value, 'key': e.key})), 1, n), "
    "lambda e: row(e.key, CAST(-e.count AS BIGINT))))",
    "trino_contains_sequence": "(a, s) AS len(s) = 0 OR coalesce(list_bool_or(list_transform("
    "range(1, CAST(len(a) - len(s) + 2 AS BIGINT)), lambda i: a[i:CAST(i + len(s) - 1 AS BIGINT)] = s)), FALSE)",
    "trino_strpos": "(t, s, n) AS CASE WHEN n > 0 THEN CASE WHEN n >= len(string_split(t, s)) THEN 0 "
    "ELSE length(array_to_string(string_split(t, s)[1:n], s)) + 1 END "
    "ELSE CASE WHEN -n >= len(string_split(t, s)) THEN 0 "
    "ELSE length(array_to_string(string_split(t, s)[1:len(string_split(t, s)) + n], s)) + 1 END END",
    "trino_url_parameter": "(u, p) AS (list_transform(list_filter(string_split(regexp_extract(u, "
    "'^[^?#]*[?]([^#]*)', 1), '&'), lambda e: string_split(e, '=')[1] = p), "
    "lambda e: url_decode(coalesce(string_split(e, '=')[2], ''))))[1]",
    "trino_regexp_position": "(t, p, s) AS CASE WHEN t IS NULL OR p IS NULL THEN NULL "
    "WHEN NOT regexp_matches(substring(t, s), p) THEN -1 "
    "ELSE length(regexp_extract(substring(t, s), '(?s)^(.*?)(?:' || p || ')', 1)) + s END",
    "trino_bit_count": "(x, bits) AS CAST(CASE WHEN bits >= 64 THEN bit_count(CAST(x AS BIGINT)) ELSE "
    "bit_count(CAST(x AS BIGINT) & ((CAST(1 AS BIGINT) << CAST(least(bits, 62) AS BIGINT)) - 1)) END AS BIGINT)",
    "trino_data_size": "(t) AS CAST(trunc(CAST(regexp_extract(t, '^([0-9.]+)', 1) AS DOUBLE) * "
    "1024.0 ** (strpos('BkMGTPEZY', regexp_extract(t, '([BkMGTPEZY])i?B?$', 1)) - 1)) AS DECIMAL(38,0))",
    "trino_wilson": "(s, n, z, sign) AS (s / n + z * z / (2 * n) + sign * z * sqrt((s / n * (1 - s / n) "
    "+ z * z / (4 * n)) / n)) / (1 + z * z / n)",
    "trino_json_size": "(j, p) AS CASE json_type(j, p) WHEN 'OBJECT' THEN CAST(len(json_keys(j, p)) AS BIGINT) "
    "WHEN 'ARRAY' THEN CAST(json_array_length(j, p) AS BIGINT) WHEN NULL THEN NULL "
    "ELSE CASE WHEN json_exists(j, p) THEN 0 END END",
    "trino_json_field": "(j, k) AS json_extract(j, '$.\"' || k || '\"')",
    "trino_json_any_case": "(j, k) AS json_extract(j, '$.\"' || coalesce(list_filter(json_keys(j), "
    "lambda each: lower(each) = k)[-1], k) || '\"')",
    "trino_json_scalar": "(j, p) AS CASE WHEN json_type(j, p) IN ('OBJECT', 'ARRAY') THEN NULL "
    "ELSE json_extract_string(j, p) END",
}


def macros_in(text: str) -> list[str]:
    """Return the macros that `text` calls, those that they call first."""
    ordered: list[str] = []

    def visit(body: str) -> None:
        for name in re.findall(r"\btrino_\w+", body):
            if name in MACROS and name not in ordered:
                visit(MACROS[name])
                ordered.append(name)

    visit(text)
    return ordered


def definitions(text: str) -> tuple[str, ...]:
    """Return the statements that create the macros that `text` calls; repeating one does no harm."""
    return tuple(f"CREATE OR REPLACE MACRO {name}{MACROS[name]}" for name in macros_in(text))
