"""Windows as sums of slots: the store adds panes up between the borders of windows, a matrix makes windows of that.

A statement with a sum for each side of each window takes the engine 18 ms to plan, more than a province's panes take
to read; with one slot for each pane it takes 3 ms.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from contract.indicators import Indicator
from contract.windows import Level, Piece, pieces, windows_of
from streams.rows import Column, Rate

__all__ = ["WindowSums"]


class WindowSums(NamedTuple):
    """What is made of slots at one moment.

    ``cuts``: of each level the borders of all pieces of windows, ascending. A pane's slot within its level is how
    many borders are not after its start. ``windows``: (indicator, window, its column in ``weights``). ``weights`` has
    a row for the good sum of each slot, then one for each count; a window has two columns: numerator, denominator.
    """

    cuts: list[list[int]]
    windows: list[tuple[Indicator, str, int]]
    weights: Column

    @classmethod
    def at(cls, now_s: int, indicators: Iterable[Indicator]) -> Self:
        """Lay out every window of these indicators at ``now_s``."""
        parts: dict[tuple[str, str], tuple[Piece, ...]] = {}
        columns: dict[tuple[str, str], int] = {}
        windows = []
        for indicator in indicators:
            for window in windows_of(indicator.reading):
                # Windows of one reading are the same for all its indicators.
                key = (indicator.reading.value, window)
                parts[key] = pieces(indicator.reading, window, now_s)
                windows.append((indicator, window, columns.setdefault(key, 2 * len(columns))))
        borders: list[set[int]] = [set() for _ in Level]
        for piece in (piece for some in parts.values() for piece in some):
            if piece.level is not Level.TOTAL:
                borders[piece.level] |= {piece.start_s, piece.end_s}
        cuts = [sorted(of_level) for of_level in borders]
        weights = np.zeros((2 * _slots(cuts), 2 * len(columns)), np.int64)
        for key, some in parts.items():
            for piece in some:
                for column, side in enumerate((piece.numerator, piece.denominator), columns[key]):
                    if side is not None:
                        first = 0 if side == "good" else _slots(cuts)
                        weights[[first + slot for slot in _slots_of(piece, cuts)], column] = 1
        return cls(cuts, windows, weights)

    def rates(self, found: Sequence[Sequence[object]]) -> list[Rate]:
        """Return every window of every scope, of these columns: scope, marks, level, slot, good, count."""
        if not found:
            return []
        scopes, marks, *numbers = found
        level, slot, good, count = (np.array(column, np.int64) for column in numbers)
        series: dict[tuple[object, object], int] = {}
        rows = [series.setdefault(key, len(series)) for key in zip(scopes, marks, strict=True)]
        sums = np.zeros((len(series), len(self.weights)), np.int64)
        places = np.array([_first_slot(self.cuts, level) for level in Level])[level] + slot
        sums[rows, places] = good
        sums[rows, places + _slots(self.cuts)] = count
        figures = (sums @ self.weights).tolist()
        nothing = [0] * self.weights.shape[1]
        rates = []
        for scope in dict.fromkeys(scopes):
            for indicator, window, column in self.windows:
                row = series.get((scope, indicator.marks))
                figure = nothing if row is None else figures[row]
                rates.append(Rate(str(scope), indicator.key, window, figure[column], figure[column + 1]))
        return rates


def _first_slot(cuts: Sequence[Sequence[int]], level: int) -> int:
    """Count the slots of coarser levels: of each level one more than it has borders."""
    return sum(len(of_level) + 1 for of_level in cuts[:level])


def _slots(cuts: Sequence[Sequence[int]]) -> int:
    return _first_slot(cuts, len(cuts))


def _slots_of(piece: Piece, cuts: Sequence[Sequence[int]]) -> range:
    first = _first_slot(cuts, piece.level)
    if piece.level is Level.TOTAL:
        return range(first, first + 1)
    borders = cuts[piece.level]
    return range(first + borders.index(piece.start_s) + 1, first + borders.index(piece.end_s) + 1)
