"""Grafana: ``dashboards render``, ``check`` and ``push``."""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

import dashboards
from contract.kind import Event
from dashboards.grafana.adapter import Grafana
from dashboards.grafana.check import check_files, run, statements
from dashboards.grafana.place import Office
from dashboards.grafana.push import push as push_files
from dashboards.grafana.render import files, write
from dashboards.grafana.sample import fill
from dashboards.grafana.sql_parts import quoted
from dashboards.screens import ScopeKind
from dashboards.targets import load_targets
from nhip.console import OUT, say
from nhip.local import LocalClickHouse
from nhip.resources import config_file, sample_file
from nhip.settings import Settings, SettingsError, load_office_sources, load_tree
from producers.mapping import load_mapping
from producers.replay import read_events
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.store import ClickHouseStore

__all__ = ["app"]

EXIT_WRONG = 1
GENERATED = Path(dashboards.__path__[0]) / "grafana" / "generated"
SLOWEST_SHOWN = 3
SAMPLE_COMMUNES = 25
"""The sample data tells of all departments and so many communes of the province."""

app = typer.Typer(help="Grafana dashboards, alert rules and playlists, made from the screens.", no_args_is_help=True)


@app.command()
def render(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = GENERATED,
) -> None:
    """Write all dashboards, alert rules, playlists and provisioning files; what is current is left alone."""
    try:
        changed = write(_office(context.obj), out)
    except OSError as error:
        raise SettingsError(f"--out {out}: cannot be written: {error}") from error
    for name in changed:
        OUT.print(name, markup=False, highlight=False)
    say(f"{len(changed)} files changed in {out}" if changed else f"{out} is current")


@app.command()
def check(context: typer.Context) -> None:
    """Check types, rules and every SQL statement, offline: on the embedded engine, with the sample data."""
    settings: Settings = context.obj
    office = _office(settings)
    rendered = files(office)
    findings = check_files(rendered)
    stated = list(statements(rendered))
    with (
        tempfile.TemporaryDirectory(prefix="nhip-", ignore_cleanup_errors=True) as folder,
        LocalClickHouse(Path(folder)) as engine,
    ):
        client = _filled(engine, office)
        now_s = int(time.time())
        ran = [run(client, one, now_s, {"unit": quoted(office.units()[-1])}) for one in stated]
        client.close()
    findings += [f"{one.where}: {one.error}" for one in ran if one.error is not None]
    for finding in findings:
        OUT.print(finding, markup=False, highlight=False)
    slowest = sorted(ran, key=lambda one: -one.took_s)[:SLOWEST_SHOWN]
    for one in slowest:
        say(f"{one.took_s * 1000:.0f} ms  {one.where}")
    say(f"{len(rendered)} files, {len(ran)} statements run, {len(findings)} findings")
    if findings:
        raise typer.Exit(EXIT_WRONG)


@app.command()
def push(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Address of Grafana, e.g. https://grafana.example.")],
    token_file: Annotated[Path, typer.Option(help="File that holds the token of a service account.")],
) -> None:
    """Create or update everything in a Grafana. A second push writes nothing."""
    try:
        token = token_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--token-file {token_file}: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise SettingsError(f"--token-file {token_file}: holds no token: one line of printable letters is expected")
    outcomes = push_files(Grafana(url, token), files(_office(context.obj)))
    for outcome in outcomes:
        OUT.print(f"{outcome.done:9}  {outcome.what}", markup=False, highlight=False)
    written = sum(outcome.done != "unchanged" for outcome in outcomes)
    say(f"{written} of {len(outcomes)} written")


def _office(settings: Settings) -> Office:
    targets = Path(settings.targets_file) if settings.targets_file else config_file("targets.toml")
    return Office(load_tree(settings), load_targets(targets, load_office_sources(settings)), settings.province)


def _filled(engine: LocalClickHouse, office: Office) -> Client:
    """Return a client of a new database that holds the sample data."""
    name = "nhip_check"
    first = connect(host=engine.host, port=engine.port, **engine.login)
    first.command(f"CREATE DATABASE {name}")
    first.close()
    client = connect(host=engine.host, port=engine.port, database=name, **engine.login)
    migrate(client)
    events: list[Event] = []
    for sample in ("receipt", "fines"):
        events += read_events(sample_file(f"{sample}.csv"), load_mapping(sample)).events
    units = (*office.members(ScopeKind.DEPARTMENTS), *office.members(ScopeKind.COMMUNES)[:SAMPLE_COMMUNES])
    fill(ClickHouseStore(client), office.tree, events, units)
    return client
