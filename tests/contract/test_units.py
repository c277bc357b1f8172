"""The unit tree: where a mark counts, now and after a unit has moved."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import units
from contract.days import day_start
from contract.units import Segment, Unit, UnitError, UnitTree

CONFIG = Path(__file__).parents[2] / "config" / "units.csv"
HEADER = "code,parent,kind,name_vi,name_en,valid_from,valid_to\n"
REFORM = date(2025, 7, 1)
MOVE = date(2026, 5, 1)
MOVE_S = day_start(MOVE)


def unit(
    code: str, parent: str | None = None, since: date = REFORM, until: date | None = None, kind: str = "ward"
) -> Unit:
    """Return a row with names made from its code."""
    return Unit(code, parent, kind, f"Phường {code}", f"{code} Ward", since, until)


@pytest.fixture
def moved() -> UnitTree:
    """Return a tree in which w leaves province a for b on MOVE."""
    return UnitTree(
        [
            unit("a", kind="province"),
            unit("b", kind="province"),
            unit("w", "a", until=MOVE - timedelta(days=1)),
            unit("w", "b", MOVE),
            unit("x", "a"),
        ]
    )


@pytest.fixture(scope="module")
def shipped() -> UnitTree:
    """Return the tree of the table in config/."""
    return UnitTree.from_csv(CONFIG.read_text("utf-8"), "config/units.csv")


def test_a_mark_counts_in_unit_parent_and_field(shipped: UnitTree) -> None:
    """Ward Bình Phước counts in itself, in Đồng Nai and in the field."""
    at_s = day_start(date(2026, 11, 21))

    rv = shipped.scopes("25195", "land", at_s)

    assert rv == ("unit:25195", "unit:75", "field:land")


@pytest.mark.parametrize("field", [None, ""])
def test_no_field_is_no_scope(moved: UnitTree, field: str | None) -> None:
    """A mark without a field has the scopes of its unit alone."""
    rv = moved.scopes("x", field, MOVE_S)

    assert rv == ("unit:x", "unit:a")


def test_an_unknown_unit_counts_in_its_own_right(moved: UnitTree) -> None:
    """A unit that is not in the table has itself as its only scope, and is called unknown."""
    rv = moved.scopes("H99.01", None, 0)

    assert rv == ("unit:H99.01",)
    assert not moved.known("H99.01")
    assert moved.segments("H99.01") == (Segment(units.START_S, units.END_S, ("H99.01",)),)
    assert moved.ancestors("H99.01", MOVE) == ()
    assert moved.get("H99.01") is None
    assert moved.name("H99.01", "vi") == "H99.01"
    assert moved.subtree("H99.01") == ()


def test_a_move_takes_effect_at_local_midnight(moved: UnitTree) -> None:
    """The second before midnight in Viet Nam counts in the old province, midnight in the new one."""
    before, after = moved.scopes("w", None, MOVE_S - 1), moved.scopes("w", None, MOVE_S)

    assert before == ("unit:w", "unit:a")
    assert after == ("unit:w", "unit:b")


def test_segments_follow_a_move(moved: UnitTree) -> None:
    """A unit that moved has one segment on each side of its move; the other units have one."""
    rv = moved.segments("w")

    assert rv == (
        Segment(units.START_S, MOVE_S, ("w", "a")),
        Segment(MOVE_S, units.END_S, ("w", "b")),
    )
    assert len(moved.segments("x")) == 1


def test_a_move_of_the_parent_moves_the_children() -> None:
    """The segments of a unit change where an ancestor changes its parent."""
    tree = UnitTree(
        [unit("a"), unit("b"), unit("w", "a", until=date(2025, 12, 31)), unit("w", "b", MOVE), unit("v", "w")]
    )

    rv = tree.segments("v")

    assert [segment.units for segment in rv] == [("v", "w", "a"), ("v", "w", "b")]
    assert rv[1].start_s == MOVE_S


def test_a_new_name_changes_no_segment() -> None:
    """Two rows that differ in name only make one segment, with the name of each day."""
    old = Unit("a", None, "province", "Tỉnh A", "A Province", REFORM, MOVE - timedelta(days=1))
    tree = UnitTree([old, Unit("a", None, "province", "Thành phố A", "A City", MOVE)])

    rv = tree.segments("a")

    assert len(rv) == 1
    assert tree.name("a", "vi") == "Thành phố A"
    assert tree.name("a", "en") == "A City"
    assert tree.get("a", REFORM) == old


def test_first_and_last_rows_reach_beyond_their_days(moved: UnitTree) -> None:
    """A dossier older than the first row still counts in the unit's province."""
    rv = moved.ancestors("w", date(2010, 10, 2))

    assert rv == ("a",)
    assert moved.ancestors("w", date(2090, 1, 1)) == ("b",)


def test_a_gap_belongs_to_the_earlier_row() -> None:
    """Days between two rows of a unit count where the unit was last known to be."""
    tree = UnitTree([unit("a"), unit("b"), unit("w", "a", until=date(2025, 12, 31)), unit("w", "b", MOVE)])

    rv = tree.ancestors("w", MOVE - timedelta(days=1))

    assert rv == ("a",)


def test_children_are_those_of_the_day(moved: UnitTree) -> None:
    """Lists without a day show the newest rows, lists of a day those in force on it."""
    newest, earlier = moved.children("a"), moved.children("a", REFORM)

    assert newest == ("x",)
    assert earlier == ("w", "x")
    assert moved.children("b") == ("w",)
    assert moved.children(None) == ("a", "b")
    assert moved.children("a", REFORM - timedelta(days=1)) == ()


