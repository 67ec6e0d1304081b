"""What awswrangler does against an endpoint, as one JSON object; a program of its own, run by `test_clients.py`.

Its Python need not be the tests': awswrangler pins an older pyarrow. The endpoint comes by AWS_ENDPOINT_URL.
"""

import json

import awswrangler as wr
import pandas as pd

DATABASE = "app_logs_db"
QUERY = "SELECT service, level, COUNT(*) AS n FROM api_gateway GROUP BY service, level ORDER BY n DESC, level"


def read(**options):
    frame = wr.athena.read_sql_query(QUERY, DATABASE, workgroup="lake", **options)
    rows = frame.sort_values(["n", "level"], ascending=[False, True])
    return [[str(value) for value in row] for row in rows.itertuples(index=False)]


def write(mode, frame):
    return wr.s3.to_parquet(
        frame,
        path="s3://lake/wrangled/",
        dataset=True,
        database=DATABASE,
        table="wrangled",
        partition_cols=["day"],
        mode=mode,
    )["partitions_values"]


def main():
    first = pd.DataFrame({"id": [1, 2], "name": ["a", None], "day": ["20", "21"]})
    written = write("overwrite", first)
    write("append", pd.DataFrame({"id": [3], "name": ["c"], "day": ["21"]}))
    parameters = {"workgroup": "lake", "paramstyle": "qmark", "params": ["'ERROR'"], "ctas_approach": False}
    counted = wr.athena.read_sql_query("SELECT COUNT(*) AS n FROM api_gateway WHERE level = ?", DATABASE, **parameters)
    back = wr.athena.read_sql_query(
        "SELECT * FROM wrangled ORDER BY id", DATABASE, workgroup="lake", ctas_approach=False
    )
    answers = {
        "plain": read(ctas_approach=False),
        "ctas": read(ctas_approach=True),
        "unload": read(ctas_approach=False, unload_approach=True, s3_output="s3://results/wrangler/"),
        "parameters": int(counted["n"][0]),
        "tables": sorted(table["Name"] for table in wr.catalog.get_tables(database=DATABASE)),
        "types": wr.catalog.get_table_types(database=DATABASE, table="wrangled"),
        "partitions": sorted(wr.catalog.get_partitions(database=DATABASE, table="wrangled")),
        "exists": wr.catalog.does_table_exist(database=DATABASE, table="wrangled"),
        "written": sorted(written),
        "back": back.astype(object).where(back.notna(), None).values.tolist(),
        "databases": wr.catalog.databases()["Database"].tolist(),
    }
    wr.catalog.delete_table_if_exists(database=DATABASE, table="wrangled")
    answers["gone"] = not wr.catalog.does_table_exist(database=DATABASE, table="wrangled")
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
