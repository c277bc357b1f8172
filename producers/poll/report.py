"""What one round did, for logs, terminals and programs."""

from collections import Counter

import msgspec

from contract.personal import mask
from producers.refusal import Refusal

__all__ = ["REFUSALS_KEPT", "RoundReport", "Tally"]

REFUSALS_KEPT = 20
"""So many refused rows of a round are reported one by one; all are counted."""


class RoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a round. ``vanished`` is None unless everything was compared.

    ``rows`` were read; of these ``refused`` could not be read, ``duplicates`` were older copies of an entity,
    ``changed`` became an event; the others were as before. ``sent`` counts events confirmed by the target,
    with those of an earlier round that was cut off.
    """

    rows: int
    changed: int
    sent: int
    refused: int
    refused_by_column: dict[str, int]
    duplicates: int
    vanished: int | None
    voided: int
    full: bool
    new_columns: tuple[str, ...]
    first_refusals: tuple[str, ...]


class Tally:
    """Counts while a round is read."""

    def __init__(self) -> None:
        self.rows = 0
        self.refused = 0
        self.duplicates = 0
        self.voided = 0
        self.vanished: int | None = None
        self.unreadable_codes = 0
        self.columns: dict[str, None] = {}
        self._by_column: Counter[str] = Counter()
        self._first: list[str] = []

    def refuse(self, refusal: Refusal, subject: str | None) -> None:
        """Count a refused row; a row without a readable code is told apart."""
        self.refused += 1
        self.unreadable_codes += subject is None
        self._by_column[refusal.column or ""] += 1
        if len(self._first) < REFUSALS_KEPT:
            self._first.append(mask(str(refusal) if subject is None else f"{refusal} ({subject})"))

    def report(self, *, changed: int, sent: int, full: bool, new_columns: tuple[str, ...]) -> RoundReport:
        """Return the counts of the round that is over."""
        return RoundReport(
            rows=self.rows,
            changed=changed,
            sent=sent,
            refused=self.refused,
            refused_by_column=dict(self._by_column.most_common()),
            duplicates=self.duplicates,
            vanished=self.vanished,
            voided=self.voided,
            full=full,
            new_columns=new_columns,
            first_refusals=tuple(self._first),
        )
