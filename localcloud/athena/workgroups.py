"""What a query's workgroup says: where results go, how much may be scanned, whether the caller may choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localcloud.athena.glue_tables import Memory
from localcloud.engine import ServiceError

OUTPUT_MISSING = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)


@dataclass(frozen=True, slots=True)
class WorkGroup:
    """The settings of one workgroup that bear on a query."""

    name: str
    output_location: str | None
    enforced: bool
    cutoff_bytes: int | None

    def folder(self, requested: str | None) -> str:
        """Return where results go, ending in a slash; an enforcing workgroup ignores what the caller requested."""
        chosen = self.output_location if self.enforced and self.output_location else requested or self.output_location
        if not chosen:
            raise ServiceError("InvalidRequestException", OUTPUT_MISSING)
        if not chosen.startswith("s3://") or len(chosen) < 6:
            raise ServiceError("InvalidRequestException", "outputLocation is not a valid S3 path.")
        return chosen.rstrip("/") + "/"


class WorkGroups:
    """Reads workgroups through the Athena API, each remembered for a moment."""

    def __init__(self, athena: Callable[[], Any], memory: Memory) -> None:
        self._athena = athena
        self._memory = memory

    def get(self, name: str) -> WorkGroup:
        """Return a workgroup; raise Athena's error when there is none so called or it is disabled."""
        return self._memory.get(("workgroup", name), lambda: self._read(name))

    def prepared(self, name: str, group: str) -> str:
        """Return the SQL of a workgroup's prepared statement; raise Athena's error when there is none so called."""
        try:
            answer = self._athena().get_prepared_statement(StatementName=name, WorkGroup=group)
        except ClientError:
            raise ServiceError(
                "InvalidRequestException", f"PreparedStatement {name} was not found in workGroup {group}"
            ) from None
        return str(answer["PreparedStatement"]["QueryStatement"])

    def _read(self, name: str) -> WorkGroup:
        try:
            found: Mapping[str, Any] = self._athena().get_work_group(WorkGroup=name)["WorkGroup"]
        except ClientError:
            raise ServiceError("InvalidRequestException", f"WorkGroup {name} is not found.") from None
        if found.get("State") == "DISABLED":
            raise ServiceError("InvalidRequestException", f"WorkGroup {name} is disabled.")
        configuration = found.get("Configuration") or {}
        location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        cutoff = configuration.get("BytesScannedCutoffPerQuery")
        enforced = configuration.get("EnforceWorkGroupConfiguration", False)
        return WorkGroup(name, location, enforced in (True, "true"), int(cutoff) if cutoff else None)
