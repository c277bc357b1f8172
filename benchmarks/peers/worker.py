"""The project's own worker on the job: done when every window has been computed from the stored panes."""

import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.dense import Day
from benchmarks.peers.job import HOUR_S, MINUTE_S, SLIDING, TUMBLING, Panes, Took
from benchmarks.stage import WORKER, Cores, measured
from nhip.lag import Backlog
from nhip.settings import Settings
from nhip.store import open_store
from nhip.system import System
from sinks.window_history import window_history

__all__ = ["Counted", "measure"]

TIMEOUT_S = 300.0
LOOK_S = 0.02
INDICATORS = ("online", "on_time")
LENGTHS_S = {TUMBLING: MINUTE_S, SLIDING: HOUR_S}


class Counted(NamedTuple):
    """What one run found for one kind of window."""

    took: Took
    windows: Panes


def measure(system: System, day: Day, place: Cores, folder: Path, run: int) -> dict[str, Counted]:
    """Run a worker over the whole day, in a group of its own and into empty tables; then read all windows.

    The clock runs from the first acknowledged flush to the last, and on while the windows are read.
    """
    named = msgspec.structs.replace(system.settings, group=f"peer-{run}", instance=f"peer-{run}-0")
    store = open_store(named)
    for (table,) in store.client.rows("SHOW TABLES"):
        if table != "schema_migrations":
            store.client.command("TRUNCATE TABLE {table:Identifier}", {"table": table})
    took = _count(system, named, day, place, folder / f"worker-{run}.log")
    scopes = [f"unit:{unit}" for unit in day.units]
    found = {}
    for kind, length_s in LENGTHS_S.items():
        asked_s = time.monotonic()
        history = window_history(store.client, scopes, INDICATORS, day.begins_s - HOUR_S, day.ends_s, length_s)
        seconds = took.seconds + time.monotonic() - asked_s
        windows = {
            (scope.removeprefix("unit:"), indicator, start_s): (good, counted)
            for scope, indicator, start_s, good, counted in zip(*history, strict=True)
        }
        found[kind] = Counted(Took(took.events, seconds), windows)
    store.client.close()
    return found


def _count(system: System, settings: Settings, day: Day, place: Cores, log: Path) -> Took:
    """Run the worker until everything is acknowledged; return what came after its first flush."""
    with (
        Backlog(system.kafka.bootstrap, settings.group) as backlog,
        measured("worker", WORKER, log, settings.environment(), place.measured) as process,
    ):
        deadline_s = time.monotonic() + TIMEOUT_S
        first: tuple[int, float] | None = None
        while True:
            process.look()
            committed, now_s = sum(part.committed or 0 for part in backlog.read()), time.monotonic()
            if first is None and committed:
                first = (committed, now_s)
            if first is not None and committed >= day.count:
                break
            if now_s > deadline_s:
                raise TimeoutError(f"the worker counted {committed} of {day.count} events in {TIMEOUT_S:.0f} s")
            time.sleep(LOOK_S)
    if first[0] == committed:
        raise RuntimeError(f"{day.count} events are one flush: measure more")
    return Took(committed - first[0], now_s - first[1])
