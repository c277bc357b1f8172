"""Memory: the newest state of what changed last and of all that is open; whether anything else exists."""

from hypothesis import given
from hypothesis import strategies as st

from contract.dossier import DOSSIER
from contract.marks import Mark
from contract.payment import PAYMENT
from streams.memory import Memory
from streams.rows import Stored

MARKED = len(DOSSIER.marked)
STATE = [i.key for i in DOSSIER.marked].index("overdue")

marks = st.tuples(*[st.none() | st.builds(Mark, st.integers(-(2**40), 2**40), st.booleans())] * MARKED)
rows = st.builds(
    Stored,
    version=st.integers(0, 2**63 - 1),
    content=st.integers(0, 2**48 - 1),
    unit=st.text(min_size=1, max_size=8),
    field=st.none() | st.text(min_size=1, max_size=8),
    marks=marks,
    offset=st.integers(-1, 2**62),
    epoch=st.integers(0, 2**64 - 1),
)


def stored(version: int, *, is_open: bool) -> Stored:
    """A row with or without the mark of a state."""
    found = tuple(Mark(7, good=False) if is_open and n == STATE else None for n in range(MARKED))
    return Stored(version, 1, "u", None, found, 3, 9)


@given(st.lists(rows, max_size=10))
def test_what_is_open_survives_packing(given_rows: list[Stored]) -> None:
    """Evicted open entities come back as they were; closed ones are forgotten."""
    memory = Memory(DOSSIER)
    for n, row in enumerate(given_rows):
        memory.put(str(n), row)

    memory.evict(0)

    expected = [row if memory.is_open(row) else None for row in given_rows]
    assert [memory.get(str(n)) for n in range(len(given_rows))] == expected


def test_the_oldest_are_evicted_first() -> None:
    """Touching an entity moves it back to the end."""
    memory = Memory(DOSSIER)
    for subject in "abc":
        memory.put(subject, stored(1, is_open=False))
    memory.put("a", stored(2, is_open=False))

    memory.evict(2)

    assert memory.to_ask_for("abc") == ["b"]


def test_a_page_never_replaces_what_is_known_better() -> None:
    """A row read from the store loses against what was folded since."""
    memory = Memory(DOSSIER)
    memory.put("a", stored(2, is_open=True))

    memory.learn_open([("a", stored(1, is_open=True)), ("b", stored(1, is_open=True))])
    memory.evict(0)

    assert (memory.get("a"), memory.get("b")) == (stored(2, is_open=True), stored(1, is_open=True))


def test_a_closed_entity_leaves_no_old_state_behind() -> None:
    """One that was open and packed is known as closed, then not at all, never again as open."""
    memory = Memory(DOSSIER)
    memory.learn_open([("a", stored(1, is_open=True))])

    memory.put("a", stored(2, is_open=False))
    memory.evict(0)

    assert memory.get("a") is None
    assert memory.to_ask_for(["a"]) == ["a"]


def test_new_entities_are_not_asked_for_once_all_ids_are_known() -> None:
    """Before that everything unknown is asked for; ids that are stored, or were folded, always are."""
    memory = Memory(PAYMENT)
    memory.expect_ids(2)
    memory.learn_ids(["a"])
    before = memory.to_ask_for(["a", "new"])

    memory.learn_ids(["b"])
    memory.ids_complete()
    memory.put("c", Stored(1, 1, "u", None, (None,) * len(PAYMENT.marked), 1, 1))
    memory.evict(0)

    assert before == ["a", "new"]
    assert memory.to_ask_for(["a", "b", "c", "new"]) == ["a", "b", "c"]


def test_ids_that_come_before_there_is_a_filter_are_left_out() -> None:
    """Without one everything unknown is asked for anyway."""
    memory = Memory(PAYMENT)

    memory.learn_ids(["a"])
    memory.ids_complete()

    assert memory.to_ask_for(["a", "new"]) == ["a", "new"]


def test_only_kinds_with_a_state_keep_what_is_open() -> None:
    """A dossier may be overdue, a payment is what it is."""
    dossiers, payments = Memory(DOSSIER), Memory(PAYMENT)
    row = Stored(1, 1, "u", None, (Mark(7, good=True),) * len(PAYMENT.marked), 1, 1)

    found = [dossiers.is_open(stored(1, is_open=is_open)) for is_open in (True, False)]

    assert (dossiers.keeps_open, payments.keeps_open) == (True, False)
    assert found == [True, False]
    assert not payments.is_open(row)


def test_it_counts_what_it_holds() -> None:
    """Recent and open ones, each once; what is closed and evicted is no longer held."""
    memory = Memory(DOSSIER)
    memory.learn_open([("a", stored(1, is_open=True)), ("b", stored(1, is_open=True))])
    memory.put("b", stored(2, is_open=True))
    memory.put("c", stored(2, is_open=False))
    before = len(memory)

    memory.evict(1)
    after = len(memory)
    memory.evict(0)

    assert (before, after, len(memory)) == (3, 3, 2)
    assert memory.get("b") == stored(2, is_open=True)


def test_nothing_is_evicted_while_there_is_room() -> None:
    """As many as allowed stay."""
    memory = Memory(DOSSIER)
    for subject in "abc":
        memory.put(subject, stored(1, is_open=False))

    memory.evict(3)
    memory.evict(9)

    assert memory.to_ask_for("abcd") == ["d"]


def test_the_filter_knows_what_was_folded_before_and_after_it_was_made() -> None:
    """What was touched is stored, or is about to be: it is asked for again once it is forgotten."""
    memory = Memory(PAYMENT)
    row = Stored(1, 1, "u", None, (None,) * len(PAYMENT.marked), 1, 1)
    memory.put("before", row)

    memory.expect_ids(0)
    memory.put("after", row)
    memory.ids_complete()
    memory.evict(0)

    assert memory.to_ask_for(["before", "after", "new"]) == ["before", "after"]


def test_the_filter_has_room_for_twice_what_is_stored() -> None:
    """Of as many new ids as are stored, few are looked for in vain."""
    memory = Memory(PAYMENT)
    memory.expect_ids(600_000)
    memory.learn_ids(map(str, range(1_200_000)))
    memory.ids_complete()

    asked = memory.to_ask_for([f"new {n}" for n in range(10_000)])

    assert len(asked) < 250
