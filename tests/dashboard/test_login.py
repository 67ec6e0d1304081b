import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from catalog.errors import UsageError
from dashboard import audit
from dashboard.alb import HEADER, Alb
from dashboard.app import create_app
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.login import Gate, open_gate, safe_target
from dashboard.server import check_address
from dashboard.users import Users

PASSWORD = "correct horse battery"
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/loglake/1"
KID = "11111111-2222-3333-4444-555555555555"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return open_gate(tmp_path / "state", open_cache(str(tmp_path / "login-cache")), is_on_loopback=True)


@pytest.fixture
def client(lake: Lake, gate: Gate) -> Iterator[FlaskClient]:
    with create_app(lake, gate).server.test_client() as client:
        yield client


def _log_in(client: FlaskClient, name: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    form = client.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token
    return client.post("/login", data={"csrf": token[1], "name": name, "password": password, **more})


def test_on_loopback_nobody_logs_in_until_there_is_a_user(client: FlaskClient, gate: Gate) -> None:
    assert client.get("/_dash-layout").status_code == 200
    gate.users.add("ada", "admin", (), PASSWORD)
    assert client.get("/_dash-layout").status_code == 401
    assert client.get("/explore?q=x", headers=PAGE).headers["Location"] == "/login?next=/explore%3Fq%3Dx"
    assert client.get("/healthz").status_code == 200


def test_an_open_dashboard_answers_to_no_other_name_than_loopbacks(client: FlaskClient) -> None:
    assert client.get("/_dash-layout", headers={"Host": "evil.example:8050"}).status_code == 401


def test_off_loopback_nothing_is_open_even_without_users(lake: Lake, tmp_path: Path) -> None:
    gate = open_gate(tmp_path / "state", open_cache(str(tmp_path / "login-cache")))
    assert create_app(lake, gate).server.test_client().get("/_dash-layout").status_code == 401


def test_session_cookie_is_httponly_lax_and_secure_when_encrypted(lake: Lake, tmp_path: Path) -> None:
    gate = open_gate(tmp_path / "state", open_cache(str(tmp_path / "login-cache")), is_secure=True)
    gate.users.add("ada", "admin", (), PASSWORD)
    client = create_app(lake, gate).server.test_client()
    cookie = client.get("/login", base_url="https://logs.example.com").headers["Set-Cookie"]
    assert cookie.startswith("__Host-loglake=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_login_leads_on_and_a_changed_password_or_a_removal_ends_the_session(client: FlaskClient, gate: Gate) -> None:
    gate.users.add("ada", "viewer", (), PASSWORD)
    assert _log_in(client, next="/services?from=now-6h&to=now").headers["Location"] == "/services?from=now-6h&to=now"
    assert client.get("/_dash-layout").status_code == 200
    gate.users.set_password("ada", PASSWORD + "!")
    assert client.get("/_dash-layout").status_code == 401
    _log_in(client, password=PASSWORD + "!")
    assert client.get("/_dash-layout").status_code == 200
    gate.users.add("max", "viewer", (), PASSWORD)
    gate.users.remove("ada")
    assert client.get("/_dash-layout").status_code == 401


def test_logout_ends_the_session(client: FlaskClient, gate: Gate) -> None:
    gate.users.add("ada", "viewer", (), PASSWORD)
    _log_in(client)
    client.post("/logout")
    assert client.get("/_dash-layout").status_code == 401


def test_wrong_passwords_are_refused_counted_and_written_down(client: FlaskClient, gate: Gate) -> None:
    gate.users.add("ada", "viewer", (), PASSWORD)
    assert [_log_in(client, password="wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    assert _log_in(client).status_code == 429
    assert audit.latest(gate.state)[0]["action"] == "login refused"


def test_login_form_of_another_session_or_site_is_refused(client: FlaskClient, gate: Gate) -> None:
    gate.users.add("ada", "viewer", (), PASSWORD)
    assert client.post("/login", data={"csrf": "-", "name": "ada", "password": PASSWORD}).status_code == 400
    _log_in(client)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/_dash-update-component", headers=headers, json={}).status_code == 403


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/login?next=/x"])
def test_login_leads_to_no_other_site(target: str) -> None:
    assert safe_target(target, "/") == "/"


def test_downloads_need_the_role_and_hold_no_other_service(client: FlaskClient, gate: Gate, lake: Lake) -> None:
    gate.users.add("ada", "viewer", (), PASSWORD)
    gate.users.add("eve", "exporter", ("payment",), PASSWORD)
    _log_in(client)
    refused = client.get("/export/events.csv?level=ERROR")
    assert (refused.status_code, refused.get_data(as_text=True)) == (
        403,
        "downloading rows needs the role exporter; 'ada' is viewer",
    )
    _log_in(client, "eve")
    from dashboard.view import View

    token = lake.scoped(("payment",)).load(View(), ("counts", "latency"), "test", wait=30).token
    text = client.get(f"/export/events.csv?level=ERROR&token={token}").get_data(as_text=True)
    assert text.startswith('"timestamp","level","service"')
    assert set(re.findall(r'"ERROR","([^"]+)"', text)) == {"payment"}
    others = lake.load(View(), ("counts", "latency"), "test", wait=30).token
    answer = client.get(f"/export/events.csv?level=ERROR&token={others}")
    assert (answer.status_code, "loaded for other services" in answer.get_data(as_text=True)) == (502, True)


def test_two_scopes_never_share_an_answer(lake: Lake) -> None:
    from dashboard.view import View

    seen = {}
    for services in ((), ("payment",), ("inventory", "payment")):
        mine = lake.scoped(services)
        loaded = mine.load(View(), ("counts", "latency"), "test", wait=30)
        seen[services] = set(mine.cube(loaded.token).services)
    assert seen[("payment",)] == {"payment"}
    assert seen[("inventory", "payment")] == {"inventory", "payment"}
    assert len(seen[()]) == 6
    window = lake.cube(lake.load(View(), ("counts", "latency"), "test", wait=30).token).window
    rows = lake.scoped(("payment",)).page(View(services=("inventory",)), window, ["inventory"], 0, "test", "")
    assert rows == []


def test_load_balancers_header_says_who_someone_is_and_no_other_does(lake: Lake, tmp_path: Path) -> None:
    mine, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    public = mine.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    gate = open_gate(tmp_path / "state", open_cache(str(tmp_path / "c")), alb=Alb(ARN, lambda kid: public))
    gate.users.add("ada@example.com", "admin", (), None)
    client = create_app(lake, gate).server.test_client()

    def status(key: Any = mine, signer: str = ARN, email: str = "ada@example.com", minutes: int = 5) -> int:
        claims = {"email": email, "exp": datetime.now(UTC) + timedelta(minutes=minutes)}
        header = jwt.encode(claims, key, "ES256", headers={"kid": KID, "signer": signer})
        return client.get("/_dash-layout", headers={HEADER: header}).status_code

    assert status() == 200
    assert status(key=other) == status(signer=ARN + "2") == status(email="eve@example.com") == status(minutes=-5) == 403
    unsigned = jwt.encode({"email": "ada@example.com"}, "", "none", headers={"kid": KID, "signer": ARN})
    assert client.get("/_dash-layout", headers={HEADER: unsigned}).status_code == 403
    assert client.get("/_dash-layout").status_code == 403


def test_users_file_is_its_owners_alone_and_holds_no_password(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ada", "admin", ("b", "a", "b"), PASSWORD)
    assert users.path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in users.path.read_text()
    assert Users(users.path).check("ada", PASSWORD) == users.get("ada")
    assert users.check("ada", "wrong") is users.check("nobody", PASSWORD) is None
    assert users.get("ada").services == ("a", "b")


@pytest.mark.parametrize(
    ("name", "role", "password", "words"),
    [
        ("ada", "admin", PASSWORD, "a user must be new; got 'ada'"),
        ("a b", "admin", PASSWORD, "a user name must be letters, digits"),
        ("max", "king", PASSWORD, "a role must be one of viewer, exporter, admin; got 'king'"),
        ("max", "viewer", "short", "a password must have at least 10 characters; got 5"),
    ],
)
def test_a_user_that_will_not_do_is_refused(tmp_path: Path, name: str, role: str, password: str, words: str) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ada", "admin", (), PASSWORD)
    with pytest.raises(UsageError, match=words):
        users.add(name, role, (), password)


def test_another_address_needs_people_who_log_in_and_an_encrypted_connection() -> None:
    with pytest.raises(UsageError, match="while nobody can log in"):
        check_address("0.0.0.0", 0)
    with pytest.raises(UsageError, match="must be served encrypted"):
        check_address("0.0.0.0", 0, is_guarded=True)
    check_address("127.0.0.1", 0)
