"""Back-test: rules over history give what was true minute by minute."""

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_hour, floor_minute
from contract.indicators import Reading
from contract.marks import Mark
from contract.registry import INDICATORS
from contract.windows import pieces
from producers.mapping import load_mapping
from producers.replay import read_events
from streams.alerts import Action, AlertState
from streams.backtest import backtest, history_from_s, steps
from streams.clock import US_PER_S
from streams.notices import notices_of
from streams.rows import Rate
from streams.rule import DayTimes, Rule
from streams.usual import USUAL_SPAN_S, PastRates
from tests.support.rules import local_us, make_rule, make_rules

RECEIPT = Path(__file__).parents[2] / "data" / "receipt.csv"
FROM_S = local_us(2, 8) // US_PER_S
SCOPE, INDICATOR = "unit:c0", "on_time"

Spans = list[tuple[int, int | None]]
"""Minutes in which something fired and recovered."""


def resolve(target: str, scope: str) -> list[str]:
    """Every target is one recipient."""
    return [f"{target} of {scope}"]


def fired_spans(alerts: list[Any]) -> Spans:
    """When alerts fired and ended, in minutes."""
    fired = [alert for alert in alerts if alert.fired_us is not None]
    return [(a.fired_us // US_PER_S, a.ended_us and a.ended_us // US_PER_S) for a in fired]


def by_brute_force(rule: Rule, figures: list[tuple[int, int]], from_s: int) -> Spans:
    """Every minute by itself, without any of the code under test."""
    spans: Spans = []
    since = fired = None
    for minute, (good, count) in enumerate(figures):
        if count < rule.minimum_n:
            continue
        rate, now_s = good / count, from_s + minute * MINUTE_S
        assert rule.below is not None
        if fired is not None:
            if rate >= rule.recover:
                spans.append((fired, now_s))
                fired = since = None
        elif rate < rule.below:
            since = now_s if since is None else since
            if now_s - since >= rule.hold_s:
                fired = now_s
        else:
            since = None
    return [*spans, *([(fired, None)] if fired is not None else [])]


def changes_of(figures: list[tuple[int, int]], from_s: int) -> list[tuple[int, list[Rate]]]:
    """The minutes in which a figure changed, as the store gives them."""
    return [
        (from_s + n * MINUTE_S, [Rate(SCOPE, INDICATOR, "today", *figure)])
        for n, figure in enumerate(figures)
        if n == 0 or figure != figures[n - 1]
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from([(50, 100), (89, 100), (91, 100), (95, 100), (0, 0), (1, 10)]), st.integers(1, 40)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([0, 60, 600, 1_200]),
)
def test_random_series_fire_at_the_minutes_of_a_recomputation(
    runs: list[tuple[tuple[int, int], int]], hold_s: int
) -> None:
    """Going from change to change finds the same minutes as looking at every minute."""
    figures = [figure for figure, minutes in runs for _ in range(minutes)]
    rule = make_rule(hold_s=hold_s)
    to_s = FROM_S + (len(figures) - 1) * MINUTE_S

    rv = backtest(make_rules(rule), changes_of(figures, FROM_S), FROM_S, to_s, resolve)

    assert fired_spans(rv.alerts) == by_brute_force(rule, figures, FROM_S)


def test_the_receipt_file_fires_at_the_minutes_of_a_recomputation() -> None:
    """1,434 real building permits, on time within 30 days below 70 %, held for 6 h: every firing and every end."""
    marks = receipt_marks()
    from_s, to_s = floor_minute(marks[0].at_s), floor_minute(marks[-1].at_s)
    rule = make_rule(window="30d", below=0.70, recover=0.73, hold_s=6 * HOUR_S)

    rv = backtest(make_rules(rule), history_of(marks), from_s, to_s, resolve)

    expected = by_brute_force(rule, every_minute(marks, from_s, to_s), from_s)
    assert fired_spans(rv.alerts) == expected
    assert len(expected) >= 3
    assert Counter(notice.kind for notice in rv.notices) == {
        "fired": len(expected),
        "recovered": sum(end is not None for _, end in expected),
    }


def test_two_runs_in_a_row_are_one_run() -> None:
    """The event clock goes on where it stopped; state is kept between."""
    figures = [(50, 100)] * 30 + [(95, 100)] * 30
    rule = make_rule(hold_s=600, remind_s=600)
    whole = backtest(make_rules(rule), changes_of(figures, FROM_S), FROM_S, FROM_S + 59 * MINUTE_S, resolve)
    rules = make_rules(rule)
    past = PastRates(rules.book)
    cut_s = FROM_S + 24 * MINUTE_S

    first = list(steps(rules, past, changes_of(figures[:25], FROM_S), FROM_S, cut_s))
    second_from_s = cut_s + MINUTE_S
    second = list(steps(rules, past, changes_of(figures[25:], second_from_s), second_from_s, FROM_S + 59 * MINUTE_S))

    found = [notice for _, outcome in first + second for notice in notices_of(outcome.announcements, resolve)]
    assert [notice.kind for notice in found] == ["fired", "reminder", "recovered"]
    assert found == whole.notices


def test_a_quiet_year_takes_as_many_looks_as_there_are_changes() -> None:
    """Empty minutes cost nothing: one change a day, one digest a working day."""
    rules = make_rules(make_rule(daily_min=480, working_days=True))
    history = [(FROM_S + n * DAY_S, [Rate(SCOPE, INDICATOR, "today", 50 + n % 2, 100)]) for n in range(365)]

    looks = list(steps(rules, PastRates(rules.book), history, FROM_S, FROM_S + 365 * DAY_S))

    assert len(looks) < 365 + 366
    assert sum(len(outcome.announcements) for _, outcome in looks) in range(240, 260)


def test_quiet_hours_end_between_two_changes() -> None:
    """A night without any change: told at 07:00 all the same."""
    rule = make_rule(quiet=DayTimes(21 * 60, 7 * 60))
    history = [(local_us(2, 22) // US_PER_S, [Rate(SCOPE, INDICATOR, "today", 1, 100)])]

    rv = backtest(make_rules(rule), history, FROM_S, local_us(4) // US_PER_S, resolve)

    assert [notice.at_us for notice in rv.notices] == [local_us(3, 7)]
    assert rv.alerts[0].state is AlertState.FIRING


def test_the_usual_comes_from_the_same_history() -> None:
    """80 % on three Mondays, 60 % on the fourth: worse than usual by more than 10 points; only with their history."""
    rule = make_rule(below=None, worse_by=0.10, recover=0.05)
    rules = make_rules(rule)
    begin_s = history_from_s(rules, FROM_S)
    weeks = [(begin_s + n * 7 * DAY_S, [Rate(SCOPE, INDICATOR, "today", 80, 100)]) for n in range(4)]
    today = [(FROM_S, [Rate(SCOPE, INDICATOR, "today", 60, 100)])]

    with_history = backtest(rules, [*weeks, *today], FROM_S, FROM_S + DAY_S, resolve)
    without = backtest(make_rules(rule), today, FROM_S, FROM_S + DAY_S, resolve)

    assert begin_s == FROM_S - USUAL_SPAN_S
    assert fired_spans(with_history.alerts) == [(FROM_S, None)]
    assert with_history.notices[0].facts.usual == 0.80
    assert without.notices == []


def test_a_usual_rate_that_changes_is_looked_at() -> None:
    """90 % since two weeks ago, 60 % before and today: the median rises an hour after the start, and nothing else."""
    rules = make_rules(make_rule(below=None, worse_by=0.10, recover=0.05))
    rates = {history_from_s(rules, FROM_S): 60, FROM_S - 14 * DAY_S + HOUR_S: 90, FROM_S: 60}
    history = [(at_s, [Rate(SCOPE, INDICATOR, "today", good, 100)]) for at_s, good in rates.items()]

    rv = backtest(rules, history, FROM_S, FROM_S + DAY_S, resolve)

    assert fired_spans(rv.alerts) == [(FROM_S + HOUR_S, None)]


@given(
    st.lists(st.tuples(st.integers(0, 60 * 24 * 60), st.integers(0, 30)), min_size=1, max_size=40),
    st.lists(st.integers(0, 70 * 24 * 60), min_size=1, max_size=10),
)
def test_past_rates_are_those_of_the_same_minute_weeks_ago(learned: list[tuple[int, int]], asked: list[int]) -> None:
    """At each moment the rates 7, 14, 21 and 28 days before, without those of fewer than the minimum of cases."""
    rules = make_rules(make_rule(below=None, worse_by=0.1, recover=0.05))
    past = PastRates(rules.book)
    series = sorted(dict(learned).items())
    for minute, count in series:
        past.learn(minute * MINUTE_S, [Rate(SCOPE, INDICATOR, "today", count // 2, count)])

    for minute in sorted(asked):
        usual = past.at(minute * MINUTE_S)
        found = [v for rates in usual.values() for v in rates.values()]
        expected = []
        for week in (1, 2, 3, 4):
            then = [count for at, count in series if at <= minute - week * 7 * 24 * 60]
            if then and then[-1] >= 20:
                expected.append(then[-1] // 2 / then[-1])

        assert (list(found[0]) if found else []) == expected


at_s = attrgetter("at_s")


def receipt_marks() -> list[Mark]:
    """Marks of ``on_time`` of the file's newest snapshots, by time."""
    events = read_events(RECEIPT, load_mapping("receipt")).events
    newest = {event.subject: event.data for event in sorted(events, key=lambda event: event.version)}
    mark_of = INDICATORS[INDICATOR].mark
    assert mark_of is not None
    return sorted((mark for data in newest.values() if (mark := mark_of(data)) is not None), key=at_s)


def history_of(marks: list[Mark]) -> list[tuple[int, list[Rate]]]:
    """Figures of 30 days in the minutes in which a mark comes or goes, put together from the windows' pieces."""

    def between(start_s: int, end_s: int) -> list[Mark]:
        return marks[bisect_left(marks, start_s, key=at_s) : bisect_left(marks, end_s, key=at_s)]

    minutes = {floor_minute(mark.at_s) for mark in marks} | {floor_hour(mark.at_s) + 30 * DAY_S for mark in marks}
    history = []
    for minute in sorted(minutes):
        parts = pieces(Reading.RATE, "30d", minute)
        counted = [mark for part in parts for mark in between(part.start_s, part.end_s)]
        good = sum(mark.good for mark in counted)
        history.append((minute, [Rate("unit:c0", INDICATOR, "30d", good, len(counted))]))
    return history


def every_minute(marks: list[Mark], from_s: int, to_s: int) -> list[tuple[int, int]]:
    """The same of every minute, by running sums: 30 days of hours, the current one included."""
    times = [mark.at_s for mark in marks]
    goods = [0, *accumulate(int(mark.good) for mark in marks)]
    found = []
    for minute in range(from_s, to_s + 1, MINUTE_S):
        low = bisect_left(times, minute - minute % HOUR_S + HOUR_S - 30 * DAY_S)
        high = bisect_left(times, minute + MINUTE_S)
        found.append((goods[high] - goods[low], high - low))
    return found


def test_without_any_history_it_is_looked_at_once() -> None:
    """From the first minute on nothing is known, and nothing changes."""
    rules = make_rules(make_rule())

    looks = list(steps(rules, PastRates(rules.book), [], FROM_S, FROM_S + DAY_S))

    assert [at_us for at_us, _ in looks] == [FROM_S * US_PER_S]
    assert looks[0][1].alerts == []


def test_each_look_is_at_a_change_or_when_one_is_due() -> None:
    """From the first minute to the end of the last; what changed before the first belongs to it."""
    rules = make_rules(make_rule(hold_s=90))
    figures = {FROM_S - HOUR_S: 95, FROM_S: 50, FROM_S + 600: 95, FROM_S + 660: 50, FROM_S + 720: 95}
    history = [(at_s, [Rate(SCOPE, INDICATOR, "today", good, 100)]) for at_s, good in figures.items()]

    looks = list(steps(rules, PastRates(rules.book), history, FROM_S, FROM_S + 660))

    assert [at_us / US_PER_S - FROM_S for at_us, _ in looks] == [0, 90, 92, 600, 660]
    assert [alert.state for _, outcome in looks for alert in outcome.alerts] == [
        AlertState.PENDING,
        AlertState.FIRING,
        AlertState.FIRING,
        AlertState.RECOVERED,
        AlertState.PENDING,
    ]


def test_what_people_did_counts_in_history_too() -> None:
    """A mute of that time holds its message back."""
    rule = make_rule()
    mute = Action(
        alert="",
        rule="r",
        scope=SCOPE,
        action="mute",
        until_us=(FROM_S + HOUR_S) * US_PER_S,
        by="leaders",
        at_us=FROM_S * US_PER_S,
    )
    rules = make_rules(rule)
    history = [(FROM_S, [Rate(SCOPE, INDICATOR, "today", 50, 100)])]

    looks = steps(rules, PastRates(rules.book), history, FROM_S, FROM_S + DAY_S, [mute])

    assert [at_us for at_us, outcome in looks if outcome.announcements] == [(FROM_S + HOUR_S) * US_PER_S]


def test_history_is_needed_earlier_only_to_compare_with() -> None:
    """Four weeks for a rule with ``worse_by``."""
    plain, compares = make_rules(make_rule()), make_rules(make_rule(below=None, worse_by=0.1, recover=0.05))

    assert history_from_s(plain, FROM_S) == FROM_S
    assert history_from_s(compares, FROM_S) == FROM_S - 28 * DAY_S
