"""Notices: who gets which message about an announcement."""

from collections.abc import Sequence
from typing import Any

import pytest

from contract.text import Text
from streams.alerts import Alert, AlertState, Figure, FigureKey, Notice, NoticeFacts
from streams.announcement import Announcement
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


TITLE, WORDS = Text("a", "b"), Text("c", "d")
RULE = make_rule(
    id="late",
    severity="critical",
    to=("unit", "operators"),
    escalate_s=600,
    escalate_to=("leaders",),
    title=TITLE,
    text=WORDS,
)
ALERT = Alert(
    id="a1",
    rule="late",
    indicator="on_time",
    window="today",
    scope="unit:c0",
    severity="critical",
    state=AlertState.FIRING,
    since_us=NOON,
    notices=2,
    numerator=50,
    denominator=100,
    threshold=0.9,
)
FACTS: dict[str, Any] = {
    "indicator": "on_time",
    "window": "today",
    "threshold": 0.85,
    "below": True,
    "since_us": NOON,
    "usual": 0.95,
    "title": TITLE,
    "text": WORDS,
    "more": 3,
}


def announced(kind: Any, alert: Alert | None = ALERT, **changes: Any) -> list[Notice]:
    """The messages about one announcement."""
    plain: dict[str, Any] = {
        "kind": kind,
        "rule": RULE,
        "alert": alert,
        "at_us": NOON + 9,
        "since_us": NOON,
        "figures": (Figure("unit:c0", 40, 100), Figure("unit:c1", 30, 100)),
        "threshold": 0.85,
        "below": True,
        "usual": 0.95,
        "more": 3,
    }
    return notices_of([Announcement(**plain | changes)], resolve)


def test_a_message_tells_all_that_was_announced() -> None:
    """To each recipient the same facts; its id is one that later programs find again."""
    rv = announced("reminder")

    facts = NoticeFacts(figures=(Figure("unit:c0", 40, 100), Figure("unit:c1", 30, 100)), number=2, **FACTS)
    plain: dict[str, Any] = {
        "alert": "a1",
        "rule": "late",
        "scope": "unit:c0",
        "kind": "reminder",
        "severity": "critical",
        "at_us": NOON + 9,
        "facts": facts,
    }
    assert rv == [
        Notice(id="b5ccabee19dbc82626365f04349089b7", recipient="head_c0", **plain),
        Notice(id="c16ce84f30f7c39df08fb8f4b2ca76bb", recipient="operators", **plain),
    ]


def test_a_digest_tells_each_recipient_its_own_lines() -> None:
    """It stands for the first of them, is always the first of its day, and has the id of that day."""
    rv = announced("digest", None)

    plain: dict[str, Any] = {"alert": "", "rule": "late", "kind": "digest", "severity": "critical", "at_us": NOON + 9}
    first, second = Figure("unit:c0", 40, 100), Figure("unit:c1", 30, 100)
    assert rv == [
        Notice(
            id="136d3712283a89411d4c4c85613f1e88",
            scope="unit:c0",
            recipient="head_c0",
            facts=NoticeFacts(figures=(first,), **FACTS),
            **plain,
        ),
        Notice(
            id="f9384945001121ab5e481b12935ca5e4",
            scope="unit:c0",
            recipient="operators",
            facts=NoticeFacts(figures=(first, second), **FACTS),
            **plain,
        ),
        Notice(
            id="fa18f15c1bab40a15b355abb92ac8f41",
            scope="unit:c1",
            recipient="governor",
            facts=NoticeFacts(figures=(second,), **FACTS),
            **plain,
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "escalated_us", "recipients"),
    [
        ("fired", None, ["head_c0", "operators"]),
        ("escalated", 5, ["leaders"]),
        ("reminder", 5, ["head_c0", "operators"]),
        ("recovered", None, ["head_c0", "operators"]),
        ("recovered", 5, ["head_c0", "operators", "leaders"]),
    ],
)
def test_each_round_has_its_recipients(kind: Any, escalated_us: int | None, recipients: list[str]) -> None:
    """Leaders hear of an escalation and of its end, and of nothing in between."""
    alert = Alert(**{name: getattr(ALERT, name) for name in ALERT.__struct_fields__} | {"escalated_us": escalated_us})

    assert [notice.recipient for notice in announced(kind, alert)] == recipients


def test_whom_an_alert_above_has_told_is_asked_for_its_scope() -> None:
    """Who is told of both gets the one above; a group is told of each scope alike."""
    rule = make_rule(to=("unit",))

    rv = announced("fired", spoken_for=("unit:p",), rule=rule)
    same = announced("fired", spoken_for=("unit:c0",), rule=rule)
    group = announced("fired", spoken_for=("unit:p",))

    assert [notice.recipient for notice in rv] == ["head_c0"]
    assert same == []
    assert [notice.recipient for notice in group] == ["head_c0"]
