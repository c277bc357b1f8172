"""What the figures must be after a run, computed from what was sent and nothing else."""

from collections import Counter
from typing import Any, NamedTuple

from contract.days import DAY_S, floor_minute
from contract.indicators import Reading
from contract.kind import Event
from contract.registry import KIND_OF_EVENT, KINDS
from producers.simulate.province import PROVINCE

__all__ = ["Truth", "share"]


class _Newest(NamedTuple):
    version: int
    unit: str
    marks: tuple[tuple[str, int, bool], ...]


class Truth:
    """Counts what was sent, and keeps the newest snapshot's marks of each entity (about 300 bytes each)."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], _Newest] = {}
        self.sent: Counter[str] = Counter()

    def add(self, event: Event) -> None:
        """Take one event as it was sent; an older snapshot changes nothing."""
        kind = KIND_OF_EVENT[type(event)]
        self.sent[kind.key] += 1
        key = (kind.key, event.subject)
        newest = self._newest.get(key)
        if newest is not None and newest.version >= event.version:
            return
        marks = ((i.key, i.mark(event.data)) for i in kind.marked if i.mark is not None)
        unit: str = event.data.unit  # type: ignore[attr-defined]
        found = tuple((name, mark.at_s, mark.good) for name, mark in marks if mark is not None)
        self._newest[key] = _Newest(event.version, unit, found)

    def rates(self, now_s: int, unit: str | None = None) -> dict[str, tuple[int, int]]:
        """Return numerator and denominator of every indicator at a moment.

        Rates are over all time, those of the open dossiers are of the moment's minute. ``unit`` None is the
        province.
        """
        marks = [m for newest in self._newest.values() if unit in {None, newest.unit} for m in newest.marks]
        minute = floor_minute(now_s)
        rates: dict[str, tuple[int, int]] = {}
        for indicator in (i for kind in KINDS for i in kind.indicators):
            own = [(at_s, good) for name, at_s, good in marks if name == indicator.marks]
            match indicator.reading:
                case Reading.OVERDUE:
                    good = sum(floor_minute(at_s) < minute for at_s, _ in own)
                case Reading.DUE_SOON:
                    good = sum(minute <= floor_minute(at_s) < minute + DAY_S for at_s, _ in own)
                case Reading.RATE:
                    good = sum(good for _, good in own)
            rates[indicator.key] = (good, len(own))
        return rates

    def document(self, now_s: int) -> dict[str, Any]:
        """Return the summary for a program."""
        return {
            "sent": dict(self.sent),
            "entities": dict(Counter(kind for kind, _ in self._newest)),
            "scope": f"unit:{PROVINCE}",
            "now_s": now_s,
            "rates": {
                key: {"numerator": good, "denominator": n, "rate": share(good, n)}
                for key, (good, n) in self.rates(now_s).items()
            },
        }


def share(good: int, count: int) -> float | None:
    """Return good of counted to four digits; None when nothing was counted."""
    return None if count == 0 else round(good / count, 4)
