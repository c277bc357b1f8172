"""Units: who is measured, under whom, and since when. The tree decides where a mark counts."""

import csv
import io
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from operator import itemgetter
from typing import Final, Literal, Self

import msgspec

from contract.days import day_start

__all__ = ["END_S", "START_S", "Period", "Segment", "Unit", "UnitError", "UnitTree"]

# Epoch seconds that lie before and after every event, yet fit ClickHouse's Int64 with room to add.
START_S: Final = -(2**62)
END_S: Final = 2**62

# Periods are remembered per (unit, field); both come from events, so what is remembered needs a bound.
REMEMBERED: Final = 200_000

_COLUMNS: Final = ("code", "parent", "kind", "name_vi", "name_en", "valid_from", "valid_to")


class UnitError(ValueError):
    """A table of units that contradicts itself or cannot be read: says where and what to do."""


class Unit(msgspec.Struct, frozen=True):
    """One row of the table: a unit as it was from ``valid_from`` to ``valid_to``, both days included."""

    code: str
    parent: str | None
    kind: str
    name_vi: str
    name_en: str
    valid_from: date
    valid_to: date | None = None


Period = tuple[int, tuple[str, ...]]
"""From which epoch second on a mark counts in these scopes."""


class Segment(msgspec.Struct, frozen=True):
    """Epoch seconds from ``start_s``, before ``end_s``, in which ``units`` stay: self, parent, …, root."""

    start_s: int
    end_s: int
    units: tuple[str, ...]


