"""What a screen is made of: panels with a form, a content and a place on the grid."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from contract.text import Text

__all__ = ["COLUMNS", "LIMIT_S", "ROWS", "SLOW_LIMIT_S", "Content", "Form", "Grid", "Panel", "ScopeKind", "Screen"]

COLUMNS, ROWS = 12, 10
"""The grid of a screen of 16:9."""
LIMIT_S = 30
"""Figures older than this are grey: roll beats every second, and a worker that is killed is back in half of it."""
SLOW_LIMIT_S = 60
"""For what is read less often, such as the list of the most overdue."""


class Form(Enum):
    """How a panel is drawn."""

    HEADLINE = "headline"
    ATTENTION = "attention"
    LEAGUE = "league"
    BARS = "bars"
    SHARES = "shares"
    RATES = "rates"
    LIST = "list"
    AGES = "ages"
    FACTS = "facts"


class Content(Enum):
    """What a panel shows."""

    RATE = "rate"
    """One indicator's figure against its target."""
    ATTENTION = "attention"
    """What misses its target now, stale sources, due soon."""
    LEAGUE = "league"
    """Units of one kind by one indicator."""
    PER_HOUR = "per_hour"
    """Marks per hour of the local day: those of each indicator (dossiers), or all and good ones (one indicator)."""
    AGEING = "ageing"
    """Open dossiers by the time left until they are due."""
    BY_FIELD = "by_field"
    """One indicator in every field."""
    MOST_OVERDUE = "most_overdue"
    """Codes of the dossiers that are overdue for longest."""
    SOURCES = "sources"
    """Every source's age against what is expected."""
    UNITS = "units"
    """Every unit's age against what is expected, the longest silent first."""
    PIPELINE = "pipeline"
    """Facts of the pipeline: age of the figures, lag, dead letters."""
    DEAD_LETTERS = "dead_letters"
    """Refused records by reason."""
    ALERTS = "alerts"
    """Alerts that fire, and who acknowledged them."""
    PENDING = "pending"
    """Alerts whose figure is bad, not yet for long enough."""
    MUTED = "muted"
    """Mutes in force."""


class ScopeKind(Enum):
    """Of whom a panel tells."""

    PROVINCE = "province"
    UNIT = "unit"
    DEPARTMENTS = "departments"
    COMMUNES = "communes"
    FIELD = "field"


class Grid(NamedTuple):
    """Place on the grid of a screen, in columns and rows from the top left."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    ``key`` is unique within its screen. ``window`` is one of contract.windows.WINDOWS, None where none applies.
    ``limit_s``: the age of its data in seconds from which the panel is grey. ``rows``: at most so many lines.
    """

    key: str
    form: Form
    content: Content
    names: Text
    grid: Grid
    indicators: tuple[str, ...] = ()
    scope: ScopeKind = ScopeKind.PROVINCE
    window: str | None = None
    limit_s: int = LIMIT_S
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen; ``key`` stands in addresses."""

    key: str
    names: Text
    panels: tuple[Panel, ...]
