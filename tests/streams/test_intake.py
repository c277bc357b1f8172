"""From records to the newest snapshot of each entity."""

from contract.decode import Horizon
from contract.dossier import DOSSIER
from contract.personal import MASK
from streams.intake import Intake, take_in
from streams.rows import Partition
from tests.support.events import FakeRecord, dossier, record

HERE = Partition("nhip.dossiers", 0)
WALL_US = 1_800_000_000_000_000
OLD, NEW = 1_700_000_000_000_000, 1_700_000_001_000_000


def taken(*records: FakeRecord) -> Intake:
    """The intake of these records."""
    intake = Intake()
    take_in(intake, DOSSIER, HERE, records, Horizon(WALL_US))
    return intake


def test_a_record_under_another_key_does_not_hide_a_good_one() -> None:
    """A newer snapshot whose key is not its subject is refused before it can stand in for the entity."""
    good = record(0, dossier("a", OLD))
    stray = record(1, dossier("a", NEW))
    stray.key = b"b"

    rv = taken(good, stray)

    assert rv.newest["a"][0].version == OLD
    assert [(d.offset, d.reason) for d in rv.dead] == [(1, "key")]


def test_the_larger_version_wins_and_the_rest_is_counted_as_ignored() -> None:
    """Order does not matter; what came too late is known by source and unit."""
    old, new = record(0, dossier("a", OLD)), record(1, dossier("a", NEW))

    forward, backward = taken(old, new), taken(new, old)

    assert forward.newest["a"][0] == backward.newest["a"][0]
    assert forward.sources["test", "H19.01"].ignored == 0
    assert backward.sources["test", "H19.01"].ignored == 1


def test_two_contents_of_one_version_are_decided_alike_in_any_order() -> None:
    """The hash of the bytes decides, so that every reader agrees."""
    one, two = record(0, dossier("a", OLD)), record(1, dossier("a", OLD, channel="counter"))

    forward, backward = taken(one, two), taken(two, one)

    assert forward.newest["a"][1].value == backward.newest["a"][1].value


def test_dead_letters_hold_no_personal_text() -> None:
    """Key, value and error are masked: where the text was found, and in what was refused for another reason."""
    personal = record(0, dossier("case-0912000000", OLD))
    unknown = record(1, dossier("a", OLD))
    unknown.value = (unknown.value or b"").replace(b'"data":{', b'"data":{"phone":"84912000000",')

    rv = taken(personal, unknown)

    assert [dead.reason for dead in rv.dead] == ["personal", "invalid"]
    assert rv.dead[0].key == f"case-{MASK * 10}".encode()
    for dead in rv.dead:
        assert b"912000000" not in dead.value
        assert "912000000" not in dead.error
