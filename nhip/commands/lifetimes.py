"""How long tokens are good, as options of their commands."""

from datetime import timedelta
from typing import Annotated

import typer

from contract.duration import seconds_of

__all__ = ["Expires", "Keep", "lifetime"]

Expires = Annotated[
    str | None, typer.Option("--expires", metavar="DURATION", help="How long it is good, e.g. 90d; else for ever.")
]
Keep = Annotated[str, typer.Option(metavar="DURATION", help="How long the old one stays good, e.g. 1d or 0s.")]


def lifetime(text: str, option: str) -> timedelta:
    """Return the duration that an option gives. Raises typer.BadParameter."""
    try:
        return timedelta(seconds=seconds_of(text))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
