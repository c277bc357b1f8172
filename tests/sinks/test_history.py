"""Figures of the past on the real engine: against the figures of now, and against the snapshots in plain Python."""

import random
from typing import Any

import pytest

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_minute
from contract.dossier import DOSSIER, OPEN, Dossier
from contract.indicators import Reading
from contract.kind import Event
from contract.marks import epoch_us
from contract.payment import PAYMENT, Payment, PaymentEvent
from contract.registry import INDICATORS, KINDS
from contract.units import UnitTree
from contract.windows import windows_of
from sinks.history import ClickHouseHistory
from sinks.store import ClickHouseStore
from streams.rows import EpochKey, PaneBatch
from tests.sinks.test_panes import tree
from tests.support.events import at, dossier, recompute
from tests.support.stored import keep

NOW_S = 1_795_312_800 + 29 * MINUTE_S + 17
STATUSES = (
    "accepted",
    "processing",
    "withdrawn",
    "stopped",
    "completed",
    "returned",
    "rejected",
    "void",
    "registered",
)
EVERY = {(key, window): None for key, indicator in INDICATORS.items() for window in windows_of(indicator.reading)}

pytestmark = pytest.mark.services

Figures = dict[tuple[str, str, str], tuple[int, int]]


def moment(rng: random.Random, latest_s: int = NOW_S) -> int:
    """A second of the past at or around the borders of windows."""
    length = rng.choice([0, 900, HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S, 300 * DAY_S])
    return latest_s - length - rng.choice([0, 1, 59, 60, rng.randrange(3 * HOUR_S), rng.randrange(2 * DAY_S)])


def random_dossier(rng: random.Random, number: int) -> Event:
    """A dossier that was received, perhaps ended, and is or was due around then."""
    received_s = moment(rng)
    ended_s = min(NOW_S, received_s + rng.choice([0, 30, HOUR_S, rng.randrange(3 * DAY_S)]))
    status = rng.choice(STATUSES)
    ended = status in ("completed", "returned") or (status == "withdrawn" and rng.random() < 0.5)
    due = rng.choice([None, received_s + rng.randrange(2 * DAY_S), NOW_S + rng.randrange(-120, 2 * DAY_S)])
    # An open dossier may lack the time at which it was received: then it counts from its newest event on.
    received = None if status not in ("rejected", "withdrawn") and rng.random() < 0.1 else at(received_s)
    return dossier(
        f"d{number}",
        ended_s * 1_000_000,
        unit=rng.choice(["A.1", "A.2", "B.'1\\", "lạ 🏠"]),
        field=rng.choice([None, "đất 'đai\\", "tax"]),
        channel=rng.choice(["online", "counter"]),
        status=status,
        received_at=received,
        due_at=None if due is None else at(due),
        finished_at=at(ended_s) if ended else None,
    )


def random_payment(rng: random.Random, number: int) -> Event:
    """A payment made at some time, by some way."""
    paid = at(moment(rng))
    data = Payment(unit="A.1", status="paid", amount_vnd=1, paid_at=paid, channel=rng.choice(["gateway", "counter"]))
    version = epoch_us(paid)
    return PaymentEvent(
        specversion="1.0", source="t", id=f"{number}", subject=f"p{number}", time=paid, version=version, data=data
    )


def fill(store: ClickHouseStore, units: UnitTree, dossiers: list[Any], payments: list[Any]) -> None:
    """Store events and the panes that follow from them."""
    keep(store, DOSSIER, dossiers)
    keep(store, PAYMENT, payments)
    for kind in KINDS:
        panes = PaneBatch(list(store.rebuild(kind, [0, 1], NOW_S, units.segments)))
        store.write_panes(kind.topic, {0: 1, 1: 1}, {0: 1, 1: 1}, panes)
        store.complete([EpochKey(kind.topic, p, 1) for p in (0, 1)])


