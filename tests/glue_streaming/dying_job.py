"""The job's own script, killed with SIGKILL just before a step of its work on the lake.

`python dying_job.py <step> <the job's arguments>`. A step is `<kind>:<number>`, the how many-th of its kind: `put` a
file, `register` partitions, `move` one, `delete` keys, write a `publishing`, `published`, `patterns`, `generation` or
`report` document; or `any:<number>`. With `none:0` it lives.
"""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from catalog.tables import Table
from glue_streaming import job, storage

_DOCUMENTS = {"manifests/patterns/": "patterns", "manifests/generations/": "generation", "manifests/reports/": "report"}


class DyingStorage(storage.Storage):
    """Dies with the whole process before the call whose turn it is."""

    turn = ("none", 0)
    _calls: ClassVar[Counter[str]] = Counter()
    _lock = threading.Lock()

    def _step(self, kind: str) -> None:
        with self._lock:
            for name in (kind, "any"):
                self._calls[name] += 1
                if (name, self._calls[name]) == self.turn:
                    os.kill(os.getpid(), signal.SIGKILL)

    def _put(self, folder: str, name: str, key: str) -> None:
        self._step("put")
        super()._put(folder, name, key)

    def delete(self, keys: Iterable[str]) -> None:
        doomed = list(keys)
        if doomed:
            self._step("delete")
        super().delete(doomed)

    def register(self, table: Table, partitions: Mapping[tuple[str, ...], str]) -> None:
        if partitions:
            self._step("register")
        super().register(table, partitions)

    def move(self, table: Table, values: tuple[str, ...], folder: str) -> None:
        self._step("move")
        super().move(table, values, folder)

    def write_json(self, key: str, document: Mapping[str, Any]) -> None:
        folder = key[: key.rindex("/") + 1]
        self._step(_DOCUMENTS.get(folder) or str(document.get("state", "epoch")))
        super().write_json(key, document)


def main(argv: Sequence[str]) -> None:
    kind, _, number = argv[0].partition(":")
    DyingStorage.turn = (kind, int(number))
    storage.Storage = DyingStorage  # type: ignore[misc]
    sys.argv = [sys.argv[0], *argv[1:]]
    job.main()


if __name__ == "__main__":
    main(sys.argv[1:])
