"""Daily digests: when each is due, and what it says."""

from typing import Any

import pytest

from streams.alerts import Figure
from streams.clock import US_PER_S
from streams.digests import LATE_S, Digests, digest_of
from tests.support.rules import CALENDAR, local_us, make_rule

EIGHT, NINE = make_rule(id="eight", daily_min=480), make_rule(id="nine", daily_min=540)
ABOVE: dict[str, Any] = {"indicator": "overdue", "window": "now", "below": None, "above": 0.05, "recover": 0.03}
LATE_US = LATE_S * US_PER_S


def taken(digests: Digests, now_us: int) -> list[tuple[str, int]]:
    """Names and moments of the digests due now."""
    return [(rule.id, due_us) for rule, due_us in digests.take(now_us)]


def test_each_rule_has_its_own_time_and_is_named_once_a_day() -> None:
    """A rule without a time has no digest; a look in between names none."""
    digests = Digests([make_rule(id="none"), EIGHT, NINE], CALENDAR)
    seen = {at: taken(digests, at) for at in (local_us(2, 7), local_us(2, 8), local_us(2, 8, 30), local_us(2, 9))}

    assert seen == {
        local_us(2, 7): [],
        local_us(2, 8): [("eight", local_us(2, 8))],
        local_us(2, 8, 30): [],
        local_us(2, 9): [("nine", local_us(2, 9))],
    }
    assert digests.next_us == local_us(3, 8)


def test_several_that_are_due_are_named_together() -> None:
    """After an hour without a look, both; the order of the rules stays."""
    digests = Digests([NINE, EIGHT], CALENDAR)

    assert taken(digests, local_us(2, 9, 5)) == [("nine", local_us(2, 9)), ("eight", local_us(2, 8))]


def test_before_the_first_look_and_without_rules_nothing_is_due() -> None:
    """The first look finds out."""
    digests, none = Digests([EIGHT], CALENDAR), Digests([make_rule()], CALENDAR)
    before = digests.next_us

    digests.take(local_us(2, 7))

    assert before is None
    assert digests.next_us == local_us(2, 8)
    assert none.take(local_us(2, 8)) == []
    assert none.next_us is None


@pytest.mark.parametrize(
    ("late_us", "expected"),
    [(0, [("eight", local_us(2, 8))]), (LATE_US - 1, [("eight", local_us(2, 8))]), (LATE_US, [])],
)
def test_what_nobody_could_make_in_time_is_made_later_for_four_hours(
    late_us: int, expected: list[tuple[str, int]]
) -> None:
    """At the first look of a worker, and after a pause of one that had planned it; then the next day's is planned."""
    fresh, planned = Digests([EIGHT], CALENDAR), Digests([EIGHT], CALENDAR)
    planned.take(local_us(2, 7))

    assert taken(fresh, local_us(2, 8) + late_us) == expected
    assert taken(planned, local_us(2, 8) + late_us) == expected
    assert fresh.next_us == planned.next_us == local_us(3, 8)


def test_after_a_long_pause_only_the_newest_day_is_told() -> None:
    """Nobody wants Tuesday's list on Friday."""
    digests = Digests([EIGHT], CALENDAR)
    digests.take(local_us(2, 7))

    assert taken(digests, local_us(5, 8, 1)) == [("eight", local_us(5, 8))]


def test_a_digest_says_what_is_bad_the_worst_first() -> None:
    """With its threshold, the side on which it is bad, when it was due and when it is made."""
    figures = [Figure("a", 8, 10), Figure("b", 6, 10)]

    below = digest_of(EIGHT, figures, 5, 7)
    above = digest_of(make_rule(daily_min=480, **ABOVE), figures, 5, 7)

    assert (below.kind, below.rule, below.alert) == ("digest", EIGHT, None)
    assert (below.since_us, below.at_us) == (5, 7)
    assert (below.threshold, below.below) == (0.9, True)
    assert [figure.scope for figure in below.figures] == ["b", "a"]
    assert (above.threshold, above.below) == (0.05, False)
    assert [figure.scope for figure in above.figures] == ["a", "b"]
