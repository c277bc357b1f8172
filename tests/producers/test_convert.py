"""Cells become values, and every local time has exactly one meaning."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dossier import Dossier
from contract.payment import Payment
from producers.convert import CellError, Times, field_types, localise, to_integer

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TIMES = Times(("iso", "%d/%m/%Y %H:%M"), ZoneInfo("Asia/Ho_Chi_Minh"))
DOSSIER = field_types(Dossier)

naive_times = st.datetimes(datetime(1972, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
zones = st.sampled_from(["Europe/Amsterdam", "Asia/Ho_Chi_Minh", "America/Sao_Paulo", "Australia/Lord_Howe"])


class TestLocalise:
    """Local times get their offset."""

    def test_gap_is_shifted_forward(self) -> None:
        """A local time that summer time skips moves on by the gap."""
        skipped = datetime(2011, 3, 27, 2, 30)  # noqa: DTZ001

        rv = localise(skipped, AMSTERDAM)

        assert rv.isoformat() == "2011-03-27T03:30:00+02:00"

    def test_fold_takes_the_first(self) -> None:
        """A local time that occurs twice is the first of the two, whatever its fold says."""
        twice = datetime(2011, 10, 30, 2, 30, fold=1)  # noqa: DTZ001

        rv = localise(twice, AMSTERDAM)

        assert rv.isoformat() == "2011-10-30T02:30:00+02:00"

    @given(naive_times, zones)
    def test_wall_clock_is_kept_or_moved_by_the_gap(self, naive: datetime, name: str) -> None:
        """The clock on the wall shows the text's time, or in a gap a later one that exists."""
        zone = ZoneInfo(name)

        rv = localise(naive, zone)

        shown = rv.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)
        assert shown == rv.replace(tzinfo=None)
        assert timedelta(0) <= shown - naive <= timedelta(hours=1)
        if shown != naive:
            assert naive.replace(tzinfo=zone, fold=0).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset()

    @given(naive_times, zones)
    def test_of_two_occurrences_none_is_earlier(self, naive: datetime, name: str) -> None:
        """No earlier instant shows the same local time."""
        zone = ZoneInfo(name)

        rv = localise(naive, zone)

        both = {naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        shows = {t for t in both if t.astimezone(zone).replace(tzinfo=None, fold=0) == naive}
        assert not shows or rv.astimezone(UTC) == min(shows)


class TestTimes:
    """Texts become times."""

    def test_offset_in_the_text_wins(self) -> None:
        """A text with an offset keeps it."""
        rv = TIMES.parse("2011-10-11 13:45:40.276000+02:00")

        assert rv.isoformat() == "2011-10-11T13:45:40.276000+02:00"

    def test_formats_are_tried_in_order(self) -> None:
        """A pattern is used where ISO does not fit, and the zone where no offset is."""
        rv = TIMES.parse("25/11/2026 17:00")

        assert rv.isoformat() == "2026-11-25T17:00:00+07:00"

    @pytest.mark.parametrize(
        "text", ["yesterday", "2011-13-01", "0001-01-01", "1970-01-01", "2200-01-01", "9999-12-31"]
    )
    def test_what_is_no_time_is_refused(self, text: str) -> None:
        """Nonsense and years that the store cannot hold are refused by name."""
        with pytest.raises(CellError, match=text):
            TIMES.parse(text)


class TestIntegers:
    """Texts become whole numbers."""

    @pytest.mark.parametrize(
        ("text", "scale", "expected"), [("36.0", 100, 3600), ("49.25", 100, 4925), ("-3", 1, -3), ("+7", 1, 7)]
    )
    def test_scaled_exactly(self, text: str, scale: int, expected: int) -> None:
        """Decimals are scaled without binary fractions."""
        assert to_integer(text, scale) == expected

    @pytest.mark.parametrize(
        "text", ["1.005", "1e5", "1_000", "NaN", "Infinity", "1,5", "٣", "", "1e999999999", "9" * 40]
    )
    def test_what_is_no_whole_number_is_refused(self, text: str) -> None:
        """A remainder, an exponent, foreign digits and the like are refused, quickly."""
        with pytest.raises(CellError):
            to_integer(text, 100)

    @given(st.integers(0, 10**13), st.integers(0, 99))
    def test_cents_are_exact(self, whole: int, cents: int) -> None:
        """Every amount with two decimals becomes its cents."""
        assert to_integer(f"{whole}.{cents:02}", 100) == whole * 100 + cents


class TestFields:
    """Cells become values of the contract's fields."""

    def test_limits_of_the_contract_hold(self) -> None:
        """A value beyond a limit of the contract is refused."""
        read = field_types(Payment)["amount_vnd"].reader(TIMES)

        with pytest.raises(CellError, match="-1"):
            read("-1")

    def test_unknown_word_names_the_known(self) -> None:
        """A cell that the map does not have is refused with what it has."""
        read = DOSSIER["channel"].reader(TIMES, words={"Internet": "online"})

        with pytest.raises(CellError, match="'Fax' is not in the map; known: 'Internet'"):
            read("Fax")

    def test_default_is_for_unknown_words_only(self) -> None:
        """A default replaces unknown words; an empty cell stays no value."""
        read = DOSSIER["channel"].reader(TIMES, words={"Internet": "online"}, default="other")

        assert read("Fax") == "other"
        assert read("") is None

    @pytest.mark.parametrize(("text", "expected"), [("Yes", True), ("1", True), ("false", False), ("", None)])
    def test_booleans(self, text: str, expected: bool | None) -> None:
        """The usual words for yes and no are read, in any case."""
        assert DOSSIER["result_digital"].reader(TIMES)(text) is expected

    def test_text_is_normalised(self) -> None:
        """Decomposed letters become the composed ones that everybody compares with."""
        assert DOSSIER["field"].reader(TIMES)("đa\u0302\u0301t") == "đ\u1ea5t"
