"""A process to be killed: a delivery stream whose bucket is a folder, and a writer that says what was acknowledged.

`python -m tests.localcloud.delivery.writer FOLDER FIRST`; a negative FIRST writes nothing and only delivers.
"""

import itertools
import shutil
import sys
import time
from pathlib import Path

from localcloud.delivery.stream import DeliveryStream
from tests.localcloud.delivery.streams import Bucket
from tests.localcloud.delivery.test_stream import by_letter, records, stream_of


class FolderBucket(Bucket):
    """A bucket that outlives its process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(by_letter)
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def put_object(self, bucket: str, key: str, body: Path) -> None:
        scratch = self._folder.parent / "uploading"
        shutil.copyfile(body, scratch)
        scratch.replace(self._folder / key.replace("/", "_"))


def main() -> None:
    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    stream: DeliveryStream = stream_of(folder / "stream", FolderBucket(folder / "bucket"), seconds=0.03)
    print("started", flush=True)
    while first < 0:
        time.sleep(1)
    for start in itertools.count(first, 50):
        names = [f"{'abc'[number % 3]}{number:012d}" for number in range(start, start + 50)]
        stream.put(records(*(name.encode() for name in names)))
        print("\n".join(names), flush=True)


if __name__ == "__main__":
    main()
