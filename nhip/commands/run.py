"""Whole systems on this machine: ``up``, ``try``, ``demo``; and ``replay`` into a running one."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhip.commands.demo import play
from nhip.console import OUT, bar, print_json, say
from nhip.drain import wait_until_counted
from nhip.figures import as_document, as_table, selected
from nhip.health import HealthPortError, serve_health
from nhip.kafka_access import kafka_access
from nhip.lag import Backlog
from nhip.local.users import password_file
from nhip.metrics import registry_of
from nhip.remap import contradicted, ensure_agreed, outranking
from nhip.settings import ENV_PREFIX, Settings, SettingsError, load_tree
from nhip.stopping import stoppable
from nhip.store import LOCAL_STORE, open_store
from nhip.system import System, SystemPlan
from nhip.up_health import UpHealth
from producers.client import Producer
from producers.mapping import load_mapping
from producers.replay import Outcome, read_events
from producers.replay import replay as replay_events
from sinks.dead_letters import count_dead_letters
from sinks.migrate import SchemaError, ensure_schema
from streams.clock import ClockMode
from streams.store import StoreUnavailableError

__all__ = ["register"]

EXIT_REFUSED_ROWS = 1
WATCH_INTERVAL_S = 0.5
REFUSALS_SHOWN = 20

MappingOption = Annotated[str, typer.Option("--mapping", "-m", help="Name of a shipped mapping, or a path.")]
FileArgument = Annotated[Path, typer.Argument(help="CSV or JSONL, gzip too.")]
DataOption = Annotated[Path, typer.Option("--data", help="Folder that keeps everything.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(up)
    app.command()(demo)
    app.command(name="try")(try_file)
    app.command()(replay)


def up(
    context: typer.Context,
    data: DataOption = Path(".nhip"),
    workers: Annotated[int, typer.Option(min=0, max=16, help="Worker processes; 0 to restore or rebuild.")] = 1,
    kafka_port: Annotated[int, typer.Option(help="Port of the Kafka broker; 0 chooses a free one.")] = 9092,
    store_port: Annotated[int, typer.Option(help="Port of the store's HTTP interface; 0 chooses a free one.")] = 8123,
) -> None:
    """Run Kafka, the store, the workers and the wall with the intake on this machine. One Ctrl-C stops all.

    What dies is started again. The data survives. The wall takes a free port when wall_port is in use, and says so.
    """
    ports = (kafka_port or None, store_port or None)
    plan = SystemPlan(data.resolve(), workers, 1, *ports, wall=True, wall_anywhere=True)
    with stoppable(), System(plan, context.obj, say) as system:
        say(f"running: Kafka {system.settings.kafka}, store {system.store.url}. Ctrl-C stops all; data in {data}")
        if elsewhere := _addresses(context.obj, system.settings):
            say(f"these are not the usual addresses; first of all in every other terminal: export {elsewhere}")
        _tell_health(context.obj, UpHealth(system.slots))
        while True:
            system.watch()
            time.sleep(WATCH_INTERVAL_S)


def demo(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option("--data", help="Folder to keep; else a temporary one.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, help="End after so many seconds.")] = None,
) -> None:
    """Play real dossiers through Kafka, Faust and ClickHouse and show live rates here. Ctrl-C ends it."""
    with stoppable(), _folder(data) as folder:
        plan = SystemPlan(folder, wall=True, wall_anywhere=True)
        with System(plan, context.obj, say) as system:
            play(system, seconds)


def try_file(
    context: typer.Context,
    file: FileArgument,
    mapping: MappingOption,
    workers: WorkersOption = 1,
    json: Annotated[bool, typer.Option("--json", help="Print a document for programs.")] = False,
    window: Annotated[list[str] | None, typer.Option(help="Only this window; may be repeated.")] = None,
    timeout_s: Annotated[float, typer.Option(help="Longest wait until everything is counted, seconds.")] = 600,
) -> None:
    """Replay a file through temporary services, print its rates and leave nothing behind.

    The clock is that of the events: windows end with the newest one.
    """
    settings: Settings = msgspec.structs.replace(context.obj, clock="event")
    outcome = read_events(file, load_mapping(mapping))
    tree = load_tree(settings)
    with stoppable(), _folder(None) as folder:
        with System(SystemPlan(folder, workers), settings, say) as system:
            with bar("sending") as show, Producer(system.kafka.bootstrap) as producer:
                replay_events(outcome.events, producer, clock=time.monotonic, sleep=time.sleep, on_progress=show)
            store = open_store(system.settings)
            with bar("counting") as show, Backlog(system.kafka.bootstrap, settings.group) as backlog:
                wait_until_counted(backlog, store, ClockMode.EVENT, timeout_s, show, system.watch)
            beat, published = store.heartbeat(), store.rates_now()
            dead = count_dead_letters(store.client)
        rates = selected(published, windows=window or ())
        if json:
            print_json(as_document(rates, beat))
        else:
            OUT.print(as_table(rates, tree, f"{file.name} · {len(outcome.events)} events"))
    if dead:
        say(f"{dead} events were refused into the dead letters")
    _report(file, outcome, failed=dead > 0)


def replay(
    context: typer.Context,
    file: FileArgument,
    mapping: MappingOption,
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="1 keeps the source's pace, 3600 an hour a second; else fastest.")
    ] = None,
    remapped: Annotated[
        bool, typer.Option("--remapped", help="Replace what this file said under another mapping.")
    ] = False,
) -> None:
    """Send a file's history to a running system, in the order in which it happened.

    Refused when entities are stored with the same versions and another content: mapping or file have changed since.
    """
    settings: Settings = context.obj
    outcome = read_events(file, load_mapping(mapping))
    found = _contradicted(settings, outcome, needed=remapped)
    if not remapped:
        ensure_agreed(found, outcome.events, str(file))
    outcome = Outcome(outranking(outcome.events, found), outcome.refusals)
    with bar("sending") as show, Producer(settings.kafka, access=kafka_access(settings)) as producer:
        sent = replay_events(
            outcome.events, producer, clock=time.monotonic, sleep=time.sleep, speed=speed, on_progress=show
        )
    say(f"{sent} events sent" + (f"; {len(found)} entities replaced" if found else ""))
    _report(file, outcome, failed=False)


def _tell_health(settings: Settings, health: UpHealth) -> None:
    """Answer at health_port, if one is set; a port that is taken stops nothing: to count is worth more."""
    if not settings.health_port:
        return
    registry = registry_of(health.samples)
    try:
        serve_health(settings.health_host, settings.health_port, lambda: None, health.ready, registry)
    except HealthPortError as error:
        say(f"no health and metrics here: {error}")


def _addresses(asked: Settings, running: Settings) -> str:
    """Return the addresses that another command would not find by itself, as environment for a shell."""
    names = ["kafka", "store_host", "store_port"]
    if Path(running.store_password_file or "") != password_file(LOCAL_STORE, running.store_user).resolve():
        names += ["store_password_file", "store_reader_user", "store_reader_password_file"]
    differ = (name for name in names if getattr(asked, name) != getattr(running, name))
    return " ".join(f"{ENV_PREFIX}{name.upper()}={getattr(running, name)}" for name in differ)


def _contradicted(settings: Settings, outcome: Outcome, *, needed: bool) -> dict[str, int]:
    """Compare with the store; where it cannot be asked, and need not be, say so: events reach Kafka without it."""
    try:
        store = open_store(settings, reading=True, patience_s=0)
        ensure_schema(store.client)
    except (StoreUnavailableError, SettingsError, SchemaError) as error:
        if needed:
            raise
        say(f"not compared with what is stored, so a changed mapping is not noticed: {error}")
        return {}
    try:
        with bar("comparing") as show:
            return contradicted(store, outcome.events, show)
    finally:
        store.client.close()


def _report(file: Path, outcome: Outcome, *, failed: bool) -> None:
    for refusal in outcome.refusals[:REFUSALS_SHOWN]:
        say(f"{file}: {refusal}")
    if len(outcome.refusals) > REFUSALS_SHOWN:
        say(f"{file}: and {len(outcome.refusals) - REFUSALS_SHOWN} more refused rows")
    if outcome.refusals or failed:
        raise typer.Exit(EXIT_REFUSED_ROWS)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder given, or a temporary one that is removed."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="nhip-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
