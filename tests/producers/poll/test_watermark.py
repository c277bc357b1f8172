"""Watermarks and versions: where a round begins, and which change wins."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.poll.errors import SourceAnswerError
from producers.poll.tables import WatermarkTable
from producers.poll.version import next_version
from producers.poll.watermark import Watermark

BEGAN = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
VN = timezone(timedelta(hours=7))


def watermark(start: Any = "1970-01-01", *, overlap_s: int = 90, unit: Any = None) -> Watermark:
    """A watermark of a source in Viet Nam."""
    table = WatermarkTable(column="c", start=start, overlap_s=overlap_s, unit=unit)
    return Watermark(table, ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("newest", "unit", "begins"),
    [
        ("2026-11-21 08:00:00", None, "2026-11-21 07:58:30"),
        ("2026-11-21T08:00:00.500", None, "2026-11-21T07:58:30.500"),
        ("2026-11-21T08:00:00.123456+07:00", None, "2026-11-21T07:58:30.123456+07:00"),
        ("2026-11-21T01:00:00Z", None, "2026-11-21T00:58:30Z"),
        ("2026-11-21 08:00", None, "2026-11-21 07:58"),
        ("2026-11-21", None, "2026-11-20"),
        ("no time", None, "no time"),
        (datetime(2026, 11, 21, 8, 0), None, datetime(2026, 11, 21, 7, 58, 30)),  # noqa: DTZ001 - as a driver gives it
        (datetime(2026, 11, 21, 8, 0, tzinfo=VN), None, datetime(2026, 11, 21, 7, 58, 30, tzinfo=VN)),
        (date(2026, 11, 21), None, date(2026, 11, 20)),
        (1_795_000_000, "s", 1_794_999_910),
        (1_795_000_000_000, "ms", 1_794_999_910_000),
        (42, None, 42),
        (1.5, None, 1.5),
    ],
)
def test_overlap_in_the_columns_own_form(newest: Any, unit: Any, begins: Any) -> None:
    """The next round begins a little before the newest value, in the same form, so that the source can compare."""
    mark = watermark(unit=unit)

    rv = mark.start(mark.advanced(newest, BEGAN))

    assert rv == begins
    assert type(rv) is type(begins)


@pytest.mark.parametrize(
    ("newest", "unit", "kept"),
    [
        ("2026-11-21 10:00:00", None, "2026-11-21 09:00:00"),
        ("2026-11-21T03:00:00Z", None, "2026-11-21T02:00:00Z"),
        (datetime(2026, 11, 21, 10, 0), None, datetime(2026, 11, 21, 9, 0)),  # noqa: DTZ001 - as a driver gives it
        (int(BEGAN.timestamp()) + 3600, "s", int(BEGAN.timestamp())),
        ("2026-11-21 08:00:00", None, "2026-11-21 08:00:00"),
    ],
)
def test_clock_ahead_does_not_carry_the_watermark_away(newest: Any, unit: Any, kept: Any) -> None:
    """A newest value in the future counts as the round's own beginning."""
    mark = watermark(unit=unit, overlap_s=0)

    assert mark.start(mark.advanced(newest, BEGAN)) == kept


def test_nothing_seen_or_nothing_usable() -> None:
    """No value advances nothing; bytes and mixed types are told."""
    mark = watermark("2000-01-01")

    assert mark.start(None) == "2000-01-01"
    assert mark.advanced(None, BEGAN) is None
    assert mark.newer(None, 3) == mark.newer(3, None) == mark.newer(2, 3) == 3
    with pytest.raises(SourceAnswerError, match="holds a bytes: convert it"):
        mark.advanced(b"\x00\x01", BEGAN)
    with pytest.raises(SourceAnswerError, match="mixes int and str"):
        mark.newer(1, "2")


@given(st.lists(st.tuples(st.none() | st.integers(0, 4000), st.integers(1, 1000)), min_size=1))
def test_versions_grow_and_do_not_run_ahead(changes: list[tuple[int | None, int]]) -> None:
    """Whatever the source states, a later change has a larger version, and none lies ahead of our clock."""
    now, last = 0, None
    for number, (stated, passed) in enumerate(changes):
        now += passed

        version = next_version(stated, last, now, first_pass=number == 0)

        assert last is None or version > last
        assert version <= now
        last = version


def test_clock_of_ours_set_back() -> None:
    """When our own clock goes back versions still grow."""
    assert next_version(None, 500, 100, first_pass=False) == 501
    assert next_version(90, 500, 100, first_pass=False) == 501


def test_stated_version_is_believed_when_it_can_be() -> None:
    """A stated version that grows and is not ahead is kept, but for the first pass."""
    assert next_version(90, 50, 100, first_pass=False) == 90
    assert next_version(90, None, 100, first_pass=False) == 90
    assert next_version(90, None, 100, first_pass=True) == 100
    assert next_version(110, 50, 100, first_pass=False) == 100
    assert next_version(40, 50, 100, first_pass=False) == 100
