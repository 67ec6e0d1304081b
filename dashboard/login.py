"""Login: who may come in, and how a browser stays logged in.

Nobody needs to log in while the users file is empty and the dashboard listens on loopback; once there are users, all
must, on loopback too. A session is a signed cookie that names the user and the version of the user's entry, so a
changed password or a removal ends it at once.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diskcache import FanoutCache
from flask import Flask, Response, g, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from markupsafe import Markup

from dashboard import access, audit
from dashboard.access import Person
from dashboard.alb import HEADER, Alb
from dashboard.login_page import login_page
from dashboard.state import StateFile
from dashboard.users import User, Users, secret_key

SESSION_HOURS = 12
FAILURES, FAILURE_SECONDS = 10, 300.0
"""Wrong passwords for one name, or thrice as many from one address, after which both wait."""
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Gate:
    """How people come in: by the users file, or identified by a load balancer; `is_open` lets the machine's own in."""

    users: Users
    state: StateFile
    cache: FanoutCache
    secret: bytes
    is_secure: bool = False
    alb: Alb | None = None
    is_on_loopback: bool = False

    @property
    def is_open(self) -> bool:
        return self.is_on_loopback and self.alb is None and not self.users.all()


def open_gate(folder: Path, cache: FanoutCache, **facts: Any) -> Gate:
    """Return the gate of a state folder, which holds the users file and the session key."""
    return Gate(Users(folder / "users.json"), StateFile(folder), cache, secret_key(folder), **facts)


class Session(UserMixin):
    """A user as flask-login keeps it: name and version."""

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        return f"{self.user.version}:{self.user.name}"


def install(server: Flask, gate: Gate, prefix: str) -> None:
    """Let nobody past unidentified, but to the health checks, the login page and what it is painted with."""
    server.secret_key = gate.secret
    server.config.update(
        SESSION_COOKIE_NAME="__Host-loglake" if gate.is_secure and prefix == "/" else "loglake_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=gate.is_secure,
        SESSION_COOKIE_PATH=prefix,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
    )
    manager = LoginManager(server)
    manager.session_protection = "basic"

    @manager.user_loader
    def load(identity: str) -> Session | None:
        version, _, name = identity.partition(":")
        user = gate.users.all().get(name)
        return Session(user) if user and user.password_hash and hmac.compare_digest(user.version, version) else None

    _guard(server, gate, prefix)
    _add_routes(server, gate, prefix)


def _guard(server: Flask, gate: Gate, prefix: str) -> None:
    public = {f"{prefix}{name}" for name in ("healthz", "readyz", "login", "_favicon.ico")}

    @server.before_request
    def identify() -> Any:
        if request.path in public or request.path.startswith(f"{prefix}assets/"):
            return None
        person = _person(gate)
        if person is None and gate.alb:
            return "the load balancer did not say who you are, or you were not given a role", 403
        if person is None and request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return redirect(f"{url_for('login')}?next={quote(request.full_path.rstrip('?'))}")
        if person is None:
            return "log in first", 401
        g.person = person
        return None


def _person(gate: Gate) -> Person | None:
    if gate.is_open:
        return access.LOCAL if request.host.rsplit(":", 1)[0] in LOOPBACK_NAMES else None
    if gate.alb:
        user = gate.users.all().get(gate.alb.person_name(request.headers.get(HEADER, "")) or "")
    else:
        user = current_user.user if current_user.is_authenticated else None
    return Person(user.name, user.role, user.services) if user else None


def _add_routes(server: Flask, gate: Gate, prefix: str) -> None:
    @server.route(f"{prefix}login", methods=["GET", "POST"])
    def login() -> Any:
        """Show the form, or take a name and a password."""
        target = safe_target(request.values.get("next", ""), prefix)
        if gate.is_open or gate.alb:
            return redirect(target)
        problem, status = _attempt(gate) if request.method == "POST" else ("", 200)
        if request.method == "POST" and not problem:
            return redirect(target)
        token = session.setdefault("csrf", secrets.token_urlsafe(24))
        return Response(login_page(prefix, token, target, Markup.escape(problem)), status, mimetype="text/html")

    @server.post(f"{prefix}logout")
    def logout() -> Any:
        """End the session."""
        audit.record(gate.state, access.current().name, "logout", request.remote_addr or "")
        logout_user()
        session.clear()
        return redirect(url_for("login"))


def _attempt(gate: Gate) -> tuple[str, int]:
    """Log in by the posted form; return what is wrong with it, nothing when it went well."""
    if not hmac.compare_digest(session.get("csrf", ""), request.form.get("csrf", "-")):
        return "The form had expired; try again.", 400
    name, password = request.form.get("name", "")[:100], request.form.get("password", "")[:1000]
    places = ((f"failures:name:{name}", FAILURES), (f"failures:address:{request.remote_addr}", 3 * FAILURES))
    if any(gate.cache.get(place, 0, retry=True) >= most for place, most in places):
        return "Too many wrong passwords; try again in five minutes.", 429
    user = gate.users.check(name, password)
    if user is None:
        for place, _ in places:
            count = gate.cache.get(place, 0, retry=True) + 1
            gate.cache.set(place, count, expire=FAILURE_SECONDS, retry=True)
        audit.record(gate.state, name, "login refused", request.remote_addr or "")
        return "This name and password do not belong together.", 401
    session.clear()  # a new session: what was in the one before the login is not carried over
    session.permanent = True
    login_user(Session(user))
    audit.record(gate.state, name, "login", request.remote_addr or "")
    return "", 302


def safe_target(target: str, prefix: str) -> str:
    """Return where to go after the login: a path of ours, never another site."""
    is_ours = target.startswith(prefix) and not target.startswith("//") and "\\" not in target
    return target if is_ours and not target.startswith(f"{prefix}login") else prefix
