"""What the demo plays: a real history that ends now, then one real case after the other, finishing now."""

import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from rich.live import Live
from rich.table import Table

from contract.kind import Event
from contract.units import UnitTree
from nhip.console import OUT, bar, say
from nhip.figures import as_table, selected
from nhip.resources import sample_file
from nhip.settings import load_tree
from nhip.store import open_store
from nhip.system import System
from producers.client import Producer
from producers.mapping import load_mapping
from producers.replay import read_events, replay, shift_to, shifted
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["cases_for_ever", "play"]

CASE_INTERVAL_S = 0.5
SHOWN_SCOPES = ("unit:wabo", "unit:wabo.general", "unit:wabo.customer-contact", "unit:wabo.experts", "unit:rtfm")
SHOWN_WINDOWS = ("15m", "today", "30d", "all", "now")
SEED = 20_261_122


def play(system: System, seconds: float | None) -> None:
    """Play until interrupted, or for so many seconds."""
    dossiers = read_events(sample_file("receipt.csv"), load_mapping("receipt")).events
    payments = read_events(sample_file("fines.csv"), load_mapping("fines")).events
    store = open_store(system.settings)
    ends_s = None if seconds is None else time.monotonic() + seconds
    with Producer(system.kafka.bootstrap) as producer:
        now = datetime.now(UTC)
        for title, events in (("1,434 real dossiers", dossiers), ("100 real fines", payments)):
            with bar(title) as show:
                replay(
                    events,
                    producer,
                    clock=time.monotonic,
                    sleep=time.sleep,
                    shift=shift_to(events, now),
                    on_progress=show,
                )
        say("history is sent; from here on a real case is played every half second, moved so that it ends now")
        cases = cases_for_ever(dossiers, random.Random(SEED))
        tree = load_tree(system.settings)
        with Live(console=OUT, refresh_per_second=4, transient=False) as live:
            while ends_s is None or time.monotonic() < ends_s:
                case = next(cases)
                shift = shift_to(case, datetime.now(UTC))
                for event in case:
                    producer.send(shifted(event, shift))
                system.watch()
                live.update(_table(store, tree))
                time.sleep(CASE_INTERVAL_S)


def cases_for_ever(events: Sequence[Event], chance: random.Random) -> Iterator[list[Event]]:
    """Yield the cases of a history in random order, again and again, each time as new dossiers."""
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        cases[event.subject].append(event)
    for lap in itertools.count(2):
        for subject in chance.sample(sorted(cases), len(cases)):
            yield [msgspec.structs.replace(e, subject=f"{subject}.{lap}") for e in cases[subject]]


def _table(store: ClickHouseStore, tree: UnitTree) -> Table:
    beat = store.heartbeat()
    rates = selected(store.rates_now(), SHOWN_SCOPES, windows=SHOWN_WINDOWS)
    age = "chưa có số liệu · no figures yet"
    if beat is not None:
        seconds = max(0.0, (wall_clock_us() - beat.written_us) / US_PER_S)
        age = f"{seconds:.0f} giây trước · {seconds:.0f} s ago"
    return as_table(rates, tree, f"Nhịp dịch vụ công · {datetime.now().astimezone():%H:%M:%S} · {age} · Ctrl-C")
