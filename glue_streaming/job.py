"""The script that Glue runs: curate the raw objects that no run has curated before, compact, or reprocess.

It runs on any Spark 3.5 or 4 (Glue, EMR, a laptop). The packages `glue_streaming` and `catalog` must be importable by
the driver and by the workers: `--extra-py-files` on Glue, `--py-files` elsewhere.
"""

import json
import sys

from glue_streaming.arguments import parse
from glue_streaming.compaction import compact
from glue_streaming.reprocessing import reprocess
from glue_streaming.run import curate
from glue_streaming.storage import connect

WAYS = {"available-now": curate, "continuous": curate, "compact": compact, "reprocess": reprocess}


def main() -> None:
    """Run the job with the process's arguments and print its report as one JSON line; raise if the run failed."""
    from pyspark.sql import SparkSession

    arguments = parse(sys.argv[1:])
    spark = SparkSession.builder.getOrCreate()
    work = WAYS[arguments.task]
    report = work(spark, arguments, connect(arguments.lake_bucket, arguments.database))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
