"""What an indicator is. The indicators themselves are declared beside their snapshots."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from contract.marks import Mark
from contract.text import Text

__all__ = ["Bars", "Indicator", "Reading", "Share", "Target"]

Share = Annotated[float, Meta(ge=0, le=1)]


class Reading(Enum):
    """How the marks of a window become numerator and denominator."""

    RATE = "rate"
    """Σ good / count over the marks in a window that ends now."""
    OVERDUE = "overdue"
    """Marks whose minute is before the current one / all marks; only window: ``now``."""
    DUE_SOON = "due_soon"
    """Marks from the current minute to 24 hours on / all marks; only window: ``now``."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Target of an indicator as shares: ``value`` reached or better is met, ``watch`` the border of missed.

    ``source`` says where it comes from. With fewer cases than ``minimum_n`` a figure is not judged; 0 leaves
    that number to the office.
    """

    value: Share
    watch: Share
    source: str
    minimum_n: Annotated[int, Meta(ge=1)] = 0


class Bars(NamedTuple):
    """What all marks of an indicator, and its good ones, are called where they are counted by the hour."""

    counted: Text
    good: Text


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One published rate, declared once for stream, store, screens, thresholds, docs and tests.

    ``mark`` is the pure function from a snapshot to at most one mark; None when the indicator reads the
    marks of another one, named by ``marks_of``. ``counts`` and ``formula`` are the sentences that the docs
    print. A zero denominator always gives the rate NULL, shown as "–": never 0, never 100 %.

    ``target`` holds until ``config/targets.toml`` says otherwise. ``window`` is the one of its headline.
    ``overview``: place among the headlines of the overview and of a unit's screen, from 1; those have room for
    six. ``bars`` is needed where marks are counted by the hour; an open state has none.
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
    target: Target
    window: str = "today"
    overview: int | None = None
    bars: Bars | None = None
    reading: Reading = Reading.RATE
    mark: Callable[[Any], Mark | None] | None = None
    marks_of: str | None = None

    @property
    def marks(self) -> str:
        """Key of the indicator whose marks are counted: its own unless it shares another's."""
        return self.marks_of or self.key
