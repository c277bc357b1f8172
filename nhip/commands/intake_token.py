"""Tokens for producers: ``intake-token create``, ``list``, ``rotate`` and ``revoke``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from contract.registry import KINDS
from nhip.audit import note
from nhip.commands.lifetimes import Expires, Keep, lifetime
from nhip.console import OUT, print_json, say
from nhip.settings import Settings, load_tree
from producers.intake import IntakeToken, IntakeTokenFile
from producers.intake.grants import Limits
from producers.tokens import AccessError

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
    expires: Annotated[
        datetime | None,
        typer.Option(help="Refused from this moment on (UTC).", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    ] = None,
) -> None:
    """Create a token and print it: it is shown this once. It works at once, without a restart."""
    settings: Settings = context.obj
    tree = load_tree(settings)
    for code in unit or ():
        if not tree.known(code):
            raise AccessError(f"unit {code!r} is not in the table of units: check its code")
    until = None if expires is None else expires.replace(tzinfo=UTC)
    limits = Limits(source, kind or (), unit or (), until)
    secret = _file(settings).create(name, limits, datetime.now(UTC))
    OUT.print(secret, highlight=False, soft_wrap=True)
    note(settings, "intake token created", name, f"sources {', '.join(source)}, until {until or 'for ever'}")
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


@app.command()
def rotate(context: typer.Context, name: Name, expires: Expires = None, keep: Keep = "1d") -> None:
    """Print a new token with the rights of an old one, which stays good for a while as NAME.old."""
    ends = lifetime(expires, "--expires") if expires else None
    secret = _file(context.obj).rotate(name, datetime.now(UTC), lifetime(keep, "--keep"), ends)
    OUT.print(secret, highlight=False, soft_wrap=True)
    note(context.obj, "intake token rotated", name, f"old one good for {keep}, new one for {expires or 'ever'}")


@app.command()
def revoke(context: typer.Context, name: Name) -> None:
    """Revoke a token: whoever sends with it is refused within seconds."""
    _file(context.obj).revoke(name)
    note(context.obj, "intake token revoked", name)
    say(f"{name} revoked")


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
