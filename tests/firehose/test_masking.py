import pytest

from firehose.masking import mask_text, truncate_ip


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
