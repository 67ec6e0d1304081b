"""What Trino's expressions answer, as its documentation says it and as Athena prints it."""

import duckdb
import pytest

from localcloud.athena.failures import QueryFailure, from_duckdb
from localcloud.athena.macros import MACROS, definitions
from localcloud.athena.python_functions import register
from localcloud.athena.results import text_sql, zoned_text_sql
from localcloud.athena.translation import parse, to_duckdb
from localcloud.athena.zones import zones_of

EXPRESSIONS = r"""
7 / 2 = 3
-7 / 2 = -3
7 % 3 = 1
-7 % 3 = -1
7e0 / 2 = 3.5
7 / 2e0 = 3.5
100.0 * 1 / 3 = 33.3
1.0 / 3 = 0.3
2.0 / 3 = 0.7
1 / 0.25 = 4.00
1e0 / 0 = Infinity
-1e0 / 0 = -Infinity
0e0 / 0 = NaN
CAST(10 AS bigint) / CAST(4 AS smallint) = 2
1 + 2 * 3 = 7
1.5 + 1 = 2.5
2 - 5 = -3
abs(-3) = 3
ceil(1.2e0) = 2.0
ceiling(5) = 5
floor(-1.2e0) = -2.0
round(2.5e0) = 3.0
round(-2.5e0) = -3.0
round(2.567e0, 1) = 2.6
round(2.567, 1) = 2.600
round(5) = 5
truncate(-1.7e0) = -1.0
sign(-5) = -1
sign(2.5e0) = 1.0
mod(10, 3) = 1
power(2, 10) = 1024.0
sqrt(16) = 4.0
cbrt(27) = 3.0
ln(1) = 0.0
log10(1000) = 3.0
log2(8) = 3.0
log(2, 8) = 3.0
exp(0) = 1.0
pi() = 3.141592653589793
degrees(0) = 0.0
is_nan(nan()) = true
is_finite(infinity()) = false
is_infinite(infinity()) = true
greatest(1, 5, 3) = 5
least(1, 5, 3) = 1
greatest(1, NULL) = NULL
least('b', 'a') = a
bitwise_and(6, 3) = 2
bitwise_or(6, 3) = 7
bitwise_xor(6, 3) = 5
bitwise_not(0) = -1
bitwise_left_shift(1, 4) = 16
width_bucket(5, 0, 10, 5) = 3
width_bucket(-1, 0, 10, 5) = 0
width_bucket(10, 0, 10, 5) = 6
CAST(1e7 AS varchar) = 1.0E7
CAST(9999999e0 AS varchar) = 9999999.0
CAST(123456789.5e0 AS varchar) = 1.234567895E8
CAST(0.001e0 AS varchar) = 0.001
CAST(0.00012e0 AS varchar) = 1.2E-4
CAST(-1.5e-10 AS varchar) = -1.5E-10
CAST(1e100 AS varchar) = 1.0E100
CAST(5e0 AS varchar) = 5.0
CAST(-0e0 AS varchar) = -0.0
CAST(1.50 AS varchar) = 1.50
CAST(true AS varchar) = true
CAST(42 AS varchar) = 42
CAST('abcdef' AS varchar(3)) = abc
CAST(DATE '2026-01-01' AS varchar) = 2026-01-01
CAST(TIMESTAMP '2026-01-01 10:00:00' AS varchar) = 2026-01-01 10:00:00.000
CAST(2.5e0 AS integer) = 3
CAST(-2.5e0 AS integer) = -3
CAST(3.5 AS bigint) = 4
CAST('17' AS bigint) = 17
CAST(true AS integer) = 1
CAST('2026-01-01' AS date) = 2026-01-01
CAST('2026-01-01 10:00:00' AS timestamp) = 2026-01-01 10:00:00.000
CAST(TIMESTAMP '2026-01-01 10:00:00' AS date) = 2026-01-01
CAST(1 AS double) = 1.0
CAST('1.5' AS double) = 1.5
CAST(1 AS decimal(10,2)) = 1.00
CAST(ROW(1, 'x') AS ROW(a integer, b varchar)) = {a=1, b=x}
TRY_CAST('x' AS integer) = NULL
TRY_CAST('1.5' AS integer) = NULL
TRY_CAST('5' AS integer) = 5
TRY_CAST('nope' AS date) = NULL
TRY(1 / 0) = NULL
TRY(CAST('x' AS integer)) = NULL
IF(1 > 2, 'a', 'b') = b
IF(1 > 2, 'a') = NULL
CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END = x
COALESCE(NULL, 2) = 2
NULLIF(1, 1) = NULL
NULLIF(1, 2) = 1
NULL IS NULL = true
1 IS DISTINCT FROM NULL = true
1 BETWEEN 1 AND 3 = true
2 IN (1, NULL) = NULL
2 NOT IN (1, 3) = true
'abc' LIKE 'a%' = true
'a_c' LIKE 'a\_c' ESCAPE '\' = true
'abc' LIKE 'A%' = false
'a' || 'b' = ab
'a' || NULL = NULL
concat('a', 'b', 'c') = abc
concat('a', NULL) = NULL
concat_ws(',', 'a', NULL, 'b') = a,b
length('héllo') = 5
lower('ABC') = abc
upper('abc') = ABC
reverse('abc') = cba
replace('abc', 'b', 'x') = axc
replace('abc', 'b') = ac
substr('hello', 2) = ello
substr('hello', 2, 3) = ell
substr('hello', -2) = lo
substring('hello', 1, 2) = he
strpos('abcabc', 'c') = 3
strpos('abc', 'z') = 0
position('b' IN 'abc') = 2
trim('  a ') = a
ltrim('  a') = a
rtrim('a  ') = a
lpad('7', 3, '0') = 007
lpad('12345', 3, '0') = 123
rpad('7', 3, 'x') = 7xx
split('a,b,c', ',') = [a, b, c]
split_part('a,b', ',', 2) = b
split_part('a,b', ',', 3) = NULL
starts_with('abc', 'ab') = true
ends_with('abc', 'bc') = true
chr(65) = A
codepoint('A') = 65
translate('abc', 'ab', 'xy') = xyc
levenshtein_distance('kitten', 'sitting') = 3
hamming_distance('abc', 'abd') = 1
format('%s-%d', 'a', 5) = a-5
format('%.2f', 2.5e0) = 2.50
to_hex(md5(to_utf8('a'))) = 0CC175B9C0F1B6A831C399E269772661
to_hex(sha256(to_utf8(''))) = E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855
to_base64(to_utf8('abc')) = YWJj
from_utf8(from_base64('YWJj')) = abc
from_utf8(from_hex('616263')) = abc
to_utf8('ab') = 61 62
url_encode('a b&c') = a%20b%26c
url_decode('a%20b') = a b
url_extract_host('https://user@a.b:80/c/d?e=f#g') = a.b
url_extract_path('https://a.b:80/c/d?e=f#g') = /c/d
url_extract_port('https://a.b:80/c') = 80
url_extract_port('https://a.b/c') = NULL
url_extract_protocol('https://a.b/c') = https
url_extract_query('https://a.b/c?e=f#g') = e=f
url_extract_fragment('https://a.b/c?e=f#g') = g
regexp_like('1a 2b 14m', '\d+b') = true
regexp_extract('1a 2b 14m', '\d+') = 1
regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 2) = a
regexp_extract('abc', 'x') = NULL
regexp_extract_all('1a 2b 14m', '\d+') = [1, 2, 14]
regexp_extract_all('1a 2b 14m', '(\d+)([a-z]+)', 2) = [a, b, m]
regexp_replace('1a 2b 14m', '\d+[ab] ') = 14m
regexp_replace('1a 2b 14m', '(\d+)([ab]) ', '3c$2 ') = 3ca 3cb 14m
regexp_split('1a 2b 14m', '\s*[a-z]+\s*') = [1, 2, 14, ]
regexp_count('1a 2b 14m', '\s*[a-z]+\s*') = 3
json_extract_scalar('{"a": {"b": 1}}', '$.a.b') = 1
json_extract_scalar('{"a": {"b": 1}}', '$.a') = NULL
json_extract_scalar('{"a": "x"}', '$.a') = x
json_extract_scalar('[1, 2, 3]', '$[1]') = 2
json_extract_scalar('{"a-b": "x"}', '$["a-b"]') = x
json_extract_scalar('{"a": null}', '$.a') = NULL
json_extract_scalar('{}', '$.a') = NULL
json_extract('{"a": [1,2]}', '$.a') = [1,2]
json_array_length('[1, 2, 3]') = 3
json_format(json_parse('{"a":1}')) = {"a":1}
CAST(json_extract('{"a": 5}', '$.a') AS bigint) = 5
CAST(json_extract('{"a": "x"}', '$.a') AS varchar) = x
is_json_scalar(json_parse('1')) = true
ARRAY[1, 2, 3] = [1, 2, 3]
ARRAY[1, NULL] = [1, null]
ARRAY['a', 'b'][2] = b
ARRAY[ARRAY[1], ARRAY[2, 3]] = [[1], [2, 3]]
cardinality(ARRAY[1, 2]) = 2
cardinality(MAP(ARRAY['a'], ARRAY[1])) = 1
contains(ARRAY[1, 2], 2) = true
element_at(ARRAY[1, 2, 3], -1) = 3
element_at(ARRAY[1], 5) = NULL
array_distinct(ARRAY[2, 1, 2]) = [2, 1]
array_distinct(ARRAY[1, NULL, NULL]) = [1, null]
array_join(ARRAY[1, NULL, 2], ',') = 1,2
array_join(ARRAY[1, NULL, 2], ',', 'x') = 1,x,2
array_max(ARRAY[1, 3, 2]) = 3
array_min(ARRAY[1, NULL]) = NULL
array_position(ARRAY['a', 'b'], 'b') = 2
array_position(ARRAY['a', 'b'], 'z') = 0
array_remove(ARRAY[1, 2, 1], 1) = [2]
array_sort(ARRAY[3, 1, NULL, 2]) = [1, 2, 3, null]
array_union(ARRAY[1, 2], ARRAY[2, 3]) = [1, 2, 3]
array_intersect(ARRAY[1, 2], ARRAY[2, 3]) = [2]
array_except(ARRAY[1, 2], ARRAY[2, 3]) = [1]
arrays_overlap(ARRAY[1, 2], ARRAY[2, 3]) = true
flatten(ARRAY[ARRAY[1], ARRAY[2]]) = [1, 2]
ARRAY[1] || ARRAY[2] = [1, 2]
concat(ARRAY[1], ARRAY[2]) = [1, 2]
slice(ARRAY[1, 2, 3, 4], 2, 2) = [2, 3]
slice(ARRAY[1, 2, 3, 4], -2, 2) = [3, 4]
sequence(1, 3) = [1, 2, 3]
sequence(1, 7, 3) = [1, 4, 7]
sequence(DATE '2026-01-01', DATE '2026-01-03', INTERVAL '1' DAY) = [2026-01-01, 2026-01-02, 2026-01-03]
repeat('a', 3) = [a, a, a]
transform(ARRAY[1, 2], x -> x + 1) = [2, 3]
filter(ARRAY[1, 2, 3], x -> x > 1) = [2, 3]
reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s) = 75
reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10) = 60
any_match(ARRAY[1, 2], x -> x > 1) = true
any_match(ARRAY[], x -> x > 1) = false
all_match(ARRAY[1, 2], x -> x > 1) = false
none_match(ARRAY[1, 2], x -> x > 2) = true
zip_with(ARRAY[1, 2], ARRAY[10, 20], (a, b) -> a + b) = [11, 22]
MAP(ARRAY['a', 'b'], ARRAY[1, 2]) = {a=1, b=2}
MAP(ARRAY['a'], ARRAY[1])['a'] = 1
MAP() = {}
element_at(MAP(ARRAY['a'], ARRAY[1]), 'b') = NULL
map_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) = [a, b]
map_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) = [1, 2]
map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1) = {b=2}
map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2])) = {a=1, b=2}
map_from_entries(ARRAY[ROW('a', 1)]) = {a=1}
transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1) = {a=2}
transform_keys(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> k || 'x') = {ax=1}
split_to_map('a=1;b=2', ';', '=') = {a=1, b=2}
ROW(1, 'a') = {field0=1, field1=a}
DATE '2026-01-31' + INTERVAL '1' MONTH = 2026-02-28
DATE '2026-01-01' + INTERVAL '1' DAY = 2026-01-02
TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '2' HOUR = 2025-12-31 22:00:00.000
date_add('month', 1, TIMESTAMP '2026-01-31 00:00:00') = 2026-02-28 00:00:00.000
date_add('day', -1, DATE '2026-01-01') = 2025-12-31
date_add('millisecond', 500, TIMESTAMP '2026-01-01 00:00:00') = 2026-01-01 00:00:00.500
date_diff('second', TIMESTAMP '2026-03-01 00:00:00', TIMESTAMP '2026-03-02 00:00:00') = 86400
date_diff('hour', TIMESTAMP '2026-01-01 10:59:00', TIMESTAMP '2026-01-01 11:01:00') = 0
date_diff('day', DATE '2026-03-01', DATE '2026-03-02') = 1
date_diff('month', DATE '2026-01-31', DATE '2026-02-28') = 1
date_trunc('hour', TIMESTAMP '2026-10-20 05:10:00') = 2026-10-20 05:00:00.000
date_trunc('month', DATE '2026-01-15') = 2026-01-01
date_trunc('week', DATE '2026-11-21') = 2026-11-16
from_iso8601_timestamp('2026-11-21T10:00:00.5Z') = 2026-11-21 10:00:00.500 UTC
from_iso8601_timestamp('2026-11-21T10:00:00Z') = 2026-11-21 10:00:00.000 UTC
from_iso8601_date('2026-11-21') = 2026-11-21
from_unixtime(10) = 1970-01-01 00:00:10.000 UTC
from_unixtime(1.5) = 1970-01-01 00:00:01.500 UTC
to_unixtime(TIMESTAMP '1970-01-01 00:00:10') = 10.0
to_iso8601(TIMESTAMP '2026-01-01 10:00:00') = 2026-01-01T10:00:00.000
to_iso8601(from_unixtime(0)) = 1970-01-01T00:00:00.000Z
date('2026-01-01') = 2026-01-01
date_format(TIMESTAMP '2026-01-02 03:04:05', '%Y-%m-%d %H:%i:%s') = 2026-01-02 03:04:05
date_format(TIMESTAMP '2026-01-02 15:04:05', '%e %b %l %p') = 2 Jan 3 PM
date_parse('2026-01-02 03', '%Y-%m-%d %H') = 2026-01-02 03:00:00.000
format_datetime(TIMESTAMP '2026-01-02 03:04:05', 'yyyy-MM-dd HH:mm:ss') = 2026-01-02 03:04:05
format_datetime(TIMESTAMP '2026-01-02 03:04:05.678', 'HH:mm:ss.SSS') = 03:04:05.678
format_datetime(TIMESTAMP '2026-01-02 03:04:05', 'yyyy-MM-dd''T''HH') = 2026-01-02T03
parse_datetime('2026-01-02', 'yyyy-MM-dd') = 2026-01-02 00:00:00.000 UTC
year(DATE '2026-05-06') = 2026
quarter(DATE '2026-05-06') = 2
month(DATE '2026-05-06') = 5
week(DATE '2026-01-01') = 1
day(DATE '2026-05-06') = 6
day_of_week(DATE '2026-11-22') = 7
day_of_year(DATE '2026-02-01') = 32
year_of_week(DATE '2027-01-01') = 2026
hour(TIMESTAMP '2026-01-01 10:11:12') = 10
minute(TIMESTAMP '2026-01-01 10:11:12') = 11
second(TIMESTAMP '2026-01-01 10:11:12') = 12
millisecond(TIMESTAMP '2026-01-01 10:11:12.345') = 345
extract(dow FROM DATE '2026-11-22') = 7
extract(year FROM TIMESTAMP '2026-01-01 10:11:12') = 2026
last_day_of_month(DATE '2026-02-01') = 2026-02-28
at_timezone(TIMESTAMP '2026-01-01 10:00:00', 'UTC') = 2026-01-01 10:00:00.000 UTC
TIMESTAMP '2026-01-01 10:00:00' AT TIME ZONE 'UTC' = 2026-01-01 10:00:00.000 UTC
at_timezone(TIMESTAMP '2026-01-01 10:00:00', 'Europe/Berlin') = 2026-01-01 11:00:00.000 Europe/Berlin
TIMESTAMP '2026-07-01 10:00:00' AT TIME ZONE 'Europe/Berlin' = 2026-07-01 12:00:00.000 Europe/Berlin
TIMESTAMP '2026-07-01 10:00:00 Europe/Berlin' = 2026-07-01 10:00:00.000 Europe/Berlin
TIMESTAMP '2026-07-01 10:00:00 +02:00' = 2026-07-01 10:00:00.000 +02:00
TIMESTAMP '2026-07-01 10:00:00 Europe/Berlin' AT TIME ZONE 'UTC' = 2026-07-01 08:00:00.000 UTC
TIMESTAMP '2026-07-01 08:00:00 UTC' AT TIME ZONE '-05:00' = 2026-07-01 03:00:00.000 -05:00
hour(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin') = 1
day(at_timezone(TIMESTAMP '2026-07-01 23:30:00', 'Europe/Berlin')) = 2
extract(hour FROM TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Asia/Kolkata') = 5
CAST(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin' AS date) = 2026-07-02
CAST(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin' AS timestamp) = 2026-07-02 01:30:00.000
CAST(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin' AS varchar) = 2026-07-02 01:30:00.000 Europe/Berlin
date_trunc('day', TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin') = 2026-07-02 00:00:00.000 Europe/Berlin
CAST(date_trunc('day', TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Asia/Tokyo') AS date) = 2026-07-02
hour(date_trunc('day', TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Asia/Tokyo') AT TIME ZONE 'UTC') = 15
format_datetime(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'America/New_York', 'yyyy-MM-dd HH:mm') = 2026-07-01 19:30
date_format(at_timezone(TIMESTAMP '2026-07-01 23:30:00', 'Europe/Berlin'), '%H:%i') = 01:30
TIMESTAMP '2026-07-01 10:00:00 UTC' AT TIME ZONE 'Asia/Tokyo' > TIMESTAMP '2026-07-01 09:00:00 UTC' = true
to_unixtime(TIMESTAMP '1970-01-01 00:00:10' AT TIME ZONE 'Asia/Tokyo') = 10.0
TIMESTAMP '2026-01-01 10:00:00 UTC' = 2026-01-01 10:00:00.000 UTC
TIMESTAMP '2026-01-01 10:00:00' > TIMESTAMP '2026-01-01 09:00:00' = true
typeof(123) = integer
typeof('cat') = varchar(3)
typeof(cos(2) + 1.5) = double
typeof(ARRAY[1]) = array(integer)
typeof(MAP(ARRAY['a'], ARRAY[1.5])) = map(varchar, decimal(2,1))
typeof(now()) = timestamp(3) with time zone
format('%s%%', 123) = 123%
format('%03d', 8) = 008
format('%,.2f', 1234567.89) = 1,234,567.89
format('%-7s,%7s', 'hello', 'world') = hello  ,  world
format('%s', ARRAY[1]) = [1]
format_number(123456) = 123K
format_number(1000000) = 1M
human_readable_seconds(96) = 1 minute, 36 seconds
human_readable_seconds(3762) = 1 hour, 2 minutes, 42 seconds
human_readable_seconds(56363463) = 93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds
from_base('ff', 16) = 255
to_base(255, 16) = ff
bit_count(9, 64) = 2
bit_count(9, 8) = 2
bit_count(-7, 64) = 62
bit_count(-7, 8) = 6
parse_data_size('1B') = 1
parse_data_size('1kB') = 1024
parse_data_size('2.3MB') = 2411724
round(wilson_interval_lower(1250, 1310, 1.96e0), 6) = 0.941488
normal_cdf(0, 1, 0) = 0.5
inverse_normal_cdf(0, 1, 0.5) = 0.0
soundex('Miller') = M460
soundex('SMITH') = S530
luhn_check('79927398713') = true
luhn_check('79927398714') = false
strpos('abcabcabc', 'bc', 2) = 5
strpos('abcabcabc', 'bc', -1) = 8
strpos('abc', 'bc', 2) = 0
regexp_position('I have 23 apples, 5 pears and 13 oranges', '\b\d+\b') = 8
regexp_position('I have 23 apples, 5 pears and 13 oranges', '\b\d+\b', 12) = 19
regexp_position('abc', 'x') = -1
url_extract_parameter('https://a.b/c?k1=v1&k2=v%20w#f', 'k2') = v w
url_extract_parameter('https://a.b/c?k1=v1', 'k3') = NULL
crc32(to_utf8('abc')) = 891568578
to_hex(sha512(to_utf8(''))) LIKE 'CF83E1357EEFB8BD%' = true
to_hex(hmac_sha256(to_utf8('a'), to_utf8('k'))) LIKE '%' = true
to_hex(hmac_md5(to_utf8('what do ya want for nothing?'), to_utf8('Jefe'))) = 750C783E6AB0B503EAA86E310A5DB738
to_base64url(from_hex('fbff')) = -_8=
from_big_endian_64(to_big_endian_64(258)) = 258
to_hex(to_ieee754_64(1e0)) = 3FF0000000000000
json_array_contains('[1, 2, 3]', 2) = true
json_array_contains('[1, 2, 3]', 4) = false
json_array_get('["a", "b", "c"]', 0) = a
json_array_get('["c", "b", "a"]', -1) = a
json_size('{"x": {"a": 1, "b": 2}}', '$.x') = 2
json_size('{"x": [1, 2, 3]}', '$.x') = 3
json_size('{"x": {"a": 1, "b": 2}}', '$.x.a') = 0
json_exists('{"a": [1]}', 'lax $.a[0]') = true
json_exists('{"a": [1]}', 'lax $.b') = false
json_value('{"a": {"b": 5}}', 'lax $.a.b') = 5
json_query('{"a": {"b":5}}', 'strict $.a') = {"b":5}
array_first(ARRAY[3, 2]) = 3
array_last(ARRAY[3, 2]) = 2
array_histogram(ARRAY[42, 7, 42, NULL]) = {42=2, 7=1}
contains_sequence(ARRAY[1, 2, 3, 4, 5, 6], ARRAY[1, 2]) = true
contains_sequence(ARRAY[1, 2, 3, 4, 5, 6], ARRAY[3, 5]) = false
ngrams(ARRAY['foo', 'bar', 'baz', 'foo'], 2) = [[foo, bar], [bar, baz], [baz, foo]]
ngrams(ARRAY['foo', 'bar', 'baz', 'foo'], 5) = [[foo, bar, baz, foo]]
trim_array(ARRAY[1, 2, 3, 4], 1) = [1, 2, 3]
multimap_from_entries(ARRAY[ROW(1, 'x'), ROW(2, 'y'), ROW(1, 'z')]) = {1=[x, z], 2=[y]}
split_to_multimap('a:1;b:2;a:3', ';', ':') = {a=[1, 3], b=[2]}
map_zip_with(MAP(ARRAY[1, 2], ARRAY['a', 'b']), MAP(ARRAY[2], ARRAY['c']), (k, x, y) -> concat(x, y)) = {1=null, 2=bc}
with_timezone(TIMESTAMP '2026-07-01 10:00:00', 'Europe/Berlin') = 2026-07-01 10:00:00.000 Europe/Berlin
timezone_hour(TIMESTAMP '2026-01-01 10:00:00 UTC') = 0
""".strip().splitlines()

