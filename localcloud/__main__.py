"""`python -m localcloud`: the AWS endpoint of a laptop, in the foreground."""

import logging
import os
import sys
import tempfile
from pathlib import Path

import click

from catalog.errors import LoglakeError
from localcloud import emulator, snapshots
from localcloud.data_dir import DataDir

logger = logging.getLogger("localcloud")


@click.command()
@click.option("--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--data-dir", default=".loglake", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--job-interval",
    type=click.FloatRange(min=1),
    help="Fire scheduled triggers of Glue jobs every so many seconds, besides their cron.",
)
def main(port: int, data_dir: Path, job_interval: float | None) -> None:
    """Answer AWS requests on 127.0.0.1 until SIGTERM; all state is kept in the data directory."""
    from localcloud.endpoint import REGION, Endpoint, listen

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = DataDir(data_dir)
    folder.create()
    folder.lock()
    listener = listen(port)
    for name in snapshots.recover(folder.state):
        logger.warning("%s was torn; took its earlier generation", name)
    os.environ.update(emulator.environment(folder, listener.getsockname()[1], REGION))
    tempfile.tempdir = str(folder.tmp)
    Endpoint(folder, listener, job_interval).run()


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except LoglakeError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
