"""Figures of the past: what is counted enters a window at its minute, and leaves it again later."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from contract.days import floor_minute
from contract.windows import STATE_WINDOW, leaves_at
from streams.rows import Rate

__all__ = ["Entry", "figures"]


class Entry(NamedTuple):
    """What one minute adds to an indicator's figures of one scope.

    Of a rate: its marks of that minute, good and all. Of what is open (window ``now``): the change of both sides.
    """

    minute_s: int
    indicator: str
    scope: str
    numerator: int
    denominator: int


def figures(
    entries: Iterable[Entry], wanted: Mapping[tuple[str, str], frozenset[str] | None], from_s: int, to_s: int
) -> Iterator[tuple[int, list[Rate]]]:
    """Turn entries, ordered by minute, into the figures at the end of each minute in which one changed.

    ``wanted``: (indicator, window) → scopes (None: all). The first item holds the figures at ``from_s``, those
    of 0 cases left out; later items what changed up to ``to_s``: (start of the minute, rates). Entries must reach
    back to the beginning of each window at ``from_s``. Only what a window still holds is kept in memory, summed
    by the minute in which it leaves.
    """
    windows = [_Window(indicator, window, scopes) for (indicator, window), scopes in wanted.items()]
    of_indicator: dict[str, list[_Window]] = {}
    for window in windows:
        of_indicator.setdefault(window.indicator, []).append(window)
    first_s, last_s = floor_minute(from_s), floor_minute(to_s)
    begun = False
    source = iter(entries)
    entry = next(source, None)
    while True:
        due = [window.next_s for window in windows if window.next_s is not None]
        minute_s = min(due if entry is None else (entry.minute_s, *due), default=last_s + 1)
        if not begun and minute_s > first_s:
            begun = True
            yield first_s, [rate for window in windows for rate in window.begin()]
        if minute_s > last_s:
            return
        for window in windows:
            window.leave(minute_s)
        while entry is not None and entry.minute_s == minute_s:
            for window in of_indicator.get(entry.indicator, ()):
                window.enter(entry)
            entry = next(source, None)
        if begun and (changed := [rate for window in windows for rate in window.changes()]):
            yield minute_s, changed


class _Window:
    """One window of one indicator over all its scopes."""

    def __init__(self, indicator: str, window: str, scopes: frozenset[str] | None) -> None:
        self.indicator = indicator
        self.next_s: int | None = None
        """The next minute in which something leaves."""
        self._name = window
        self._scopes = scopes
        self._now: dict[str, tuple[int, int]] = {}
        self._before: dict[str, tuple[int, int]] = {}
        self._leaving: deque[tuple[int, dict[str, tuple[int, int]]]] = deque()

    def enter(self, entry: Entry) -> None:
        """Add what a minute brings; minutes never go back."""
        if self._scopes is not None and entry.scope not in self._scopes:
            return
        self._add(entry.scope, entry.numerator, entry.denominator)
        leaves_s = None if self._name == STATE_WINDOW else leaves_at(self._name, entry.minute_s)
        if leaves_s is None:
            return
        if not self._leaving or self._leaving[-1][0] != leaves_s:
            self._leaving.append((leaves_s, {}))
            self.next_s = self._leaving[0][0]
        sums = self._leaving[-1][1]
        top, bottom = sums.get(entry.scope, (0, 0))
        sums[entry.scope] = (top + entry.numerator, bottom + entry.denominator)

    def leave(self, minute_s: int) -> None:
        """Take away what is over at this minute."""
        while self._leaving and self._leaving[0][0] <= minute_s:
            for scope, (top, bottom) in self._leaving.popleft()[1].items():
                self._add(scope, -top, -bottom)
            self.next_s = self._leaving[0][0] if self._leaving else None

    def begin(self) -> list[Rate]:
        """Return all figures with cases; changes count from here on."""
        self._before.clear()
        return [Rate(scope, self.indicator, self._name, *figure) for scope, figure in self._now.items()]

    def changes(self) -> list[Rate]:
        """Return the figures that differ from those of the last call."""
        changed = [
            Rate(scope, self.indicator, self._name, *now)
            for scope, before in self._before.items()
            if (now := self._now.get(scope, (0, 0))) != before
        ]
        self._before.clear()
        return changed

    def _add(self, scope: str, numerator: int, denominator: int) -> None:
        top, bottom = self._now.get(scope, (0, 0))
        self._before.setdefault(scope, (top, bottom))
        figure = (top + numerator, bottom + denominator)
        if figure == (0, 0):
            self._now.pop(scope, None)
        else:
            self._now[scope] = figure
