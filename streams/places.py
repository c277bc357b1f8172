"""Where marks count, in numbers: scopes, places (a unit with a field), and the periods a place was in.

Names come one by one with events; what is asked for thousands of marks at once is answered in columns.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from contract.units import Period
from streams.rows import Column

__all__ = ["START_BITS", "Periods", "Places"]

START_BITS = 34
"""Times are seconds of the years 1970 to 2514; a number times 2³⁴ and a time make one key."""

Periods = Callable[[str, str | None], Sequence[Period]]
"""(unit, field) → from which second on a mark counts in which scopes; in order, the first from ever on."""


class Places:
    """Numbers of scopes and places in the order in which they were met."""

    def __init__(self, periods: Periods) -> None:
        self._periods_of = periods
        self._scopes: dict[str, int] = {}
        self._places: dict[tuple[str, str | None], int] = {}
        self._keys: list[int] = []
        self._scopes_of: list[list[int]] = []
        self._refresh()

    @property
    def scopes(self) -> tuple[str, ...]:
        """Names of the scopes by their numbers."""
        return tuple(self._scopes)

    def scope(self, name: str) -> int:
        """Return the number of a scope."""
        return self._scopes.setdefault(name, len(self._scopes))

    def place(self, unit: str, field: str | None) -> int:
        """Return the number of a place."""
        place = self._places.get((unit, field))
        if place is None:
            place = self._places[unit, field] = len(self._places)
            for at_s, scopes in self._periods_of(unit, field):
                self._keys.append(place << START_BITS | max(0, at_s))
                self._scopes_of.append([self.scope(name) for name in scopes])
        return place

    def periods(self, places: Column, times: Column) -> Column:
        """Return the number of the period in which each place was at its time."""
        if len(self._widths) < len(self._scopes_of):
            self._refresh()
        if len(self._scopes_of) == len(self._places):
            return places  # each has been in one place for ever
        return np.searchsorted(self._starts, places << START_BITS | times, "right") - 1

    def spread(self, periods: Column) -> tuple[Column, Column]:
        """Return all scopes of these periods, and for each which of ``periods`` it is of."""
        many = self._widths[periods]
        which = np.repeat(np.arange(len(periods)), many)
        within = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
        return self._flat[self._first[periods][which] + within], which

    def _refresh(self) -> None:
        self._starts: Column = np.array(self._keys, np.int64)
        self._widths: Column = np.array(list(map(len, self._scopes_of)), np.int64)
        self._first: Column = np.cumsum(self._widths) - self._widths
        self._flat: Column = np.array(list(chain.from_iterable(self._scopes_of)), np.int64)
