"""Seconds from starting a worker to its first fresh rates, with ten million dossiers in the store."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import units_of_province
from benchmarks.report import Figure
from benchmarks.stage import cores, running_worker, services
from benchmarks.stand import RECALLED, TAKEN_OVER
from benchmarks.stored import fill, truth_of
from nhip.console import say
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from nhip.system import System
from sinks.store import ClickHouseStore
from streams.clock import wall_clock_us

__all__ = ["DOSSIERS", "fresh", "run"]

DOSSIERS = 10_000_000
"""One of ten is open."""
TARGET_S = 8.0
LOOK_S = 0.02
TIMEOUT_S = 300.0


class _Start(NamedTuple):
    """One start of a worker: when its panes were whole, when its rates were right, when it knew all that is open."""

    rebuilt_s: float
    fresh_s: float
    recalled_s: float
    peak_bytes: int


def run(dossiers: int = DOSSIERS) -> Iterator[Figure]:
    """Fill the store, start a worker, kill it, start it again. Raises RuntimeError, TimeoutError."""
    with (
        tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder,
        services(Settings()) as system,
    ):
        store = open_store(system.settings)
        fill(store, units_of_province(load_tree(system.settings)), system.settings.partitions, dossiers)
        truth = truth_of(store.client)
        say("restart: first start …")
        first = _start(system, store, truth, Path(folder), kill=True)
        say("restart: again, after SIGKILL …")
        again = _start(system, store, truth, Path(folder), kill=False)
        store.client.close()
    note = f"{dossiers:,} dossiers in the store"
    for what, start in (("first start", first), ("after SIGKILL", again)):
        yield Figure("restart", f"{what}: to whole panes", start.rebuilt_s, "s", note=note)
        yield Figure("restart", f"{what}: to fresh, right rates", start.fresh_s, "s", target=TARGET_S)
        yield Figure("restart", f"{what}: to all open ones and ids known", start.recalled_s, "s")
        yield Figure("restart", f"{what}: peak memory", start.peak_bytes / 2**20, "MiB")


def _start(
    system: System,
    store: ClickHouseStore,
    truth: dict[tuple[str, str, str], tuple[int, int]],
    folder: Path,
    *,
    kill: bool,
) -> _Start:
    """Start a worker; its rates are fresh with a heartbeat that is newer than the start, and right figures."""
    place = cores()
    every = place.measured | place.others  # as in service: while the store computes the panes, the worker waits
    began_s, began_us = time.monotonic(), wall_clock_us()
    rebuilt_s = fresh_s = recalled_s = 0.0
    log = folder / f"worker-{began_us}.log"
    with running_worker(system, every, log) as worker:
        while not (fresh_s and recalled_s):
            worker.look()
            told, now_s = log.read_text("utf-8", errors="replace"), time.monotonic() - began_s
            rebuilt_s = rebuilt_s or (now_s if TAKEN_OVER in told else 0.0)
            recalled_s = recalled_s or (now_s if RECALLED in told else 0.0)
            fresh_s = fresh_s or (now_s if rebuilt_s and fresh(store, truth, began_us) else 0.0)
            if now_s > TIMEOUT_S:
                raise TimeoutError(f"no fresh rates after {TIMEOUT_S:.0f} s:\n{worker.service.log_tail()}")
            time.sleep(LOOK_S)
        if kill:
            worker.process.kill()
    return _Start(rebuilt_s, fresh_s, recalled_s, worker.peak_bytes)


def fresh(store: ClickHouseStore, truth: dict[tuple[str, str, str], tuple[int, int]], since_us: int) -> bool:
    """Whether the newest heartbeat is newer than that moment and the figures are right."""
    beat = store.heartbeat()
    if beat is None or beat.written_us <= since_us:
        return False
    shown = store.rates_now()
    return all(shown.get(key) == value for key, value in truth.items())
