"""Tokens for walls: ``wall-token create``, ``list``, ``rotate`` and ``revoke``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dashboards.access import TokenFile
from nhip.audit import note
from nhip.commands.tokens import Expires, add_rotate_and_revoke, check_units, lifetime
from nhip.console import OUT, print_json, say
from nhip.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Read-only tokens for walls; each can be revoked, and limited to units.", no_args_is_help=True)

Name = Annotated[str, typer.Option(help="What the token is for, e.g. the place of the wall.")]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit and those below; may be repeated.")] = None,
    expires: Expires = None,
) -> None:
    """Create a token and print it: it is shown this once. Restart `nhip serve` after the first one."""
    settings: Settings = context.obj
    check_units(settings, unit or ())
    ends = lifetime(expires, "--expires") if expires else None
    secret = _file(settings).create(name, unit or (), datetime.now(UTC), ends)
    OUT.print(secret, highlight=False, soft_wrap=True)
    seen = ", ".join(unit or ()) or "all"
    note(settings, "wall token created", name, f"units {seen}, good for {expires or 'ever'}")
    say(f"open the wall with ?token=…, or send `Authorization: Bearer …`; its hash is in {_file(settings).path}")


@app.command(name="list")
def list_tokens(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """List the tokens by name, never themselves."""
    tokens = _file(context.obj).read()
    if json:
        print_json(
            [{"name": t.name, "created": t.created, "units": list(t.units), "expires": t.expires} for t in tokens]
        )
        return
    table = Table("name", "created", "units", "expires")
    for token in tokens:
        until = "never" if token.expires is None else f"{token.expires:%Y-%m-%d %H:%M}"
        table.add_row(token.name, f"{token.created:%Y-%m-%d %H:%M}", ", ".join(token.units) or "all", until)
    OUT.print(table if tokens else "no wall tokens")


def _file(settings: Settings) -> TokenFile:
    return TokenFile(Path(settings.wall_tokens_file))


add_rotate_and_revoke(app, "wall token", _file)
