"""The benches of scale at tiny size: what they put into the store is right, and a worker's figures over it are."""

from collections.abc import Iterator

import pytest

from benchmarks import scaling
from benchmarks.mix import Mix
from benchmarks.scaling import Outcome, Plan
from benchmarks.stand import Cost
from benchmarks.stored import fill
from contract.days import MINUTE_S
from contract.dossier import DOSSIER
from contract.partition import partition_of
from nhip.settings import Settings, load_tree
from sinks.check import figures_of_marks, figures_of_snapshots
from sinks.client import connect
from sinks.migrate import SchemaSettings, migrate
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S, wall_clock_us
from tests.conftest import Database

PARTITIONS, STORED, UNITS = 4, 2_000, 250


@pytest.fixture
def store(database: Database) -> Iterator[ClickHouseStore]:
    """A database with dossiers as the benches store them."""
    client = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(client, SchemaSettings())
    filled = ClickHouseStore(client)
    fill(filled, scaling.units_of(load_tree(Settings()), UNITS), PARTITIONS, STORED, 4)
    yield filled
    client.close()


@pytest.mark.services
def test_stored_rows_are_what_the_fold_would_have_written(store: ClickHouseStore) -> None:
    """Their marks are those of their snapshots in every window, and each lies in its key's partition."""
    tree = load_tree(Settings())
    now_s = wall_clock_us() // US_PER_S // MINUTE_S * MINUTE_S

    marks = figures_of_marks(store.client, DOSSIER, tree, now_s)
    snapshots = figures_of_snapshots(store.client, DOSSIER, tree, now_s)
    places = store.client.rows("SELECT id, `partition` FROM dossiers")

    ((units,),) = store.client.rows("SELECT uniqExact(unit) FROM dossiers")

    none = (0, 0)
    assert units == UNITS
    assert [key for key in marks.keys() | snapshots if marks.get(key, none) != snapshots.get(key, none)] == []
    assert (
        sum(marks[key][1] for key in marks if key[1:] == ("online", "all") and key[0].startswith("field:")) == STORED
    )
    assert [(id_, place) for id_, place in places if partition_of(id_.encode(), PARTITIONS) != place] == []


@pytest.mark.services
def test_a_mix_needs_enough_dossiers(store: ClickHouseStore) -> None:
    """A store too small for so many rounds is told; a smaller round is made whole, over dossiers of that store."""
    units = scaling.units_of(load_tree(Settings()), UNITS)
    mix = Mix(store.client, units, PARTITIONS, rounds=2, count=200)
    before = sum(sides[1] for (_, indicator, _), sides in mix.figures().items() if indicator == "online")

    first, second = mix.round(), mix.round()

    ids = {id_ for (id_,) in store.client.rows("SELECT id FROM dossiers")}
    touched = [{r.key.decode() for r in part.records()} for part in (first, second)]
    begun = [len(keys - ids) for keys in touched]
    after = sum(sides[1] for (_, indicator, _), sides in mix.figures().items() if indicator == "online")
    assert (first.count, second.count) == (200, 200)
    assert touched[0] & touched[1] == set()
    assert after - before == sum(begun)
    assert min(begun) > 0
    with pytest.raises(RuntimeError, match=r"dossiers are processing, .* are needed"):
        Mix(store.client, units, PARTITIONS, rounds=1, count=100_000)


@pytest.mark.services
def test_a_comparison_ends_with_right_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through real Kafka, the worker and the engine: every event is counted, and what it cost is told."""
    monkeypatch.setattr(scaling, "ROUNDS", 1)

    (outcome,) = scaling.compare([Plan("tiny", STORED, UNITS)], 200)

    assert (outcome.wrong, outcome.figures) == (0, 2 * UNITS)
    assert outcome.costs[0].events == 200
    assert outcome.for_100_000("seconds") > 0


def test_the_dearest_is_compared_with_the_cheapest() -> None:
    """Of rounds the median counts; what is twice or three times as dear is a target missed."""
    cheap = Outcome(
        Plan("a", 1, 1), [Cost(100, 1.0, 1.0, 1.0), Cost(100, 9.0, 9.0, 9.0), Cost(100, 1.0, 1.0, 1.0)], 0, 0, 1
    )
    dear = Outcome(Plan("b", 1, 1), [Cost(100, 1.2, 2.0, 3.0)], 0, 0, 1)

    ratios = {f.name: (f.value, f.met) for f in scaling.flat("units", [cheap, dear]) if "against" in f.name}

    assert ratios == {
        "worker: dearest against cheapest, units": (2.0, False),
        "store: dearest against cheapest, units": (3.0, False),
        "wall: dearest against cheapest, units": (pytest.approx(1.2), True),
    }
