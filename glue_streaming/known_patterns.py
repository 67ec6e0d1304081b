"""The templates that batches have learned, kept in the lake: `manifests/patterns/batch-<batch id>.json`.

A batch learns from the templates of those before it and from its own events, so a batch that is replayed learns the
same again.
"""

import re
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_streaming.storage import Storage
from glue_streaming.templates import Templates

FOLDER = "manifests/patterns/"
MAX_TEXTS = 5000
"""Patterns of one batch that are looked at, the commonest."""
_NAME = re.compile(rf"{FOLDER}batch-(\d+)\.json")
_MAPPING = "pattern string, template string"


@dataclass(frozen=True, slots=True)
class KnownPatterns:
    """What is known of patterns in one lake."""

    spark: SparkSession
    storage: Storage

    def learn(self, batch_id: int, events: DataFrame) -> DataFrame:
        """Return `events` with their patterns as general as is known after this batch; note what was learned."""
        earlier = {number: key for number, key in self._keys().items() if number < batch_id}
        newest = max(earlier, default=-1)
        known = self._load(earlier.get(newest))
        texts = commonest(events)
        learned = known.learned(texts)
        if learned != known:
            self.storage.write_json(f"{FOLDER}batch-{batch_id:08d}.json", learned.to_json())
        stale = [key for number, key in earlier.items() if number != newest]
        if stale:
            self.storage.delete(stale)
        return self._mapped(events, texts, learned)

    def apply(self, events: DataFrame) -> DataFrame:
        """Return `events` with their patterns as general as is known now."""
        keys = self._keys()
        known = self._load(keys.get(max(keys, default=-1)))
        return self._mapped(events, commonest(events), known)

    def _keys(self) -> dict[int, str]:
        found = [(_NAME.fullmatch(key), key) for key in self.storage.list_sizes(FOLDER)]
        return {int(match[1]): key for match, key in found if match}

    def _load(self, key: str | None) -> Templates:
        document = self.storage.read_json(key) if key else None
        return Templates.from_json(document) if document else Templates()

    def _mapped(self, events: DataFrame, texts: list[str], known: Templates) -> DataFrame:
        pairs = [(text, known.template(text)) for text in texts]
        changed = [pair for pair in pairs if pair[0] != pair[1]]
        if not changed:
            return events
        mapping = F.broadcast(self.spark.createDataFrame(changed, _MAPPING))
        mapped = events.join(mapping, "pattern", "left").withColumn("pattern", F.coalesce("template", "pattern"))
        return mapped.drop("template")


def commonest(events: DataFrame) -> list[str]:
    """Return the commonest patterns of `events`, at most `MAX_TEXTS`."""
    counted = events.where("pattern IS NOT NULL").groupBy("pattern").count()
    return [row.pattern for row in counted.orderBy(F.desc("count"), "pattern").limit(MAX_TEXTS).collect()]
