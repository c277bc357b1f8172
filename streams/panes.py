"""Panes of one partition in memory: absolute sums of marks per scope, indicator, level and time.

A flush of a history changes tens of thousands of panes. They are put together as columns: one sort by pane, then
every coarser level is a sum over neighbours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from contract.days import DAY_S, HOUR_S, LOCAL_OFFSET_S, MINUTE_S
from contract.marks import Mark
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level
from streams.rows import Column, PaneBatch, PaneBlock

__all__ = ["Deltas", "Panes", "add_marks"]

_GOOD_BITS = 32
_GOOD = 1 << _GOOD_BITS
"""A sum is one whole number, good · 2³² + count: one object to find and to change instead of a list of two. A pane
of one partition has room for 2 billion good marks."""
_COUNT = _GOOD - 1

_START_BITS = 34
"""A pane's key in its level is (number of scope and indicator) · 2³⁴ + start: seconds of the years 1970 to 2514."""
_START = (1 << _START_BITS) - 1

_Summed = tuple[Column, Column]
"""Keys of panes, sorted, each once; and their sums."""

Deltas = dict[tuple[str, str | None], dict[str, dict[int, int]]]
"""(unit, field) → indicator → at_s floored to the finest level kept → good · 2³² + count, positive or negative."""


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
    place = deltas.get((unit, field))
    if place is None:
        deltas[unit, field] = place = {indicator: {} for indicator in indicators}
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
            start = at - (at + LOCAL_OFFSET_S) % DAY_S
        sums = place[indicator]
        sums[start] = sums.get(start, 0) + (sign * (_GOOD + 1) if mark[1] else sign)