class UnitTree:
    """All units of an installation with their history.

    A unit has one row per period with one parent. A row holds until the next row of its code begins; the
    first also before its ``valid_from``, the last also after its ``valid_to``. So a dossier older than the
    reform of 2025 still counts in the province its unit is in, and nothing ever falls between two rows.
    ``valid_to`` therefore closes a unit only for the lists (:meth:`children` and others at a day).

    Rows may come in any order. Raises :class:`UnitError` for two rows of one code that overlap, a parent that
    has no row, or a unit that is its own ancestor on some day. ``places`` says for errors where each row
    stands; by default its number.
    """

    __slots__ = ("_chains", "_children", "_periods", "_rows")

    def __init__(self, rows: Iterable[Unit], places: Sequence[str] | None = None) -> None:
        self._rows: dict[str, list[Unit]] = {}
        # Every parent's possible children in table order: a dict keeps order and drops repeats.
        self._children: dict[str | None, dict[str, None]] = defaultdict(dict)
        self._chains: dict[str, tuple[Segment, ...]] = {}
        self._periods: dict[tuple[str, str | None], tuple[Period, ...]] = {}
        where: dict[Unit, str] = {}
        for n, unit in enumerate(rows):
            place = places[n] if places else f"row {n + 1}"
            if unit in where:
                raise UnitError(f"{place}: unit {unit.code} repeats {where[unit]}: remove one of them")
            where[unit] = place
            self._rows.setdefault(unit.code, []).append(unit)
            self._children[unit.parent][unit.code] = None
        for history in self._rows.values():
            history.sort(key=lambda unit: unit.valid_from)
        self._check(where)

    @classmethod
    def from_csv(cls, text: str, origin: str) -> Self:
        """Read a table with the columns code,parent,kind,name_vi,name_en,valid_from,valid_to.

        ``origin`` names the file in errors. Names are NFC-normalised. An empty parent is a root, an empty
        ``valid_to`` is open. Raises :class:`UnitError` as the class does and for a missing column, an empty
        code or an unreadable date.
        """
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise UnitError(
                f"{origin}: column {', '.join(missing)} missing: the first line must be {','.join(_COLUMNS)}"
            )
        units, places = [], []
        for row in reader:
            places.append(f"{origin}, line {reader.line_num}")
            units.append(_unit(row, places[-1]))
        return cls(units, places)

    def known(self, code: str) -> bool:
        """Tell whether the table has the unit."""
        return code in self._rows

    def get(self, code: str, at: date | None = None) -> Unit | None:
        """Return the row that applies on the local day ``at``, the newest without one; None if unknown."""
        history = self._rows.get(code)
        if history is None:
            return None
        if at is None or len(history) == 1:
            return history[-1]
        return history[max(0, bisect_right(history, at, key=lambda unit: unit.valid_from) - 1)]

    def name(self, code: str, lang: Literal["vi", "en"]) -> str:
        """Return the unit's newest name; an unknown unit is called by its code."""
        unit = self.get(code)
        if unit is None:
            return code
        return unit.name_en if lang == "en" else unit.name_vi

    def ancestors(self, code: str, at: date) -> tuple[str, ...]:
        """Return the units above ``code`` on the local day ``at``, nearest first; none if unknown."""
        chain = self.segments(code)
        found = max(0, bisect_right(chain, day_start(at), key=lambda segment: segment.start_s) - 1)
        return chain[found].units[1:]

    def scopes(self, unit: str, field: str | None, at_s: int) -> tuple[str, ...]:
        """Return where a mark of ``unit`` and ``field`` at epoch second ``at_s`` counts.

        ``("unit:25195", "unit:75", "field:land")``: the unit, its ancestors on that day in Viet Nam, and the
        field if it has one. An unknown unit counts in its own right.
        """
        periods = self.periods(unit, field)
        return periods[max(0, bisect_right(periods, at_s, key=itemgetter(0)) - 1)][1]

    def periods(self, unit: str, field: str | None) -> tuple[Period, ...]:
        """Return from which epoch second on a mark of ``unit`` and ``field`` counts where, as :meth:`scopes` says it.

        In order, without gaps from ``START_S``; nearly all units have been in one place for ever.
        """
        periods = self._periods.get((unit, field))
        if periods is None:
            below = (f"field:{field}",) if field else ()
            periods = tuple(
                (segment.start_s, (*(f"unit:{code}" for code in segment.units), *below))
                for segment in self.segments(unit)
            )
            if len(self._periods) >= REMEMBERED:
                self._periods.clear()
            self._periods[unit, field] = periods
        return periods

    def segments(self, unit: str) -> tuple[Segment, ...]:
        """Return the periods of constant ancestors in order, without gaps from ``START_S`` to ``END_S``."""
        chain = self._chains.get(unit)
        if chain is None:
            if unit not in self._rows:
                return (Segment(START_S, END_S, (unit,)),)
            chain = self._chains[unit] = self._walk(unit)
        return chain

    def children(self, code: str | None, at: date | None = None) -> tuple[str, ...]:
        """Return the units directly under ``code`` in table order; the roots for None.

        With ``at``, those in force on that local day; without, those whose newest row has this parent.
        """
        found = self._children.get(code, {})
        return tuple(child for child in found if self._listed(child, code, at))

    def subtree(self, code: str, at: date | None = None) -> tuple[str, ...]:
        """Return ``code`` and all units below it, each before its children; nothing if unknown."""
        if code not in self._rows:
            return ()
        return (code, *(below for child in self.children(code, at) for below in self.subtree(child, at)))

    def by_kind(self, kind: str, under: str | None = None, at: date | None = None) -> tuple[str, ...]:
        """Return the units of a kind, such as ``ward``: one league. ``under`` limits it to a subtree.

        Kind and place are those on the local day ``at``, without one those of the newest rows.
        """
        roots = self.children(None, at) if under is None else (under,)
        candidates = (code for root in roots for code in self.subtree(root, at))
        return tuple(c for c in candidates if (unit := self.get(c, at)) is not None and unit.kind == kind)

    def _listed(self, code: str, parent: str | None, at: date | None) -> bool:
        unit = self.get(code, at)
        if unit is None or unit.parent != parent:
            return False
        return at is None or unit.valid_from <= at <= (unit.valid_to or date.max)

    def _walk(self, unit: str) -> tuple[Segment, ...]:
        found: list[Segment] = []
        start_s, at = START_S, date.min
        while True:
            units = self._above(unit, at)
            change = min(
                (row.valid_from for code in units for row in self._rows[code][1:] if row.valid_from > at),
                default=None,
            )
            end_s = END_S if change is None else day_start(change)
            if found and found[-1].units == units:
                # A row that changed only a name or a kind changes no scope.
                found[-1] = Segment(found[-1].start_s, end_s, units)
            else:
                found.append(Segment(start_s, end_s, units))
            if change is None:
                return tuple(found)
            start_s, at = end_s, change

    def _above(self, unit: str, at: date) -> tuple[str, ...]:
        chain: dict[str, None] = {}
        code: str | None = unit
        while code is not None and (row := self.get(code, at)) is not None:
            if code in chain:
                raise UnitError(
                    f"unit {code} is its own ancestor from {max(at, row.valid_from)} "
                    f"({' → '.join((*chain, code))}): correct the parent of one of them"
                )
            chain[code] = None
            code = row.parent
        return tuple(chain)

    def _check(self, where: dict[Unit, str]) -> None:
        for code, history in self._rows.items():
            for earlier, later in pairwise(history):
                if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
                    raise UnitError(
                        f"{where[later]}: unit {code} from {later.valid_from} overlaps {where[earlier]}: "
                        f"end that one with a valid_to before {later.valid_from}"
                    )
        for unit, place in where.items():
            if unit.valid_to is not None and unit.valid_to < unit.valid_from:
                raise UnitError(f"{place}: unit {unit.code} ends before it begins: correct valid_from or valid_to")
            if unit.parent is not None and unit.parent not in self._rows:
                raise UnitError(
                    f"{place}: unit {unit.code} has the unknown parent {unit.parent}: "
                    "add a row for it or leave the parent empty"
                )
        for code in self._rows:
            try:
                self.segments(code)
            except UnitError as error:
                raise UnitError(f"{where[self._rows[code][-1]]}: {error}") from None


def _unit(row: dict[str, str], place: str) -> Unit:
    code, parent, kind, name_vi, name_en = (
        unicodedata.normalize("NFC", (row[column] or "").strip()) for column in _COLUMNS[:5]
    )
    if not code:
        raise UnitError(f"{place}: the code is empty: fill it in or remove the line")
    valid_to = (row["valid_to"] or "").strip()
    return Unit(
        code,
        parent or None,
        kind,
        name_vi,
        name_en,
        _date(row["valid_from"], "valid_from", place),
        _date(valid_to, "valid_to", place) if valid_to else None,
    )


def _date(text: str | None, column: str, place: str) -> date:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise UnitError(f"{place}: {column} {text!r} is no date: write it as 2025-07-01") from None
