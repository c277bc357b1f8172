"""A steady load with known truth: lives of dossiers, payments, meetings and documents, each step with its marks.

The marks are written down by the words of the indicators as the step is made, not by the functions that count them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from contract.document import Document, DocumentEvent
from contract.dossier import Dossier, DossierEvent
from contract.kind import Event
from contract.meeting import Meeting, MeetingEvent
from contract.payment import Payment, PaymentEvent
from tests.faults.truth import Mark, Said

__all__ = ["Load", "Step", "office_dossier"]

UNITS = ("25195", "25217", "25220", "25222", "25225", "26188", "LAB-1", "LAB-2")
FIELDS = ("land", "business", "justice", "building")
_KINDS, _WEIGHTS = ("dossier", "payment", "document", "meeting"), (55, 20, 15, 10)
_MOST_LIVING = 400
_NEW_SHARE, _CORRECTED_SHARE = 0.35, 0.1
_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_S, _DAY_S = 60, 86_400


class Step(NamedTuple):
    """One event and what its maker knows of it."""

    event: Event
    said: Said


class _Life:
    """One entity: its kind, what is known of it, and how far it has come."""

    __slots__ = ("facts", "kind", "stage", "subject", "version")

    def __init__(self, kind: str, subject: str, facts: dict[str, Any]) -> None:
        self.kind = kind
        self.subject = subject
        self.facts = facts
        self.stage = 0
        self.version = 0


class Load:
    """Makes the events of one producer, one after the other; the same seed tells the same lives.

    ``now_us``: the wall clock; versions grow with it, and marks lie around it.
    """

    def __init__(self, name: str, seed: int, now_us: Callable[[], int]) -> None:
        self.name = name
        self._chance = Random(f"load/{name}/{seed}")
        self._prefix = f"{name}{seed}"
        self._now_us = now_us
        self._living: list[_Life] = []
        self._count = 0

    def next(self) -> Step:
        """Make the next event: of a new entity, or a further step or correction of one that lives."""
        chance = self._chance
        if not self._living or (len(self._living) < _MOST_LIVING and chance.random() < _NEW_SHARE):
            self._living.append(self._born())
        place = chance.randrange(len(self._living))
        life = self._living[place]
        now_us = self._now_us()
        life.version = max(now_us, life.version + 1)
        step = _STEPS[life.kind](self._prefix, life, now_us // _US, chance)
        life.stage += 1
        if life.stage >= _STAGES[life.kind]:
            if chance.random() < _CORRECTED_SHARE:
                life.facts["unit"] = chance.choice(UNITS)
                life.stage -= 1
            else:
                self._living[place] = self._living[-1]
                self._living.pop()
        return step

    def _born(self) -> _Life:
        chance = self._chance
        self._count += 1
        (kind,) = chance.choices(_KINDS, _WEIGHTS)
        now_s = self._now_us() // _US
        # Most happened just now; some long ago, so that windows differ. Few moments: the truth is kept by minute.
        ago_s, step_s = chance.choice(((60, 1), (600, 1), (600, 1), (30 * 3_600, 600), (60 * _DAY_S, 6 * 3_600)))
        began_s = now_s - chance.randrange(ago_s)
        began_s -= began_s % step_s
        due_s = now_s + chance.randrange(-2 * _DAY_S, 5 * _DAY_S)
        facts = {
            "unit": chance.choice(UNITS),
            "began_s": began_s,
            "due_s": due_s - due_s % 1_800,
            "field": chance.choice(FIELDS),
            "good": chance.random() < 0.7,
            "fate": chance.random(),
            "signed": chance.random() < 0.8,
        }
        return _Life(kind, f"{self._prefix}-{kind[0]}{self._count}", facts)


def office_dossier(unit: str, subject: str, now_us: int, *, on_time: bool) -> Step:
    """Return a dossier that was finished just now, on time or late: for alerts and probes."""
    facts = {"unit": unit, "began_s": now_us // _US - 60, "field": None, "good": True, "fate": 0.5}
    life = _Life("dossier", subject, facts | {"due_s": now_us // _US + (3_600 if on_time else -3_600)})
    life.version, life.stage = now_us, _STAGES["dossier"] - 1
    return _dossier("office", life, now_us // _US, Random(0))


def _dossier(source: str, life: _Life, now_s: int, chance: Random) -> Step:
    facts = life.facts
    status = ("registered", "accepted", "processing", "completed", "returned")[life.stage]
    if life.stage == _STAGES["dossier"] - 1 and facts["fate"] > 0.95:
        status = "void"
    elif life.stage == 1 and facts["fate"] < 0.03:
        status = "rejected"
    finished = status in ("completed", "returned")
    if finished and "finished_s" not in facts:
        facts["finished_s"] = now_s - chance.randrange(_MINUTE_S)
    received_s, due_s, finished_s = facts["began_s"], facts["due_s"], facts.get("finished_s")
    online = facts["good"]
    data = Dossier(
        unit=facts["unit"],
        channel="online" if online else "counter",
        status=status,  # type: ignore[arg-type]  # one of the literals above
        field=facts["field"],
        received_at=None if status == "registered" else _moment(received_s),
        due_at=_moment(due_s),
        finished_at=_moment(finished_s) if finished and finished_s is not None else None,
    )
    marks: list[Mark] = []
    if status not in ("registered", "rejected", "void"):
        marks.append(("online", received_s, online))
    if finished and finished_s is not None:
        marks.append(("on_time", finished_s, finished_s <= due_s))
    if status in ("accepted", "processing"):
        marks.append(("overdue", due_s, False))
    return _step(DossierEvent, source, life, data, facts["field"], marks)


def _payment(source: str, life: _Life, now_s: int, chance: Random) -> Step:
    facts, paid = life.facts, life.stage == 1
    if paid and "paid_s" not in facts:
        facts["paid_s"] = now_s - chance.randrange(_MINUTE_S)
    online = facts["good"]
    data = Payment(
        unit=facts["unit"],
        status="paid" if paid else "due",
        amount_vnd=50_000,
        channel="gateway" if online else "counter",
        paid_at=_moment(facts["paid_s"]) if paid else None,
    )
    marks = [("online_payment", facts["paid_s"], online)] if paid else []
    return _step(PaymentEvent, source, life, data, None, marks)


def _meeting(source: str, life: _Life, now_s: int, chance: Random) -> Step:
    facts, status = life.facts, ("invited", "live", "finished")[life.stage]
    ended = status == "finished"
    if ended and "ended_s" not in facts:
        facts["ended_s"] = now_s - chance.randrange(_MINUTE_S)
    data = Meeting(
        unit=facts["unit"],
        status=status,  # type: ignore[arg-type]  # one of the literals above
        starts_at=_moment(facts["began_s"]),
        ended_at=_moment(facts["ended_s"]) if ended else None,
        paperless=facts["good"],
    )
    marks = [("paperless_meeting", facts["ended_s"], facts["good"])] if ended else []
    return _step(MeetingEvent, source, life, data, None, marks)


def _document(source: str, life: _Life, now_s: int, chance: Random) -> Step:
    facts, status = life.facts, ("draft", "signed", "issued", "sent")[life.stage]
    issued = status in ("issued", "sent")
    if issued and "issued_s" not in facts:
        facts["issued_s"] = now_s - chance.randrange(_MINUTE_S)
    data = Document(
        unit=facts["unit"],
        status=status,  # type: ignore[arg-type]  # one of the literals above
        issued_at=_moment(facts["issued_s"]) if issued else None,
        handled="online" if facts["good"] else "paper",
        digitally_signed=facts["signed"],
    )
    marks = []
    if issued:
        marks = [
            ("digital_signature", facts["issued_s"], facts["signed"]),
            ("documents_online", facts["issued_s"], facts["good"]),
        ]
    return _step(DocumentEvent, source, life, data, None, marks)


def _step(event: type[Any], source: str, life: _Life, data: Any, field: str | None, marks: list[Mark]) -> Step:
    made = event(
        specversion="1.0",
        source=f"lab/{source}",
        id=f"{life.subject}/{life.version}",
        subject=life.subject,
        time=_EPOCH + timedelta(microseconds=life.version),
        version=life.version,
        data=data,
    )
    return Step(made, Said((life.kind, life.subject), life.version, data.unit, field, tuple(marks)))


def _moment(s: int) -> datetime:
    return _EPOCH + timedelta(seconds=s)


_STEPS: dict[str, Callable[[str, _Life, int, Random], Step]] = {
    "dossier": _dossier,
    "payment": _payment,
    "meeting": _meeting,
    "document": _document,
}
_STAGES = {"dossier": 5, "payment": 2, "meeting": 3, "document": 4}
