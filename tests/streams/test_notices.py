"""Notices: who gets which message about an announcement."""

from collections.abc import Sequence

from streams.alerts import FigureKey, Notice
from streams.clock import US_PER_S
from streams.notices import notices_of
from streams.rules import Rules
from tests.support.rules import fig, local_us, make_rule, make_rules

NOON = local_us(2, 12)
PROVINCE = FigureKey("unit:p", "on_time", "today")
STANDING_FOR = {"unit:p": ["governor"], "unit:c0": ["head_c0"]}


def resolve(target: str, scope: str) -> Sequence[str]:
    """c0 has a head of its own; the governor stands for all other units."""
    return STANDING_FOR.get(scope, ["governor"]) if target == "unit" else [target]


def all_notices(rules: Rules, until_us: int) -> list[Notice]:
    """All messages that come without a new figure up to a moment."""
    found: list[Notice] = []
    while (due_us := rules.next_due_us) is not None and due_us <= until_us:
        found += notices_of(rules.evaluate(due_us, {}).announcements, resolve)
    return found


def who(notices: Sequence[Notice]) -> set[tuple[str, str, str]]:
    """Recipient, kind and scope of each."""
    return {(notice.recipient, notice.kind, notice.scope) for notice in notices}


def test_who_gets_the_provinces_alert_does_not_get_its_communes() -> None:
    """The governor is told once and sees both communes; the head of c0 is told of c0."""
    rules = make_rules(make_rule())
    rules.evaluate(NOON, {**fig(50, 60), PROVINCE: (55, 100)})

    rv = all_notices(rules, NOON + 10 * US_PER_S)

    assert who(rv) == {("governor", "fired", "unit:p"), ("head_c0", "fired", "unit:c0")}
    of_province = next(notice for notice in rv if notice.scope == "unit:p")
    assert [figure.scope for figure in of_province.facts.figures] == ["unit:p", "unit:c0", "unit:c1"]


def test_recovered_together_is_told_once_too() -> None:
    """The same grouping holds when it is over."""
    rules = make_rules(make_rule())
    rules.evaluate(NOON, {**fig(50, 60), PROVINCE: (55, 100)})
    all_notices(rules, NOON + 10 * US_PER_S)

    over = rules.evaluate(NOON + 60 * US_PER_S, {**fig(95, 95), PROVINCE: (95, 100)})

    assert who(notices_of(over.announcements, resolve)) == {
        ("governor", "recovered", "unit:p"),
        ("head_c0", "recovered", "unit:c0"),
    }


def test_a_commune_without_a_province_that_fires_is_told_by_itself() -> None:
    """Grouping needs the alert above."""
    rules = make_rules(make_rule())
    rules.evaluate(NOON, {**fig(95, 60), PROVINCE: (95, 100)})

    assert who(all_notices(rules, NOON + 10 * US_PER_S)) == {("governor", "fired", "unit:c1")}


def test_ids_follow_from_alert_kind_round_and_recipient() -> None:
    """The same decision twice has the same ids; two recipients, rounds or kinds have different ones."""

    def run() -> list[Notice]:
        rules = make_rules(make_rule(to=("unit", "operators"), remind_s=600))
        rules.evaluate(NOON, fig(50))
        return all_notices(rules, NOON + 2_000 * US_PER_S)

    first, second = run(), run()

    assert first == second
    assert len({notice.id for notice in first}) == len(first) == 8
    assert [notice.facts.number for notice in first] == [1, 1, 2, 2, 3, 3, 4, 4]


def test_an_escalation_goes_to_the_next_group_which_also_hears_the_end() -> None:
    """The leaders are told when nobody acknowledged it, and when it is over."""
    rules = make_rules(make_rule(severity="critical", escalate_s=600, escalate_to=("leaders",)))
    rules.evaluate(NOON, fig(50))
    told = all_notices(rules, NOON + 1_000 * US_PER_S)

    over = notices_of(rules.evaluate(NOON + 2_000 * US_PER_S, fig(95)).announcements, resolve)

    assert who(told) == {("head_c0", "fired", "unit:c0"), ("leaders", "escalated", "unit:c0")}
    assert {notice.recipient for notice in over} == {"head_c0", "leaders"}


def test_a_name_that_two_groups_share_gets_one_message() -> None:
    """Recipients are told once each."""
    rules = make_rules(make_rule(to=("unit", "governor")))
    rules.evaluate(NOON, fig(95, 50))

    assert [notice.recipient for notice in all_notices(rules, NOON + 10 * US_PER_S)] == ["governor"]


def test_a_digest_has_one_message_for_each_recipient_with_its_own_lines() -> None:
    """The head of c0 sees c0, the governor all others, the worst first."""
    rules = make_rules(make_rule(daily_min=480))

    rv = notices_of(rules.evaluate(local_us(3, 8), fig(50, 70, 60)).announcements, resolve)

    assert {n.recipient: [f.scope for f in n.facts.figures] for n in rv} == {
        "head_c0": ["unit:c0"],
        "governor": ["unit:c2", "unit:c1"],
    }
    assert {(n.kind, n.alert) for n in rv} == {("digest", "")}


def test_a_digest_has_the_same_ids_after_a_restart() -> None:
    """A worker that takes over decides the day's digest again: the same messages, which the store knows."""
    first, second = make_rules(make_rule(daily_min=480)), make_rules(make_rule(daily_min=480))
    at_8 = notices_of(first.evaluate(local_us(3, 8), fig(50)).announcements, resolve)
    again = first.evaluate(local_us(3, 8, 1), fig(60)).announcements

    taken_over = notices_of(second.evaluate(local_us(3, 9), fig(60)).announcements, resolve)
    next_day = notices_of(second.evaluate(local_us(4, 8), {}).announcements, resolve)

    assert again == []
    assert [n.id for n in taken_over] == [n.id for n in at_8]
    assert next_day[0].id != at_8[0].id
