"""Tokens for walls: ``wall-token create``, ``list`` and ``revoke``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dashboards.access import AccessError, TokenFile
from nhip.console import OUT, print_json, say
from nhip.settings import Settings, load_tree

__all__ = ["app"]

app = typer.Typer(help="Read-only tokens for walls; each can be revoked, and limited to units.", no_args_is_help=True)

Name = Annotated[str, typer.Option(help="What the token is for, e.g. the place of the wall.")]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit and those below; may be repeated.")] = None,
) -> None:
    """Create a token and print it: it is shown this once. Restart `nhip serve` after the first one."""
    settings: Settings = context.obj
    tree = load_tree(settings)
    for code in unit or ():
        if not tree.known(code):
            raise AccessError(f"unit {code!r} is not in the table of units: check its code")
    secret = _file(settings).create(name, unit or (), datetime.now(UTC))
    OUT.print(secret, highlight=False, soft_wrap=True)
    say(f"open the wall with ?token=…, or send `Authorization: Bearer …`; its hash is in {_file(settings).path}")


@app.command(name="list")
def list_tokens(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """List the tokens by name, never themselves."""
    tokens = _file(context.obj).read()
    if json:
        print_json([{"name": t.name, "created": t.created.isoformat(), "units": list(t.units)} for t in tokens])
        return
    table = Table("name", "created", "units")
    for token in tokens:
        table.add_row(token.name, f"{token.created:%Y-%m-%d %H:%M}", ", ".join(token.units) or "all")
    OUT.print(table if tokens else "no wall tokens")


@app.command()
def revoke(context: typer.Context, name: Name) -> None:
    """Revoke a token: whoever looks with it is shut out within seconds."""
    _file(context.obj).revoke(name)
    say(f"{name} revoked")


def _file(settings: Settings) -> TokenFile:
    return TokenFile(Path(settings.wall_tokens_file))
