"""One sealed buffer as one object: where it goes, how it is compressed, and its put."""

import tempfile
from pathlib import Path

from localcloud.delivery.aws import Services
from localcloud.delivery.buffers import Buffer
from localcloud.delivery.compression import compress
from localcloud.delivery.configuration import Configuration
from localcloud.delivery.pipeline import SOURCE_BACKUP


def put(configuration: Configuration, buffer: Buffer, content: Path, scratch: Path, services: Services) -> None:
    """Put a sealed buffer under the key it has, compressed in the folder `scratch`; raises what the put raises.

    The same buffer makes the same object, so that putting it again after a kill replaces it.
    """
    name = buffer.key.rpartition("/")[2]
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".object") as target:
        compress(content, buffer.length, compression_of(configuration, buffer), target.file, name)
        target.flush()
        services.put_object(buffer.bucket, buffer.key, Path(target.name))


def bucket_of(configuration: Configuration, buffer: Buffer) -> str:
    """Return the bucket of a buffer: source records may have one of their own."""
    backup = configuration.backup if buffer.output_type == SOURCE_BACKUP else None
    return backup.bucket if backup else configuration.bucket


def compression_of(configuration: Configuration, buffer: Buffer) -> str:
    """Return how a buffer is compressed: error objects never are."""
    if buffer.output_type == SOURCE_BACKUP:
        return configuration.backup.compression if configuration.backup else "UNCOMPRESSED"
    return "UNCOMPRESSED" if buffer.output_type else configuration.compression
