"""Rules over history: the same evaluation as live, from change to change instead of from second to second."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from contract.days import MINUTE_S
from streams.alerts import Action, Alert, FigureKey, Notice
from streams.clock import US_PER_S
from streams.notices import Resolve, notices_of
from streams.rows import Rate
from streams.rules import Outcome, Rules
from streams.usual import USUAL_SPAN_S, PastRates

__all__ = ["BackTest", "backtest", "history_from_s", "steps"]

History = Iterable[tuple[int, list[Rate]]]
"""As :meth:`streams.alert_store.HistoryStore.history` gives it."""


class BackTest(NamedTuple):
    """What rules would have done: every alert as it stood at the end, and every message."""

    alerts: list[Alert]
    notices: list[Notice]


def history_from_s(rules: Rules, from_s: int) -> int:
    """Return from when on history is needed: weeks earlier when a rule compares with the usual."""
    return from_s - USUAL_SPAN_S if rules.book.compares else from_s


def steps(
    rules: Rules,
    past: PastRates,
    history: History,
    from_s: int,
    to_s: int,
    actions: Sequence[Action] = (),
) -> Iterator[tuple[int, Outcome]]:
    """Evaluate from the minute ``from_s`` to the end of the minute ``to_s``; yield (microsecond, outcome) of each.

    What changed in a minute is looked at as of its start: rules think in whole minutes here. Between changes a look
    is taken when the rules want one: a hold time or quiet hours end, a reminder or a digest is due, the usual rate is
    another. ``rules`` and ``past`` keep their state: the minutes after ``to_s`` may follow with another call.
    """
    items = iter(history)
    coming = next(items, None)
    now_us, end_us = from_s * US_PER_S, (to_s + MINUTE_S) * US_PER_S
    while now_us < end_us:
        figures: dict[FigureKey, tuple[int, int]] = {}
        while coming is not None and coming[0] * US_PER_S <= now_us:
            past.learn(*coming)
            figures.update({FigureKey(*rate[:3]): rate[3:] for rate in coming[1]})
            coming = next(items, None)
        yield now_us, rules.evaluate(now_us, figures, past.at(now_us // US_PER_S), actions)
        due_us = [rules.next_due_us, *(s * US_PER_S for s in (past.next_change_s, coming and coming[0]) if s)]
        now_us = max(now_us, min((due for due in due_us if due is not None), default=end_us))


def backtest(rules: Rules, history: History, from_s: int, to_s: int, resolve: Resolve) -> BackTest:
    """Return what the rules would have done from ``from_s`` to ``to_s`` if nobody had acknowledged or muted anything.

    ``rules`` are fresh; ``history`` begins at :func:`history_from_s`.
    """
    alerts: dict[str, Alert] = {}
    notices: list[Notice] = []
    for _, outcome in steps(rules, PastRates(rules.book), history, from_s, to_s):
        alerts.update({alert.id: alert for alert in outcome.alerts})
        notices.extend(notices_of(outcome.announcements, resolve))
    return BackTest(list(alerts.values()), notices)
