"""What a figure means to a rule."""

from hypothesis import given
from hypothesis import strategies as st

from streams.verdict import Verdict, bad_test, judge
from tests.support.rules import make_rule

RULES = (
    make_rule(),
    make_rule(minimum_n=1, below=0.5, recover=0.5),
    make_rule(indicator="overdue", window="now", below=None, above=0.005, recover=0.003),
    make_rule(indicator="silence", window="now", below=None, above=1.0, recover=1.0),
)

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
