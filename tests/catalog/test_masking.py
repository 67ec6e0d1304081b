import random
import string
from collections.abc import Callable

import pytest

from catalog.masking import Masking, masking_from, suspicions, truncate_ip

mask_text = Masking().mask_text


@pytest.mark.parametrize(
    ("address", "truncated"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:abcd:12::1", "2001:db8:abcd::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("203.0.113.77:443", "[ip]"),
        ("unknown", "[ip]"),
        ("", ""),
    ],
)
def test_an_address_loses_its_host_part(address: str, truncated: str) -> None:
    assert truncate_ip(address) == truncated


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent to jane.doe+x@mail.example.com twice", "sent to [email] twice"),
        ("Authorization: Bearer abcdef0123456789.x", "Authorization: Bearer [token]"),
        ("jwt eyJhbGciOiJIUzI1.eyJzdWIiOiIx.SflKxwRJ refused", "jwt [jwt] refused"),
        ("refresh_token=8f14e45fceea167a5a36 expired", "refresh_token=[secret] expired"),
        ("password: 'two words' wrong", "password: [secret] wrong"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key [aws-key] used"),
        ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key=[secret]"),
        ("card 4111 1111 1111 1111 declined", "card [card] declined"),
        ("card 3782-822463-10005 declined", "card [card] declined"),
        ("from 198.51.100.23: refused", "from 198.51.100.0: refused"),
        ("ssn 078-05-1120 given", "ssn [ssn] given"),
    ],
)
def test_what_identifies_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 1234567812345678 shipped",
        "Chrome/91.0.4472.114 asked",
        "token bucket is empty",
        "trace 0af7651916cd43dd8448eb211c80319c took 12.5 ms",
        "2026-11-21T23:31:07.123Z reserved 12 of SKU-1234-56",
        "@retry gave up",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask_text(text) == text


def test_a_hash_is_the_same_for_the_same_salt_only() -> None:
    def hashed(salt: str) -> str:
        masking, _ = masking_from({"LOGLAKE_MASKING": "email=hash,client_ip=hash", "LOGLAKE_MASKING_SALT": salt})
        return masking.mask_text("mail a@example.com from 198.51.100.23")

    assert hashed("one") == hashed("one") != hashed("two")
    assert "a@example.com" not in hashed("one")
    assert "198.51.100" not in hashed("one")


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"LOGLAKE_MASKING": "email=of"}, "`email` must be off, mask, or hash with LOGLAKE_MASKING_SALT; got 'of'"),
        ({"LOGLAKE_MASKING": "email=hash"}, "`email` must be off, mask, or hash with LOGLAKE_MASKING_SALT; got 'hash'"),
    ],
)
def test_a_setting_that_is_not_understood_masks(environment: dict[str, str], complaint: str) -> None:
    masking, wrong = masking_from(environment)
    assert wrong.startswith(complaint)
    assert masking.mask_text("a@example.com") == "[email]"


def test_an_unknown_kind_is_named() -> None:
    assert masking_from({"LOGLAKE_MASKING": "phone=off"})[1].startswith("`phone` must be one of client_ip, user_id")


