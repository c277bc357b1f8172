"""Alerts above and below each other: who is above whom, who speaks for whom, and which figure is the worst."""

from datetime import date
from typing import Any

import pytest

from contract.days import day_start
from contract.units import Unit, UnitTree
from streams.alerts import Alert, AlertState, Figure
from streams.clock import US_PER_S
from streams.family import SPEAKS_FOR_S, Ancestors, firing_below, speaking_for, worst_first
from tests.support.rules import make_rule

MOVED = date(2026, 7, 1)
TREE = UnitTree(
    [
        Unit("p", None, "province", "Tỉnh", "Province", date(2025, 7, 1)),
        Unit("q", None, "province", "Tỉnh Q", "Province Q", date(2025, 7, 1)),
        Unit("d", "p", "department", "Sở", "Department", date(2025, 7, 1)),
        Unit("c", "d", "commune", "Xã", "Commune", date(2025, 7, 1), date(2026, 6, 30)),
        Unit("c", "q", "commune", "Xã", "Commune", MOVED),
    ]
)
BEFORE_US, AFTER_US = (day_start(MOVED) - 1) * US_PER_S, day_start(MOVED) * US_PER_S
RULE = make_rule()
ABOVE = make_rule(indicator="overdue", window="now", below=None, above=0.05, recover=0.03)
WORSE = make_rule(below=None, worse_by=0.1, recover=0.05)


def alert(scope: str, **changes: Any) -> Alert:
    """A firing alert of a scope."""
    plain: dict[str, Any] = {
        "id": scope,
        "rule": "r",
        "indicator": "on_time",
        "window": "today",
        "scope": scope,
        "severity": "warning",
        "state": AlertState.FIRING,
        "since_us": 0,
        "numerator": 1,
        "denominator": 2,
        "threshold": 0.9,
    }
    return Alert(**plain | changes)


@pytest.mark.parametrize(
    ("scope", "at_us", "above"),
    [
        ("unit:c", BEFORE_US, ("unit:d", "unit:p")),
        ("unit:c", AFTER_US, ("unit:q",)),
        ("unit:d", BEFORE_US, ("unit:p",)),
        ("unit:p", BEFORE_US, ()),
        ("unit:unknown", BEFORE_US, ()),
        ("field:c", BEFORE_US, ()),
        ("c", BEFORE_US, ()),
    ],
)
def test_above_is_what_the_tree_says_on_the_local_day(scope: str, at_us: int, above: tuple[str, ...]) -> None:
    """Nearest first; only units have something above them."""
    assert Ancestors(TREE).at(at_us)(scope) == above


def test_a_unit_that_moves_has_others_above_it_from_its_day_on() -> None:
    """What was remembered of yesterday is not used today; within a day the answer is remembered."""
    ancestors = Ancestors(TREE)

    before = ancestors.at(BEFORE_US)("unit:c")
    same = ancestors.at(BEFORE_US - 3_600 * US_PER_S)("unit:c")
    after = ancestors.at(AFTER_US)("unit:c")

    assert (before, after) == (("unit:d", "unit:p"), ("unit:q",))
    assert same is before


def test_an_alert_above_speaks_for_what_could_be_told_up_to_a_minute_later() -> None:
    """And for all that could be told before it; what came later was told by itself."""
    told = {"unit:c": 100, "unit:d": 100 - SPEAKS_FOR_S, "unit:p": 99 - SPEAKS_FOR_S, "unit:q": 500}

    rv = speaking_for(
        alert("unit:c"),
        [alert(scope) for scope in ("unit:d", "unit:p", "unit:q")],
        lambda one: told[one.scope] * US_PER_S,
    )

    assert rv == ("unit:d", "unit:q")


def test_what_fires_is_listed_under_every_scope_above_it() -> None:
    """Only of the rules asked about, and only what fires and is not over."""
    firing = [alert("unit:c"), alert("unit:e"), alert("unit:c", rule="s")]
    others = [
        alert("unit:c", rule="other"),
        alert("unit:c", state=AlertState.PENDING),
        alert("unit:c", state=AlertState.RECOVERED),
        alert("unit:c", ended_us=9),
        alert("unit:c", rule="other", ended_us=9),
    ]
    above = {"unit:c": ("unit:d", "unit:p"), "unit:e": ("unit:d",)}

    rv = firing_below([*firing, *others], {"r", "s"}, above.__getitem__)

    assert rv == {
        ("r", "unit:d"): firing[:2],
        ("r", "unit:p"): firing[:1],
        ("s", "unit:d"): firing[2:],
        ("s", "unit:p"): firing[2:],
    }


@pytest.mark.parametrize(
    ("rule", "usual", "order"),
    [
        pytest.param(RULE, {}, ["nothing", "low", "alike", "mid", "high"], id="low is worse"),
        pytest.param(ABOVE, {}, ["high", "alike", "mid", "low", "nothing"], id="high is worse"),
        pytest.param(
            WORSE, {"high": 1.0, "mid": 0.9, "low": 0.1}, ["mid", "high", "nothing", "low", "alike"], id="by distance"
        ),
    ],
)
def test_the_worst_comes_first(rule: Any, usual: dict[str, float], order: list[str]) -> None:
    """By the rate, not by the count; a scope without cases counts as 0, equals are in the order of their names."""
    figures = [
        Figure("high", 9, 10),
        Figure("low", 20, 100),
        Figure("mid", 1, 2),
        Figure("alike", 50, 100),
        Figure("nothing", 0, 0),
    ]

    rv = worst_first(rule, figures, usual.get)

    assert [figure.scope for figure in rv] == order
