"""Lives of dossiers, from filing to the result."""

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from contract.days import local_date
from contract.dossier import Dossier, DossierEvent
from producers.simulate.incidents import Incident, delayed
from producers.simulate.office import OFFICE_DAY_S, Office
from producers.simulate.plan import at
from producers.simulate.province import SimUnit

__all__ = ["LONGEST_WORKDAYS", "DossierLife", "Dossiers"]

TERMS: Final = ((3, 0.28), (5, 0.26), (7, 0.16), (10, 0.20), (15, 0.10))
"""Working days that a procedure may take, and how many dossiers are of such a procedure. Chosen so that the mean
handling time is 3.84 days, as published."""
_HASTE: Final = (1.8, 2.62)
"""Beta distribution of the part of its term that a dossier takes which is on time."""
_LATE_MEAN_WORKDAYS: Final = 2.5
_LATE_MOST_WORKDAYS: Final = 20.0
LONGEST_WORKDAYS: Final = 15 + int(_LATE_MOST_WORKDAYS) + 4
"""No life is longer, so a run that starts anywhere knows every dossier that is still open."""

_OTHER_SHARES: Final = {"rejected": 0.02, "withdrawn": 0.01, "supplement_asked": 0.05}
_POST_SHARE: Final = 0.04
_AFTER_HOURS: Final = 0.3
"""Of the dossiers filed online, those filed while offices are closed; they are received in the next office hours."""
_FIELDS: Final = {"department": ("land", "building", "business", "justice"), "commune": ("civil_status", "land")}
_PARTS: Final = (0.12, 0.35, 0.55)
"""Parts of the handling after which somebody has begun, has asked for a supplement, and has it."""


class DossierLife(NamedTuple):
    """One dossier as drawn: moments are seconds since 1970. ``outcome`` is its last status."""

    code: str
    unit: SimUnit
    channel: str
    field: str
    procedure: str
    submitted_s: int
    received_s: int
    due_s: int
    picked_s: int
    asked_s: int
    answered_s: int
    finished_s: int
    returned_s: int
    outcome: str
    asked: bool

    @property
    def ends_s(self) -> int:
        """When its last event happens."""
        return self.returned_s if self.outcome == "returned" else self.finished_s

    def events(self) -> list[DossierEvent]:
        """Return its events in order, each the full state at its moment."""
        known: dict[str, Any] = {
            "unit": self.unit.code,
            "receiving_unit": self.unit.code,
            "channel": self.channel,
            "field": self.field,
            "procedure": self.procedure,
            "service_level": "full" if self.channel == "online" else "partial",
            "submitted_at": at(self.submitted_s),
        }
        found: list[DossierEvent] = []

        def happens(moment_s: int, status: str, **more: Any) -> None:
            known.update(more)
            after_s = found[-1].version // 1_000_000 + 1 if found else 0
            moment_s = max(moment_s, after_s)
            found.append(
                DossierEvent(
                    specversion="1.0",
                    source=self.unit.onestop,
                    id=f"{self.code}/{moment_s * 1_000_000}",
                    subject=self.code,
                    time=at(moment_s),
                    version=moment_s * 1_000_000,
                    data=Dossier(**known, status=status),  # type: ignore[arg-type]
                )
            )

        if self.submitted_s < self.received_s:
            happens(self.submitted_s, "registered")
        if self.outcome == "rejected":
            happens(self.received_s, "rejected")
            return found
        happens(self.received_s, "accepted", received_at=at(self.received_s), due_at=at(self.due_s))
        happens(self.picked_s, "processing")
        if self.asked:
            happens(self.asked_s, "supplement_asked", supplements=1)
            happens(self.answered_s, "processing")
        if self.outcome == "withdrawn":
            happens(self.finished_s, "withdrawn")
            return found
        happens(self.finished_s, "completed", finished_at=at(self.finished_s))
        happens(self.returned_s, "returned", returned_at=at(max(self.returned_s, self.finished_s + 1)))
        return found


class Dossiers:
    """Draws the dossiers of the units of a province."""

    def __init__(
        self, units: Sequence[SimUnit], office: Office, seed: int, incidents: tuple[Incident, ...] = ()
    ) -> None:
        self._units = units
        self._weights = list(accumulate(unit.weight for unit in units))
        self._office = office
        self._seed = seed
        self._incidents = incidents
        self._terms = [days for days, _ in TERMS]
        self._term_weights = list(accumulate(share for _, share in TERMS))

    def born(self, index: int, count: int, chance: random.Random) -> list[DossierLife]:
        """Draw the dossiers that are received on one working day."""
        units = chance.choices(self._units, cum_weights=self._weights, k=count)
        return [self._life(index, number, unit, chance) for number, unit in enumerate(units, 1)]

    def _life(self, index: int, number: int, unit: SimUnit, chance: random.Random) -> DossierLife:
        office = self._office
        online = chance.random() < unit.online
        channel = "online" if online else "post" if chance.random() < _POST_SHARE else "counter"
        received = submitted = office.arrival(index, chance)
        if online and chance.random() < _AFTER_HOURS:
            submitted = chance.randrange(office.closes(index - 1) + 1, office.opens(index))
            received = office.moment(index, chance.random() * OFFICE_DAY_S / 5)
        elif online:
            submitted = max(office.opens(index) - 1, received - chance.randrange(60, 3_600))
        (term,) = chance.choices(self._terms, cum_weights=self._term_weights)
        due = office.due(received, term)
        span = 60 + chance.betavariate(*_HASTE) * (term * OFFICE_DAY_S - 60)
        if chance.random() < unit.late:
            beyond = min(chance.expovariate(1 / _LATE_MEAN_WORKDAYS), _LATE_MOST_WORKDAYS)
            finished = office.after(due, 600 + beyond * OFFICE_DAY_S)
        else:
            finished = office.after(received, span)
        returned = office.after(finished, chance.random() * OFFICE_DAY_S)
        luck, outcome = chance.random(), "returned"
        for other in ("rejected", "withdrawn"):
            if luck < _OTHER_SHARES[other]:
                outcome = other
                break
            luck -= _OTHER_SHARES[other]
        asked = outcome == "returned" and chance.random() < _OTHER_SHARES["supplement_asked"]
        day = local_date(received)
        picked, questioned, answered, ended, handed_out = (
            delayed(moment, unit.code, self._incidents)
            for moment in (*(office.after(received, span * part) for part in _PARTS), finished, returned)
        )
        return DossierLife(
            code=f"S00.{self._seed}.{unit.letter}-{day:%y%m%d}-{number:05d}",
            unit=unit,
            channel=channel,
            field=chance.choice(_FIELDS[unit.kind]),
            procedure=f"1.{chance.randrange(900_001, 900_377):06d}",
            submitted_s=submitted,
            received_s=received,
            due_s=due,
            picked_s=picked,
            asked_s=questioned,
            answered_s=answered,
            finished_s=ended,
            returned_s=handed_out,
            outcome=outcome,
            asked=asked,
        )
