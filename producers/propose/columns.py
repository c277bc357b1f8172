"""What the cells of a column look like: type, gaps, distinct values, date formats."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from contract.fields import EARLIEST_YEAR, LATEST_YEAR

__all__ = ["TIME_FORMATS", "Column", "constant_within", "profile"]

ColumnForm = Literal["empty", "time", "integer", "decimal", "boolean", "text"]

TIME_FORMATS: Final = (
    "iso",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%H:%M:%S %d/%m/%Y",
    "%H:%M %d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
)
"""Formats that are tried, in order: day before month, as Viet Nam writes. The national synchronisation sends
``%Y%m%d%H%M%S``."""

DISTINCT_KEPT: Final = 200
"""Distinct values kept of a column; beyond, they are only counted."""
CELLS_TRIED: Final = 400
"""So many distinct cells of a column decide its form."""
FIT: Final = 0.9
"""Share of the cells tried that a form must fit."""

_BOOLEANS: Final = frozenset({"true", "false", "yes", "no"})
_DIGITS_OF_A_DATE: Final = (8, 14)


class Column(NamedTuple):
    """One column as it looks in the rows read.

    ``distinct`` counts different cells, ``most`` holds the most frequent with their counts. ``formats`` are
    the time formats needed to read its times, in order; ``odd`` are cells that do not fit ``form``.
    ``longest`` is in characters.
    """

    name: str
    rows: int
    empty: int
    distinct: int
    most: tuple[tuple[str, int], ...]
    form: ColumnForm
    formats: tuple[str, ...]
    odd: tuple[str, ...]
    longest: int

    @property
    def unique(self) -> bool:
        """Whether every row has a cell of its own."""
        return self.rows > 0 and self.empty == 0 and self.distinct == self.rows

    @property
    def share_empty(self) -> float:
        """Share of rows without a cell."""
        return self.empty / self.rows if self.rows else 1.0


def profile(rows: Sequence[dict[str, str]]) -> tuple[Column, ...]:
    """Describe every column of the rows, in the order in which they appear."""
    names = dict.fromkeys(name for row in rows for name in row)
    return tuple(_column(name, [row.get(name, "").strip() for row in rows]) for name in names)


def _column(name: str, cells: Sequence[str]) -> Column:
    counts = Counter(cell for cell in cells if cell)
    tried = [cell for cell, _ in counts.most_common(CELLS_TRIED)]
    form, formats, fits = _form(tried)
    return Column(
        name=name,
        rows=len(cells),
        empty=len(cells) - counts.total(),
        distinct=len(counts),
        most=tuple(counts.most_common(DISTINCT_KEPT)),
        form=form,
        formats=formats,
        odd=tuple(cell for cell in tried if cell not in fits)[:3],
        longest=max(map(len, counts), default=0),
    )


def _form(cells: Sequence[str]) -> tuple[ColumnForm, tuple[str, ...], frozenset[str]]:
    if not cells:
        return "empty", (), frozenset()
    enough = FIT * len(cells)
    if all(cell.lower() in _BOOLEANS for cell in cells):
        return "boolean", (), frozenset(cells)
    formats, times = _times(cells)
    if len(times) >= enough:
        return "time", formats, times
    integers = frozenset(c for c in cells if c.lstrip("+-").isascii() and c.lstrip("+-").isdigit())
    if len(integers) >= enough:
        return "integer", (), integers
    decimals = frozenset(cell for cell in cells if _is_decimal(cell))
    if len(decimals) >= enough:
        return "decimal", (), decimals
    return "text", (), frozenset(cells)


def _times(cells: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the fewest formats that read most cells, and the cells they read."""
    chosen: list[str] = []
    read: set[str] = set()
    for form in TIME_FORMATS:
        # 03/25/2026 decides for the month first only where no format of Viet Nam reads the cell.
        more = {cell for cell in cells if cell not in read and _is_time(cell, form)}
        if more:
            chosen.append(form)
            read |= more
    # Day and month first never stand in one column: the one that reads more is meant.
    month_first = [form for form in chosen if form.startswith("%m/")]
    if month_first:
        swapped = [f for f in TIME_FORMATS if not f.startswith("%d/")]
        by_month = {cell for cell in cells if any(_is_time(cell, f) for f in swapped)}
        if len(by_month) >= len(read):
            return tuple(f for f in swapped if any(_is_time(c, f) for c in cells)), frozenset(by_month)
        chosen = [form for form in chosen if form not in month_first]
        read = {cell for cell in cells if any(_is_time(cell, form) for form in chosen)}
    return tuple(chosen), frozenset(read)


def _is_time(cell: str, form: str) -> bool:
    # A bare number is a time only where it has as many digits as one: 20261122 or 20261122083000.
    if cell.isdigit() and len(cell) not in _DIGITS_OF_A_DATE:
        return False
    try:
        found = datetime.fromisoformat(cell) if form == "iso" else datetime.strptime(cell, form)  # noqa: DTZ007
    except ValueError:
        return False
    return EARLIEST_YEAR <= found.year <= LATEST_YEAR


def _is_decimal(cell: str) -> bool:
    whole, _, part = cell.lstrip("+-").partition(".")
    return (whole + part).isascii() and (whole + part).isdigit()


def constant_within(rows: Iterable[dict[str, str]], key: str, column: str) -> bool:
    """Tell whether a column never changes within the rows of one entity; empty cells do not count."""
    seen: dict[str, str] = {}
    for row in rows:
        cell = row.get(column, "").strip()
        if cell and seen.setdefault(row.get(key, "").strip(), cell) != cell:
            return False
    return True
