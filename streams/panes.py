"""Panes of one partition in memory: absolute sums of marks per scope, indicator, level and time.

A flush of a history changes tens of thousands of panes. They are put together as columns: one sort by pane, then
every coarser level is a sum over neighbours.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from operator import is_not

import numpy as np

from contract.days import DAY_S, HOUR_S, LOCAL_OFFSET_S, MINUTE_S
from contract.windows import HOURS_KEPT_S, MINUTES_KEPT_S, Level
from streams.places import START_BITS, Places
from streams.rows import Column, Marks, PaneBatch, PaneBlock

__all__ = ["Panes"]

_GOOD_BITS = 32
_GOOD = 1 << _GOOD_BITS
"""A sum is one whole number, good · 2³² + count: one object to find and to change instead of a list of two. A pane
of one partition has room for 2 billion good marks."""
_COUNT = _GOOD - 1

_START = (1 << START_BITS) - 1
"""A pane's key in its level is (scope · indicators + indicator) · 2³⁴ + start."""

_Summed = tuple[Column, Column]
"""Keys of panes, sorted, each once; and their sums."""


class Panes:
    """Absolute panes of one partition. A pane that is absent is zero.

    Marks are noted by :meth:`add` and :meth:`withdraw`; :meth:`apply` counts all that were noted.
    """

    def __init__(self, indicators: Sequence[str], places: Places) -> None:
        self._indicators = tuple(indicators)
        self._places = places
        self._sums: tuple[dict[int, int], ...] = tuple({} for _ in Level)
        self._changed: tuple[list[_Summed], ...] = tuple([] for _ in Level)
        self._added: list[Marks] = []
        self._added_in: list[int] = []
        self._withdrawn: list[Marks] = []
        self._withdrawn_in: list[int] = []
        self._dropped_until_s = -(2**40)

    def __len__(self) -> int:
        return sum(map(len, self._sums))

    def load(self, block: PaneBlock) -> None:
        """Take over rebuilt panes; they do not count as changed."""
        told, places = np.unique(block.scope, return_inverse=True)
        scopes = np.array([self._places.scope(block.scopes[number]) for number in told.tolist()], np.int64)[places]
        indicators = np.array([self._indicators.index(name) for name in block.indicators], np.int64)[block.indicator]
        keys = self._key(scopes, indicators, block.at_s)
        sums = block.good * _GOOD + block.counted
        self._sums[block.level].update(zip(keys.tolist(), sums.tolist(), strict=True))

    def add(self, unit: str, field: str | None, marks: Marks) -> None:
        """Note the marks of an entity to be counted."""
        self._added_in.append(self._places.place(unit, field))
        self._added.append(marks)

    def withdraw(self, unit: str, field: str | None, marks: Marks) -> None:
        """Note the marks of an entity to be counted no longer."""
        self._withdrawn_in.append(self._places.place(unit, field))
        self._withdrawn.append(marks)

    def apply(self, now_s: int) -> None:
        """Count what was noted, in every scope and level where it counts; ``now_s`` decides the levels still kept."""
        added, withdrawn = _flat(self._added_in, self._added), _flat(self._withdrawn_in, self._withdrawn)
        for noted in (self._added_in, self._added, self._withdrawn_in, self._withdrawn):
            noted.clear()
        places, indicators, at_s, good = (np.concatenate(both) for both in zip(added, withdrawn, strict=True))
        if not len(places):
            return
        sums = (good << _GOOD_BITS) + 1
        sums[len(added[0]) :] *= -1
        starts = _finest(at_s, now_s)
        periods = self._places.periods(places, starts)
        # Most of a history falls together before it is spread over its scopes.
        keys, sums = _totals(self._key(periods, indicators, starts), sums)
        keys, sums = keys[sums != 0], sums[sums != 0]
        periods, indicators = np.divmod(keys >> START_BITS, len(self._indicators))
        scopes, which = self._places.spread(periods)
        self._add(*_totals(self._key(scopes, indicators[which], (keys & _START)[which]), sums[which]), now_s)

    def take_changed(self, partition: int, batch: PaneBatch) -> None:
        """Add what changed since the last call to ``batch``, as absolute panes; zeros are then forgotten."""
        names = self._places.scopes, self._indicators
        for level, (sums, changed) in enumerate(zip(self._sums, self._changed, strict=True)):
            if not changed:
                continue
            keys, values = changed[0] if len(changed) == 1 else self._again(level, changed)
            changed.clear()
            scope, indicator = np.divmod(keys >> START_BITS, len(self._indicators))
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

    def _key(self, numbers: Column, indicators: Column, starts: Column) -> Column:
        return numbers * len(self._indicators) + indicators << START_BITS | starts

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


def _flat(places: Sequence[int], rows: Sequence[Marks]) -> tuple[Column, Column, Column, Column]:
    """Return place, indicator, time and good of all marks that there are."""
    marks = list(chain.from_iterable(rows))
    there = np.flatnonzero(np.fromiter(map(is_not, marks, repeat(None)), np.bool_, len(marks)))
    which, indicators = np.divmod(there, len(rows[0]) if rows else 1)
    present = [mark for mark in marks if mark is not None]
    at_s = np.array([mark.at_s for mark in present], np.int64)
    return np.array(places, np.int64)[which], indicators, at_s, np.array([mark.good for mark in present], np.int64)


def _totals(keys: Column, values: Column) -> _Summed:
    """Return the keys sorted, each once, with the sum of its values."""
    order = np.argsort(keys)
    return _summed(keys[order], values[order])


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


def _finest(at_s: Column, now_s: int) -> Column:
    """Return where each time begins on the finest level that is kept at ``now_s``."""
    starts = _floored(Level.DAY, at_s)
    for level, kept_from in sorted(_oldest_kept(now_s)):
        kept = at_s >= kept_from
        starts[kept] = _floored(level, at_s[kept])
    return starts


def _oldest_kept(now_s: int) -> Iterator[tuple[Level, int]]:
    """Yield from when on a level is kept that is not kept for ever."""
    yield Level.MINUTE, now_s - MINUTES_KEPT_S
    yield Level.HOUR, now_s - HOURS_KEPT_S
