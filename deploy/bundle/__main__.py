"""The command ``python -m deploy.bundle``: builds the archive in dist/."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.bundle.build import build
from deploy.bundle.lock import LockError
from deploy.bundle.sbom import SbomError
from deploy.bundle.wheels import WheelError
from nhip.console import bar, say
from nhip.local import LocalServiceError

EPOCH_S = 1_580_601_600
"""2 February 2020, which hatchling gives to all files of a wheel: the archive has one time too."""


def main(target: Annotated[Path, typer.Option(help="Folder for the archive.")] = Path("dist")) -> None:
    """Build the archive that installs nhip without a network."""
    try:
        build(target, int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH_S)), say, bar)
    except (LockError, WheelError, SbomError, LocalServiceError, OSError) as error:
        say(f"bundle: {error}")
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
