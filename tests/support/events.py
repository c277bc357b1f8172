"""Builders of events, records and their independent recomputation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contract.days import local_day_start, local_month_start, local_year_start
from contract.dossier import Dossier, DossierEvent
from contract.kind import Event
from contract.registry import INDICATORS, KINDS

__all__ = ["FakeRecord", "at", "dossier", "recompute", "record"]


@dataclass
class FakeRecord:
    """A fetched Kafka record."""

    offset: int
    key: bytes | None
    value: bytes | None


def at(seconds: float) -> datetime:
    """UTC time of an epoch second."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def dossier(subject: str, version: int, **fields: Any) -> DossierEvent:
    """An event of one dossier; ``time`` is its version unless given."""
    data: dict[str, Any] = {"unit": "H19.01", "channel": "online", "status": "processing"}
    time = fields.pop("time", at(version / 1_000_000))
    data.update(fields)
    return DossierEvent(
        specversion="1.0",
        source="test",
        id=f"{subject}/{version}",
        subject=subject,
        time=time,
        version=version,
        data=Dossier(**data),
    )


def record(offset: int, event: Event) -> FakeRecord:
    """The record that a correct producer would have sent."""
    return FakeRecord(offset, event.subject.encode(), msgspec.json.encode(event))


def recompute(events: Iterable[Any], scopes: Any, now_s: int) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Every rate from the newest snapshots, by the words of the design and without panes.

    ``events``: the newest event of each entity; ``scopes(unit, field, at_s)`` as the tree gives them. Only
    figures with a denominator above zero are returned.
    """
    minute = now_s // 60 * 60
    end, hour = minute + 60, minute // 3600 * 3600
    ranges = {
        "15m": (end - 900, end),
        "1h": (end - 3600, end),
        "24h": (end - 86_400, end),
        "7d": (hour + 3600 - 7 * 86_400, end),
        "30d": (hour + 3600 - 30 * 86_400, end),
        "today": (local_day_start(minute), end),
        "month": (local_month_start(minute), end),
        "year": (local_year_start(minute), end),
        "all": (-(2**60), 2**60),
    }
    kinds = {k.event: k for k in KINDS}
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for event in events:
        for indicator in kinds[type(event)].indicators:
            function = indicator.mark or INDICATORS[indicator.marks].mark
            assert function is not None
            mark = function(event.data)
            if mark is None:
                continue
            for scope in scopes(event.data.unit, getattr(event.data, "field", None), mark.at_s):
                mark_minute = mark.at_s // 60 * 60
                if indicator.key == "overdue":
                    found = {"now": mark_minute < minute}
                elif indicator.key == "due_soon":
                    found = {"now": minute <= mark_minute < minute + 86_400}
                else:
                    found = {w: mark.good for w, (a, b) in ranges.items() if a <= mark.at_s < b}
                for window, good in found.items():
                    sums[scope, indicator.key, window][0] += good
                    sums[scope, indicator.key, window][1] += 1
    return {key: (n, d) for key, (n, d) in sums.items()}