SECRETS: tuple[Callable[[random.Random], tuple[str, str]], ...] = (
    lambda r: _same(f"{_word(r)}.{_word(r)}+{r.randrange(99)}@mail.{_word(r)}.{r.choice(['com', 'co.uk', 'io'])}"),
    lambda r: _same("eyJ" + ".".join(_chars(r, n) for n in (20, 40, 43))),
    lambda r: _same(r.choice(["AKIA", "ASIA"]) + _chars(r, 16, string.ascii_uppercase + string.digits)),
    lambda r: _same(r.choice(["ghp_", "gho_", "npm_", "sk_live_", "rk_test_", "glpat-", "xoxb-"]) + _chars(r, 24)),
    lambda r: _same("AIza" + _chars(r, 35)),
    lambda r: _same(_card(r)),
    lambda r: _same(f"{r.randrange(100, 900):03}-{r.randrange(1, 99):02}-{r.randrange(1, 9999):04}"),
    lambda r: _same(".".join(str(r.randrange(1, 255)) for _ in range(4))),
    lambda r: _behind(r.choice(["Bearer ", "bearer ", "Basic "]), _chars(r, 32)),
    lambda r: _behind(r.choice(["password=", "passwd: ", "PWD=", "client_secret=", "api-key: "]), _chars(r, 12)),
    lambda r: _behind(
        r.choice(["?access_token=", "&refresh_token=", 'x-api-key":"', "AWS_SECRET_ACCESS_KEY="]), _chars(r, 40)
    ),
    lambda r: _behind(f"postgres://{_word(r)}:", _chars(r, 14), "@db.internal:5432/app"),
)


def _same(secret: str) -> tuple[str, str]:
    return secret, secret


def _behind(before: str, secret: str, after: str = "") -> tuple[str, str]:
    return secret, before + secret + after


def _chars(source: random.Random, count: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(source.choice(letters) for _ in range(count))


def _word(source: random.Random) -> str:
    return _chars(source, source.randrange(3, 9), string.ascii_lowercase)


def _card(source: random.Random) -> str:
    body = source.choice(["4", "51", "37", "6011"]) + _chars(source, 11, string.digits)
    total = sum(int(d) if n % 2 else int(d) * 2 - 9 * (int(d) > 4) for n, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    mark = source.choice(["", " ", "-"])
    return mark.join(number[place : place + 4] for place in range(0, len(number), 4))


def test_every_one_of_a_thousand_seeded_secrets_is_masked() -> None:
    source = random.Random(2026)
    frames = ["{}", "refused {} for u-12", "caught ({}), retrying", "context: {}", 'body {{"v":"{}"}} rejected']
    seeded = [
        (secret, source.choice(frames).format(text))
        for secret, text in (SECRETS[place % len(SECRETS)](source) for place in range(1000))
    ]
    found = suspicions([text for _, text in seeded])
    masked = [Masking().mask_text(text, found.get(place, ())) for place, (_, text) in enumerate(seeded)]
    assert [(text, after) for (secret, text), after in zip(seeded, masked, strict=True) if secret in after] == []


def test_guarding_a_batch_masks_what_masking_each_text_would() -> None:
    source = random.Random(7)
    texts = [SECRETS[place % len(SECRETS)](source)[1] for place in range(300)] + ["İ", "plain", ""]
    for batch in (texts[:-3], texts, [*texts[:-3], "٣٣٣"]):
        found = suspicions(batch)
        assert [Masking().mask_text(text, found.get(place, ())) for place, text in enumerate(batch)] == [
            Masking().mask_text(text) for text in batch
        ]


HARMLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.{1}.{2} Safari/537.36",
    "GET /items/SKU-{1}?page={0} {1} in {2} ms, trace 0af7651916cd43dd8448eb211c8{1}9c",
    "2026-11-{0}T23:31:07.{2}Z retry {0} of 5: connection reset by peer",
    "order {1}{2}17 shipped in {0} parcels, v{0}.{1}.{2}",
    "pool is {0} of {1}; the token bucket refills at {2} per second",
    "keyboard layout key {0} pressed, passage {1} open, basic plan {2}",
    "01a20073-0440-7d6e-8dcb-b343185a{1} took {0}.{2} s",
    "@retry gave up after {0} tries on shard-{1}-{2}",
)


def test_less_than_one_in_a_thousand_harmless_lines_is_touched() -> None:
    source = random.Random(11)
    lines = [
        HARMLESS[place % len(HARMLESS)].format(
            source.randrange(10, 99), source.randrange(1000, 9999), source.randrange(100, 999)
        )
        for place in range(4000)
    ]
    touched = [line for line in lines if Masking().mask_text(line) != line]
    assert len(touched) < 4, touched
