"""What the rules know: figures, usual rates, and which states a change of one may move."""

from typing import Any

import pytest

from streams.alerts import FigureKey
from streams.figure_book import FigureBook, UsualRates
from streams.rule import Rule
from streams.verdict import Limits, Verdict
from tests.support.rules import TREE, make_rule

C0, C1, P = (FigureKey(f"unit:{code}", "on_time", "today") for code in ("c0", "c1", "p"))
PLAIN = make_rule(id="plain", scope="level:commune")
USUAL = make_rule(id="usual", scope="unit:c0", below=None, worse_by=0.1, recover=0.05, minimum_n=30)
DIGEST = make_rule(id="digest", daily_min=480)
WORSE_DIGEST = make_rule(id="worse", below=None, worse_by=0.1, recover=0.05, daily_min=480)
SILENCE = make_rule(
    id="silence", indicator="silence", window="now", scope="source:*", below=None, above=1.0, recover=1.0
)
GOOD, BAD = (95, 100), (50, 100)


def book(*rules: Rule) -> FigureBook:
    """A book of these rules."""
    return FigureBook(rules, TREE)


def test_only_what_may_move_is_looked_at() -> None:
    """What has become bad, what is open, and what takes more than the figure; nothing for a digest."""
    found = book(PLAIN, USUAL, DIGEST)

    assert found.learn({C0: GOOD, C1: BAD, P: BAD}, set()) == [("usual", "unit:c0"), ("plain", "unit:c1")]
    assert found.learn({C0: (96, 100), C1: (49, 100)}, {("plain", "unit:c0")}) == [
        ("plain", "unit:c0"),
        ("usual", "unit:c0"),
        ("plain", "unit:c1"),
    ]


def test_a_figure_that_stays_moves_nothing() -> None:
    """Told again it is no news; as it was before it is."""
    found = book(PLAIN)
    found.learn({C0: BAD}, set())

    assert found.learn({C0: BAD}, {("plain", "unit:c0")}) == []
    assert found.learn({C0: GOOD}, set()) == []
    assert found.learn({C0: BAD}, set()) == [("plain", "unit:c0")]


def test_a_figure_that_no_rule_watches_is_not_kept() -> None:
    """Ten thousand figures that nobody asks for cost nothing."""
    found = book(PLAIN)

    found.learn({P: BAD, FigureKey("unit:c0", "on_time", "1h"): BAD, C0: GOOD}, set())

    assert found.figure(PLAIN, "unit:p") is None
    assert found.figure(make_rule(window="1h"), "unit:c0") is None
    assert found.figure(PLAIN, "unit:c0") == GOOD


def test_the_rules_that_watch_a_figure_match_its_scope() -> None:
    """In their order; a kind of unit is that of the list."""
    found = book(PLAIN, USUAL, DIGEST, SILENCE)

    assert found.watching(C0) == (PLAIN, USUAL, DIGEST)
    assert found.watching(C1) == (PLAIN, DIGEST)
    assert found.watching(P) == (DIGEST,)
    assert found.watching(FigureKey("source:x", "silence", "now")) == (SILENCE,)
    assert found.watching(FigureKey("source:x", "on_time", "today")) == ()


def test_scopes_are_those_with_a_figure() -> None:
    """Of a digest: every unit that ever had one."""
    found = book(PLAIN, DIGEST)
    found.learn({C1: GOOD, P: BAD}, set())

    assert list(found.scopes(PLAIN)) == ["unit:c1"]
    assert list(found.scopes(DIGEST)) == ["unit:c1", "unit:p"]


def test_a_changed_usual_rate_moves_only_what_compares_with_it() -> None:
    """Known by the rule's own minimum of cases; a digest waits for its hour; the same mapping again is no news."""
    found = book(PLAIN, USUAL, WORSE_DIGEST)
    found.learn({C0: GOOD, C1: GOOD}, set())
    first: UsualRates = {30: {C0: (0.9, 0.9, 0.9)}, 20: {C0: (0.1,)}}

    assert found.learn_usual(first) == [("usual", "unit:c0")]
    assert found.learn_usual(first) == []
    assert found.learn_usual({30: {C0: (0.9, 0.9, 0.9), C1: (0.5,)}, 20: {C0: (0.2,)}}) == []
    assert found.learn_usual({}) == [("usual", "unit:c0")]


def test_a_figure_is_judged_with_its_usual_rate() -> None:
    """Before there is one nothing is said; a rule with a threshold needs none; no figure is nothing counted."""
    found = book(PLAIN, USUAL)
    found.learn({C0: (60, 100)}, set())
    unknown = found.verdict(USUAL, "unit:c0"), found.limits(USUAL, "unit:c0")

    found.learn_usual({30: {C0: (0.75, 0.8, 0.85)}})

    assert unknown == (Verdict.UNKNOWN, None)
    assert found.verdict(USUAL, "unit:c0") is Verdict.BAD
    assert found.limits(USUAL, "unit:c0") == pytest.approx(Limits(0.7, 0.75, 0.8))
    assert found.verdict(PLAIN, "unit:c0") is Verdict.BAD
    assert found.limits(PLAIN, "unit:c0") == Limits(0.9, 0.92, None)
    assert found.verdict(PLAIN, "unit:c9") is Verdict.UNKNOWN


def test_usual_rates_are_wanted_by_the_rules_minimum() -> None:
    """Of the figures that a rule compares, and of no other."""
    other = make_rule(id="other", scope="unit:*", below=None, worse_by=0.1, recover=0.05, minimum_n=20)
    found = book(PLAIN, USUAL, other)

    rv = found.usual_wanted([C0, P, FigureKey("unit:c0", "online", "today")])

    assert rv == {30: {C0}, 20: {C0, P}}
    assert all(isinstance(key, FigureKey) for keys in rv.values() for key in keys)


@pytest.mark.parametrize(("rules", "expected"), [((PLAIN, DIGEST), False), ((PLAIN, USUAL), True), ((), False)])
def test_whether_anything_is_compared_with_the_usual(rules: tuple[Rule, ...], *, expected: bool) -> None:
    """Only then is history needed."""
    assert book(*rules).compares is expected


def test_figures_of_the_past_are_wanted_for_the_scopes_that_match() -> None:
    """By indicator and window; a gauge has no past."""
    hour: Any = make_rule(id="hour", window="1h", scope="unit:c*")
    found = book(PLAIN, USUAL, hour, SILENCE)

    rv = found.wanted(["unit:c0", "unit:p", "unit:c1", "field:land"])

    assert rv == {
        ("on_time", "today"): frozenset({"unit:c0", "unit:c1"}),
        ("on_time", "1h"): frozenset({"unit:c0", "unit:c1"}),
    }
