"""The events of the made-up province in the order in which they happen. Pure: the same plan, the same bytes."""

import random
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Final

from contract.calendar import WorkCalendar
from contract.days import local_date
from contract.kind import Event
from producers.simulate.dossiers import LONGEST_WORKDAYS, Dossiers
from producers.simulate.incidents import told
from producers.simulate.office import Office
from producers.simulate.others import Others
from producers.simulate.plan import Plan
from producers.simulate.province import make_province

__all__ = ["WEEK", "Simulation"]

WEEK: Final = (1.22, 1.05, 1.0, 0.95, 0.82, 0.7, 0.6)
"""How busy the days of a week are, from Monday, against the mean; Saturday and Sunday only when made up."""

_DAYS_A_YEAR: Final = 365.25
_US_PER_S: Final = 1_000_000


class Simulation:
    """What happens in the province from ``start_s`` (seconds since 1970) on.

    What happens at a moment depends on the seed alone, not on when the run starts: a run that starts later
    tells the same story from there. Incidents count from ``start_s``.
    """

    def __init__(self, plan: Plan, calendar: WorkCalendar, start_s: int) -> None:
        self._plan = plan
        self._start_s = start_s
        self._office = Office(calendar)
        self._incidents = tuple(incident.beginning(start_s) for incident in plan.incidents)
        self.units = make_province(plan.seed)
        self._dossiers = Dossiers(self.units, self._office, plan.seed, self._incidents)
        self._others = Others(self.units, self._office, plan.seed)
        workdays = len(calendar.days) / ((calendar.last - calendar.first).days + 1)
        self._per_workday = 1 / workdays
        """So many days of the year fall to one working day."""

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yield (moment, event) by moment, without end; an incident may change, repeat or leave out some.

        ``moment`` is when it happens, seconds since 1970; a skewed clock may write another time.
        """
        for event in self._ordered():
            moment_s = event.version // _US_PER_S
            for said in told(event, moment_s, self._incidents):
                yield moment_s, said

    def _ordered(self) -> Iterator[Event]:
        """Merge the lives: those of one working day begin after the close of the one before."""
        office, start_s = self._office, self._start_s
        first = office.index(local_date(start_s))
        waiting: list[tuple[int, int, Event]] = []
        ticket = count()
        for index in count(first - LONGEST_WORKDAYS):
            for life in self._born(index):
                for event in life:
                    moment_s = event.version // _US_PER_S
                    if moment_s >= start_s:
                        heappush(waiting, (moment_s, next(ticket), event))
            closes_s = office.closes(index)
            while waiting and waiting[0][0] <= closes_s:
                yield heappop(waiting)[2]

    def _born(self, index: int) -> Iterator[list[Event]]:
        """Yield the lives that begin with a working day; those that end before the start are left out."""
        plan, day = self._plan, self._office.day(index)
        chance = random.Random(f"{plan.seed}/{day.isoformat()}")
        busy = WEEK[day.weekday()]

        def draw(mean: float) -> int:
            expected = mean * busy
            return max(0, round(chance.gauss(expected, expected**0.5)))

        lives = self._dossiers.born(index, draw(plan.dossiers_per_day * self._per_workday), chance)
        for life in lives:
            # A pickup or a result may be a few seconds late; a minute more costs nothing.
            if life.ends_s + 60 >= self._start_s:
                yield list(life.events())
        share = self._per_workday / _DAYS_A_YEAR
        for kind, yearly in (("fee", plan.fees_per_year), ("land_obligation", plan.land_per_year)):
            yield from self._others.payments(index, draw(yearly * share), kind, lives, chance)
        yield from self._others.meetings(index, draw(plan.meetings_per_workday), chance)
        yield from self._others.documents(index, draw(plan.documents_per_workday), chance)
