"""Real cases on the demo's stage."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

from nhip.recast import cases_of, history, live_cases, simulated, stage_of
from nhip.settings import Settings, load_calendar, load_tree
from producers.replay import shifted
from tests.support.pipeline import sample

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BACK = timedelta(days=30)


def test_history_ends_within_the_time_and_keeps_durations() -> None:
    """No event lies in the future, every case ends in the last 30 days, and its deadline is as far as it was."""
    cases = cases_of(sample("receipt.csv", "receipt"))
    stage = stage_of(load_tree(Settings()), "75")

    rv = cases_of(history(cases, stage, NOW, BACK, random.Random(1)))

    assert len(rv) == 1434
    assert all(NOW - BACK <= case[-1].time <= NOW for case in rv)
    for before, after in zip(cases, rv, strict=True):
        assert after[-1].time - after[0].time == before[-1].time - before[0].time
        assert len({e.data.unit for e in after}) == 1  # type: ignore[attr-defined]


def test_the_stage_has_departments_and_communes_of_the_province() -> None:
    """All 14 departments are there, and every unit is known."""
    tree = load_tree(Settings())

    rv = stage_of(tree, "75")

    assert len(rv.units) == 14 + 24
    assert all(tree.known(code) for code in rv.units)


def test_live_cases_tell_nothing_after_their_moment() -> None:
    """Moved so that its moment is now, no event of a live case lies in the future; subjects are new ones."""
    cases = cases_of(sample("receipt.csv", "receipt"))
    stage = stage_of(load_tree(Settings()), "75")

    rv = list(islice(live_cases(cases, stage, random.Random(1)), 200))

    for events, moment in rv:
        assert all(shifted(e, NOW - moment).time <= NOW for e in events)
    assert len({events[0].subject for events, _ in rv}) == 200
    assert {case[0].subject for case in cases}.isdisjoint(events[0].subject for events, _ in rv)


def test_what_no_file_tells_is_simulated() -> None:
    """A month of payments, meetings and documents, none after its end; no dossiers."""
    rv = simulated(load_calendar(), NOW - BACK, NOW)

    kinds = {type(event).__name__ for case in rv for event in case}
    assert kinds == {"PaymentEvent", "MeetingEvent", "DocumentEvent"}
    assert len(rv) > 5_000
    assert all(NOW - BACK <= event.time < NOW for case in rv for event in case)
