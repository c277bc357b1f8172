"""What an event costs in stores of different sizes, with different numbers of units, and with several workers."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.mix import Mix
from benchmarks.report import Figure
from benchmarks.stage import cores, pinned
from benchmarks.stand import SETTINGS, Cost, Stand, stand
from benchmarks.stored import fill
from contract.units import UnitTree
from nhip.console import say
from nhip.settings import load_tree
from nhip.system import System
from sinks.store import ClickHouseStore

__all__ = ["SIZES", "Outcome", "Plan", "compare", "flat", "run", "units_of"]

SIZES = (100_000, 1_000_000, 10_000_000)
UNITS = (1, 10, 100, 1_000)
WORKERS = (1, 2, 4)
STORED, OF_UNITS = 200_000, 100
"""Dossiers where the number of units or of workers changes; units where the number of dossiers does."""
EVENTS = 100_000
"""Of one round; the workers are held back between rounds, and the stands take turns."""
ROUNDS = 3
SHARED = 3
"""So many times the events where several workers share them."""
OF_EACH = 2
"""Dossiers stored for an event: a tenth of them are open, enough for the mix."""
MOST_OPEN = 1_000_000
LEAST_OPEN = 50_000
PER = 100_000
TARGET_RATIO = 1.3
TARGET_SPEEDUP = 1.8


class Plan(NamedTuple):
    """One stand of a comparison."""

    name: str
    stored: int
    units: int
    workers: int = 1


class Outcome(NamedTuple):
    """What was measured at one stand: a cost for each round; figures wrong, and how many there are."""

    plan: Plan
    costs: list[Cost]
    memory_bytes: int
    wrong: int
    figures: int

    def for_100_000(self, side: str) -> float:
        """Median seconds for 100,000 events: ``worker_s``, ``store_s`` or wall ``seconds``."""
        return PER * median(float(getattr(cost, side)) / cost.events for cost in self.costs)


def run(sizes: Sequence[int] = SIZES, events: int = EVENTS) -> Iterator[Figure]:
    """Compare sizes, then numbers of units, then numbers of workers. Raises RuntimeError, TimeoutError."""
    stored = min(STORED, *sizes)
    by_size = [Plan(f"{size:,} dossiers stored", size, OF_UNITS) for size in sizes]
    yield from flat("stored dossiers", compare(by_size, events))
    by_units = [Plan(f"{units:,} units", stored, units) for units in UNITS]
    yield from flat("units", compare(by_units, events))
    # More events, so that each worker has several flushes of them: the first is folded, and the last written, alone.
    many = SHARED * events
    plans = [Plan(f"{n} workers", max(stored, OF_EACH * ROUNDS * many), OF_UNITS, n) for n in WORKERS]
    yield from _shared([compare([plan], many)[0] for plan in plans])


def compare(plans: Sequence[Plan], events: int) -> list[Outcome]:
    """Put all stands up, then measure them in turns: A B C A B C."""
    place = cores()
    # Beside one worker the services have the other core; beside several none is free, and they go where room is.
    services_on = place.others if all(plan.workers == 1 for plan in plans) else place.measured | place.others
    with tempfile.TemporaryDirectory(prefix="nhip-bench-") as folder, pinned(services_on), ExitStack() as stack:
        stands: list[tuple[Plan, Stand, Mix]] = []
        for plan in plans:
            say(f"scaling: {plan.name} …")
            units = units_of(load_tree(SETTINGS), plan.units)

            def put(system: System, store: ClickHouseStore, plan: Plan = plan, units: Sequence[str] = units) -> None:
                fill(store, units, system.settings.partitions, plan.stored, plan.stored // open_of(plan.stored))

            on = [place.measured] if plan.workers == 1 else _spread(plan.workers)
            found = stack.enter_context(stand(SETTINGS, Path(folder), put, on))
            mix = Mix(found.store.client, units, found.system.settings.partitions, ROUNDS, events)
            stands.append((plan, found, mix))
        costs: list[list[Cost]] = [[] for _ in stands]
        for _, found, _ in stands:
            found.hold()
        for number in range(ROUNDS):
            for spent, (plan, found, mix) in zip(costs, stands, strict=True):
                say(f"scaling: {plan.name}, round {number + 1} …")
                spent.append(found.count(mix.round()))
                found.hold()
        outcomes = []
        for spent, (plan, found, mix) in zip(costs, stands, strict=True):
            found.go_on()
            truth = mix.figures()
            memory = max(worker.peak_bytes for worker in found.workers)
            outcomes.append(Outcome(plan, spent, memory, found.wrong(truth), len(truth)))
            found.hold()
    return outcomes


def units_of(tree: UnitTree, count: int) -> list[str]:
    """Return so many units that have no units below them, of as few provinces as possible."""
    found: list[str] = []
    for province in tree.children(None):
        found += (unit for unit in tree.children(province) if not tree.children(unit))
    return found[:count]


def open_of(stored: int) -> int:
    """Return how many of so many are open: one of ten, but enough for the mix and no more than a country has."""
    return min(MOST_OPEN, max(stored // 10, min(LEAST_OPEN, stored // 2)))


def _spread(workers: int) -> list[frozenset[int]]:
    """Give each worker a core by itself, in turns when there are more workers than cores."""
    place = cores()
    every = sorted(place.measured | place.others)
    return [frozenset({every[n % len(every)]}) for n in range(workers)]


def flat(what: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """Tell each outcome, and how far apart they are: an event should cost the same everywhere."""
    for outcome in outcomes:
        yield from _figures(outcome)
    for side, name in (("worker_s", "worker"), ("store_s", "store"), ("seconds", "wall")):
        costs = [outcome.for_100_000(side) for outcome in outcomes]
        ratio = max(costs) / min(costs)
        yield Figure("scaling", f"{name}: dearest against cheapest, {what}", ratio, "x", TARGET_RATIO)


def _shared(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    for outcome in outcomes:
        yield from _figures(outcome)
    alone = outcomes[0]
    for outcome in outcomes[1:]:
        dearer = outcome.for_100_000("worker_s") / alone.for_100_000("worker_s")
        faster = alone.for_100_000("seconds") / outcome.for_100_000("seconds")
        n = outcome.plan.workers
        yield Figure(
            "scaling",
            f"{n} workers: processor time of an event against one",
            dearer,
            "x",
            2 / TARGET_SPEEDUP,
            note=f"so {n} cores of their own would count {n / dearer:.2f} times as fast, as far as it is theirs",
        )
        yield Figure(
            "scaling", f"{n} workers: events/s against one", faster, "x", note="broker and store share the cores here"
        )


def _figures(outcome: Outcome) -> Iterator[Figure]:
    name, per = outcome.plan.name, "s per 100,000"
    yield Figure("scaling", f"{name}: worker, processor", outcome.for_100_000("worker_s"), per)
    yield Figure("scaling", f"{name}: store, processor", outcome.for_100_000("store_s"), per)
    yield Figure("scaling", f"{name}: rate", PER / outcome.for_100_000("seconds"), "events/s")
    yield Figure("scaling", f"{name}: worker, peak memory", outcome.memory_bytes / 2**20, "MiB")
    yield Figure("scaling", f"{name}: figures wrong", outcome.wrong, f"of {outcome.figures}", 0)
