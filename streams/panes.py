"""Panes of one partition in memory: absolute sums of marks per scope, indicator, level and time."""

from collections.abc import Callable, Iterable, Sequence

from contract.days import HOUR_S, MINUTE_S
from contract.marks import Mark
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level, floor_to, levels_kept
from streams.rows import Pane

__all__ = ["Deltas", "Panes", "add_marks"]

PaneKey = tuple[str, str, int, int]  # scope, indicator, level, at_s

Deltas = dict[tuple[str, str | None, str, int], list[int]]
"""(unit, field, indicator, at_s floored to the finest level kept) → [good, count], positive or negative."""


def add_marks(
    deltas: Deltas,
    indicators: Sequence[str],
    unit: str,
    field: str | None,
    marks: Sequence[Mark | None],
    sign: int,
    now_s: int,
) -> None:
    """Add (+1) or withdraw (-1) the marks of one entity. Coarse first: most of a history falls together."""
    minutes_from, hours_from = now_s - MINUTES_KEPT_S, now_s - HOURS_KEPT_S
    for indicator, mark in zip(indicators, marks, strict=True):
        if mark is None:
            continue
        at = mark[0]
        if at >= minutes_from:
            start = at - at % MINUTE_S
        elif at >= hours_from:
            start = at - at % HOUR_S
        else:
            start = floor_to(Level.DAY, at)
        key = (unit, field, indicator, start)
        sums = deltas.get(key)
        if sums is None:
            deltas[key] = sums = [0, 0]
        sums[1] += sign
        if mark[1]:
            sums[0] += sign


class Panes:
    """Absolute panes of one partition. A pane that is absent is zero."""

    def __init__(self) -> None:
        self._sums: dict[PaneKey, list[int]] = {}
        self._changed: set[PaneKey] = set()
        self._dropped_until_s = -(2**40)

    def __len__(self) -> int:
        return len(self._sums)

    def load(self, panes: Iterable[Pane]) -> None:
        """Take over rebuilt panes; they do not count as changed."""
        for pane in panes:
            self._sums[pane.scope, pane.indicator, pane.level, pane.at_s] = [pane.good, pane.counted]

    def apply(self, deltas: Deltas, scopes: Callable[[str, str | None, int], Iterable[str]], now_s: int) -> None:
        """Add deltas to every scope and level where they count.

        ``scopes(unit, field, at_s)`` names the scopes of a mark; ``now_s`` decides the levels still kept.
        """
        sums_of, changed = self._sums, self._changed
        places_of: dict[int, list[tuple[int, int]]] = {}
        for (unit, field, indicator, start), (good, count) in deltas.items():
            if good == 0 and count == 0:
                continue
            places = places_of.get(start)
            if places is None:
                places = [(int(level), floor_to(level, start)) for level in levels_kept(start, now_s)]
                places_of[start] = places
            for scope in scopes(unit, field, start):
                for level, at_s in places:
                    key = (scope, indicator, level, at_s)
                    sums = sums_of.get(key)
                    if sums is None:
                        sums_of[key] = sums = [0, 0]
                    sums[0] += good
                    sums[1] += count
                    changed.add(key)

    def take_changed(self, partition: int) -> list[Pane]:
        """Return what changed since the last call, as absolute panes; zeros are then forgotten."""
        rows = [Pane(partition, *key, *self._sums[key]) for key in self._changed]
        for key in self._changed:
            if self._sums[key] == [0, 0]:
                del self._sums[key]
        self._changed = set()
        return rows

    def rows(self, partition: int) -> list[Pane]:
        """All panes, as after a rebuild."""
        return [Pane(partition, *key, *sums) for key, sums in self._sums.items()]

    def drop_outdated(self, now_s: int) -> None:
        """Forget minutes and hours that no window at ``now_s`` or later reads; at most once an hour's move."""
        if now_s - self._dropped_until_s < HOUR_S:
            return
        self._dropped_until_s = now_s
        oldest = {Level.MINUTE: now_s - MINUTES_KEPT_S, Level.HOUR: now_s - HOURS_KEPT_S}
        for level, before in oldest.items():
            old = [k for k in self._sums if k[2] == level and k[3] < before - HOUR_S]
            for key in old:
                del self._sums[key]
                self._changed.discard(key)
