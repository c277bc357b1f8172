"""The program ``nhip``: options that all commands share, and what every error looks like."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from contract.calendar import CalendarError
from contract.sources import SourcesError
from contract.units import UnitError
from dashboards.access import AccessError
from dashboards.grafana.errors import (
    GrafanaConflictError,
    GrafanaError,
    GrafanaRefusedError,
    GrafanaTooOldError,
)
from dashboards.targets import TargetsError
from nhip.commands import (
    alerts,
    audit,
    backup,
    dead_letters,
    events,
    figures,
    intake_token,
    kafka,
    mapping,
    poll,
    rebuild,
    run,
    serve,
    services,
    simulate,
    store_user,
    wall_token,
)
from nhip.commands import dashboards as dashboards_command
from nhip.console import OUT, say
from nhip.drain import DrainError
from nhip.health import HealthPortError
from nhip.local import LocalServiceError
from nhip.remap import ContradictedError
from nhip.settings import SettingsError, load_settings
from producers.client import KafkaRefusedError, ProducerError
from producers.mapping import MappingError
from producers.mend import MendError
from producers.poll.errors import PollError, SourceUnreachableError, StateError
from producers.replay import ReplayError
from sinks.backup.errors import BackupDamagedError, BackupTargetError, StoreNotEmptyError
from sinks.client import StoreDeniedError
from sinks.definitions import DefinitionsChangedError, PartitionsChangedError
from sinks.links import LinkKeyError
from sinks.migrate import SchemaError
from sinks.recipients import RecipientsError
from streams.rule_file import RulesError
from streams.store import StoreUnavailableError

__all__ = ["app", "main"]

EXIT_USAGE = 2
EXIT_BAD_INPUT = 65
EXIT_UNAVAILABLE = 69
EXIT_CANNOT_WRITE = 73
EXIT_NO_RIGHT = 77
EXIT_REFUSED = 78

_EXITS: dict[type[Exception], int] = {
    SettingsError: EXIT_USAGE,
    MappingError: EXIT_BAD_INPUT,
    MendError: EXIT_BAD_INPUT,
    ReplayError: EXIT_BAD_INPUT,
    SourceUnreachableError: EXIT_UNAVAILABLE,
    StateError: EXIT_REFUSED,
    PollError: EXIT_BAD_INPUT,
    UnitError: EXIT_BAD_INPUT,
    CalendarError: EXIT_BAD_INPUT,
    TargetsError: EXIT_BAD_INPUT,
    SourcesError: EXIT_BAD_INPUT,
    AccessError: EXIT_USAGE,
    RulesError: EXIT_BAD_INPUT,
    RecipientsError: EXIT_BAD_INPUT,
    LinkKeyError: EXIT_REFUSED,
    KafkaRefusedError: EXIT_NO_RIGHT,
    ProducerError: EXIT_UNAVAILABLE,
    StoreUnavailableError: EXIT_UNAVAILABLE,
    StoreDeniedError: EXIT_NO_RIGHT,
    LocalServiceError: EXIT_UNAVAILABLE,
    HealthPortError: EXIT_UNAVAILABLE,
    DrainError: EXIT_UNAVAILABLE,
    GrafanaRefusedError: EXIT_REFUSED,
    GrafanaTooOldError: EXIT_REFUSED,
    GrafanaConflictError: EXIT_REFUSED,
    GrafanaError: EXIT_UNAVAILABLE,
    SchemaError: EXIT_REFUSED,
    DefinitionsChangedError: EXIT_REFUSED,
    PartitionsChangedError: EXIT_REFUSED,
    StoreNotEmptyError: EXIT_REFUSED,
    ContradictedError: EXIT_REFUSED,
    BackupDamagedError: EXIT_BAD_INPUT,
    BackupTargetError: EXIT_CANNOT_WRITE,
}
"""Exit codes by kind of error, after sysexits.h: 2 usage, 65 data, 69 a service is away, 73 a file
that cannot be written, 77 a login, certificate or right that is missing, 78 a state that refuses."""

app = typer.Typer(
    name="nhip",
    help="Nhịp dịch vụ công: rolling rates of public services, from events to screens.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
run.register(app)
services.register(app)
rebuild.register(app)
backup.register(app)
figures.register(app)
serve.register(app)
poll.register(app)
simulate.register(app)
app.add_typer(events.app, name="events")
app.add_typer(mapping.app, name="mapping")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(dashboards_command.app, name="dashboards")
app.add_typer(alerts.app, name="alerts")
app.add_typer(audit.app, name="audit")
app.add_typer(kafka.app, name="kafka")
app.add_typer(store_user.app, name="store-user")
app.add_typer(wall_token.app, name="wall-token")
app.add_typer(intake_token.app, name="intake-token")


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
    except tuple(_EXITS) as error:
        say(f"nhip: {error}")
        sys.exit(next(code for kind, code in _EXITS.items() if isinstance(error, kind)))
    except KeyboardInterrupt:
        sys.exit(130)
