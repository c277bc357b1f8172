"""Panes of one partition in memory: absolute sums of marks per scope, indicator, level and time."""

from collections.abc import Callable, Iterable, Sequence

from contract.days import HOUR_S, MINUTE_S
from contract.marks import Mark
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level, floor_to, levels_kept
from streams.rows import Pane, PaneBatch

__all__ = ["Deltas", "Panes", "add_marks"]

_GOOD = 1 << 40
"""A sum is one whole number, good · 2⁴⁰ + count: one object to find and to change instead of a list of two."""
_COUNT = _GOOD - 1

Deltas = dict[tuple[str, str | None, str, int], int]
"""(unit, field, indicator, at_s floored to the finest level kept) → good · 2⁴⁰ + count, positive or negative."""


class _Level:
    """The panes of one scope, indicator and level: start in seconds → sum, and the starts that changed."""

    __slots__ = ("changed", "sums")

    def __init__(self) -> None:
        self.sums: dict[int, int] = {}
        self.changed: set[int] = set()


def add_marks(
    deltas: Deltas,
    indicators: Sequence[str],
    unit: str,
    field: str | None,
    marks: Sequence[Mark | None],
    sign: int,
    now_s: int,
    unless: Sequence[Mark | None],
) -> None:
    """Add (+1) or withdraw (-1) the marks of one entity, except those that are as in ``unless``.

    Coarse first: most of a history falls together.
    """
    minutes_from, hours_from = now_s - MINUTES_KEPT_S, now_s - HOURS_KEPT_S
    for indicator, mark, same in zip(indicators, marks, unless, strict=True):
        if mark is None or mark == same:
            continue
        at = mark[0]
        if at >= minutes_from:
            start = at - at % MINUTE_S
        elif at >= hours_from:
            start = at - at % HOUR_S
        else:
            start = floor_to(Level.DAY, at)
        key = (unit, field, indicator, start)
        deltas[key] = deltas.get(key, 0) + (sign * (_GOOD + 1) if mark[1] else sign)


class Panes:
    """Absolute panes of one partition. A pane that is absent is zero."""

    def __init__(self) -> None:
        # By start within a level: a pane is found by a whole number instead of a tuple of four.
        self._levels: dict[tuple[str, str], tuple[_Level, ...]] = {}
        self._changed: list[tuple[str, str, int, _Level]] = []
        self._dropped_until_s = -(2**40)

    def __len__(self) -> int:
        return sum(len(level.sums) for levels in self._levels.values() for level in levels)

    def load(self, panes: Iterable[Pane]) -> None:
        """Take over rebuilt panes; they do not count as changed."""
        for pane in panes:
            self._of(pane.scope, pane.indicator)[pane.level].sums[pane.at_s] = pane.good * _GOOD + pane.counted

    def apply(self, deltas: Deltas, scopes: Callable[[str, str | None, int], Iterable[str]], now_s: int) -> None:
        """Add deltas to every scope and level where they count.

        ``scopes(unit, field, at_s)`` names the scopes of a mark; ``now_s`` decides the levels still kept.
        """
        known = self._levels
        places_of: dict[int, list[tuple[int, int]]] = {}
        for (unit, field, indicator, start), delta in deltas.items():
            if delta == 0:
                continue
            places = places_of.get(start)
            if places is None:
                places = [(int(level), floor_to(level, start)) for level in levels_kept(start, now_s)]
                places_of[start] = places
            for scope in scopes(unit, field, start):
                levels = known.get((scope, indicator)) or self._of(scope, indicator)
                for number, at_s in places:
                    level = levels[number]
                    sums = level.sums
                    sums[at_s] = sums.get(at_s, 0) + delta
                    if not level.changed:
                        self._changed.append((scope, indicator, number, level))
                    level.changed.add(at_s)

    def take_changed(self, partition: int, batch: PaneBatch) -> None:
        """Add what changed since the last call to ``batch``, as absolute panes; zeros are then forgotten."""
        for scope, indicator, number, level in self._changed:
            starts = list(level.changed)
            sums = [level.sums[at_s] for at_s in starts]
            batch.partitions += [partition] * len(starts)
            batch.scopes += [scope] * len(starts)
            batch.indicators += [indicator] * len(starts)
            batch.levels += [number] * len(starts)
            batch.starts_s += starts
            batch.goods += [sum_ >> 40 for sum_ in sums]
            batch.counts += [sum_ & _COUNT for sum_ in sums]
            level.changed.clear()
            if 0 in sums:
                for at_s, sum_ in zip(starts, sums, strict=True):
                    if sum_ == 0:
                        del level.sums[at_s]
        self._changed = []

    def rows(self, partition: int) -> list[Pane]:
        """All panes, as after a rebuild."""
        return [
            Pane(partition, scope, indicator, number, at_s, sum_ >> 40, sum_ & _COUNT)
            for (scope, indicator), levels in self._levels.items()
            for number, level in enumerate(levels)
            for at_s, sum_ in level.sums.items()
        ]

    def drop_outdated(self, now_s: int) -> None:
        """Forget minutes and hours that no window at ``now_s`` or later reads; at most once an hour's move."""
        if now_s - self._dropped_until_s < HOUR_S:
            return
        self._dropped_until_s = now_s
        oldest = {Level.MINUTE: now_s - MINUTES_KEPT_S - HOUR_S, Level.HOUR: now_s - HOURS_KEPT_S - HOUR_S}
        for levels in self._levels.values():
            for number, before in oldest.items():
                level = levels[number]
                for at_s in [at_s for at_s in level.sums if at_s < before]:
                    del level.sums[at_s]
                    level.changed.discard(at_s)

    def _of(self, scope: str, indicator: str) -> tuple[_Level, ...]:
        levels = self._levels.get((scope, indicator))
        if levels is None:
            self._levels[scope, indicator] = levels = tuple(_Level() for _ in Level)
        return levels
