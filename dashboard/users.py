"""The users file: who may log in, with which role, and which services they may see. Managed by `loglake users`.

One JSON object by user name. Passwords are kept as scrypt hashes with a salt each; a changed password, role or scope
gets a new `version`, which ends that user's sessions. An entry without a hash can't log in with a password: it gives
someone whom the load balancer has identified a role.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from catalog.errors import UsageError
from dashboard.state import make_folder

ROLES = ("viewer", "exporter", "admin")
"""Least allowed first: a viewer looks, an exporter also downloads, an admin also writes SQL and edits alert rules."""
MIN_PASSWORD_CHARS = 10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_COST = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class User:
    """One user; empty `services` means all of them."""

    name: str
    role: str
    services: tuple[str, ...] = ()
    salt: str = ""
    password_hash: str = ""
    version: str = ""


class Users:
    """The file itself, read anew whenever it changed; written whole, so that a reader never sees half of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_at: tuple[int, int] | None = None
        self._users: Mapping[str, User] = {}

    def all(self) -> Mapping[str, User]:
        """Return every user by name; none when there is no file."""
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        if self._read_at != (found.st_mtime_ns, found.st_size):
            self._users = self._read()
            self._read_at = (found.st_mtime_ns, found.st_size)
        return self._users

    def add(self, name: str, role: str, services: tuple[str, ...], password: str | None) -> None:
        """Add a user; raise `UsageError` for a name that is taken or a password that is too short."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"a user name must be letters, digits and ._@+-; got {name!r}")
        if role not in ROLES:
            raise UsageError(f"a role must be one of {', '.join(ROLES)}; got {role!r}")
        if name in self.all():
            raise UsageError(f"a user must be new; got {name!r}; change one with 'loglake users passwd {name}'")
        user = User(name, role, tuple(sorted(set(services))), version=secrets.token_hex(4))
        self._write({**self.all(), name: user if password is None else with_password(user, password)})

    def set_password(self, name: str, password: str) -> None:
        """Change a password, which ends the user's sessions."""
        self._write({**self.all(), name: with_password(self.get(name), password)})

    def remove(self, name: str) -> None:
        """Remove a user, which ends the user's sessions."""
        self.get(name)
        self._write({other: user for other, user in self.all().items() if other != name})

    def get(self, name: str) -> User:
        """Return a user; raise `UsageError` when there is none so named."""
        if name not in self.all():
            raise UsageError(f"no user is named {name!r}; 'loglake users list' shows who is")
        return self.all()[name]

    def check(self, name: str, password: str) -> User | None:
        """Return the user whose password this is, else None; an unknown name takes as long as a wrong password."""
        user = self.all().get(name) or User(name, "viewer", salt="00" * 16, password_hash="-")
        matches = hmac.compare_digest(_hashed(password, user.salt or "00" * 16), user.password_hash or "-")
        return user if matches else None

    def _read(self) -> Mapping[str, User]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return {
                name: User(name, **{**facts, "services": tuple(facts["services"])}) for name, facts in found.items()
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(f"{self.path} must be a users file; got {error}; mend it or remove it") from error

    def _write(self, users: Mapping[str, User]) -> None:
        facts = {name: {k: v for k, v in asdict(user).items() if k != "name"} for name, user in sorted(users.items())}
        make_folder(self.path.parent)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".users-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:  # made by mkstemp for its owner alone
            json.dump(facts, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(self.path)


def with_password(user: User, password: str) -> User:
    """Return the user with another password; raise `UsageError` when it is too short."""
    if len(password) < MIN_PASSWORD_CHARS:
        raise UsageError(f"a password must have at least {MIN_PASSWORD_CHARS} characters; got {len(password)}")
    salt = secrets.token_hex(16)
    return replace(user, salt=salt, password_hash=_hashed(password, salt), version=secrets.token_hex(4))


def secret_key(folder: Path) -> bytes:
    """Return the key that signs sessions, the same for every worker and after a restart; made on first need."""
    path = folder / "session-key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()


def _hashed(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), maxmem=64 * 2**20, **_COST).hex()
