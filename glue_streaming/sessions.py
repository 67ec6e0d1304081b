"""The Spark session that a run works in: one of its own, with the settings this job needs."""

from pyspark.sql import SparkSession


def own_session(spark: SparkSession) -> SparkSession:
    """Return a session of the same Spark application; `spark` is left as it was."""
    session = spark.newSession()
    cores = spark.sparkContext.defaultParallelism
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "false",  # a batch's size is known beforehand; one job per action
        "spark.sql.files.openCostInBytes": 256 * 1024,  # small objects: few tasks of many objects
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": 20_000,  # groups of a task before it sorts instead
        "spark.sql.inMemoryColumnarStorage.compressed": "false",  # kept for one batch: packing costs more than it saves
        "spark.sql.execution.arrow.maxRecordsPerBatch": "1",  # workers are sent whole objects, one at a time
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": 4 * cores,  # not a task per object
    }
    for name, value in settings.items():
        session.conf.set(name, str(value))
    return session
