"""Panes one by one, as tests like to write and compare them; the stream has them in columns only."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from streams.panes import _GOOD_BITS, Panes
from streams.places import START_BITS
from streams.rows import PaneBatch, PaneBlock

__all__ = ["Pane", "batch_of", "kept", "single"]


class Pane(NamedTuple):
    """One pane of one partition as an absolute sum."""

    partition: int
    scope: str
    indicator: str
    level: int
    at_s: int
    good: int
    counted: int


def batch_of(panes: Iterable[Pane]) -> PaneBatch:
    """Put single panes together."""
    scopes: dict[str, int] = {}
    indicators: dict[str, int] = {}
    rows: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for pane in panes:
        scope = scopes.setdefault(pane.scope, len(scopes))
        indicator = indicators.setdefault(pane.indicator, len(indicators))
        row = (scope, indicator, pane.at_s, pane.good, pane.counted)
        rows.setdefault((pane.partition, pane.level), []).append(row)
    names = tuple(scopes), tuple(indicators)
    return PaneBatch([PaneBlock(p, *names, level, *np.array(mine, np.int64).T) for (p, level), mine in rows.items()])


def single(blocks: Iterable[PaneBlock]) -> Iterator[Pane]:
    """Yield the panes of columns one by one."""
    for block in blocks:
        columns = [column.tolist() for column in block[4:]]
        for scope, indicator, *rest in zip(*columns, strict=True):
            yield Pane(block.partition, block.scopes[scope], block.indicators[indicator], block.level, *rest)


def kept(panes: Panes, partition: int = 0) -> list[Pane]:
    """Return all panes that a partition remembers."""
    names = [(scope, indicator) for scope in panes._places.scopes for indicator in panes._indicators]
    start, count = (1 << START_BITS) - 1, (1 << _GOOD_BITS) - 1
    return [
        Pane(partition, *names[key >> START_BITS], level, key & start, sum_ >> _GOOD_BITS, sum_ & count)
        for level, sums in enumerate(panes._sums)
        for key, sum_ in sums.items()
    ]
