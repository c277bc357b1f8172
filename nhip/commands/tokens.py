"""What the commands of all tokens share: units and durations as options, ``rotate`` and ``revoke``."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from contract.duration import seconds_of
from nhip.audit import note
from nhip.console import OUT, say
from nhip.settings import Settings, load_tree
from producers.tokens import AccessError, TokenStore

__all__ = ["Expires", "add_rotate_and_revoke", "check_units", "lifetime"]

Expires = Annotated[
    str | None, typer.Option("--expires", metavar="DURATION", help="How long it is good, e.g. 90d; else for ever.")
]
Keep = Annotated[str, typer.Option(metavar="DURATION", help="How long the old one stays good, e.g. 1d or 0s.")]
Name = Annotated[str, typer.Option(help="Name of the token, as `list` shows it.")]


def lifetime(text: str, option: str) -> timedelta:
    """Return the duration that an option gives. Raises typer.BadParameter."""
    try:
        return timedelta(seconds=seconds_of(text))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def check_units(settings: Settings, units: Sequence[str]) -> None:
    """Raise AccessError for a unit that is not in the table."""
    tree = load_tree(settings)
    for code in units:
        if not tree.known(code):
            raise AccessError(f"unit {code!r} is not in the table of units: check its code")


def add_rotate_and_revoke(app: typer.Typer, what: str, store: Callable[[Settings], TokenStore[Any]]) -> None:
    """Add both commands; ``what`` names the tokens in the audit, such as "wall token"."""

    @app.command()
    def rotate(context: typer.Context, name: Name, expires: Expires = None, keep: Keep = "1d") -> None:
        """Print a new token with the rights of an old one, which stays good for a while as NAME.old."""
        ends = lifetime(expires, "--expires") if expires else None
        secret = store(context.obj).rotate(name, datetime.now(UTC), lifetime(keep, "--keep"), ends)
        OUT.print(secret, highlight=False, soft_wrap=True)
        note(context.obj, f"{what} rotated", name, f"old one good for {keep}, new one for {expires or 'ever'}")

    @app.command()
    def revoke(context: typer.Context, name: Name) -> None:
        """Revoke a token: whoever comes with it is refused within seconds."""
        store(context.obj).revoke(name)
        note(context.obj, f"{what} revoked", name)
        say(f"{name} revoked")