class Panes:
    """Absolute panes of one partition. A pane that is absent is zero."""

    def __init__(self) -> None:
        self._sums: tuple[dict[int, int], ...] = tuple({} for _ in Level)
        self._changed: tuple[list[_Summed], ...] = tuple([] for _ in Level)
        # Scopes, indicators and their pairs have numbers; a target is what one mark counts in: several pairs.
        self._scopes: dict[str, int] = {}
        self._indicators: dict[str, int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._targets: dict[tuple[tuple[str, ...], str], int] = {}
        self._pairs_of: list[list[int]] = []
        self._widths: Column = np.zeros(0, np.int64)
        self._flat: Column = self._widths
        self._dropped_until_s = -(2**40)

    def __len__(self) -> int:
        return sum(map(len, self._sums))

    def load(self, block: PaneBlock) -> None:
        """Take over rebuilt panes; they do not count as changed."""
        width = len(block.indicators)
        told, places = np.unique(block.scope * width + block.indicator, return_inverse=True)
        pairs = [self._pair(block.scopes[n // width], block.indicators[n % width]) for n in told.tolist()]
        keys = np.array(pairs, np.int64)[places] << _START_BITS | block.at_s
        sums = block.good * _GOOD + block.counted
        self._sums[block.level].update(zip(keys.tolist(), sums.tolist(), strict=True))

    def apply(self, deltas: Deltas, scopes: Callable[[str, str | None, int], Iterable[str]], now_s: int) -> None:
        """Add deltas to every scope and level where they count.

        ``scopes(unit, field, at_s)`` names the scopes of a mark; ``now_s`` decides the levels still kept.
        """
        targets: list[int] = []
        starts: list[int] = []
        added: list[int] = []
        for (unit, field), by_indicator in deltas.items():
            for indicator, sums in by_indicator.items():
                places, target = None, 0
                for start, delta in sums.items():
                    if delta:
                        found = scopes(unit, field, start)
                        if found is not places:  # most units have one place in the tree for all times
                            places, target = found, self._target(tuple(found), indicator)
                        targets.append(target)
                        starts.append(start)
                        added.append(delta)
        if targets:
            columns = [np.array(column, np.int64) for column in (targets, starts, added)]
            self._add(*self._spread(*columns), now_s)

    def take_changed(self, partition: int, batch: PaneBatch) -> None:
        """Add what changed since the last call to ``batch``, as absolute panes; zeros are then forgotten."""
        numbers = np.array(list(self._pairs), np.int64).reshape(-1, 2)
        names = tuple(self._scopes), tuple(self._indicators)
        for level, (sums, changed) in enumerate(zip(self._sums, self._changed, strict=True)):
            if not changed:
                continue
            keys, values = changed[0] if len(changed) == 1 else self._again(level, changed)
            changed.clear()
            scope, indicator = numbers[keys >> _START_BITS].T
            columns = scope, indicator, keys & _START, values >> _GOOD_BITS, values & _COUNT
            batch.blocks.append(PaneBlock(partition, *names, level, *columns))
            for key in keys[values == 0].tolist():
                sums.pop(key, None)

    def drop_outdated(self, now_s: int) -> None:
        """Forget minutes and hours that no window at ``now_s`` or later reads; at most once an hour's move."""
        if now_s - self._dropped_until_s < HOUR_S:
            return
        self._dropped_until_s = now_s
        for level, before in _oldest_kept(now_s - HOUR_S):
            sums = self._sums[level]
            for key in [key for key in sums if key & _START < before]:
                del sums[key]
            self._changed[level][:] = [
                (keys[kept], values[kept])
                for keys, values in self._changed[level]
                if (kept := keys & _START >= before).any()
            ]

    # -- columns --------------------------------------------------------------------------------------

    def _spread(self, targets: Column, starts: Column, added: Column) -> _Summed:
        """Return each target's pairs with its start and what is added, sorted, each once."""
        if len(self._widths) < len(self._pairs_of):
            self._widths = np.array(list(map(len, self._pairs_of)), np.int64)
            self._flat = np.array(list(chain.from_iterable(self._pairs_of)), np.int64)
        first, many = (np.cumsum(self._widths) - self._widths)[targets], self._widths[targets]
        within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        keys: Column = self._flat[np.repeat(first, many) + within] << _START_BITS | np.repeat(starts, many)
        order = np.argsort(keys)
        return _summed(keys[order], np.repeat(added, many)[order])

    def _add(self, keys: Column, added: Column, now_s: int) -> None:
        """Add sorted columns to every level that is kept, finest first: coarser keys are sorted likewise."""
        kept_from = dict(_oldest_kept(now_s))
        for level in sorted(Level, reverse=True):
            starts = keys & _START
            kept = starts >= kept_from.get(level, 0)
            floored = keys - starts + _floored(level, starts)
            self._put(level, *_summed(floored[kept], added[kept]))

    def _put(self, level: Level, keys: Column, added: Column) -> None:
        if len(keys):
            sums, places = self._sums[level], keys.tolist()
            values = [sums.get(key, 0) + more for key, more in zip(places, added.tolist(), strict=True)]
            sums.update(zip(places, values, strict=True))
            self._changed[level].append((keys, np.array(values, np.int64)))

    def _again(self, level: int, changed: list[_Summed]) -> _Summed:
        """Return what was changed several times as it is now."""
        keys = np.unique(np.concatenate([keys for keys, _ in changed]))
        sums = self._sums[level]
        return keys, np.array([sums[key] for key in keys.tolist()], np.int64)

    def _pair(self, scope: str, indicator: str) -> int:
        pair = (
            self._scopes.setdefault(scope, len(self._scopes)),
            self._indicators.setdefault(indicator, len(self._indicators)),
        )
        return self._pairs.setdefault(pair, len(self._pairs))

    def _target(self, scopes: tuple[str, ...], indicator: str) -> int:
        number = self._targets.get((scopes, indicator))
        if number is None:
            number = self._targets[scopes, indicator] = len(self._pairs_of)
            self._pairs_of.append([self._pair(scope, indicator) for scope in scopes])
        return number


def _summed(keys: Column, values: Column) -> _Summed:
    """Return each key of a sorted column once, with the sum of its values."""
    if not len(keys):
        return keys, values
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], np.add.reduceat(values, first)


def _floored(level: Level, starts: Column) -> Column:
    """Do for a column what ``floor_to`` does for one time."""
    if level is Level.TOTAL:
        return np.zeros_like(starts)
    if level is Level.DAY:
        return starts - (starts + LOCAL_OFFSET_S) % DAY_S
    return starts - starts % (HOUR_S if level is Level.HOUR else MINUTE_S)


def _oldest_kept(now_s: int) -> Iterator[tuple[Level, int]]:
    """Yield from when on a level is kept that is not kept for ever."""
    yield Level.MINUTE, now_s - MINUTES_KEPT_S
    yield Level.HOUR, now_s - HOURS_KEPT_S
