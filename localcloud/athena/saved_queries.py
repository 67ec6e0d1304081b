"""Operations on named queries and prepared statements that the emulator, which keeps both, lacks."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine import Operation, Parameters, ServiceError

ENGINE_VERSION = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


class SavedQueries:
    """UpdateNamedQuery, UpdatePreparedStatement, BatchGetPreparedStatement, ListEngineVersions."""

    def __init__(self, athena: Callable[[], Any]) -> None:
        self._athena = athena
        self.operations: Mapping[str, Operation] = {
            "UpdateNamedQuery": self.update_named_query,
            "UpdatePreparedStatement": self.update_prepared_statement,
            "BatchGetPreparedStatement": self.batch_get_prepared_statement,
            "ListEngineVersions": lambda _: {"EngineVersions": [ENGINE_VERSION]},
        }

    def update_named_query(self, request: Parameters) -> Parameters:
        """Change a query in ministack's own record, for its id must stay."""
        from ministack.services import athena

        found = athena._named_queries.get(request.get("NamedQueryId"))
        if found is None:
            raise ServiceError("InvalidRequestException", f"NamedQuery {request.get('NamedQueryId')} was not found")
        found.update({name: request[name] for name in ("Name", "Description", "QueryString") if name in request})
        return {}

    def update_prepared_statement(self, request: Parameters) -> Parameters:
        named = {
            "StatementName": request.get("StatementName") or "",
            "WorkGroup": request.get("WorkGroup") or "primary",
        }
        self._prepared(**named)
        self._athena().delete_prepared_statement(**named)
        kept = {name: request[name] for name in ("QueryStatement", "Description") if request.get(name)}
        self._athena().create_prepared_statement(**named, **kept)
        return {}

    def batch_get_prepared_statement(self, request: Parameters) -> Parameters:
        group = request.get("WorkGroup") or "primary"
        found, missing = [], []
        for name in request.get("PreparedStatementNames") or []:
            try:
                found.append(self._prepared(StatementName=name, WorkGroup=group))
            except ServiceError as error:
                missing.append(
                    {"StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": error.message}
                )
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def _prepared(self, **named: str) -> dict[str, Any]:
        try:
            found = dict(self._athena().get_prepared_statement(**named)["PreparedStatement"])
        except ClientError:
            name, group = named["StatementName"], named["WorkGroup"]
            raise ServiceError(
                "ResourceNotFoundException", f"PreparedStatement {name} was not found in workGroup {group}"
            ) from None
        found["LastModifiedTime"] = getattr(found.get("LastModifiedTime"), "timestamp", time.time)()
        return found
