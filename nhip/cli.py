"""The program ``nhip``: its commands, options that all of them share, and what every error looks like."""

import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from nhip.console import OUT, say
from nhip.exits import exit_code
from nhip.settings import load_settings

__all__ = ["app", "main"]

_FILES = {
    "up": "run",
    "demo": "run",
    "try": "run",
    "replay": "run",
    "worker": "services",
    "prepare": "services",
    "rebuild": "rebuild",
    "backup": "backup",
    "restore": "backup",
    "rates": "figures",
    "check": "figures",
    "status": "figures",
    "serve": "serve",
    "poll": "poll",
    "simulate": "simulate",
    "events": "events",
    "mapping": "mapping",
    "dead-letters": "dead_letters",
    "dashboards": "dashboards",
    "alerts": "alerts",
    "audit": "audit",
    "kafka": "kafka",
    "store-user": "store_user",
    "wall-token": "wall_token",
    "intake-token": "intake_token",
}
"""Command → its file in ``nhip/commands``, in the order of the help."""


@cache
def _command(name: str) -> Any:
    """Import a command's file. It has either ``register(app)`` for commands, or an ``app`` of subcommands."""
    file = import_module(f"nhip.commands.{_FILES[name]}")
    holder = typer.Typer(rich_markup_mode="rich")
    if hasattr(file, "register"):
        file.register(holder)
    else:
        holder.add_typer(file.app, name=name)
    return typer.main.get_group(holder).commands[name]


class _Commands(Mapping[str, Any]):
    """All commands; one is imported when it is asked for. All together take more than a second."""

    def __getitem__(self, name: str) -> Any:
        if name not in _FILES:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


class _Group(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands()


app = typer.Typer(
    name="nhip",
    cls=_Group,
    help="Nhịp dịch vụ công: rolling rates of public services, from events to screens.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        OUT.print(f"nhip {version('nhip')}", highlight=False)
        raise typer.Exit


@app.callback()
def _shared(
    context: typer.Context,
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="TOML file of settings; nhip.toml here if there is one.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One setting; may be repeated.")
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    flags = {}
    for text in values or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
        flags[name] = value
    context.obj = load_settings(os.environ, settings_file, flags)


def main() -> None:
    """Run the program. Known errors are one sentence on standard error and an exit code that means something."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        say(f"nhip: {error}")
        sys.exit(code)
