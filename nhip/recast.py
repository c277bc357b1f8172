"""Real cases on another stage: moved in time and given units of the demo's province. Pure.

The durations, deadlines and channels are those of the files; only when and where is the demo's own. Nothing that
lies after the moment of the move is told.
"""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contract.calendar import WorkCalendar
from contract.kind import Event
from contract.units import UnitTree
from producers.replay import shifted
from producers.simulate.plan import Plan
from producers.simulate.stream import Simulation

__all__ = ["Stage", "cases_of", "history", "live_cases", "simulated", "stage_of"]

FIELDS = ("land", "building", "civil_status", "business", "justice")
COMMUNES = 24
"""So many communes beside all departments: with more, a file of 1,434 cases leaves few for each."""

Case = Sequence[Event]

_BESIDE = Plan(dossiers_per_day=0, documents_per_workday=120)
"""Beside real dossiers; fewer documents than a province has, so that a demo starts soon."""


class Stage(msgspec.Struct, frozen=True):
    """Where cases are played: codes of units, and fields."""

    units: tuple[str, ...]
    fields: tuple[str, ...] = FIELDS

    def place(self, case: Case, chance: random.Random, subject: str | None = None) -> list[Event]:
        """Give a whole case one unit, one field where its kind has fields, and maybe a new subject."""
        unit, field = chance.choice(self.units), chance.choice(self.fields)
        return [_placed(event, unit, field, subject or event.subject) for event in case]


def stage_of(tree: UnitTree, province: str) -> Stage:
    """All departments and the first communes of a province."""
    departments = tree.by_kind("department", under=province)
    communes = [code for code in tree.children(province) if code not in departments]
    return Stage((*departments, *communes[:COMMUNES]))


def cases_of(events: Sequence[Event]) -> list[Case]:
    """Split events into cases, each in the order of its events."""
    cases: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        cases[event.subject].append(event)
    return list(cases.values())


def simulated(calendar: WorkCalendar, start: datetime, end: datetime) -> list[Case]:
    """Make up the payments, meetings and documents of a span, of which no real file is at hand."""
    story = Simulation(_BESIDE, calendar, int(start.timestamp())).events()
    return cases_of([event for _, event in itertools.takewhile(lambda told: told[1].time < end, story)])


def history(
    cases: Sequence[Case], stage: Stage, now: datetime, back: timedelta, chance: random.Random
) -> list[Event]:
    """Place every case so that it ends at some moment of the time ``back`` before ``now``."""
    made: list[Event] = []
    for case in cases:
        shift = now - back * chance.random() - case[-1].time
        made += [shifted(event, shift) for event in stage.place(case, chance)]
    return made


def live_cases(cases: Sequence[Case], stage: Stage, chance: random.Random) -> Iterator[tuple[list[Event], datetime]]:
    """Yield a new case for ever: its events, and which of its moments is to happen now.

    Every other one ends now; the others are received now, and the rest of their story is not told.
    """
    for lap in itertools.count(2):
        for number, case in enumerate(chance.sample(cases, len(cases))):
            placed = stage.place(case, chance, f"{case[0].subject}.{lap}")
            told = placed if number % 2 else [e for e in placed if e.time <= placed[0].time]
            yield told, told[-1].time


def _placed(event: Any, unit: str, field: str, subject: str) -> Event:
    changes = {"unit": unit, "field": field} if hasattr(event.data, "field") else {"unit": unit}
    data = msgspec.structs.replace(event.data, **changes)
    moved: Event = msgspec.structs.replace(event, subject=subject, id=f"{subject}/{event.version}", data=data)
    return moved
