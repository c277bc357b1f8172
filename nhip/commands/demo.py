"""What the demo plays: a month of real cases in the demo's province, then one real case after the other.

Payments, meetings and documents, of which no real file is shipped, are simulated beside them.
"""

import random
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice

from rich.live import Live
from rich.table import Table

from contract.units import UnitTree
from nhip.console import OUT, bar, say
from nhip.figures import as_table, selected
from nhip.recast import cases_of, history, live_cases, simulated, stage_of
from nhip.resources import sample_file
from nhip.settings import load_calendar, load_tree
from nhip.store import open_store
from nhip.system import System
from producers.client import Producer
from producers.mapping import load_mapping
from producers.replay import read_events, replay, shifted
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S, wall_clock_us
from streams.store import StoreUnavailableError

__all__ = ["play"]

CASE_INTERVAL_S = 1.0
HISTORY = timedelta(days=30)
SHOWN_UNITS = 3
SHOWN_WINDOWS = ("15m", "today", "30d", "all", "now")
SEED = 20_261_122
SIMULATED_AT_ONCE = 2
"""Simulated cases that begin or end each second."""


def play(system: System, seconds: float | None) -> None:
    """Play until interrupted, or for so many seconds."""
    dossiers = cases_of(read_events(sample_file("receipt.csv"), load_mapping("receipt")).events)
    fines = cases_of(read_events(sample_file("fines.csv"), load_mapping("fines")).events)
    store, tree, chance = open_store(system.settings), load_tree(system.settings), random.Random(SEED)
    stage = stage_of(tree, system.settings.province)
    ends_s = None if seconds is None else time.monotonic() + seconds
    now = datetime.now(UTC)
    made_up = simulated(load_calendar(), now - HISTORY, now)
    with Producer(system.kafka.bootstrap) as producer, bar("real and simulated cases") as show:
        events = history([*dossiers, *fines], stage, now, HISTORY, chance)
        events += [event for case in made_up for event in stage.place(case, chance)]
        replay(events, producer, clock=time.monotonic, sleep=time.sleep, on_progress=show)
    say(
        f"{len(dossiers)} real dossiers and {len(fines)} real fines are sent: their durations, deadlines and channels"
    )
    say(f"are the files' own; units and dates are the demo's. {len(made_up)} payments, meetings and documents are")
    say("simulated. From here on a real case and two simulated ones begin or end every second.")
    shown = [f"unit:{system.settings.province}", *(f"unit:{code}" for code in stage.units[:SHOWN_UNITS])]
    with Producer(system.kafka.bootstrap) as producer, Live(console=OUT, refresh_per_second=4) as live:
        real, beside = live_cases(dossiers, stage, chance), live_cases(made_up, stage, chance)
        while ends_s is None or time.monotonic() < ends_s:
            for case, moment in (next(real), *islice(beside, SIMULATED_AT_ONCE)):
                shift = datetime.now(UTC) - moment
                for event in case:
                    producer.send(shifted(event, shift))
            system.watch()
            with suppress(StoreUnavailableError):  # it is started again; until then the last table stays
                live.update(_table(store, tree, shown))
            time.sleep(CASE_INTERVAL_S)


def _table(store: ClickHouseStore, tree: UnitTree, scopes: list[str]) -> Table:
    beat = store.heartbeat()
    rates = selected(store.rates_now(), scopes, windows=SHOWN_WINDOWS)
    age = "chưa có số liệu · no figures yet"
    if beat is not None:
        seconds = max(0.0, (wall_clock_us() - beat.written_us) / US_PER_S)
        age = f"{seconds:.0f} giây trước · {seconds:.0f} s ago"
    return as_table(rates, tree, f"Nhịp dịch vụ công · {datetime.now().astimezone():%H:%M:%S} · {age} · Ctrl-C")
