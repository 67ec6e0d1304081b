"""What can go wrong, as a user sees it.

    LoglakeError           a run failed as explained; the command prints the text and exits 1
    ├── SettingsError      a setting is missing or unusable
    ├── SchemaError        an event does not follow the event schema
    ├── QueryError         Athena refused, failed or cancelled a query
    └── UsageError         the caller asked for something that does not exist; exits 2

A text says what must hold, for which name, `; got {value!r}`, then the command that mends it.
"""


class LoglakeError(Exception):
    """The base of every error that is expected and explained; never shown with a traceback."""

    exit_code = 1


class SettingsError(LoglakeError):
    """A setting is missing or unusable."""


class SchemaError(LoglakeError):
    """An event does not follow the event schema."""


class QueryError(LoglakeError):
    """Athena refused, failed or cancelled a query; the text carries the engine's own words."""


class UsageError(LoglakeError):
    """The caller asked for something that does not exist, or for two things that exclude each other."""

    exit_code = 2
