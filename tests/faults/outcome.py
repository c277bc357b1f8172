"""What one seed has shown: how much was sent, what was wrong, and how long each fault took to be seen and over."""

from statistics import median
from typing import Any

import msgspec

from tests.faults.schedule import FaultKind

__all__ = ["Measure", "Outcome", "Row", "rows"]


class Measure(msgspec.Struct, frozen=True):
    """One fault as it went. Seconds: ``detected_s`` from its beginning (None: no sign), ``recovered_s`` from its end.

    ``sign``: what was noticed; ``alone``: no other fault was under way from its beginning until it was over.
    """

    kind: str
    at_s: float
    for_s: float
    size: float
    detected_s: float | None
    sign: str
    recovered_s: float
    alone: bool


class Outcome(msgspec.Struct, frozen=True):
    """One seed. ``load_s``: seconds under load; ``unknown``: events of which no producer was told anything.

    ``given_up``: why the client without a spool gave batches up, and how often; they were sent again.
    """

    seed: int
    load_s: float
    total_s: float
    offered: int
    accepted: int
    unknown: int
    records: int
    entities: int
    poison: int
    alerts: int
    given_up: dict[str, int]
    wrong: tuple[str, ...]
    measures: tuple[Measure, ...]


class Row(msgspec.Struct, frozen=True):
    """All faults of one kind: p50 and worst, in seconds; ``signs``: what was noticed first, most frequent first."""

    kind: FaultKind
    faults: int
    detected: int
    signs: tuple[str, ...]
    detected_p50_s: float | None
    detected_worst_s: float | None
    recovered_p50_s: float
    recovered_worst_s: float
    alone: int
    alone_p50_s: float | None
    alone_worst_s: float | None


def rows(outcomes: list[Outcome]) -> list[Row]:
    """Summarise all measures by kind of fault."""
    found = []
    for kind in FaultKind:
        mine = [m for outcome in outcomes for m in outcome.measures if m.kind == kind.name]
        if not mine:
            continue
        seen = [m.detected_s for m in mine if m.detected_s is not None]
        signs = [m.sign for m in mine if m.sign]
        alone = [m.recovered_s for m in mine if m.alone]
        over = [m.recovered_s for m in mine]
        found.append(
            Row(
                kind=kind,
                faults=len(mine),
                detected=len(seen),
                signs=tuple(sorted(set(signs), key=lambda sign: (-signs.count(sign), sign))),
                detected_p50_s=_of(median, seen),
                detected_worst_s=_of(max, seen),
                recovered_p50_s=median(over),
                recovered_worst_s=max(over),
                alone=len(alone),
                alone_p50_s=_of(median, alone),
                alone_worst_s=_of(max, alone),
            )
        )
    return found


def _of(summary: Any, values: list[float]) -> float | None:
    return float(summary(values)) if values else None
