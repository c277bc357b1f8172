"""What a rule watches and compares with: indicator, window, scope and threshold, checked together."""

from typing import Any

import pytest

from contract.registry import INDICATORS
from contract.windows import RATE_WINDOWS
from streams.gauges import GAUGES
from streams.rule_checks import Limit, check_scope, limit_of
from streams.rule_table import Fault, Table
from tests.support.rules import TREE

WORDS = ", ".join((*INDICATORS, *GAUGES))
PLACES = "write one of unit:…, level:…, field:…, source:…, system:…"
ON_TIME: dict[str, Any] = {"indicator": "on_time", "window": "today", "below": 0.9}
OVERDUE: dict[str, Any] = {"indicator": "overdue", "above": 0.05}
SILENCE: dict[str, Any] = {"indicator": "silence", "above": 2}


def limit(**found: Any) -> tuple[Limit | None, list[str]]:
    """The limit of such a table, and what is wrong with it."""
    faults: list[Fault] = []
    made = limit_of(Table(found, ("rule", 0), {}, faults))
    return made, [fault.text.removeprefix("rule 1: ") for fault in faults]


def scope(**found: Any) -> tuple[str | None, list[str]]:
    """The scope of such a table, and what is wrong with it."""
    faults: list[Fault] = []
    made = check_scope(Table(found, ("rule", 0), {}, faults), TREE)
    return made, [fault.text.removeprefix("rule 1: ") for fault in faults]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ON_TIME, Limit("on_time", "today", 0.9, None, None, 0.9)),
        (ON_TIME | {"recover": 0.95}, Limit("on_time", "today", 0.9, None, None, 0.95)),
        (ON_TIME | {"recover": 0.9}, Limit("on_time", "today", 0.9, None, None, 0.9)),
        (ON_TIME | {"recover": 1}, Limit("on_time", "today", 0.9, None, None, 1.0)),
        (ON_TIME | {"below": 1}, Limit("on_time", "today", 1.0, None, None, 1.0)),
        (OVERDUE, Limit("overdue", "now", None, 0.05, None, 0.05)),
        (OVERDUE | {"window": "now", "recover": 0}, Limit("overdue", "now", None, 0.05, None, 0.0)),
        (OVERDUE | {"recover": 0.05}, Limit("overdue", "now", None, 0.05, None, 0.05)),
        (OVERDUE | {"above": 0}, Limit("overdue", "now", None, 0.0, None, 0.0)),
        (SILENCE, Limit("silence", "now", None, 2.0, None, 2.0)),
        (SILENCE | {"above": 0}, Limit("silence", "now", None, 0.0, None, 0.0)),
        (SILENCE | {"recover": 1.5}, Limit("silence", "now", None, 2.0, None, 1.5)),
        (
            {"indicator": "on_time", "window": "30d", "worse_by": 0.1, "recover": 0.05},
            Limit("on_time", "30d", None, None, 0.1, 0.05),
        ),
        ({"indicator": "overdue", "worse_by": 1}, Limit("overdue", "now", None, None, 1.0, 1.0)),
    ],
)
def test_a_limit_that_can_be_passed_is_taken(found: dict[str, Any], expected: Limit) -> None:
    """The only window of an indicator need not be written; recovery is the threshold unless written."""
    assert limit(**found) == (expected, [])


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"window": "today", "below": 0.9}, "indicator is missing: add it"),
        (ON_TIME | {"indicator": "late"}, f"indicator: 'late' is unknown: write one of {WORDS}"),
        (ON_TIME | {"indicator": 3}, f"indicator: 3 is unknown: write one of {WORDS}"),
        (ON_TIME | {"window": "now"}, f"window: 'now' is unknown: write one of {', '.join(RATE_WINDOWS)}"),
        (OVERDUE | {"window": "1h"}, "window: '1h' is unknown: write one of now"),
        ({"indicator": "on_time", "below": 0.9}, "window is missing: add it"),
        (
            {"indicator": "on_time", "window": "today"},
            "there is no threshold: write exactly one of below, above, worse_by",
        ),
        (
            ON_TIME | {"above": 0.9},
            "above: below and above are given together: write exactly one of below, above, worse_by",
        ),
        (
            OVERDUE | {"worse_by": 0.1},
            "worse_by: above and worse_by are given together: write exactly one of below, above, worse_by",
        ),
        (
            ON_TIME | {"above": 0.9, "worse_by": 0.1},
            "above: below and above and worse_by are given together: write exactly one of below, above, worse_by",
        ),
        ({"indicator": "silence", "below": 1}, "below: of silence more is always worse: write above"),
        ({"indicator": "silence", "worse_by": 1}, "worse_by: of silence more is always worse: write above"),
        ({"indicator": "on_time", "window": "1h", "above": 0.9}, "above: of on_time higher is better: write below"),
        ({"indicator": "overdue", "below": 0.9}, "below: of overdue lower is better: write above"),
        (SILENCE | {"above": -1}, "above: -1 is below 0: write 0 or more"),
        (SILENCE | {"above": "x"}, "above: 'x' is no number: write one without quotes, such as 0.95"),
        (OVERDUE | {"above": 1}, "above: 1 is no share that can be exceeded: write 0 or more, below 1"),
        (
            OVERDUE | {"above": 5},
            "above: 5 is no share that can be exceeded: write 0 or more, below 1 (0.05 for 5 %)",
        ),
        (OVERDUE | {"above": -0.1}, "above: -0.1 is no share that can be exceeded: write 0 or more, below 1"),
        (ON_TIME | {"below": 0}, "below: 0 is no such share: write more than 0, at most 1"),
        (ON_TIME | {"below": 1.5}, "below: 1.5 is no such share: write more than 0, at most 1 (0.015 for 1.5 %)"),
        (ON_TIME | {"below": 90}, "below: 90 is no such share: write more than 0, at most 1 (0.9 for 90 %)"),
        (ON_TIME | {"below": 100}, "below: 100 is no such share: write more than 0, at most 1 (1 for 100 %)"),
        (ON_TIME | {"below": 101}, "below: 101 is no such share: write more than 0, at most 1"),
        (
            {"indicator": "on_time", "window": "1h", "worse_by": 10},
            "worse_by: 10 is no such share: write more than 0, at most 1 (0.1 for 10 %)",
        ),
        (ON_TIME | {"recover": 0.8}, "recover: 0.8 is on the wrong side: write 0.9 to 1"),
        (ON_TIME | {"recover": 1.5}, "recover: 1.5 is on the wrong side: write 0.9 to 1 (0.015 for 1.5 %)"),
        (ON_TIME | {"recover": 95}, "recover: 95 is on the wrong side: write 0.9 to 1 (0.95 for 95 %)"),
        (OVERDUE | {"recover": 0.06}, "recover: 0.06 is on the wrong side: write 0 to 0.05"),
        (OVERDUE | {"recover": 3}, "recover: 3 is on the wrong side: write 0 to 0.05 (0.03 for 3 %)"),
        (OVERDUE | {"recover": -0.01}, "recover: -0.01 is on the wrong side: write 0 to 0.05"),
        (SILENCE | {"recover": 3}, "recover: 3 is on the wrong side: write 0 to 2"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_once(found: dict[str, Any], sentence: str) -> None:
    """One sentence for one mistake, with what to write instead; a percentage is recognised."""
    _, faults = limit(**found)

    assert faults == [sentence]


@pytest.mark.parametrize(
    "found",
    [ON_TIME | {"indicator": "late"}, ON_TIME | {"window": "x"}, ON_TIME | {"below": 7}, ON_TIME | {"above": 0.1}],
)
def test_without_what_it_needs_there_is_no_limit(found: dict[str, Any]) -> None:
    """A rule that is half right is not evaluated."""
    assert limit(**found)[0] is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"indicator": "on_time", "scope": "unit:*"}, "unit:*"),
        ({"indicator": "on_time", "scope": "level:commune"}, "level:commune"),
        ({"indicator": "on_time", "scope": "field:land"}, "field:land"),
        ({"indicator": "silence", "scope": "source:onestop"}, "source:onestop"),
        ({"indicator": "silence", "scope": "source:urn:nhip"}, "source:urn:nhip"),
        ({"indicator": "behind", "scope": "system:stream"}, "system:stream"),
        ({"scope": "source:x"}, "source:x"),
        ({"indicator": "late", "scope": "source:x"}, "source:x"),
    ],
)
def test_a_scope_that_the_indicator_has_is_taken(found: dict[str, Any], expected: str) -> None:
    """Whether the indicator itself is known, another check tells."""
    assert scope(**found) == (expected, [])


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({}, "scope is missing: add it"),
        ({"scope": "commune:x"}, f"scope: 'commune:x' is unknown: {PLACES}"),
        ({"scope": "unit:"}, f"scope: 'unit:' is unknown: {PLACES}"),
        ({"scope": "unit"}, f"scope: 'unit' is unknown: {PLACES}"),
        ({"scope": 75}, f"scope: 75 is unknown: {PLACES}"),
        ({"scope": "unit:x"}, "scope: 'unit:x' fits nothing: write a code of config/units.csv, or unit:*"),
        ({"scope": "level:ward"}, "scope: 'level:ward' fits nothing: write a kind of config/units.csv, or unit:*"),
        ({"scope": "system:disk"}, "scope: 'system:disk' fits nothing: write system:*"),
        (
            {"indicator": "on_time", "scope": "source:*"},
            "scope: on_time is not counted for 'source:*': write unit:… or level:… or field:…",
        ),
        (
            {"indicator": "silence", "scope": "unit:*"},
            "scope: silence is not counted for 'unit:*': write source:…",
        ),
        (
            {"indicator": "behind", "scope": "source:*"},
            "scope: behind is not counted for 'source:*': write system:…",
        ),
    ],
)
def test_a_scope_without_such_figures_is_refused_once(found: dict[str, Any], sentence: str) -> None:
    """It names what the indicator is counted for."""
    _, faults = scope(**found)

    assert faults == [sentence]
