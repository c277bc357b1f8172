"""How a back-test is summed up: messages of one moment, and the behaviour of a rule."""

from contract.days import DAY_S, HOUR_S
from nhip.backtest import NOBODY, behaviours, messages
from streams.alerts import Alert, AlertState, Figure, Notice, NoticeFacts
from streams.backtest import BackTest
from streams.clock import US_PER_S
from streams.rule import Rule

RULE = Rule(
    id="r",
    indicator="on_time",
    window="24h",
    scope="unit:*",
    below=0.9,
    recover=0.9,
    minimum_n=1,
    minimum_history=3,
    hold_s=0,
    severity="warning",
    remind_s=None,
    quiet=None,
    working_days=False,
    to=("boss",),
    escalate_s=None,
    escalate_to=(),
    daily_min=None,
    title=None,
    text=None,
)


def episode(scope: str, since_s: int, ended_s: int | None, *, fired: bool = True) -> Alert:
    """An alert from and to a second."""
    return Alert(
        id=f"{scope}{since_s}",
        rule="r",
        indicator="on_time",
        window="24h",
        scope=scope,
        severity="warning",
        state=AlertState.RECOVERED if ended_s else AlertState.FIRING,
        since_us=since_s * US_PER_S,
        fired_us=since_s * US_PER_S if fired else None,
        ended_us=None if ended_s is None else ended_s * US_PER_S,
        numerator=0,
        denominator=1,
        threshold=0.9,
    )


def notice(recipient: str, at_us: int = 5) -> Notice:
    """A message about one figure."""
    facts = NoticeFacts(
        indicator="on_time", window="24h", figures=(Figure("s", 1, 2),), threshold=0.9, below=True, since_us=0
    )
    return Notice(
        id=f"{recipient}{at_us}",
        alert="a",
        rule="r",
        scope="s",
        kind="fired",
        severity="warning",
        recipient=recipient,
        at_us=at_us,
        facts=facts,
    )


def test_how_a_rule_behaved() -> None:
    """Messages a week, the longest alert, and those that came back within a day; pending ones do not count."""
    alerts = [
        episode("a", 0, HOUR_S),
        episode("a", 2 * HOUR_S, 3 * HOUR_S),
        episode("a", 2 * DAY_S, 2 * DAY_S + 1),
        episode("b", 3 * HOUR_S, None),
        episode("c", 0, 9 * DAY_S, fired=False),
    ]
    notices = [notice("x"), notice("y"), notice("x", 9), notice(NOBODY, 10)]

    (rv,) = behaviours([RULE], BackTest(alerts, notices), 0, 14 * DAY_S)

    assert rv == ("r", 4, 3, 1.5, 14 * DAY_S - 3 * HOUR_S, 1)


def test_one_message_to_several_is_one_line() -> None:
    """Recipients stand together; a message to nobody has none."""
    rv = messages([notice("y", 9), notice("x"), notice("y"), notice(NOBODY, 3)])

    assert [(one.at_us, one.recipients) for one in rv] == [(3, ()), (5, ("x", "y")), (9, ("y",))]