def told(history: ClickHouseHistory, from_s: int, to_s: int, wanted: Any = None) -> dict[int, Figures]:
    """All figures with cases at the end of each minute in which one changed."""
    now: Figures = {}
    rv: dict[int, Figures] = {}
    for minute_s, rates in history.history(wanted or EVERY, from_s, to_s):
        now = now | {(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in rates}
        now = {key: figure for key, figure in now.items() if figure != (0, 0)}
        rv[minute_s] = now
    return rv


def was_open(data: Dossier, event_s: int, minute_s: int) -> bool:
    """Whether a dossier was open at the end of a minute, as its newest snapshot knows it."""
    received_s = None if data.received_at is None else epoch_us(data.received_at) // 1_000_000
    ended_s = event_s if data.finished_at is None else epoch_us(data.finished_at) // 1_000_000
    if data.status in OPEN:
        return floor_minute(event_s if received_s is None else min(received_s, event_s)) <= minute_s
    if data.status not in ("withdrawn", "stopped", "completed", "returned") or received_s is None:
        return False
    return floor_minute(received_s) <= minute_s < floor_minute(ended_s)


def states(events: list[Any], units: UnitTree, minute_s: int) -> Figures:
    """What was overdue and due soon at the end of a minute, dossier by dossier."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for event in events:
        data = event.data
        if data.due_at is None or not was_open(data, epoch_us(event.time) // 1_000_000, minute_s):
            continue
        due_s = epoch_us(data.due_at) // 1_000_000
        due_minute_s = floor_minute(due_s)
        found = {"overdue": due_minute_s < minute_s, "due_soon": minute_s <= due_minute_s < minute_s + DAY_S}
        for scope in units.scopes(data.unit, data.field, due_s):
            for key, counts in found.items():
                side = sums.setdefault((scope, key, "now"), [0, 0])
                side[0] += counts
                side[1] += 1
    return {key: (top, bottom) for key, (top, bottom) in sums.items()}


def rates(events: list[Any], units: UnitTree, minute_s: int) -> Figures:
    """All windows of rates at the end of a minute; of ``all``, what had happened by then."""
    found = {
        key: figure
        for key, figure in recompute(events, units.scopes, minute_s).items()
        if INDICATORS[key[1]].reading is Reading.RATE and key[2] != "all" and figure != (0, 0)
    }
    for event in events:
        for indicator in DOSSIER.indicators:
            mark = indicator.mark(event.data) if indicator.mark and indicator.reading is Reading.RATE else None
            if mark is None or mark.at_s >= minute_s + MINUTE_S:
                continue
            for scope in units.scopes(event.data.unit, event.data.field, mark.at_s):
                top, bottom = found.get((scope, indicator.key, "all"), (0, 0))
                found[scope, indicator.key, "all"] = (top + mark.good, bottom + 1)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_the_present_minute_is_what_the_panes_say(store: ClickHouseStore, seed: int) -> None:
    """Every figure of every scope at the end of the history equals the sum of the panes, and the words."""
    rng, units = random.Random(seed), tree()
    dossiers = [random_dossier(rng, n) for n in range(500)]
    payments = [random_payment(rng, n) for n in range(100)]
    fill(store, units, dossiers, payments)
    history = ClickHouseHistory(store.client, units.segments)

    far, near = (list(told(history, NOW_S - back, NOW_S).values())[-1] for back in (40 * DAY_S, 0))

    panes = {(r.scope, r.indicator, r.window): (r.numerator, r.denominator) for r in store.sum_panes(NOW_S, None)}
    expected = {key: figure for key, figure in panes.items() if figure != (0, 0)}
    assert far == near == expected
    assert expected == recompute([*dossiers, *payments], units.scopes, NOW_S)
    assert {scope for scope, _, _ in expected} <= set(history.scopes())
    assert len(expected) > 100


def test_every_change_of_the_past_is_told(store: ClickHouseStore) -> None:
    """At each minute that is told, and before it, all figures are those of a count without windows or panes."""
    rng, units = random.Random(1), tree()
    dossiers = [random_dossier(rng, n) for n in range(200)]
    keep(store, DOSSIER, dossiers)
    history = ClickHouseHistory(store.client, units.segments)
    start_s = NOW_S - 8 * DAY_S

    rv = told(history, start_s, NOW_S)

    minutes = sorted(rv)
    assert minutes[0] == floor_minute(start_s)
    sampled = rng.sample(range(1, len(minutes)), 60)
    for n in sampled:
        for minute_s, figures in ((minutes[n], rv[minutes[n]]), (minutes[n] - MINUTE_S, rv[minutes[n - 1]])):
            assert figures == rates(dossiers, units, minute_s) | states(dossiers, units, minute_s)


def test_only_the_scopes_that_are_wanted(store: ClickHouseStore) -> None:
    """Each window gives its own scopes, and is the same as among all."""
    rng, units = random.Random(9), tree()
    keep(store, DOSSIER, [random_dossier(rng, n) for n in range(200)])
    history = ClickHouseHistory(store.client, units.segments)
    some = {("on_time", "24h"): frozenset({"unit:A", "field:tax"}), ("overdue", "now"): frozenset({"unit:A.2"})}

    rv = told(history, NOW_S - 10 * DAY_S, NOW_S, some)

    every = told(history, NOW_S - 10 * DAY_S, NOW_S)
    asked = {(scope, *key) for key, scopes in some.items() for scope in scopes}
    for minute_s, figures in rv.items():
        assert figures == {key: figure for key, figure in every[minute_s].items() if key in asked}
    assert {key for figures in rv.values() for key in figures} == asked


def test_an_empty_store_has_a_first_item(store: ClickHouseStore) -> None:
    """Nothing was counted: no figure, no scope."""
    history = ClickHouseHistory(store.client, tree().segments)

    rv = list(history.history(EVERY, NOW_S - DAY_S, NOW_S))

    assert rv == [(floor_minute(NOW_S - DAY_S), [])]
    assert history.scopes() == []


def test_states_belong_to_dossiers() -> None:
    """Only of dossiers is it said here when they were open."""
    assert {kind.key for kind in KINDS for i in kind.indicators if i.reading is not Reading.RATE} == {"dossier"}
