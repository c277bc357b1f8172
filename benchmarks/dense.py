"""A day of short dossiers: so dense that every minute of every unit counts, with every window's true figures."""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from random import Random
from typing import NamedTuple

import msgspec

from benchmarks.load import FIELDS, Record, units_of_province
from benchmarks.peers.job import Pane, Panes
from contract.days import DAY_S, MINUTE_S
from contract.dossier import FINISHED, Dossier, DossierEvent
from contract.partition import partition_of
from contract.units import UnitTree

__all__ = ["Day"]

_ZONE = timezone(timedelta(hours=7))
_MIDNIGHT = datetime(2025, 7, 1, tzinfo=_ZONE)
_LONGEST_S = 75 * MINUTE_S
"""No dossier lives longer, so that all that began is over at midnight."""
_MEAN_EVENTS = 5.33
"""Events of a dossier, on average over its courses."""
_LATE_SHARE = 0.02
_LATE_S = 300
"""So large a share of the events is sent up to so many seconds late: behind newer ones of their dossier."""


class _Step(NamedTuple):
    """One change of one dossier, ``at_s`` seconds after midnight."""

    at_s: int
    status: str


class _Plan(NamedTuple):
    """One dossier: its times are seconds after midnight."""

    subject: str
    unit: str
    field: str
    channel: str
    submitted_s: int
    received_s: int
    due_s: int
    steps: tuple[_Step, ...]


class Day:
    """About ``count`` events between two midnights, the same for the same seed; ``first`` makes a shorter load."""

    def __init__(self, tree: UnitTree, count: int, partitions: int, seed: int = 2026) -> None:
        self.units = units_of_province(tree)
        self.partitions = partitions
        rng = Random(seed)
        dossiers = int(count / _MEAN_EVENTS)
        begins = sorted(rng.randrange(DAY_S - _LONGEST_S) for _ in range(dossiers))
        self._plans = [_plan(rng, n, self.units, begin_s) for n, begin_s in enumerate(begins)]
        self._sent = list(_sending(rng, self._plans))

    def first(self, count: int) -> "Day":
        """Return the load of the events that are sent first."""
        shorter = object.__new__(Day)
        shorter.units, shorter.partitions = self.units, self.partitions
        shorter._plans, shorter._sent = self._plans, self._sent[:count]
        return shorter

    @property
    def begins_s(self) -> int:
        """Its first midnight, seconds since 1970."""
        return int(_MIDNIGHT.timestamp())

    @property
    def ends_s(self) -> int:
        """Its second midnight."""
        return self.begins_s + DAY_S

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self._sent)

    def records(self) -> Iterator[Record]:
        """Yield the events in the order of sending, encoded."""
        encode = msgspec.json.Encoder().encode
        for number, step in self._sent:
            plan = self._plans[number]
            key = plan.subject.encode()
            yield Record(partition_of(key, self.partitions), key, encode(_event(plan, step)))

    def panes(self) -> Panes:
        """Return what each minute of each unit must hold: of every dossier the newest event that was sent."""
        newest: dict[int, _Step] = {}
        for number, step in self._sent:
            newest[number] = max(step, newest.get(number, step))
        sums: dict[Pane, list[int]] = defaultdict(lambda: [0, 0])
        for number, step in newest.items():
            plan = self._plans[number]
            marks: list[tuple[str, int, bool]] = []
            if step.status not in ("registered", "rejected", "void"):
                marks.append(("online", plan.received_s, plan.channel == "online"))
            if step.status in FINISHED:
                marks.append(("on_time", _finished_s(plan), _finished_s(plan) <= plan.due_s))
            for indicator, at_s, good in marks:
                pane = sums[plan.unit, indicator, self.begins_s + at_s - at_s % MINUTE_S]
                pane[0] += good
                pane[1] += 1
        return {key: (good, counted) for key, (good, counted) in sums.items()}


def _plan(rng: Random, number: int, units: tuple[str, ...], begin_s: int) -> _Plan:
    received_s = begin_s + rng.randrange(20, 120)
    unit = rng.choice(units)
    # Nine of ten end before they are due.
    length_s = rng.randrange(300, 2400)
    due_s = received_s + int(length_s * (rng.uniform(1.02, 2) if rng.random() < 0.9 else rng.uniform(0.5, 0.98)))
    return _Plan(
        subject=f"H19.{unit}-{_MIDNIGHT:%y%m%d}-{number:06d}",
        unit=unit,
        field=rng.choice(FIELDS),
        channel=rng.choices(("online", "counter", "post"), (70, 27, 3))[0],
        submitted_s=begin_s,
        received_s=received_s,
        due_s=due_s,
        steps=tuple(_course(rng, begin_s, received_s, length_s)),
    )


def _course(rng: Random, begin_s: int, received_s: int, length_s: int) -> Iterator[_Step]:
    """Yield what happens to a dossier; now and then what was counted is taken back."""
    yield _Step(begin_s, "registered")
    yield _Step(received_s, "accepted")
    fate = rng.random()
    if fate < 0.02:
        yield _Step(received_s + 30, "rejected")
        return
    stages = ["processing", *["supplement_asked", "processing"] * rng.choices((0, 1), (80, 20))[0]]
    for n, status in enumerate(stages, 1):
        yield _Step(received_s + length_s * n // (len(stages) + 1), status)
    ended_s = received_s + length_s
    if fate < 0.03:
        yield _Step(ended_s, "withdrawn")
        return
    yield _Step(ended_s, "completed")
    yield _Step(ended_s + rng.randrange(60, 1200), "void" if fate < 0.04 else "returned")


def _sending(rng: Random, plans: list[_Plan]) -> Iterator[tuple[int, _Step]]:
    """Yield (dossier, step) in the order of sending."""
    waiting: list[tuple[int, int, _Step]] = []
    for number, plan in enumerate(plans):
        for step in plan.steps:
            late_s = rng.randrange(_LATE_S) if rng.random() < _LATE_SHARE else 0
            heapq.heappush(waiting, (step.at_s + late_s, number, step))
    while waiting:
        _, number, step = heapq.heappop(waiting)
        yield number, step


def _event(plan: _Plan, step: _Step) -> DossierEvent:
    known = step.status != "registered"
    return DossierEvent(
        specversion="1.0",
        source=f"onestop/H19.{plan.unit}",
        id=f"{plan.subject}/{step.at_s}",
        subject=plan.subject,
        time=_moment(step.at_s),
        version=(int(_MIDNIGHT.timestamp()) + step.at_s) * 1_000_000,
        data=Dossier(
            unit=plan.unit,
            channel=plan.channel,  # type: ignore[arg-type]  # one of the literals, chosen above
            status=step.status,  # type: ignore[arg-type]
            received_at=_moment(plan.received_s) if known else None,
            field=plan.field,
            submitted_at=_moment(plan.submitted_s),
            due_at=_moment(plan.due_s),
            finished_at=_moment(_finished_s(plan)) if step.status in FINISHED else None,
            returned_at=_moment(step.at_s) if step.status == "returned" else None,
        ),
    )


def _finished_s(plan: _Plan) -> int:
    return plan.steps[-2].at_s


def _moment(at_s: int) -> datetime:
    return _MIDNIGHT + timedelta(seconds=at_s)
