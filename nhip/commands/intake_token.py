"""Tokens for producers: ``intake-token create``, ``list``, ``rotate`` and ``revoke``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contract.registry import KINDS
from nhip.audit import note
from nhip.commands.tokens import Expires, add_rotate_and_revoke, check_units, lifetime
from nhip.console import OUT, print_json, say
from nhip.settings import Settings
from producers.intake import IntakeToken, IntakeTokenFile
from producers.intake.grants import Limits

__all__ = ["app"]

app = typer.Typer(
    help="Tokens with which producers send events over HTTP; each limited to sources, kinds and units.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Option(help="Whose token it is, e.g. the system that sends.")]


@app.command()
def create(
    context: typer.Context,
    name: Name,
    source: Annotated[
        list[str],
        typer.Option(help="Source that it may speak for, or a pattern such as 'onestop/*'; may be repeated."),
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this kind ({', '.join(k.key for k in KINDS)}); may be repeated. Else all."),
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Only this unit and those below; may be repeated. Else all.")
    ] = None,
    expires: Expires = None,
) -> None:
    """Create a token and print it: it is shown this once. It works at once, without a restart."""
    settings: Settings = context.obj
    check_units(settings, unit or ())
    now = datetime.now(UTC)
    limits = Limits(source, kind or (), unit or (), now + lifetime(expires, "--expires") if expires else None)
    secret = _file(settings).create(name, limits, now)
    OUT.print(secret, highlight=False, soft_wrap=True)
    note(settings, "intake token created", name, f"sources {', '.join(source)}, good for {expires or 'ever'}")
    say(f"send it as `Authorization: Bearer …` to /v1/events; its hash is in {_file(settings).path}")


@app.command(name="list")
def list_tokens(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """List the tokens by name with their limits, never themselves."""
    tokens = _file(context.obj).read()
    if json:
        print_json([_document(token) for token in tokens])
        return
    table = Table("name", "created", "sources", "kinds", "units", "expires")
    for token in tokens:
        table.add_row(
            token.name,
            f"{token.created:%Y-%m-%d %H:%M}",
            ", ".join(token.sources),
            ", ".join(token.kinds) or "all",
            ", ".join(token.units) or "all",
            "never" if token.expires is None else f"{token.expires:%Y-%m-%d %H:%M}",
        )
    OUT.print(table if tokens else "no intake tokens")


def _document(token: IntakeToken) -> dict[str, object]:
    return {
        "name": token.name,
        "created": token.created.isoformat(),
        "sources": list(token.sources),
        "kinds": list(token.kinds),
        "units": list(token.units),
        "expires": None if token.expires is None else token.expires.isoformat(),
    }


def _file(settings: Settings) -> IntakeTokenFile:
    return IntakeTokenFile(Path(settings.intake_tokens_file))


add_rotate_and_revoke(app, "intake token", _file)
