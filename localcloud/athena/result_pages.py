"""GetQueryResults: pages of a result object in S3."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from localcloud.athena.objects import split_uri
from localcloud.athena.purpose_steps import WRITES
from localcloud.athena.results import parse_csv
from localcloud.engine import ServiceError

PAGE_ROWS = 1000
RESULTS_KEPT = 4

Row = list[str | None]


class ResultPages:
    """Reads result objects back; the last few are remembered parsed, so that paging reads each once."""

    def __init__(self, s3: Callable[[], Any]) -> None:
        self._s3 = s3
        self._kept: OrderedDict[str, list[Row]] = OrderedDict()
        self._lock = threading.Lock()

    def exists(self, location: str) -> bool:
        """Tell whether a result object is still there."""
        bucket, key = split_uri(location)
        try:
            self._s3().head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    def page(self, document: dict[str, Any], token: str | None, limit: int | None) -> dict[str, Any]:
        """Return one page: the header is the first row of a SELECT's first page, an absent value is NULL."""
        execution = document["QueryExecution"]
        if execution["SubstatementType"] in WRITES:
            described = {"Rows": [], "ResultSetMetadata": {"ColumnInfo": document["Columns"]}}
            return {"ResultSet": described, "UpdateCount": document["RowCount"]}
        rows = self._rows(execution["ResultConfiguration"]["OutputLocation"], execution["StatementType"] == "DML")
        start, size = _number(token or "0", "NextToken"), int(limit or PAGE_ROWS)
        if not 1 <= size <= PAGE_ROWS:
            raise ServiceError(
                "InvalidRequestException", f"MaxResults is more than maximum allowed length {PAGE_ROWS}."
            )
        shown = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in rows[start : start + size]
        ]
        columns = document["Columns"]
        answer: dict[str, Any] = {
            "ResultSet": {"Rows": shown, "ResultSetMetadata": {"ColumnInfo": columns}},
            "UpdateCount": 0,
        }
        if start + size < len(rows):
            answer["NextToken"] = str(start + size)
        return answer

    def _rows(self, location: str, quoted: bool) -> list[Row]:
        with self._lock:
            if location in self._kept:
                self._kept.move_to_end(location)
                return self._kept[location]
        bucket, key = split_uri(location)
        try:
            text = self._s3().get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except ClientError as error:
            raise ServiceError("InvalidRequestException", f"Could not find results: {error}") from None
        rows: list[Row] = list(parse_csv(text)) if quoted else [[*line.split("\t")] for line in text.split("\n")[:-1]]
        with self._lock:
            self._kept[location] = rows
            while len(self._kept) > RESULTS_KEPT:
                self._kept.popitem(last=False)
        return rows


def _number(text: str, what: str) -> int:
    if not text.isdigit():
        raise ServiceError("InvalidRequestException", f"{what} must be one that this operation gave; got {text!r}")
    return int(text)