AGGREGATES = r"""
SELECT SUM(x) FROM (VALUES 1, 2, NULL) AS t(x) = 3
SELECT SUM(x) FROM (VALUES 1) AS t(x) WHERE x > 1 = NULL
SELECT SUM(x) / COUNT(*) FROM (VALUES 1, 2, 4) AS t(x) = 2
SELECT AVG(x) FROM (VALUES 1, 2) AS t(x) = 1.5
SELECT COUNT(DISTINCT x) FROM (VALUES 1, 1, 2) AS t(x) = 2
SELECT COUNT(x) FILTER (WHERE x > 1) FROM (VALUES 1, 2, 3) AS t(x) = 2
SELECT count_if(x > 1) FROM (VALUES 1, 2, 3) AS t(x) = 2
SELECT MAX_BY(x, y) FROM (VALUES ('a', 1), ('b', 2)) AS t(x, y) = b
SELECT MIN_BY(x, y) FROM (VALUES ('a', 1), ('b', 2)) AS t(x, y) = a
SELECT array_agg(x ORDER BY x DESC) FROM (VALUES 1, 3, 2) AS t(x) = [3, 2, 1]
SELECT array_agg(DISTINCT x ORDER BY x) FROM (VALUES 2, 1, 2) AS t(x) = [1, 2]
SELECT map_agg(x, y) FROM (VALUES ('a', 1), ('b', 2)) AS t(x, y) = {a=1, b=2}
SELECT histogram(x) FROM (VALUES 'a', 'b', 'a') AS t(x) = {a=2, b=1}
SELECT approx_distinct(x) FROM (VALUES 1, 1, 2) AS t(x) = 2
SELECT approx_percentile(x, 0.5) FROM (VALUES 1, 2, 3) AS t(x) = 2
SELECT approx_percentile(x, ARRAY[0.0, 1.0]) FROM (VALUES 1, 2, 3) AS t(x) = [1, 3]
SELECT bool_and(x) FROM (VALUES true, false) AS t(x) = false
SELECT every(x) FROM (VALUES true, true) AS t(x) = true
SELECT arbitrary(x) FROM (VALUES 5) AS t(x) = 5
SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a') AS t(x) = a,b
SELECT stddev_pop(x) FROM (VALUES 1, 3) AS t(x) = 1.0
SELECT geometric_mean(x) FROM (VALUES 1, 4) AS t(x) = 2.0
SELECT bitwise_or_agg(x) FROM (VALUES 1, 4) AS t(x) = 5
SELECT array_agg(x) FROM (SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x) = [1, 2, null]
SELECT array_agg(x) FROM (SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x DESC) = [2, 1, null]
SELECT SUM(v) FROM (VALUES 1) AS t(x) CROSS JOIN UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) AS m(k, v) = 3
SELECT SUM(n * e) FROM UNNEST(ARRAY[10, 20]) WITH ORDINALITY AS t(e, n) = 50
SELECT array_agg(a || b) FROM UNNEST(ARRAY[ROW('x', 'y'), ROW('z', 'w')]) AS t(a, b) = [xy, zw]
SELECT COUNT(*) FROM (VALUES 1, 2) AS t(x) LEFT JOIN UNNEST(ARRAY[]) AS u(y) ON TRUE = 2
WITH a(x) AS (SELECT 1), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b = 2
SELECT MAX(r) FROM (SELECT row_number() OVER (PARTITION BY g ORDER BY x) r FROM (VALUES (1, 1), (1, 2)) t(g, x)) = 2
SELECT MAX(r) FROM (SELECT SUM(x) OVER (ORDER BY x ROWS 1 PRECEDING) r FROM (VALUES 1, 2, 3) t(x)) = 5
SELECT COUNT(*) FROM (SELECT x, y FROM (VALUES (1, 2)) AS t(x, y) GROUP BY GROUPING SETS ((x), (y), ())) = 3
SELECT COUNT(*) FROM (SELECT x, y FROM (VALUES (1, 2)) AS t(x, y) GROUP BY CUBE (x, y)) = 4
SELECT x FROM (VALUES 1, 2, 3) AS t(x) ORDER BY x OFFSET 1 LIMIT 1 = 2
SELECT x FROM (VALUES 1, 2) AS t(x) EXCEPT SELECT 1 = 2
SELECT MAX(n) FROM (SELECT hour(t AT TIME ZONE 'Asia/Tokyo') h, COUNT(*) n FROM (VALUES now()) x(t) GROUP BY 1) = 1
SELECT timestamp FROM (VALUES 5) AS t(timestamp) = 5
SELECT multimap_agg(k, v) FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t(k, v) = {a=[1, 3], b=[2]}
SELECT map_union(m) FROM (VALUES MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2])) AS t(m) = {a=1, b=2}
SELECT approx_most_frequent(1, x, 10) FROM (VALUES 'a', 'b', 'a') AS t(x) = {a=2}
SELECT entropy(x) FROM (VALUES 1, 1) AS t(x) = 1.0
SELECT round(skewness(x), 6) FROM (VALUES 1, 2, 3, 7) AS t(x) = 0.83315
SELECT round(kurtosis(x), 6) FROM (VALUES 1, 2, 3, 7) AS t(x) = 2.234867
SELECT regr_count(y, x) FROM (VALUES (1, 2), (2, 4)) AS t(x, y) = 2
SELECT regr_slope(y, x) FROM (VALUES (1, 2), (2, 4)) AS t(x, y) = 2.0
SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x NULLS FIRST LIMIT 1 = NULL
SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x DESC LIMIT 1 = 2
SELECT array_agg(r ORDER BY r) FROM (SELECT rank() OVER (ORDER BY x) AS r FROM (VALUES 5, 5, 7) AS t(x)) = [1, 1, 3]
SELECT MAX(s) FROM (SELECT SUM(x) OVER (ORDER BY x RANGE 1 PRECEDING) AS s FROM (VALUES 1, 2, 4) AS t(x)) = 4
SELECT MAX(x) FROM (SELECT lag(x, 1, 9) OVER (ORDER BY x) AS x FROM (VALUES 1, 2) AS t(x)) = 9
SELECT array_agg(g ORDER BY g) FROM (SELECT GROUPING(x) AS g FROM (VALUES 1, 2) AS t(x) GROUP BY ROLLUP (x)) = [0, 0, 1]
SELECT COUNT(*) FROM (VALUES 1, 2) AS t(x) TABLESAMPLE BERNOULLI (100) = 2
SELECT try(1 / x) FROM (VALUES 0) AS t(x) = NULL
SELECT try(CAST(x AS integer)) FROM (VALUES 'a') AS t(x) = NULL
SELECT map_agg(x, y)['a'] FROM (VALUES ('a', 1)) AS t(x, y) = 1
SELECT SUM(x) FROM UNNEST(ARRAY[1, 2], ARRAY[10]) AS t(x, y) = 3
SELECT approx_percentile(x, 0.5) FILTER (WHERE x > 1) FROM (VALUES 1, 2, 3, 4) AS t(x) = 3
""".strip().splitlines()

