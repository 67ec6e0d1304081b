"""Executions survive a restart; what a crash cut short has failed."""

import json

import boto3

from localcloud.athena.engine import AthenaEngine
from localcloud.athena.history import History
from localcloud.engine import Context


def document(identifier, state, submitted=1000.0):
    status = {"State": state, "SubmissionDateTime": submitted}
    statistics = {"DataScannedInBytes": 0}
    execution = {"QueryExecutionId": identifier, "Query": "SELECT 1", "WorkGroup": "w", "Status": status}
    return {"QueryExecution": execution | {"Statistics": statistics}, "Columns": [], "RowCount": 0}


def test_history_keeps_the_newest_state(tmp_path):
    history = History(tmp_path / "h.sqlite")
    history.save(document("a", "QUEUED"), token="t", reuse_key="k")
    history.save(document("a", "RUNNING"))
    history.close()
    again = History(tmp_path / "h.sqlite")
    assert again.get("a")["QueryExecution"]["Status"]["State"] == "RUNNING"
    assert again.by_token("t")["QueryExecution"]["QueryExecutionId"] == "a"
    assert again.get("b") is None


def test_history_lists_newest_first_by_workgroup(tmp_path):
    history = History(tmp_path / "h.sqlite")
    for index in range(5):
        history.save(document(str(index), "SUCCEEDED", 1000.0 + index))
    assert history.ids("w", 2, 0) == ["4", "3"]
    assert history.ids("w", 2, 4) == ["0"]
    assert history.ids("other", 2, 0) == []


def test_prune_forgets_executions_older_than_45_days(tmp_path):
    history = History(tmp_path / "h.sqlite")
    history.save(document("old", "SUCCEEDED", 1000.0))
    history.prune()
    assert history.get("old") is None


def test_a_query_that_a_crash_cut_short_is_failed_after_it(tmp_path):
    import time

    history = History(tmp_path / "athena" / "executions.sqlite")
    history.save(document("a", "RUNNING", time.time()))
    history.close()
    url = "http://127.0.0.1:9"
    client = boto3.Session("x", "x", region_name="us-east-1").client
    clients = {name: client(name, endpoint_url=url) for name in ("s3", "glue", "athena")}
    engine = AthenaEngine(Context(clients.__getitem__, clients.__getitem__, tmp_path, url))
    engine.start()
    answer = engine.operations["AmazonAthena.GetQueryExecution"]({"QueryExecutionId": "a"})
    engine.stop()
    assert answer["QueryExecution"]["Status"]["State"] == "FAILED"
    assert answer["QueryExecution"]["Status"]["AthenaError"]["ErrorCategory"] == 1
    assert json.dumps(answer)
