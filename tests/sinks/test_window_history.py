"""Every window of a day from stored minutes, against plain Python on random panes."""

import random
from collections import Counter

import pytest

from contract.days import HOUR_S, MINUTE_S
from contract.dossier import DOSSIER
from contract.windows import Level
from sinks.store import ClickHouseStore
from sinks.window_history import window_history
from streams.rows import EpochKey, PaneBatch
from tests.support.panes import Pane, batch_of, single

START_S = 1_795_312_800
END_S = START_S + 3 * HOUR_S
TOPIC = DOSSIER.topic

pytestmark = pytest.mark.services


def random_panes(rng: random.Random) -> PaneBatch:
    """Minutes of three scopes and two indicators in two partitions, before, within and after the asked time."""
    places = {
        (rng.randrange(2), f"unit:{rng.choice('abc')}", rng.choice(["online", "on_time"]), rng.randrange(-90, 400))
        for _ in range(400)
    }
    return batch_of(
        Pane(
            partition,
            scope,
            indicator,
            int(Level.MINUTE),
            START_S + minute * MINUTE_S,
            rng.randrange((counted := rng.randrange(4)) + 1),
            counted,
        )
        for partition, scope, indicator, minute in places
    )


@pytest.mark.parametrize("length_s", [MINUTE_S, 5 * MINUTE_S, HOUR_S])
def test_every_window_is_what_plain_python_sums(store: ClickHouseStore, length_s: int) -> None:
    """Windows of complete epochs hold the marks that begin in them; those without marks are absent."""
    rng = random.Random(length_s)
    panes = random_panes(rng)
    store.complete([EpochKey(TOPIC, 0, 7), EpochKey(TOPIC, 1, 7)])
    store.write_panes(TOPIC, {0: 7, 1: 7}, {0: 1, 1: 1}, panes)
    store.write_panes(TOPIC, {0: 8, 1: 8}, {0: 1, 1: 1}, random_panes(rng))  # an epoch that is not complete

    found = window_history(store.client, ["unit:a", "unit:b"], ["online"], START_S, END_S, length_s)

    expected: Counter[tuple[str, int, str]] = Counter()
    for _, scope, indicator, _, at_s, good, counted in single(panes.blocks):
        if scope != "unit:c" and indicator == "online":
            for start_s in range(at_s + MINUTE_S - length_s, at_s + MINUTE_S, MINUTE_S):
                if START_S <= start_s < END_S:
                    expected[scope, start_s, "good"] += good
                    expected[scope, start_s, "counted"] += counted
    assert set(found.indicators) == {"online"}
    assert {
        (scope, start): (good, counted)
        for scope, start, good, counted in zip(found.scopes, found.starts_s, found.goods, found.counts, strict=True)
    } == {
        (scope, start): (expected[scope, start, "good"], counted)
        for (scope, start, side), counted in expected.items()
        if side == "counted" and counted
    }


def test_no_panes_give_no_windows(store: ClickHouseStore) -> None:
    """An empty store answers with empty columns."""
    found = window_history(store.client, ["unit:a"], ["online"], START_S, END_S, HOUR_S)

    assert all(len(column) == 0 for column in found)
