"""Partition projection of every kind: a projected table answers as one that holds the same rows unpartitioned."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.localcloud.athena.conftest import JSON_SERDE, table_input

pytestmark = pytest.mark.local

SERVICES, MONTHS, DAYS, TENANTS = ("a", "b"), (1, 3), ("2026-11-19", "2026-11-21"), ("t1", "t2")
PROJECTION = {
    "projection.enabled": "true",
    "projection.tenant.type": "injected",
    "projection.service.type": "enum",
    "projection.service.values": "a,b,c",
    "projection.month.type": "integer",
    "projection.month.range": "1,12",
    "projection.month.digits": "2",
    "projection.dt.type": "date",
    "projection.dt.range": "2026-11-18,2026-11-22",
    "projection.dt.format": "yyyy-MM-dd",
    "storage.location.template": "s3://lake/projected/${tenant}/${service}/m${month}/${dt}/",
}
KEYS = {"tenant": "string", "service": "string", "month": "int", "dt": "string"}


@pytest.fixture(scope="module")
def tables(lake):
    rows = []
    for tenant, service, month, day in itertools.product(TENANTS, SERVICES, MONTHS, DAYS):
        rows.append({"x": len(rows), "tenant": tenant, "service": service, "month": month, "dt": day})
        key = f"projected/{tenant}/{service}/m{month:02}/{day}/a.json"
        lake.s3.put_object(Bucket="lake", Key=key, Body=json.dumps({"x": len(rows) - 1}).encode() + b"\n")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    lake.s3.put_object(Bucket="lake", Key="unprojected/a.json", Body=lines.encode())
    projected = table_input("projected", "s3://lake/projected/", {"x": "int"}, KEYS, JSON_SERDE)
    flat = table_input("unprojected", "s3://lake/unprojected/", {"x": "int", **KEYS}, {}, JSON_SERDE)
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput={**projected, "Parameters": PROJECTION})
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput=flat)
    return lake


condition = st.sampled_from(
    [
        "service = 'b'", "service IN ('a', 'c')", "month = 3", "month BETWEEN 2 AND 12", "month < 3 OR x > 9",
        "x % 2 = 0",
        "dt >= '2026-11-20'", "dt = '2026-11-19' AND service <> 'a'", "date(dt) > DATE '2026-11-19'", "month IS NULL",
        "NOT (service = 'a' AND month = 1)", "substr(dt, 9) = '21'",
    ]
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TENANTS), condition, condition, st.booleans())
def test_a_projected_table_answers_as_an_unprojected_one(tables, tenant, first, second, nested):
    table = "(SELECT * FROM {} WHERE tenant IN ('t1', 't2'))" if nested else "{}"
    sql = (
        f"SELECT x, tenant, service, month, dt FROM {table} AS t WHERE tenant = '{tenant}' AND ({first}) AND ({second})"
    )
    answers = [tables.rows(f"{sql.format(name)} ORDER BY x") for name in ("projected", "unprojected")]
    assert answers[0] == answers[1]


def test_projection_reads_only_what_the_query_asks_for(tables):
    def scanned(where):
        execution = tables.run(f"SELECT COUNT(*) FROM projected WHERE {where}")
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution["Statistics"]["DataScannedInBytes"]

    everything = scanned("tenant IN ('t1', 't2')")
    assert scanned("tenant = 't1'") < everything
    assert 0 < scanned("tenant = 't1' AND service = 'a' AND month = 1 AND dt = '2026-11-19'") < everything / 8
    assert scanned("tenant = 't1' AND service = 'nobody'") == 0


def test_an_injected_column_without_a_value_fails_the_query(tables):
    failure = tables.failure("SELECT COUNT(*) FROM projected WHERE service = 'a'")
    assert failure.startswith("CONSTRAINT_VIOLATION: ") and "tenant" in failure
