"""A back-test of rules as a person and a program read it: every message, and how each rule behaved."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any, Final, NamedTuple

from rich import box
from rich.table import Table

from contract.days import DAY_S
from contract.numbers import duration_text
from contract.registry import INDICATORS
from streams.alerts import Alert, Notice
from streams.backtest import BackTest
from streams.clock import US_PER_S
from streams.rule import Rule

__all__ = ["NOBODY", "Behaviour", "Message", "as_document", "as_tables", "behaviours", "local_text", "messages"]

NOBODY: Final = ""
"""Stands for the recipient of a message that nobody would get; no recipient may be called so."""

_VIETNAM: Final = timezone(timedelta(hours=7))
_WEEK_S: Final = 7 * DAY_S


class Message(NamedTuple):
    """One thing told at one moment, to all who would have got it. A digest has a line for each of ``figures``."""

    at_us: int
    rule: str
    scope: str
    kind: str
    severity: str
    numerator: int
    denominator: int
    figures: int
    recipients: tuple[str, ...]


class Behaviour(NamedTuple):
    """How one rule behaved. ``alerts`` fired, ``messages`` counts each recipient.

    ``longest_s``: of the alerts, from the first bad figure until it was good again or the test ended. ``again``:
    alerts that fired within a day after one of the same scope was over; many of them say that the rule flaps.
    """

    rule: str
    alerts: int
    messages: int
    messages_per_week: float
    longest_s: int
    again: int


def messages(notices: Iterable[Notice]) -> list[Message]:
    """Put the notices of one moment together, in the order of time."""
    found: dict[Message, list[str]] = {}
    for notice in notices:
        first, *others = notice.facts.figures
        told = (notice.at_us, notice.rule, notice.scope, notice.kind, notice.severity)
        message = Message(*told, first.numerator, first.denominator, 1 + len(others), ())
        found.setdefault(message, []).append(notice.recipient)
    return [
        message._replace(recipients=tuple(name for name in names if name != NOBODY))
        for message, names in sorted(found.items())
    ]


def behaviours(rules: Iterable[Rule], tested: BackTest, from_s: int, to_s: int) -> list[Behaviour]:
    """Sum up each rule, in the order of the file."""
    weeks = max(to_s - from_s, DAY_S) / _WEEK_S
    sent: dict[str, int] = {}
    for notice in tested.notices:
        sent[notice.rule] = sent.get(notice.rule, 0) + (notice.recipient != NOBODY)
    fired: dict[str, list[Alert]] = {}
    for alert in sorted(tested.alerts, key=lambda one: (one.scope, one.since_us)):
        if alert.fired_us is not None:
            fired.setdefault(alert.rule, []).append(alert)
    return [
        Behaviour(
            rule.id,
            len(fired.get(rule.id, ())),
            sent.get(rule.id, 0),
            round(sent.get(rule.id, 0) / weeks, 1),
            max((_lasted_s(alert, to_s) for alert in fired.get(rule.id, ())), default=0),
            _again(fired.get(rule.id, ())),
        )
        for rule in rules
    ]


def as_document(tested: BackTest, rules: Sequence[Rule], from_s: int, to_s: int) -> dict[str, Any]:
    """Return the document that ``--json`` prints; times are ISO with the offset of Viet Nam."""
    return {
        "from": _iso(from_s * US_PER_S),
        "to": _iso(to_s * US_PER_S),
        "messages": [
            {
                "at": _iso(one.at_us),
                "rate": round(one.numerator / one.denominator, 4) if one.denominator else None,
                **{key: value for key, value in one._asdict().items() if key != "at_us"},
            }
            for one in messages(tested.notices)
        ],
        "alerts": [
            {
                "rule": alert.rule,
                "scope": alert.scope,
                "state": alert.state.value,
                "since": _iso(alert.since_us),
                "fired": _iso(alert.fired_us),
                "ended": _iso(alert.ended_us),
            }
            for alert in sorted(tested.alerts, key=lambda one: (one.since_us, one.rule, one.scope))
        ],
        "rules": [one._asdict() for one in behaviours(rules, tested, from_s, to_s)],
    }


def as_tables(tested: BackTest, rules: Sequence[Rule], from_s: int, to_s: int) -> list[Table]:
    """Return what would have been sent, and the rules in sum."""
    span = f"{local_text(from_s * US_PER_S)} to {local_text(to_s * US_PER_S)}"
    sent = Table("time", "rule", "scope", "kind", "rate", "n/N", "recipients", box=box.SIMPLE_HEAD)
    sent.title = f"What would have been sent, {span}"
    for column in sent.columns:
        column.no_wrap = column.header in ("time", "kind", "rate", "n/N")
    for one in messages(tested.notices):
        more = f" (+{one.figures - 1})" if one.kind == "digest" and one.figures > 1 else ""
        rate = _rate(rules, one)
        cells = (local_text(one.at_us), one.rule, f"{one.scope}{more}", one.kind, rate)
        sent.add_row(*cells, f"{one.numerator}/{one.denominator}", ", ".join(one.recipients) or "– (nobody)")
    summed = Table("rule", "alerts", "messages", "a week", "longest", "again within a day", box=box.SIMPLE_HEAD)
    for rule in behaviours(rules, tested, from_s, to_s):
        longest = duration_text(rule.longest_s).en if rule.alerts else "–"
        counts = (str(rule.alerts), str(rule.messages), f"{rule.messages_per_week:g}")
        summed.add_row(rule.rule, *counts, longest, str(rule.again))
    return [sent, summed]


def local_text(at_us: int) -> str:
    """Write a moment as the clock in Viet Nam showed it."""
    return f"{datetime.fromtimestamp(at_us // US_PER_S, _VIETNAM):%Y-%m-%d %H:%M}"


def _rate(rules: Iterable[Rule], one: Message) -> str:
    if not one.denominator:
        return "–"
    rate = one.numerator / one.denominator
    share = next(rule.indicator for rule in rules if rule.id == one.rule) in INDICATORS
    return f"{100 * rate:.1f} %" if share else f"{rate:g}"


def _lasted_s(alert: Alert, to_s: int) -> int:
    ended_us = to_s * US_PER_S if alert.ended_us is None else alert.ended_us
    return max(0, ended_us - alert.since_us) // US_PER_S


def _again(alerts: Sequence[Alert]) -> int:
    """Count alerts soon after one of the same scope; they are given by scope and time."""
    found = 0
    for before, after in pairwise(alerts):
        gap_us = DAY_S * US_PER_S
        found += before.scope == after.scope and after.since_us - (before.ended_us or before.since_us) < gap_us
    return found


def _iso(at_us: int | None) -> str | None:
    return None if at_us is None else datetime.fromtimestamp(at_us // US_PER_S, _VIETNAM).isoformat()
