"""Rules, units and days for tests of alerts."""

from datetime import date
from typing import Any

from contract.calendar import WorkCalendar
from contract.days import day_start
from contract.units import Unit, UnitTree
from streams.clock import US_PER_S
from streams.rule import Rule
from streams.rules import Rules

__all__ = ["CALENDAR", "TREE", "fig", "local_us", "make_rule", "make_rules"]

TREE = UnitTree(
    [
        Unit("p", None, "province", "Tỉnh", "Province", date(2025, 7, 1)),
        *(Unit(f"c{n}", "p", "commune", f"Xã {n}", f"Commune {n}", date(2025, 7, 1)) for n in range(120)),
    ]
)
"""One province with 120 communes, c0 to c119."""


CALENDAR = WorkCalendar.build({}, first_year=2009, last_year=2030)


def make_rule(**changes: Any) -> Rule:
    """A rule on ``on_time`` of today in all units: bad below 90 %, good again from 92 %, at once."""
    plain: dict[str, Any] = {
        "id": "r",
        "indicator": "on_time",
        "window": "today",
        "scope": "unit:*",
        "below": 0.90,
        "recover": 0.92,
        "minimum_n": 20,
        "minimum_history": 3,
        "hold_s": 0,
        "severity": "warning",
        "remind_s": None,
        "quiet": None,
        "working_days": False,
        "to": ("unit",),
        "escalate_s": None,
        "escalate_to": (),
        "daily_min": None,
        "title": None,
        "text": None,
    }
    return Rule(**plain | changes)


def make_rules(*rules: Rule) -> Rules:
    """An evaluation of these rules in the province of the tests."""
    return Rules(rules, TREE, CALENDAR)


def fig(*percents: int, n: int = 100, scope: str = "unit:c", key: tuple[str, str] = ("on_time", "today")) -> Any:
    """Figures of the communes c0, c1, …: so many of 100 are good. Under plain tuples, as roll publishes them."""
    return {(f"{scope}{i}", *key): (percent, n) for i, percent in enumerate(percents)}


def local_us(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Microsecond of a local time in March 2026; the 2nd is a Monday."""
    return (day_start(date(2026, 3, day)) + hour * 3_600 + minute * 60 + second) * US_PER_S
