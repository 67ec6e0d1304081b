"""`python -m producer` is `loglake produce`."""

import sys

import click

from catalog.errors import LoglakeError
from producer.cli import produce

if __name__ == "__main__":
    try:
        sys.exit(produce.main(prog_name="producer", standalone_mode=False) or 0)
    except LoglakeError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