REFUSED = (
    "xxhash64(to_utf8('a'))",
    "reduce_agg(1, 0, (a, b) -> a, (a, b) -> a)",
    "array_agg(now() AT TIME ZONE 'Asia/Tokyo')",
    "date_add('day', 1, at_timezone(now(), 'Asia/Tokyo'))",
    "now() AT TIME ZONE current_timezone()",
    "format_datetime(now() AT TIME ZONE 'Asia/Tokyo', 'HH:mm Z')",
    "x FROM (SELECT now() AT TIME ZONE 'Asia/Tokyo' AS x)",
    "date_format(now(), '%Q')",
    "approx_percentile(1, 1, 0.5)",
    "numeric_histogram(2, 1)",
    "json_value('{}', 'lax $.a[*]')",
    "format('%tF', 1)",
)


@pytest.fixture(scope="module")
def connection():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for definition in definitions(" ".join(MACROS)):
        connection.execute(definition)
    return connection


def answer(connection, sql):
    statement = parse(sql)
    text, _ = to_duckdb(statement, sql)
    register(connection, text)
    relation = connection.sql(text)
    zones = zones_of(statement)
    shown = zoned_text_sql("c0", zones[0]) if zones else text_sql("c0", relation.types[0])
    return connection.execute(f"SELECT {shown} FROM ({text}) AS q(c0)").fetchone()[0]


@pytest.mark.parametrize("line", EXPRESSIONS)
def test_expression_answers_as_trino_does(connection, line):
    expression, _, expected = line.rpartition(" = ")
    assert answer(connection, f"SELECT {expression}") == (None if expected == "NULL" else expected)


@pytest.mark.parametrize("line", AGGREGATES)
def test_query_answers_as_trino_does(connection, line):
    sql, _, expected = line.rpartition(" = ")
    assert answer(connection, sql) == (None if expected == "NULL" else expected)


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_supported_is_refused_by_name(connection, expression):
    with pytest.raises(QueryFailure, match="^NOT_SUPPORTED: "):
        answer(connection, f"SELECT {expression}")


@pytest.mark.parametrize(
    ("sql", "failure"),
    [
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
    ],
)
def test_failures_have_trinos_names(connection, sql, failure):
    with pytest.raises((QueryFailure, duckdb.Error)) as caught:
        answer(connection, sql)
    error = caught.value
    assert str(error if isinstance(error, QueryFailure) else from_duckdb(error, sql)) == failure


def test_there_are_two_hundred_expressions():
    assert len(EXPRESSIONS) + len(AGGREGATES) >= 200
