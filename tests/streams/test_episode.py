"""One episode: each step from each state, and ids that stay the same for ever."""

from typing import Any

import pytest

from streams.alerts import Alert, AlertState
from streams.clock import US_PER_S
from streams.episode import alert_id, ended, stable_id, step
from streams.verdict import Verdict
from tests.support.rules import make_rule

T0 = 1_772_427_600_000_000
HOLD_S = 600
PENDING, FIRING, RECOVERED, CLEARED = AlertState
BAD, BETWEEN, GOOD, UNKNOWN = Verdict
RULE = make_rule(hold_s=HOLD_S, severity="critical")


def sec(n: float) -> int:
    """A moment so many seconds after the episode began."""
    return T0 + int(n * US_PER_S)


def alert(state: AlertState, **changes: Any) -> Alert:
    """An alert of the rule that began at 50 of 100."""
    plain: dict[str, Any] = {
        "id": alert_id("r", "unit:c0", T0),
        "rule": "r",
        "indicator": "on_time",
        "window": "today",
        "scope": "unit:c0",
        "severity": "critical",
        "state": state,
        "since_us": T0,
        "fired_us": None if state is PENDING else sec(HOLD_S),
        "numerator": 50,
        "denominator": 100,
        "threshold": 0.9,
    }
    return Alert(**plain | changes)


def stepped(before: Alert | None, verdict: Verdict, at_us: int, rule: Any = RULE) -> Alert | None:
    """The alert after a look at 60 of 101, compared with 0.75."""
    return step(rule, "unit:c0", before, verdict, (60, 101), 0.75, at_us)


def test_ids_stay_what_they_are() -> None:
    """Stored alerts and messages that were sent have them: another program must find the same."""
    assert alert_id("on_time", "unit:c0", T0) == "c46e293ed9c7eccf35988814dad16858"
    assert stable_id("a", 1) == "cbfffe3bc7ac333f71cb35e1fbdcae50"
    assert len({stable_id("a", "b"), stable_id("ab"), stable_id("a", "b", ""), stable_id("b", "a")}) == 4


@pytest.mark.parametrize("verdict", [BETWEEN, GOOD, UNKNOWN])
def test_what_is_not_bad_begins_nothing(verdict: Verdict) -> None:
    """An episode begins with a bad figure."""
    assert stepped(None, verdict, T0) is None


@pytest.mark.parametrize(("hold_s", "state", "fired_us"), [(HOLD_S, PENDING, None), (0, FIRING, T0)])
def test_a_bad_figure_begins_an_episode(hold_s: int, state: AlertState, fired_us: int | None) -> None:
    """It carries the rule, the scope, the figure and what this was compared with; without a hold it fires."""
    rv = stepped(None, BAD, T0, make_rule(hold_s=hold_s, severity="critical"))

    assert rv == alert(state, fired_us=fired_us, numerator=60, denominator=101, threshold=0.75)


@pytest.mark.parametrize(
    ("before", "verdict", "at_s", "changes"),
    [
        pytest.param(alert(PENDING), BAD, HOLD_S - 1e-6, None, id="held, a microsecond too short"),
        pytest.param(alert(PENDING), BAD, HOLD_S, {"state": FIRING, "fired_us": sec(HOLD_S)}, id="held"),
        pytest.param(alert(PENDING), UNKNOWN, HOLD_S, None, id="no hold ends on the unknown"),
        *(
            pytest.param(alert(PENDING), verdict, 5, {"state": CLEARED, "ended_us": sec(5)}, id=f"pending, {verdict}")
            for verdict in (BETWEEN, GOOD)
        ),
        *(
            pytest.param(alert(FIRING, notices=1), verdict, 900, None, id=f"goes on, {verdict}")
            for verdict in (BAD, BETWEEN, UNKNOWN)
        ),
        pytest.param(alert(FIRING), GOOD, 900, {"state": RECOVERED, "ended_us": sec(900)}, id="nobody was told"),
        pytest.param(
            alert(FIRING, notices=1), GOOD, 900, {"ended_us": sec(900)}, id="whoever was told hears the end"
        ),
        pytest.param(alert(FIRING, notices=1, ended_us=sec(900)), BAD, 950, {"ended_us": None}, id="bad again"),
        *(
            pytest.param(alert(FIRING, notices=1, ended_us=sec(900)), verdict, 950, None, id=f"over, {verdict}")
            for verdict in (BETWEEN, GOOD, UNKNOWN)
        ),
        *(
            pytest.param(alert(state, ended_us=sec(9)), verdict, 950, None, id=f"{state}, {verdict}")
            for state in (RECOVERED, CLEARED)
            for verdict in Verdict
        ),
    ],
)
def test_each_step_changes_what_it_must_and_nothing_else(
    before: Alert, verdict: Verdict, at_s: float, changes: dict[str, Any] | None
) -> None:
    """Whatever changes takes the newest figure and threshold along; what does not change is the same object."""
    rv = stepped(before, verdict, sec(at_s))

    if changes is None:
        assert rv is before
    else:
        newest = {"numerator": 60, "denominator": 101, "threshold": 0.75}
        plain = {name: getattr(before, name) for name in before.__struct_fields__}
        assert rv == Alert(**plain | newest | changes)


@pytest.mark.parametrize(
    ("before", "state", "ended_us"),
    [
        (alert(PENDING), CLEARED, sec(700)),
        (alert(FIRING), RECOVERED, sec(700)),
        (alert(FIRING, ended_us=sec(650)), RECOVERED, sec(650)),
    ],
)
def test_an_alert_is_closed_as_what_it_was(before: Alert, state: AlertState, ended_us: int) -> None:
    """It recovered if it ever fired; it ended when it was over, not when that could be told."""
    rv = ended(before, sec(700))

    assert (rv.state, rv.ended_us) == (state, ended_us)
    assert (rv.id, rv.fired_us, rv.numerator) == (before.id, before.fired_us, 50)
