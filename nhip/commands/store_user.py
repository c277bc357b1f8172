"""Accounts of the store for Grafana: ``store-user create``, ``list``, ``revoke``; ``sql`` for a server elsewhere."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nhip.audit import note
from nhip.commands.tokens import Expires, check_units, lifetime
from nhip.console import OUT, print_json, say
from nhip.local.users import READER, USERS_FILE, WRITER, StoreUsers
from nhip.settings import Settings, load_tree
from producers.tokens import AccessError, digest
from sinks.rights import Role, user_statements

__all__ = ["app"]

app = typer.Typer(
    help="Accounts of the store for Grafana, which may read figures, of all units or of some.", no_args_is_help=True
)

Name = Annotated[str, typer.Option(help="What Grafana's data source is called in the store, e.g. grafana_25195.")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="Only this unit and those below; may be repeated.")]
Data = Annotated[Path, typer.Option("--data", help="Folder of `nhip up`.")]


@app.command()
def create(
    context: typer.Context, name: Name, unit: Units = None, expires: Expires = None, data: Data = Path(".nhip")
) -> None:
    """Create an account of the store of `nhip up` and print its password: it is shown this once. It holds at once."""
    settings: Settings = context.obj
    ends = lifetime(expires, "--expires") if expires else None
    users = _users(data)
    secret = users.create(name, Role.GRAFANA, datetime.now(UTC), _with_below(settings, unit or ()), ends)
    OUT.print(secret, highlight=False, soft_wrap=True)
    note(
        settings,
        "store account created",
        name,
        f"units {', '.join(unit or ()) or 'all'}, good for {expires or 'ever'}",
    )
    say(f"user {name}; its hash is in {users.path}")


@app.command(name="list")
def list_users(
    data: Data = Path(".nhip"),
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
) -> None:
    """List the accounts of the store of `nhip up` by name, never their passwords."""
    users = _users(data).read()
    if json:
        print_json(
            [
                {"name": u.name, "role": u.role, "created": u.created, "units": u.units, "expires": u.expires}
                for u in users
            ]
        )
        return
    table = Table("name", "role", "units", "expires")
    for user in users:
        seen = (
            "all"
            if not user.units
            else f"{user.units[0]} and {len(user.units) - 1} below"
            if user.units[1:]
            else user.units[0]
        )
        until = "never" if user.expires is None else f"{user.expires:%Y-%m-%d %H:%M}"
        table.add_row(user.name, user.role, seen, until)
    OUT.print(table)


@app.command()
def revoke(context: typer.Context, name: Name, data: Data = Path(".nhip")) -> None:
    """End an account of the store of `nhip up`: it is refused from now on."""
    if name in (WRITER, READER):
        raise AccessError(f"{name} is the store's own account: workers and the wall need it")
    _users(data).revoke(name)
    note(context.obj, "store account revoked", name)
    say(f"{name} revoked")


@app.command()
def sql(context: typer.Context, name: Name, unit: Units = None) -> None:
    """Print the statements that make an account on a ClickHouse of your own; run them there as who may make users.

    A new password is told beside them; run it again and both are new. Units that come later need it again too.
    """
    settings: Settings = context.obj
    secret = secrets.token_urlsafe(32)
    try:
        made = user_statements(
            Role.GRAFANA, name, digest(secret), settings.store_database, _with_below(settings, unit or ())
        )
    except ValueError as error:
        raise AccessError(str(error)) from None
    OUT.print("".join(f"{text};\n\n" for text in made), end="", markup=False, highlight=False, soft_wrap=True)
    say(f"password of {name}: {secret}")


def _users(data: Path) -> StoreUsers:
    folder = data / "store"
    if not (folder / USERS_FILE).exists():
        raise AccessError(f"{data} is no folder of `nhip up`, or it has not started yet: choose another --data")
    return StoreUsers(folder)


def _with_below(settings: Settings, units: Sequence[str]) -> tuple[str, ...]:
    """Return the units and all below them: the store knows no tree of units."""
    check_units(settings, units)
    tree = load_tree(settings)
    return tuple(dict.fromkeys(code for unit in units for code in (unit, *sorted(tree.subtree(unit)))))
