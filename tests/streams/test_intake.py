"""From records to the newest snapshot of each entity."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.decode import EventError, Horizon
from contract.dossier import DOSSIER
from contract.marks import EPOCH
from contract.personal import MASK
from streams.intake import CONTENT_BITS, Intake, content_hash, dead_letter, take_in
from streams.rows import DeadLetter, Partition
from tests.support.events import FakeRecord, at, dossier, record

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


def test_an_empty_batch_changes_nothing() -> None:
    """Kafka answers with one now and then."""
    assert taken() == Intake()
    assert Intake().clock_us() == 0
    assert Intake().last_offset == -1


def test_what_came_is_counted_over_all_batches() -> None:
    """Records, the last offset, the newest time, and what each source said for each unit."""
    first = [
        record(7, dossier("a", OLD, time=at(1_700_000_500))),
        record(8, dossier("b", OLD, time=at(1_700_000_300))),
        FakeRecord(9, b"x", b"{"),
    ]
    other = dossier("c", OLD, time=at(1_700_000_400), unit="H19.02")
    second = [record(10, other), record(12, dossier("a", OLD - 1, time=at(1_700_000_100)))]
    intake = Intake()

    take_in(intake, DOSSIER, HERE, first, Horizon(WALL_US))
    take_in(intake, DOSSIER, HERE, second, Horizon(WALL_US))

    assert (intake.records, intake.last_offset, len(intake.dead)) == (5, 12, 1)
    assert intake.clock_us() == 1_700_000_500_000_000
    assert {key: (said.events, said.ignored, said.newest) for key, said in intake.sources.items()} == {
        ("test", "H19.01"): (3, 1, at(1_700_000_500)),
        ("test", "H19.02"): (1, 0, at(1_700_000_400)),
    }
    assert list(intake.newest) == ["a", "b", "c"]


def test_batches_that_overlap_do_not_move_the_offset_back() -> None:
    """What is read again was read before."""
    intake = Intake(last_offset=20)

    take_in(intake, DOSSIER, HERE, [record(3, dossier("a", OLD))], Horizon(WALL_US))

    assert intake.last_offset == 20


def test_a_source_that_never_said_anything_newer_than_1970_has_no_time() -> None:
    """The clock of the events begins at 0."""
    intake = taken(FakeRecord(0, b"x", b"{"))

    assert intake.sources == {}
    assert EPOCH.timestamp() == intake.clock_us() == 0


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ([b"a", b"b"], []),
        ([b"b", b"a"], [0, 1]),
        ([b"a", None], [1]),
        ([b"a", b""], [1]),
        ([b"a\nb", b"b"], [0]),
        ([b"a", b"b\n"], [1]),
        ([b"A", b"b"], [0]),
    ],
)
def test_each_key_must_be_the_subject(keys: list[bytes | None], refused: list[int]) -> None:
    """One by one, wherever in the batch; the others go on."""
    records = [record(n, dossier(subject, OLD)) for n, subject in enumerate("ab")]
    for found, key in zip(records, keys, strict=True):
        found.key = key

    rv = taken(*records)

    sentence = "the record's key is not the event's subject - at `$.subject`"
    assert [(letter.offset, letter.reason, letter.error) for letter in rv.dead] == [
        (n, "key", sentence) for n in refused
    ]
    assert sorted(rv.newest) == [subject for n, subject in enumerate("ab") if n not in refused]


def test_what_cannot_be_read_does_not_shift_what_can() -> None:
    """Bad records between good ones: each by its own offset, each event with its own record."""
    records = [
        FakeRecord(0, b"x", b"{"),
        record(1, dossier("a", OLD)),
        FakeRecord(2, b"y", None),
        record(3, dossier("b", OLD)),
        FakeRecord(4, b"z", b"[]"),
    ]

    rv = taken(*records)

    assert [letter.offset for letter in rv.dead] == [0, 2, 4]
    assert {subject: (event.subject, found.offset) for subject, (event, found) in rv.newest.items()} == {
        "a": ("a", 1),
        "b": ("b", 3),
    }


def test_a_dead_letter_keeps_the_record_and_says_why() -> None:
    """Place, reason, sentence, bytes and the moment; a record without key or value has none."""
    error = EventError("key", "it is another")

    full, empty = (
        dead_letter(HERE, FakeRecord(3, key, value), error, 9) for key, value in ((b"k", b"v"), (None, None))
    )

    assert full == DeadLetter(*HERE, 3, "key", str(error), b"k", b"v", 9)
    assert empty == DeadLetter(*HERE, 3, "key", str(error), None, b"", 9)


def test_the_hash_of_the_content_fills_48_bits() -> None:
    """Every reader and every later program finds the same for the same bytes."""
    assert [content_hash(value) for value in (b"a", b"", None)] == [55757778603551, 140759916582082, 140759916582082]
    assert all(content_hash(bytes([n])) < 2**CONTENT_BITS for n in range(256))
    assert any(content_hash(bytes([n])) >= 2 ** (CONTENT_BITS - 1) for n in range(256))


snapshots = st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from(["online", "counter", "post"]))


@given(st.lists(snapshots, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_neither_order_nor_batches_decide_which_snapshot_is_the_newest(found: list[Any], chance: Any) -> None:
    """The largest version, among equals the larger hash; all others, and repeats, are ignored."""
    made = [record(n, dossier(s, OLD + v, channel=channel)) for n, (s, v, channel) in enumerate(found)]
    chance.shuffle(made)
    cuts = sorted(chance.choices(range(len(made) + 1), k=3))
    intake = Intake()

    for begin, end in zip([0, *cuts], [*cuts, len(made)], strict=True):
        take_in(intake, DOSSIER, HERE, made[begin:end], Horizon(WALL_US))

    ranks: dict[str, tuple[int, int]] = {}
    for n, (subject, version, _) in enumerate(found):
        value = next(r.value for r in made if r.offset == n)
        ranks[subject] = max(ranks.get(subject, (0, 0)), (OLD + version, content_hash(value)))
    assert {s: (event.version, content_hash(r.value)) for s, (event, r) in intake.newest.items()} == ranks
    (said,) = intake.sources.values()
    assert said.events == len(found)
    assert said.ignored <= len(found) - len(ranks)
    assert said.newest == at((OLD + max(version for _, version, _ in found)) / 1_000_000)
