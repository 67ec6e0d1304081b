"""Trino's functions in DuckDB's words.

A template's `{0}`, `{1}` are the arguments' SQL, `{f}` what follows an aggregate (FILTER, OVER). A dict chooses by the
number of arguments. A name that is in none of the tables is unknown to Trino, or refused by name.
"""

from collections.abc import Mapping

from localcloud.athena.python_functions import FUNCTIONS

Template = str | Mapping[int, str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAME: frozenset[str] = _words(
    """
    abs acos asin atan atan2 avg bool_and bool_or chr coalesce concat_ws corr cos cosh count count_if
    covar_pop covar_samp cume_dist degrees dense_rank ends_with exp first_value from_base64 grouping
    last_value lag lead length listagg ln log log10 log2 lower lpad map_concat map_from_entries max min nth_value
    ntile nullif percent_rank pi power pow radians rank regr_intercept regr_slope row_number rpad sin sinh
    sqrt starts_with stddev stddev_pop stddev_samp sum tan tanh translate upper url_decode url_encode
    var_pop var_samp variance year quarter month day hour minute week isfinite flatten map_keys map_values
    map_entries row kurtosis regr_avgx regr_avgy regr_count regr_r2 regr_sxx regr_sxy regr_syy
    """
)
"""Functions that both call the same and mean the same by."""

RENAMED: Mapping[str, str] = {
    "any_value": "any_value",
    "approx_distinct": "approx_count_distinct",
    "arbitrary": "any_value",
    "array_agg": "list",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "char_length": "length",
    "character_length": "length",
    "codepoint": "unicode",
    "contains": "list_contains",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "day_of_year": "dayofyear",
    "dow": "isodow",
    "doy": "dayofyear",
    "every": "bool_and",
    "from_hex": "unhex",
    "from_utf8": "decode",
    "geometric_mean": "geometric_mean",
    "hamming_distance": "hamming",
    "histogram": "histogram",
    "is_finite": "isfinite",
    "is_infinite": "isinf",
    "is_nan": "isnan",
    "levenshtein_distance": "levenshtein",
    "normalize": "nfc_normalize",
    "split": "string_split",
    "to_base64": "base64",
    "to_hex": "hex",
    "to_utf8": "encode",
    "truncate": "trunc",
    "try": "try",
    "week_of_year": "week",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "zip": "list_zip",
}

_ANY_NULL_MAX = "CASE WHEN len({0}) <> len(list_filter({0}, lambda e: e IS NOT NULL)) THEN NULL ELSE list_max({0}) END"

TEMPLATES: Mapping[str, Template] = {
    # aggregates
    "approx_percentile": {2: "approx_quantile({0}, {1})"},
    "approx_most_frequent": {3: "trino_most_frequent({0}, histogram({1}){f})"},
    "entropy": "(log2(sum({0}){f}) - sum(CASE WHEN {0} > 0 THEN {0} * log2({0}) ELSE 0 END){f} / sum({0}){f})",
    "map_union": "list_reduce(list({0}){f}, lambda a, b: map_concat(a, b))",
    "multimap_agg": "trino_multimap(list({0}){f}, list({1}){f})",
    "skewness": "(skewness({0}){f} * (count({0}){f} - 2) / sqrt(count({0}){f} * (count({0}){f} - 1)))",
    "map_agg": "map(list({0} ORDER BY {0}){f}, list({1} ORDER BY {0}){f})",
    "max_by": {2: "arg_max_null({0}, {1})", 3: "arg_max({0}, {1}, {2})"},
    "min_by": {2: "arg_min_null({0}, {1})", 3: "arg_min({0}, {1}, {2})"},
    # date and time
    "current_timezone": {0: "'UTC'"},
    "date": "CAST({0} AS DATE)",
    "date_diff": "date_sub({0}, {1}, {2})",
    "from_iso8601_date": "CAST({0} AS DATE)",
    "from_iso8601_timestamp": "CAST({0} AS TIMESTAMPTZ)",
    "from_unixtime": {1: "to_timestamp({0})"},
    "last_day_of_month": "last_day({0})",
    "millisecond": "CAST(millisecond({0}) % 1000 AS BIGINT)",
    "now": {0: "now()"},
    "second": "second({0})",
    "to_iso8601": "trino_iso8601({0})",
    "to_milliseconds": "CAST(epoch_ms({0}) AS BIGINT)",
    "to_unixtime": "epoch({0})",
    "timezone_hour": "CAST(timezone_hour({0}) AS BIGINT)",
    "timezone_minute": "CAST(timezone_minute({0}) AS BIGINT)",
    # text
    "from_base64url": "from_base64(replace(replace({0}, '-', '+'), '_', '/'))",
    "strpos": {2: "strpos({0}, {1})", 3: "trino_strpos({0}, {1}, {2})"},
    "to_base64url": "replace(replace(base64({0}), '+', '-'), '/', '_')",
    "url_extract_parameter": "trino_url_parameter({0}, {1})",
    "regexp_position": {2: "trino_regexp_position({0}, {1}, 1)", 3: "trino_regexp_position({0}, {1}, {2})"},
    "length": "length({0})",
    "md5": "unhex(md5({0}))",
    "replace": {2: "replace({0}, {1}, '')", 3: "replace({0}, {1}, {2})"},
    "reverse": "reverse({0})",
    "sha1": "unhex(sha1({0}))",
    "sha256": "unhex(sha256({0}))",
    "split_part": "string_split({0}, {1})[{2}]",
    "substr": {2: "substring({0}, {1})", 3: "substring({0}, {1}, {2})"},
    "substring": {2: "substring({0}, {1})", 3: "substring({0}, {1}, {2})"},
    "trim": {1: "trim({0})", 2: "trim({0}, {1})"},
    "ltrim": {1: "ltrim({0})", 2: "ltrim({0}, {1})"},
    "rtrim": {1: "rtrim({0})", 2: "rtrim({0}, {1})"},
    "uuid": {0: "uuid()"},
    "regexp_count": "len(regexp_extract_all({0}, {1}))",
    "regexp_extract": {
        2: "CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}) END",
        3: "CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}, {2}) END",
    },
    "regexp_extract_all": {2: "regexp_extract_all({0}, {1})", 3: "regexp_extract_all({0}, {1}, {2})"},
    "regexp_like": "regexp_matches({0}, {1})",
    "regexp_split": "string_split_regex({0}, {1})",
    "url_extract_fragment": "regexp_extract({0}, '^[^#]*#(.*)$', 1)",
    "url_extract_host": "regexp_extract({0}, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]*)', 1)",
    "url_extract_path": "regexp_extract({0}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)', 1)",
    "url_extract_port": "TRY_CAST(regexp_extract({0}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*:([0-9]+)', 1) AS BIGINT)",
    "url_extract_protocol": "regexp_extract({0}, '^([A-Za-z][A-Za-z0-9+.-]*):', 1)",
    "url_extract_query": "regexp_extract({0}, '^[^?#]*[?]([^#]*)', 1)",
    # numbers
    "bit_count": "trino_bit_count({0}, {1})",
    "parse_data_size": "trino_data_size({0})",
    "parse_presto_data_size": "trino_data_size({0})",
    "wilson_interval_lower": "trino_wilson(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE), -1)",
    "wilson_interval_upper": "trino_wilson(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE), 1)",
    "bitwise_and": "({0} & {1})",
    "bitwise_left_shift": "({0} << {1})",
    "bitwise_not": "(~{0})",
    "bitwise_or": "({0} | {1})",
    "bitwise_right_shift": "({0} >> {1})",
    "bitwise_xor": "xor({0}, {1})",
    "cbrt": "CASE WHEN round(cbrt({0})) ** 3 = {0} THEN round(cbrt({0})) ELSE cbrt({0}) END",
    "ceil": "cast_to_type(ceil({0}), {0} * 1)",
    "ceiling": "cast_to_type(ceil({0}), {0} * 1)",
    "e": {0: "exp(1)"},
    "floor": "cast_to_type(floor({0}), {0} * 1)",
    "infinity": {0: "CAST('inf' AS DOUBLE)"},
    "mod": "trino_mod({0}, {1})",
    "nan": {0: "CAST('nan' AS DOUBLE)"},
    "rand": {0: "random()", 1: "CAST(floor(random() * {0}) AS BIGINT)"},
    "random": {0: "random()", 1: "CAST(floor(random() * {0}) AS BIGINT)"},
    "round": {1: "cast_to_type(round({0}), {0} * 1)", 2: "cast_to_type(round({0}, {1}), {0} * 1)"},
    "sign": "cast_to_type(sign({0}), {0} * 1)",
    "to_base": "lower(to_base({0}, {1}))",
    "width_bucket": {4: "trino_width_bucket({0}, {1}, {2}, {3})"},
    # arrays and maps
    "array_average": "list_avg({0})",
    "array_first": "({0})[1]",
    "array_histogram": "trino_array_histogram({0})",
    "array_last": "({0})[-1]",
    "contains_sequence": "trino_contains_sequence({0}, {1})",
    "multimap_from_entries": "trino_multimap(list_transform({0}, lambda e: struct_extract(e, 1)), "
    "list_transform({0}, lambda e: struct_extract(e, 2)))",
    "ngrams": "list_transform(range(1, CAST(greatest(len({0}) - {1} + 1, 1) AS BIGINT) + 1), "
    "lambda i: ({0})[i:CAST(i + {1} - 1 AS BIGINT)])",
    "split_to_multimap": {
        3: "trino_multimap(list_transform(string_split({0}, {1}), lambda e: string_split(e, {2})[1]), "
        "list_transform(string_split({0}, {1}), lambda e: string_split(e, {2})[2]))"
    },
    "trim_array": "list_slice({0}, 1, len({0}) - {1})",
    "array_distinct": "trino_array_distinct({0})",
    "array_except": "trino_array_distinct(list_filter({0}, lambda e: NOT list_contains({1}, e)))",
    "array_intersect": "trino_array_distinct(list_filter({0}, lambda e: list_contains({1}, e)))",
    "array_join": {
        2: "array_to_string({0}, {1})",
        3: "array_to_string(list_transform({0}, lambda e: coalesce(trino_text(e), {2})), {1})",
    },
    "array_max": _ANY_NULL_MAX,
    "array_min": _ANY_NULL_MAX.replace("list_max", "list_min"),
    "array_position": "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(list_position({0}, {1}), 0) END",
    "array_remove": "list_filter({0}, lambda e: e <> {1})",
    "array_sort": {1: "list_sort({0}, 'ASC', 'NULLS LAST')"},
    "array_union": "trino_array_distinct(list_concat({0}, {1}))",
    "arrays_overlap": "list_has_any({0}, {1})",
    "element_at": "({0})[{1}]",
    "map": {0: "MAP {{}}", 2: "map({0}, {1})"},
    "repeat": "list_transform(range({1}), lambda i: {0})",
    "sequence": {
        2: "generate_series({0}, {1})",
        3: "list_transform(generate_series({0}, {1}, {2}), lambda e: cast_to_type(e, {0}))",
    },
    "slice": "list_slice({0}, {1}, CASE WHEN {1} > 0 THEN {1} + {2} - 1 ELSE len({0}) + {1} + {2} END)",
    "split_to_map": {
        3: "map_from_entries(list_transform(string_split({0}, {1}), "
        "lambda e: row(string_split(e, {2})[1], string_split(e, {2})[2])))"
    },
    # JSON
    "json_array_contains": "coalesce(list_contains(TRY_CAST({0} AS JSON[]), to_json({1})), FALSE)",
    "json_array_get": "json_extract_string({0}, '$[' || CASE WHEN {1} < 0 THEN '#' ELSE '' END || {1} || ']')",
    "is_json_scalar": "(json_type({0}) NOT IN ('OBJECT', 'ARRAY'))",
    "json_array_length": "CAST(json_array_length({0}) AS BIGINT)",
    "json_format": "CAST({0} AS VARCHAR)",
    "json_parse": "CAST({0} AS JSON)",
}

REFUSED: frozenset[str] = _words(
    """
    approx_set beta_cdf checksum color combinations cosine_similarity current_catalog current_schema current_user
    empty_approx_set from_iso8601_timestamp_nanos from_unixtime_nanos inverse_beta_cdf json_array json_object
    learn_classifier merge murmur3 numeric_histogram parse_duration qdigest_agg rank_agg reduce_agg regr_classifier
    render rgb bar shuffle spooky_hash_v2_32 spooky_hash_v2_64 st_point tdigest_agg value_at_quantile
    values_at_quantiles version word_stem xxhash64
    """
)
"""Functions that Athena has and this engine does not: refused by name."""

PYTHON: frozenset[str] = frozenset(FUNCTIONS) - {"type_name"}
"""Functions that are said in Python."""

WHOLE: frozenset[str] = _words(
    """
    count count_if approx_distinct ceil ceiling floor truncate length cardinality
    """
)
"""Functions whose number has no fraction."""

NUMERIC: frozenset[str] = _words(
    """
    abs avg cbrt exp ln log10 power pow round sqrt sum to_unixtime stddev variance
    """
)
"""Functions that always answer a number."""
