import io
from typing import Any

from catalog.settings import Settings
from producer.lake import LakeReader

LONG = '{""message"":""' + "x" * 200_000 + '""}'
RESULTS = {"rejects": f'"raw_line"\n"{LONG}"\n"a, b"\n""\n', "logs": '"minute","service","events","ids"\n'}


class Athena:
    """Succeeds at once; a result is named after the table that was asked for."""

    def start_query_execution(self, QueryString: str, **_: Any) -> dict[str, str]:
        return {"QueryExecutionId": "rejects" if "FROM rejects" in QueryString else "logs"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        location = {"OutputLocation": f"s3://results/{QueryExecutionId}"}
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}, "ResultConfiguration": location}}


class S3:
    """Holds these results, and an empty raw bucket."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(RESULTS[Key].encode())}

    def get_paginator(self, operation: str) -> "S3":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{}]


def test_rejected_lines_are_read_however_long() -> None:
    names = ("RAW_BUCKET", "DATABASE", "WORK_GROUP")
    settings = Settings("loglake", {f"LOGLAKE_{name}": "x" for name in names})
    assert LakeReader(settings, S3(), Athena()).read().rejects == 3
