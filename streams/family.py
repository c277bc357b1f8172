"""Alerts of one rule above and below each other: whose message speaks for whom."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from contract.days import local_date
from contract.units import UnitTree
from streams.alerts import Alert, AlertState, Figure
from streams.clock import US_PER_S
from streams.rule import Rule
from streams.verdict import lower_is_worse

__all__ = ["MAX_CHILDREN", "SPEAKS_FOR_S", "Ancestors", "firing_below", "speaking_for", "worst_first"]

MAX_CHILDREN: Final = 10
"""A message names so many units below its own; the others it counts."""
SPEAKS_FOR_S: Final = 60
"""What fires so long after the alert above it was told is told with it."""

_UNIT: Final = "unit:"


class Ancestors:
    """Scopes above a scope, nearest first, remembered for one local day."""

    def __init__(self, tree: UnitTree) -> None:
        self._tree = tree
        self._day = local_date(0)
        self._above: dict[str, tuple[str, ...]] = {}

    def at(self, now_us: int) -> Callable[[str], tuple[str, ...]]:
        """Return the look-up that is right at a moment."""
        day = local_date(now_us // US_PER_S)
        if day != self._day:
            self._day, self._above = day, {}
        return self._of

    def _of(self, scope: str) -> tuple[str, ...]:
        found = self._above.get(scope)
        if found is None:
            units = self._tree.ancestors(scope.removeprefix(_UNIT), self._day) if scope.startswith(_UNIT) else ()
            found = self._above[scope] = tuple(_UNIT + unit for unit in units)
        return found


def speaking_for(alert: Alert, above: Iterable[Alert], first_told_us: Callable[[Alert], int]) -> tuple[str, ...]:
    """Return the scopes whose alert has told this one too.

    ``above``: alerts of the same rule above it that people were told of. They speak for what could be told before
    them, or up to a minute after them; what came later was told by itself, and remains so.
    """
    until_us = first_told_us(alert) - SPEAKS_FOR_S * US_PER_S
    return tuple(parent.scope for parent in above if first_told_us(parent) >= until_us)


def firing_below(
    alerts: Iterable[Alert], rules: Collection[str], above: Callable[[str], tuple[str, ...]]
) -> dict[tuple[str, str], list[Alert]]:
    """Return what fires, of the rules given, by (rule, scope above it)."""
    found: dict[tuple[str, str], list[Alert]] = {}
    for alert in alerts:
        if alert.rule in rules and alert.state is AlertState.FIRING and alert.ended_us is None:
            for scope in above(alert.scope):
                found.setdefault((alert.rule, scope), []).append(alert)
    return found


def worst_first(rule: Rule, figures: Iterable[Figure], usual: Callable[[str], float | None]) -> list[Figure]:
    """Return figures by how bad they are; a rule that compares with the usual puts the largest distance first."""
    sign = 1 if lower_is_worse(rule) else -1

    def badness(figure: Figure) -> tuple[float, str]:
        rate = figure.numerator / figure.denominator if figure.denominator else 0.0
        return sign * (rate - (usual(figure.scope) or 0.0)), figure.scope

    return sorted(figures, key=badness)
