"""Sources that have only state: ``poll`` looks at one again and again and sends what changed."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from contract.kind import Event
from nhip.console import OUT, SAY, print_json, say
from nhip.health import serve_health
from nhip.kafka_access import kafka_access
from nhip.logs import configure_logs
from nhip.metrics import registry_of
from nhip.poll_health import PollHealth
from nhip.settings import Settings
from nhip.stopping import stoppable
from producers.client import Producer
from producers.poll.config import load_config, state_path
from producers.poll.poller import Poller
from producers.poll.report import RoundReport
from producers.poll.round import OnProgress
from producers.poll.state import PollState
from producers.poll.tables import PollConfig

__all__ = ["register"]

EXIT_REFUSED_ROWS = 65
SHOWN_EVENTS = 10
"""Events that a dry run shows."""

_json = msgspec.json.Encoder()


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(poll)


def poll(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="TOML file: source, mapping, interval; docs/poll.md.")],
    once: Annotated[bool, typer.Option("--once", help="One round; exit code 65 if rows were refused.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="One round that shows its first events, sends and remembers nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the round as a document, with --once or --dry-run.")] = (
        False
    ),
) -> None:
    """Look at a table, a REST list or a folder again and again and send what changed. Ctrl-C ends it."""
    if json and not (once or dry_run):
        raise typer.BadParameter("needs --once or --dry-run: rounds without end are no document", param_hint="--json")
    settings: Settings = context.obj
    configure_logs("error" if SAY.is_terminal or once or dry_run else settings.log_level)
    loaded = load_config(config)
    with stoppable():
        if dry_run:
            _dry(loaded, as_json=json)
            return
        to_kafka = Producer(settings.kafka, access=kafka_access(settings))
        with to_kafka as producer, Poller(loaded, producer, now=_now) as poller:
            if once:
                with _progress() as show:
                    report = poller.round(show)
                _finish(report, as_json=json)
                return
            say(f"polling {poller.source.name} every {loaded.interval_s:g} s. Ctrl-C ends it; what was sent is kept")
            health = PollHealth(time.monotonic)
            if settings.health_port:
                at = (settings.health_host, settings.health_port)
                serve_health(*at, health.live, health.ready, registry_of(health.samples))

            def ended(found: RoundReport | Exception) -> None:
                health.ended(found)
                _tell(found)

            with _progress() as show:
                poller.run(ended, show)


class _Shown:
    """A target that keeps the first events and counts the others."""

    def __init__(self) -> None:
        self.first: list[Event] = []

    def send(self, event: Event, /) -> None:
        """Take one event."""
        if len(self.first) < SHOWN_EVENTS:
            self.first.append(event)

    def flush(self) -> None:
        """Nothing waits."""


def _dry(config: PollConfig, *, as_json: bool) -> None:
    """Do one round on a copy of the state."""
    shown = _Shown()
    with tempfile.TemporaryDirectory(prefix="nhip-") as folder:
        copy = Path(folder) / "state"
        PollState.copy(state_path(config), copy)
        with Poller(config, shown, now=_now, state=copy) as poller, _progress() as show:
            report = poller.round(show)
    events = [msgspec.to_builtins(event) for event in shown.first]
    if not as_json:
        for event in shown.first:
            OUT.print(_json.encode(event).decode(), markup=False, soft_wrap=True)
        say("dry run: nothing was sent and nothing is remembered")
    _finish(report, as_json=as_json, events=events)


def _finish(report: RoundReport, *, as_json: bool, events: list[object] | None = None) -> None:
    """Print a round and end with its exit code."""
    if as_json:
        document = msgspec.to_builtins(report)
        print_json(document if events is None else {**document, "events": events})
    else:
        _tell(report)
    if report.refused:
        raise typer.Exit(EXIT_REFUSED_ROWS)


def _tell(found: RoundReport | Exception) -> None:
    """Say what a round did; in an idle one nothing."""
    if isinstance(found, Exception):
        say(f"round failed: {found}")
        return
    for refusal in found.first_refusals:
        say(f"refused: {refusal}")
    for column in found.new_columns:
        say(f"the source has a new column {column!r}, which no mapping reads")
    if found.full or found.changed or found.sent or found.refused:
        say(_sentence(found))


def _sentence(report: RoundReport) -> str:
    parts = [f"{report.rows} rows", f"{report.sent} events sent", f"{report.refused} refused"]
    if report.refused:
        columns = ", ".join(f"{column or 'row'}: {n}" for column, n in report.refused_by_column.items())
        parts[-1] += f" ({columns})"
    if report.duplicates:
        parts.append(f"{report.duplicates} duplicates")
    if report.vanished:
        parts.append(f"{report.vanished} vanished, {report.voided} voided")
    if report.full:
        parts.append("full comparison")
    return " · ".join(parts)


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Show what a round has done so far on a terminal; nothing elsewhere."""
    text = TextColumn("{task.fields[rows]} rows · {task.fields[events]} events · {task.fields[refused]} refused")
    columns = (SpinnerColumn(), text, TimeElapsedColumn())
    with Progress(*columns, console=SAY, transient=True, disable=not SAY.is_terminal) as progress:
        task = progress.add_task("", rows=0, events=0, refused=0)

        def show(rows: int, events: int, refused: int) -> None:
            progress.update(task, rows=rows, events=events, refused=refused)

        yield show
