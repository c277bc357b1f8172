"""Figures from the producers' truth: marks of the newest snapshots, put into scopes and windows. Pure.

Where a mark counts follows from the table of units and the definition of each window; nothing comes from the store.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from contract.days import DAY_S, floor_minute
from contract.indicators import Reading
from contract.registry import INDICATORS
from contract.units import UnitTree
from contract.windows import RATE_WINDOWS, STATE_WINDOW, leaves_at
from tests.faults.truth import Said

__all__ = ["Figures", "Tally"]

Figures = Mapping[tuple[str, str, str], tuple[int, int]]
"""(scope, indicator, window) → (numerator, denominator); what is absent is 0 of 0."""

_READERS = [(key, indicator.marks, indicator.reading) for key, indicator in INDICATORS.items()]


class Tally:
    """All marks in force, by scope, indicator and minute: some thousand numbers for a million entities."""

    def __init__(self, tree: UnitTree) -> None:
        self._tree = tree
        self._minutes: Counter[tuple[str, str, int, bool]] = Counter()

    def replace(self, before: Iterable[Said], after: Iterable[Said]) -> None:
        """Withdraw the marks of snapshots and add those of the newer ones."""
        for sign, events in ((-1, before), (1, after)):
            for said in events:
                for indicator, at_s, good in said.marks:
                    for scope in self._tree.scopes(said.unit, said.field, at_s):
                        self._minutes[scope, indicator, floor_minute(at_s), good] += sign

    def figures(self, now_s: int) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Return every figure at a moment, in seconds since 1970."""
        sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        minute = floor_minute(now_s)
        for (scope, marks, at_s, good), count in self._minutes.items():
            if not count:
                continue
            for key, read, reading in _READERS:
                if read != marks:
                    continue
                if reading is Reading.RATE:
                    for window in RATE_WINDOWS:
                        if _inside(window, at_s, minute):
                            side = sums[scope, key, window]
                            side[0] += count * good
                            side[1] += count
                    continue
                low, high = (0, minute) if reading is Reading.OVERDUE else (minute, minute + DAY_S)
                side = sums[scope, key, STATE_WINDOW]
                side[0] += count * (low <= at_s < high)
                side[1] += count
        return {key: (good, counted) for key, (good, counted) in sums.items()}


def _inside(window: str, at_s: int, minute: int) -> bool:
    """Whether a mark of a minute is in a window at another: it has come, and has not left yet."""
    if window == "all":
        return True
    leaves_s = leaves_at(window, at_s)
    return at_s <= minute and (leaves_s is None or minute < leaves_s)