def test_subtree_and_kind(moved: UnitTree) -> None:
    """A subtree begins with its root; a league holds one kind within it."""
    rv = moved.subtree("b")

    assert rv == ("b", "w")
    assert moved.by_kind("ward", under="b") == ("w",)
    assert moved.by_kind("ward") == ("x", "w")
    assert moved.by_kind("province") == ("a", "b")
    assert moved.by_kind("ward", under="a", at=REFORM) == ("w", "x")


def test_remembered_scopes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of unheard-of units is answered rightly and does not fill the memory."""
    monkeypatch.setattr(units, "REMEMBERED", 3)
    tree = UnitTree([unit("a")])

    rv = [tree.scopes(f"u{n}", None, 0) for n in range(10)]

    assert rv == [(f"unit:u{n}",) for n in range(10)]
    assert len(tree._periods) <= 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 400)), max_size=6), st.integers(-500, 3000))
def test_segments_cover_all_time_and_agree_with_scopes(moves: list[tuple[str, int]], day: int) -> None:
    """Segments join without gaps, and the one that holds a second names that second's scopes."""
    rows, since = [unit(code) for code in "abc"], REFORM
    for parent, stay in moves:
        until = since + timedelta(days=stay)
        rows.append(unit("w", parent, since, until))
        since = until + timedelta(days=1)
    tree = UnitTree([*rows, unit("w", "a", since)])
    at_s = day_start(REFORM) + day * 3600 * 17

    segments = tree.segments("w")

    assert (segments[0].start_s, segments[-1].end_s) == (units.START_S, units.END_S)
    assert all(one.end_s == two.start_s for one, two in pairwise(segments))
    assert all(one.units != two.units for one, two in pairwise(segments))
    held = next(segment for segment in segments if segment.start_s <= at_s < segment.end_s)
    assert tree.scopes("w", None, at_s) == tuple(f"unit:{code}" for code in held.units)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "a,,ward,A,A,2025-07-01,\na,,ward,A,A,2025-07-01,\n",
            "line 3: unit a repeats t.csv, line 2: remove one of them",
        ),
        (
            "a,,ward,A,A,2025-07-01,\na,,ward,B,B,2026-01-01,\n",
            "line 3: unit a from 2026-01-01 overlaps t.csv, line 2: end that one with a valid_to before 2026-01-01",
        ),
        (
            "a,,ward,A,A,2025-07-01,2025-06-01\n",
            "line 2: unit a ends before it begins: correct valid_from or valid_to",
        ),
        (
            "a,z,ward,A,A,2025-07-01,\n",
            "line 2: unit a has the unknown parent z: add a row for it or leave the parent empty",
        ),
        (
            "a,b,ward,A,A,2025-07-01,\nb,a,ward,B,B,2025-07-01,\n",
            "line 2: unit a is its own ancestor from 2025-07-01 (a → b → a): correct the parent of one of them",
        ),
        ("a,,ward,A,A,1/7/2025,\n", "line 2: valid_from '1/7/2025' is no date: write it as 2025-07-01"),
        ("a,,ward,A,A,2025-07-01,soon\n", "line 2: valid_to 'soon' is no date: write it as 2025-07-01"),
        ("a,,ward\n", "line 2: valid_from None is no date: write it as 2025-07-01"),
        (" ,,ward,A,A,2025-07-01,\n", "line 2: the code is empty: fill it in or remove the line"),
    ],
)
def test_a_faulty_table_is_refused_with_place_and_remedy(lines: str, message: str) -> None:
    """A contradiction names file, line and what to do."""
    text = HEADER + lines

    with pytest.raises(UnitError) as caught:
        UnitTree.from_csv(text, "t.csv")

    assert str(caught.value) == f"t.csv, {message}"


def test_rows_without_a_file_are_named_by_number() -> None:
    """Rows of another origin are counted from 1."""
    with pytest.raises(UnitError, match=r"^row 2: unit a repeats row 1: remove one of them$"):
        UnitTree([unit("a"), unit("a")])


def test_a_cycle_on_some_days_only_is_refused() -> None:
    """Two units that would be each other's parent after a move are refused."""
    rows = [unit("a"), unit("b", "a"), unit("a", "b", MOVE)]
    rows[0] = unit("a", until=MOVE - timedelta(days=1))

    with pytest.raises(UnitError, match=r"^row 3: unit a is its own ancestor from 2026-05-01 \(a → b → a\): correct"):
        UnitTree(rows)


def test_a_missing_column_is_named() -> None:
    """A table without a column says which one and what the first line must be."""
    text = "code,kind\na,ward\n"

    with pytest.raises(
        UnitError,
        match=rf"^t\.csv: column parent, name_vi, .*, valid_to missing: the first line must be {HEADER[:-1]}$",
    ):
        UnitTree.from_csv(text, "t.csv")


def test_text_is_normalised() -> None:
    """Names typed on a system that decomposes accents, and a byte order mark, do no harm."""
    text = "\ufeff" + HEADER + "a,,ward,Phu\u031bo\u031b\u0300ng A,A Ward,2025-07-01,\n"

    rv = UnitTree.from_csv(text, "t.csv")

    assert rv.name("a", "vi") == "Phường A"


def test_the_shipped_table_is_complete(shipped: UnitTree) -> None:
    """The table has 34 provinces, 3,321 communes, 14 departments of Đồng Nai and the sample files' units."""
    communes = [code for kind in ("ward", "commune", "special_zone") for code in shipped.by_kind(kind)]

    assert len(shipped.by_kind("province")) == 34
    assert len(communes) == 3321
    assert len(shipped.by_kind("department", under="75")) == 14
    assert shipped.children("wabo") == ("wabo.general", "wabo.customer-contact", "wabo.experts")
    assert shipped.known("rtfm")
    assert shipped.name("25195", "vi") == "Phường Bình Phước"
