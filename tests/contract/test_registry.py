"""The registry: one list of kinds and indicators, without repeats or blanks."""

import pytest

from contract.indicators import Indicator, Reading
from contract.kind import Kind
from contract.registry import INDICATORS, KIND_OF_TOPIC, KINDS, kind
from contract.windows import RATE_WINDOWS, windows_of


def test_keys_are_unique() -> None:
    """No two kinds or indicators share a key, a topic, a table or a type."""
    names = [i.key for k in KINDS for i in k.indicators]

    assert len(set(names)) == len(names) == len(INDICATORS)
    assert len({k.key for k in KINDS}) == len({k.topic for k in KINDS}) == len(KINDS)
    assert len({k.table for k in KINDS}) == len({k.type for k in KINDS}) == len(KINDS)


def test_the_indicators_of_the_design() -> None:
    """Four of dossiers, one of payments, one of meetings, two of documents."""
    found = {k.key: [i.key for i in k.indicators] for k in KINDS}

    assert found == {
        "dossier": ["online", "on_time", "overdue", "due_soon"],
        "payment": ["online_payment"],
        "meeting": ["paperless_meeting"],
        "document": ["digital_signature", "documents_online"],
    }


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda i: i.key)
def test_every_indicator_is_named_and_explained_in_both_languages(indicator: Indicator) -> None:
    """Names, units and the sentences of the docs are there."""
    texts = (
        indicator.name_vi,
        indicator.name_en,
        indicator.unit_vi,
        indicator.unit_en,
        indicator.counts,
        indicator.formula,
        indicator.source,
    )

    assert all(text.strip() for text in texts)
    assert indicator.name_vi != indicator.name_en


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda i: i.key)
def test_marks_come_from_one_place(indicator: Indicator) -> None:
    """An indicator has a function of its own or names one that has."""
    owner = INDICATORS[indicator.marks]

    assert (indicator.mark is None) == (indicator.marks_of is not None)
    assert owner.mark is not None


@pytest.mark.parametrize("made", KINDS, ids=lambda k: k.key)
def test_a_kind_is_consistent(made: Kind) -> None:
    """Facts and needs are fields of the snapshot, the marked indicators those with functions."""
    fields = set(made.snapshot.__struct_fields__)

    assert "unit" in fields
    assert "status" in fields
    assert set(made.reads) <= fields
    assert set(made.facts) <= set(made.times()) <= fields
    assert set(made.needs.values()) <= fields
    assert all(i.mark is not None for i in made.marked)
    assert made.name_vi.strip()
    assert made.name_en.strip()
    assert KIND_OF_TOPIC[made.topic] is kind(made.key) is made


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda i: i.key)
def test_an_indicator_declares_how_it_is_shown_and_judged(indicator: Indicator) -> None:
    """The border of missed lies on the worse side of the target; the headline's window is one that is published."""
    target = indicator.target

    assert target.source.strip()
    assert target.value == target.watch or (target.value > target.watch) == indicator.higher_is_better
    assert indicator.window in windows_of(indicator.reading)
    assert (indicator.bars is None) == (indicator.reading is not Reading.RATE)


def test_the_overview_has_room_for_its_headlines() -> None:
    """Six places, none taken twice."""
    places = [i.overview for i in INDICATORS.values() if i.overview is not None]

    assert sorted(places) == list(range(1, len(places) + 1))
    assert len(places) <= 6


@pytest.mark.parametrize("made", KINDS, ids=lambda k: k.key)
def test_a_kinds_own_screen_fits(made: Kind) -> None:
    """Its windows are those of rates, and all headlines together get at least two columns each."""
    if made.screen is None:
        pytest.skip("its screen is made by hand")
    rates = [i for i in made.indicators if i.reading is Reading.RATE]

    assert set(made.screen.windows) <= set(RATE_WINDOWS)
    assert 1 <= len(rates) * len(made.screen.windows) <= 6


def test_only_open_dossiers_read_the_clock() -> None:
    """Overdue and due soon are readings of now; everything else is a rate over a window."""
    by_reading = {key: i.reading for key, i in INDICATORS.items() if i.reading is not Reading.RATE}

    assert by_reading == {"overdue": Reading.OVERDUE, "due_soon": Reading.DUE_SOON}


def test_an_unknown_kind_names_the_known() -> None:
    """The error says which kinds there are."""
    with pytest.raises(KeyError, match=r"unknown kind 'x'.*dossier, payment, meeting, document"):
        kind("x")
