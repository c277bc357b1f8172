"""A row that was not taken, and why."""

from typing import NamedTuple

from contract.personal import mask

__all__ = ["Refusal"]


class Refusal(NamedTuple):
    """One refused row. ``row`` counts as a spreadsheet does (CSV: the header is row 1; JSONL: the line)."""

    row: int
    column: str | None
    reason: str

    def __str__(self) -> str:
        where = f"row {self.row}" if self.column is None else f"row {self.row}, column {self.column}"
        return f"{where}: {mask(self.reason)}"
