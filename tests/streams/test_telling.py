"""When people may be told: quiet hours, days off, mutes."""

from datetime import date

import pytest

from contract.calendar import WorkCalendar
from streams.alerts import Action
from streams.rule import DayTimes
from streams.telling import Mute, is_muted, mutes_of, next_digest_us, tellable_us, works
from tests.support.rules import CALENDAR, local_us, make_rule

NIGHT = DayTimes(21 * 60, 7 * 60)
MONDAY, FRIDAY, SATURDAY, NEXT_MONDAY = 2, 6, 7, 9


def action(word: str, at_us: int, until_us: int | None = None) -> Action:
    """What somebody did about rule r in c0."""
    return Action(alert="a", rule="r", scope="unit:c0", action=word, at_us=at_us, until_us=until_us, by="leaders")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local_us(MONDAY, 20, 59), local_us(MONDAY, 20, 59)),
        (local_us(MONDAY, 21), local_us(MONDAY + 1, 7)),
        (local_us(MONDAY, 23, 59, 59), local_us(MONDAY + 1, 7)),
        (local_us(MONDAY, 0), local_us(MONDAY, 7)),
        (local_us(MONDAY, 6, 59, 59), local_us(MONDAY, 7)),
        (local_us(MONDAY, 7), local_us(MONDAY, 7)),
    ],
)
def test_quiet_hours_pass_midnight(at: int, expected: int) -> None:
    """A message of the night waits for the next 07:00 of Viet Nam."""
    rv = tellable_us(make_rule(quiet=NIGHT), (), at, CALENDAR)

    assert rv == expected


def test_days_off_are_quiet_as_a_whole() -> None:
    """From Friday night on nothing is sent before Monday morning; without quiet hours before Monday's midnight."""
    rule = make_rule(quiet=NIGHT, working_days=True)

    assert tellable_us(rule, (), local_us(FRIDAY, 22), CALENDAR) == local_us(NEXT_MONDAY, 7)
    assert tellable_us(rule, (), local_us(SATURDAY, 12), CALENDAR) == local_us(NEXT_MONDAY, 7)
    assert tellable_us(make_rule(working_days=True), (), local_us(SATURDAY, 12), CALENDAR) == local_us(NEXT_MONDAY)


def test_a_mute_that_ends_in_the_night_lasts_until_the_morning() -> None:
    """Mutes and quiet hours add up, whichever comes first."""
    mutes = (Mute(local_us(MONDAY, 12), local_us(MONDAY, 22)),)

    rv = tellable_us(make_rule(quiet=NIGHT), mutes, local_us(MONDAY, 12), CALENDAR)

    assert rv == local_us(MONDAY + 1, 7)


def test_a_later_word_replaces_a_mute() -> None:
    """A second mute, be it shorter, and an unmute end the first."""
    mutes = mutes_of(
        [
            action("unmute", 60),
            action("mute", 10, 100),
            action("ack", 15),
            action("mute", 20, 80),
        ]
    )

    assert mutes == {("r", "unit:c0"): (Mute(10, 20), Mute(20, 60))}


def test_days_beyond_the_calendar_are_judged_by_their_weekday() -> None:
    """A clock that leaves the calendar's years stops nothing."""
    assert works(CALENDAR, date(2080, 1, 1))  # a Monday
    assert not works(CALENDAR, date(2080, 1, 6))


def test_a_digest_is_due_at_its_minute_of_the_next_day_that_qualifies() -> None:
    """On Friday after 08:00 the next working day's digest is Monday's."""
    after = local_us(FRIDAY, 8)

    assert next_digest_us(480, working_days=True, after_us=after, calendar=CALENDAR) == local_us(NEXT_MONDAY, 8)
    assert next_digest_us(480, working_days=False, after_us=after, calendar=CALENDAR) == local_us(SATURDAY, 8)
    assert next_digest_us(480, working_days=True, after_us=after - 1, calendar=CALENDAR) == after


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param([action("mute", 10, 100)], (Mute(10, 100),), id="a mute"),
        pytest.param([action("mute", 10, 10)], (), id="one that is over at once"),
        pytest.param([action("mute", 10)], (), id="one without an end"),
        pytest.param([action("unmute", 10, 100)], (), id="an unmute begins nothing"),
        pytest.param([action("mute", 10, 20), action("unmute", 30)], (Mute(10, 20),), id="an unmute after the end"),
        pytest.param(
            [action("mute", 10, 20), action("mute", 20, 30)], (Mute(10, 20), Mute(20, 30)), id="one after another"
        ),
        pytest.param([action("ack", 10, 100)], None, id="an acknowledgement mutes nothing"),
    ],
)
def test_words_about_an_alert_make_mutes(actions: list[Action], expected: tuple[Mute, ...] | None) -> None:
    """By rule and scope; the end is not part of a mute."""
    assert mutes_of(actions) == ({} if expected is None else {("r", "unit:c0"): expected})


def test_a_mute_holds_its_beginning_and_not_its_end() -> None:
    """Several may hold."""
    mutes = (Mute(10, 20), Mute(30, 40))

    assert [is_muted(mutes, at) for at in (9, 10, 19, 20, 29, 30, 39, 40)] == [
        *(False, True, True, False),
        *(False, True, True, False),
    ]


def test_the_first_and_the_last_day_of_the_calendar_are_its_own() -> None:
    """New Year 2009 is a Thursday off; so is the last day, a Tuesday, where the calendar says so."""
    calendar = WorkCalendar.build({date(2030, 12, 31): "holiday"}, first_year=2009, last_year=2030)

    assert not works(calendar, date(2009, 1, 1))
    assert not works(calendar, date(2030, 12, 31))
    assert works(calendar, date(2008, 12, 31))
    assert works(calendar, date(2031, 1, 1))


@pytest.mark.parametrize(("minute", "expected"), [(719, False), (720, True), (779, True), (780, False)])
def test_quiet_hours_within_a_day_end_on_that_day(minute: int, *, expected: bool) -> None:
    """From 12:00, before 13:00."""
    noon = DayTimes(720, 780)
    at = local_us(MONDAY, 0, minute)

    rv = tellable_us(make_rule(quiet=noon), (), at, CALENDAR)

    assert noon.holds(minute) is expected
    assert rv == (local_us(MONDAY, 13) if expected else at)
