"""What an indicator is. The indicators themselves are declared beside their snapshots."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from contract.marks import Mark

__all__ = ["Indicator", "Reading"]


class Reading(Enum):
    """How the marks of a window become numerator and denominator."""

    RATE = "rate"
    """Σ good / count over the marks in a window that ends now."""
    OVERDUE = "overdue"
    """Marks whose minute is before the current one / all marks; only window: ``now``."""
    DUE_SOON = "due_soon"
    """Marks from the current minute to 24 hours on / all marks; only window: ``now``."""


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One published rate, declared once for stream, store, screens, thresholds, docs and tests.

    ``mark`` is the pure function from a snapshot to at most one mark; None when the indicator reads the
    marks of another one, named by ``marks_of``. ``counts`` and ``formula`` are the sentences that the docs
    print. A zero denominator always gives the rate NULL, shown as "–": never 0, never 100 %.
    """

    key: str
    name_vi: str
    name_en: str
    unit_vi: str
    unit_en: str
    higher_is_better: bool
    counts: str
    formula: str
    source: str
    reading: Reading = Reading.RATE
    mark: Callable[[Any], Mark | None] | None = None
    marks_of: str | None = None

    @property
    def marks(self) -> str:
        """Key of the indicator whose marks are counted: its own unless it shares another's."""
        return self.marks_of or self.key
