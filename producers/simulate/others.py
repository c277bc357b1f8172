"""Lives of payments, meetings and documents."""

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from contract.days import HOUR_S, local_date
from contract.document import Document, DocumentEvent
from contract.kind import Event
from contract.meeting import Meeting, MeetingEvent
from contract.payment import Payment, PaymentEvent
from producers.simulate.dossiers import DossierLife
from producers.simulate.office import OFFICE_DAY_S, Office
from producers.simulate.plan import at
from producers.simulate.province import SimUnit

__all__ = ["Others"]

PAID_SHARE: Final = 0.93
ONLINE_WAYS: Final = ("national_portal", "provincial_portal", "gateway")
OTHER_WAYS: Final = ("counter", "transfer")
_FEES_VND: Final = (8_000, 15_000, 20_000, 50_000, 100_000, 150_000, 500_000)
_LAND_VND: Final = (300_000, 80_000_000)
_CANCELLED_MEETINGS: Final = 0.05
_REVOKED_DOCUMENTS: Final = 0.005
_HANDLED_ONLINE: Final = 0.85
_FORMS: Final = ("letter", "decision", "notice", "report", "plan", "submission", "invitation", "other")
_US: Final = 1_000_000

Step = tuple[int, str, dict[str, Any]]


class Others:
    """Draws what else happens in the units of a province; each life is the list of its events."""

    def __init__(self, units: Sequence[SimUnit], office: Office, seed: int) -> None:
        self._units = units
        self._weights = list(accumulate(unit.weight for unit in units))
        self._office = office
        self._seed = seed

    def payments(
        self, index: int, count: int, kind: str, dossiers: Sequence[DossierLife], chance: random.Random
    ) -> list[list[Event]]:
        """Draw payments asked for on a working day, each for one of the day's dossiers where there are any."""
        lives = []
        for number in range(1, count + 1):
            dossier = chance.choice(dossiers) if dossiers else None
            unit = dossier.unit if dossier else self._unit(chance)
            asked = self._office.arrival(index, chance)
            paid = self._office.after(asked, chance.expovariate(1 / OFFICE_DAY_S))
            land = kind == "land_obligation"
            amount = chance.randint(*_LAND_VND) // 1000 * 1000 if land else chance.choice(_FEES_VND)
            ways = ONLINE_WAYS if chance.random() < unit.online else OTHER_WAYS
            known: dict[str, Any] = {
                "unit": unit.code,
                "amount_vnd": amount,
                "kind": kind,
                "dossier": dossier.code if dossier else None,
                "due_at": at(self._office.due(asked, 30 if land else 3)),
            }
            way = chance.choice(ways)
            steps: list[Step] = [(asked, "due", {})]
            if chance.random() < PAID_SHARE:
                steps.append((max(paid, asked + 1), "paid", {"channel": way, "paid_at": None}))
            subject = f"{'L' if land else 'F'}{self._seed}-{local_date(asked):%y%m%d}-{number:05d}"
            lives.append(_events(PaymentEvent, Payment, "sim/treasury", subject, known, steps))
        return lives

    def meetings(self, index: int, count: int, chance: random.Random) -> list[list[Event]]:
        """Draw the meetings of a working day; they were called the office day before."""
        lives = []
        for number in range(1, count + 1):
            unit = chance.choice(self._units)
            starts = self._office.moment(index, chance.random() * (OFFICE_DAY_S - HOUR_S))
            starts -= starts % 900
            called = self._office.closes(index - 1) + 1 + chance.randrange(HOUR_S)
            ends = starts + chance.randrange(1_800, 9_000)
            people = chance.randint(4, 60)
            files = chance.randint(1, 12)
            paperless = chance.random() < unit.paperless
            known = {"unit": unit.code, "starts_at": at(starts), "participants": people, "documents": files}
            steps: list[Step] = [(called, "invited", {})]
            if chance.random() < _CANCELLED_MEETINGS:
                steps.append((starts - 600, "cancelled", {}))
            else:
                seen = {"attended": max(1, people - chance.randint(0, people // 4))}
                end = {"ended_at": None, "paperless": paperless, "documents_printed": 0 if paperless else files}
                steps += [(starts, "live", seen), (ends, "finished", end)]
            subject = f"M{self._seed}-{local_date(starts):%y%m%d}-{number:04d}"
            lives.append(_events(MeetingEvent, Meeting, "sim/meetings", subject, known, steps))
        return lives

    def documents(self, index: int, count: int, chance: random.Random) -> list[list[Event]]:
        """Draw the documents that are drafted on a working day."""
        lives = []
        for number in range(1, count + 1):
            unit = self._unit(chance)
            moment = self._office.arrival(index, chance)
            signed = chance.random() < unit.signed
            known = {
                "unit": unit.code,
                "handled": "online" if chance.random() < _HANDLED_ONLINE else "paper",
                "kind": chance.choice(_FORMS),
                "pages": chance.randint(1, 12),
            }
            steps: list[Step] = [(moment, "draft", {})]
            end = {"digitally_signed": signed, "signatures": int(signed)}
            for status, more in (("signed", end), ("issued", {"issued_at": None}), ("sent", {})):
                moment = self._office.after(moment, chance.expovariate(4 / OFFICE_DAY_S) + 1)
                steps.append((moment, status, more))
            if chance.random() < _REVOKED_DOCUMENTS:
                steps.append((self._office.after(moment, OFFICE_DAY_S), "revoked", {}))
            subject = f"V{self._seed}-{local_date(steps[0][0]):%y%m%d}-{number:05d}"
            lives.append(_events(DocumentEvent, Document, "sim/documents", subject, known, steps))
        return lives

    def _unit(self, chance: random.Random) -> SimUnit:
        (unit,) = chance.choices(self._units, cum_weights=self._weights)
        return unit


def _events(
    event: type[Any], snapshot: type[Any], source: str, subject: str, known: dict[str, Any], steps: Sequence[Step]
) -> list[Event]:
    """Make the events of one life; a fact that is None in a step happens at the step's own moment."""
    found: list[Event] = []
    before_s = 0
    for step_s, status, more in steps:
        moment_s = max(step_s, before_s + 1)
        known.update({name: at(moment_s) if value is None else value for name, value in more.items()})
        found.append(
            event(
                specversion="1.0",
                source=source,
                id=f"{subject}/{moment_s * _US}",
                subject=subject,
                time=at(moment_s),
                version=moment_s * _US,
                data=snapshot(**known, status=status),
            )
        )
        before_s = moment_s
    return found
