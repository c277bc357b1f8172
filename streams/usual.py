"""Usual rates from history: those at the same weekday and minute of the last weeks. Viet Nam has no summer time."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from contract.days import DAY_S
from streams.alerts import FigureKey
from streams.figure_book import FigureBook, UsualRates
from streams.rows import Rate

__all__ = ["USUAL_SPAN_S", "PastRates"]

WEEK_S: Final = 7 * DAY_S
WEEKS: Final = (1, 2, 3, 4)
USUAL_SPAN_S: Final = WEEKS[-1] * WEEK_S
"""So much history is needed before the first moment that is compared."""

Figures = dict[FigureKey, tuple[int, int]]


class PastRates:
    """Follows a history at a distance of 1 to 4 weeks. Both times, that of learning and of asking, only grow."""

    def __init__(self, book: FigureBook) -> None:
        self._book = book
        self._ahead: tuple[deque[tuple[int, Figures]], ...] = tuple(deque() for _ in WEEKS)
        self._then: tuple[Figures, ...] = tuple({} for _ in WEEKS)
        self._usual: dict[int, dict[FigureKey, tuple[float, ...]]] = {}

    @property
    def next_change_s(self) -> int | None:
        """When the usual rates may next be others: only what was learned counts."""
        changes = (ahead[0][0] + n * WEEK_S for n, ahead in zip(WEEKS, self._ahead, strict=True) if ahead)
        return min(changes, default=None)

    def learn(self, minute_s: int, rates: Iterable[Rate]) -> None:
        """Take over what changed in a minute."""
        found = {FigureKey(*rate[:3]): rate[3:] for rate in rates}
        wanted = set().union(*self._book.usual_wanted(found).values())
        if wanted:
            item = (minute_s, {key: found[key] for key in wanted})
            for ahead in self._ahead:
                ahead.append(item)

    def at(self, now_s: int) -> UsualRates:
        """Return the rates 1 to 4 weeks before a moment; the same mapping while none has changed."""
        changed: set[FigureKey] = set()
        for n, ahead, then in zip(WEEKS, self._ahead, self._then, strict=True):
            while ahead and ahead[0][0] + n * WEEK_S <= now_s:
                figures = ahead.popleft()[1]
                then.update(figures)
                changed.update(figures)
        if changed:
            usual = {minimum_n: dict(rates) for minimum_n, rates in self._usual.items()}
            for minimum_n, keys in self._book.usual_wanted(changed).items():
                usual.setdefault(minimum_n, {}).update({key: self._rates(key, minimum_n) for key in keys})
            self._usual = usual
        return self._usual

    def _rates(self, key: FigureKey, minimum_n: int) -> tuple[float, ...]:
        figures = (then.get(key, (0, 0)) for then in self._then)
        return tuple(good / count for good, count in figures if count and count >= minimum_n)
