"""What a figure means to a rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.verdict import Limits, Verdict, bad_test, judge, limits
from tests.support.rules import make_rule

RULES = (
    make_rule(),
    make_rule(minimum_n=1, below=0.5, recover=0.5),
    make_rule(indicator="overdue", window="now", below=None, above=0.005, recover=0.003),
    make_rule(indicator="silence", window="now", below=None, above=1.0, recover=1.0),
)

ABOVE: dict[str, Any] = {"indicator": "overdue", "window": "now", "below": None, "above": 0.05, "recover": 0.03}
SILENCE: dict[str, Any] = {"indicator": "silence", "window": "now", "below": None, "above": 1.0, "recover": 1.0}

counts = st.integers(0, 300)


@given(st.sampled_from(RULES), counts, counts)
def test_the_quick_test_agrees_with_the_judgement(rule: object, numerator: int, denominator: int) -> None:
    """One comparison for the many, the same answer for each."""
    assert isinstance(rule, type(RULES[0]))
    is_bad = bad_test(rule)

    assert is_bad is not None
    assert is_bad(numerator, denominator) is (judge(rule, numerator, denominator) is Verdict.BAD)


def test_a_figure_on_the_threshold_is_not_bad() -> None:
    """90 % reaches a target of 90 %; 92 % is where it is good again."""
    rule = make_rule()

    found = [judge(rule, good, 100) for good in (89, 90, 91, 92)]

    assert found == [Verdict.BAD, Verdict.BETWEEN, Verdict.BETWEEN, Verdict.GOOD]


def test_worse_by_follows_the_indicators_direction() -> None:
    """Fewer on time is worse, more overdue is worse."""
    on_time = make_rule(below=None, worse_by=0.1, recover=0.05)
    overdue = make_rule(indicator="overdue", window="now", below=None, worse_by=0.1, recover=0.05)
    usual = (0.5, 0.5, 0.5)

    assert [judge(on_time, n, 100, usual) for n in (39, 42, 46)] == [Verdict.BAD, Verdict.BETWEEN, Verdict.GOOD]
    assert [judge(overdue, n, 100, usual) for n in (61, 58, 54)] == [Verdict.BAD, Verdict.BETWEEN, Verdict.GOOD]
    assert judge(on_time, 0, 100, usual[:2]) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "figure", "verdict"),
    [
        pytest.param({}, (17, 20), Verdict.BAD, id="as many cases as are needed"),
        pytest.param({}, (16, 19), Verdict.UNKNOWN, id="one case too few"),
        pytest.param({}, (18, 20), Verdict.BETWEEN, id="just the threshold"),
        pytest.param({"minimum_n": 1}, (0, 1), Verdict.BAD, id="one case is enough"),
        pytest.param({"minimum_n": 1}, (0, 0), Verdict.UNKNOWN, id="no case is no rate"),
        pytest.param({"minimum_n": 1}, (1, 1), Verdict.GOOD, id="one good case"),
        pytest.param(ABOVE, (1, 20), Verdict.BETWEEN, id="just the upper threshold"),
        pytest.param(ABOVE, (2, 20), Verdict.BAD, id="beyond the upper threshold"),
        pytest.param(ABOVE, (2, 19), Verdict.UNKNOWN, id="beyond it, one case too few"),
        pytest.param(ABOVE, (3, 100), Verdict.GOOD, id="just the way back"),
        pytest.param(SILENCE, (2, 1), Verdict.BAD, id="a gauge of one"),
        pytest.param(SILENCE, (1, 1), Verdict.GOOD, id="a gauge on its threshold"),
        pytest.param(SILENCE, (5, 0), Verdict.UNKNOWN, id="a gauge of nothing"),
    ],
)
def test_verdicts_at_the_edges(changes: dict[str, Any], figure: tuple[int, int], verdict: Verdict) -> None:
    """Thresholds and minimum are met by equality; both tests say so."""
    rule = make_rule(**changes)
    is_bad = bad_test(rule)

    assert judge(rule, *figure) is verdict
    assert is_bad is not None
    assert is_bad(*figure) is (verdict is Verdict.BAD)


def test_a_rule_without_a_threshold_judges_nothing() -> None:
    """The reader of the file refuses such a rule; nothing is compared with nothing."""
    rule = make_rule(below=None)

    assert limits(rule, ()) is None
    assert bad_test(rule) is None
    assert judge(rule, 1, 100) is Verdict.UNKNOWN


def test_limits_are_the_rules_own_or_lie_around_the_usual() -> None:
    """A fixed threshold has no usual value; a distance lies on the side on which the indicator gets worse."""
    usual = (0.5, 0.75, 0.25)
    on_time = make_rule(below=None, worse_by=0.25, recover=0.125)
    overdue = make_rule(indicator="overdue", window="now", below=None, worse_by=0.25, recover=0.125)

    assert limits(make_rule(), usual) == Limits(0.90, 0.92, None)
    assert limits(make_rule(**ABOVE), usual) == Limits(0.05, 0.03, None)
    assert limits(on_time, usual) == Limits(0.25, 0.375, 0.5)
    assert limits(overdue, usual) == Limits(0.75, 0.625, 0.5)
    assert limits(on_time, usual[:2]) is None
    assert bad_test(on_time) is None
