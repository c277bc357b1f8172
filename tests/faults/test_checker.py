"""The checker finds what is planted: a loss, a double count, an invention, a lost alert; and nothing else."""

from datetime import date

import pytest

from contract.registry import KINDS
from contract.units import Unit, UnitTree
from sinks.check import _figures, _spans
from tests.faults.checker import Call, Letter, Row, check_alerts, check_entities, check_figures, check_letters
from tests.faults.load import Load, office_dossier
from tests.faults.tally import Tally
from tests.faults.truth import Claim, Key, Ledger, Said

NOW_US = 1_795_000_000_000_000
NOW_S = NOW_US // 1_000_000
TREE = UnitTree(
    [Unit("75", None, "province", "A", "A", date(2025, 7, 1)), Unit("u", "75", "ward", "B", "B", date(2025, 7, 1))]
)
KEY = ("dossier", "d1")
AT_S = NOW_S - 100


def said(version: int, *, good: bool = True) -> Said:
    """A snapshot that counts as filed online, or not."""
    return Said(KEY, version, "u", "land", (("online", AT_S, good),))


def row(of: Said) -> Row:
    """The stored row of a snapshot."""
    return Row(of.version, of.unit, of.field, of.marks)


def test_all_is_well() -> None:
    """The newest accepted version is stored as it was said: nothing is wrong, and it is settled."""
    one = said(5)

    wrong, settled = check_entities({KEY: Claim(one)}, {KEY: row(one)}, {KEY: 5})

    assert (wrong, settled) == ([], {KEY: one})


@pytest.mark.parametrize(
    ("stored", "kafka", "found"),
    [
        ({}, {KEY: 5}, "lost"),
        ({}, {}, "lost"),
        ({KEY: row(said(4))}, {KEY: 5}, "lost"),
        ({KEY: row(said(4))}, {KEY: 4}, "lost"),
        ({KEY: row(said(9))}, {KEY: 9}, "invented"),
        ({KEY: row(said(5, good=False))}, {KEY: 5}, "marks"),
        ({KEY: row(said(5))._replace(unit="v")}, {KEY: 5}, "marks"),
        ({KEY: row(said(5))._replace(marks=())}, {KEY: 5}, "marks"),
        ({KEY: row(said(5)), ("dossier", "d2"): row(said(1))}, {KEY: 5}, "invented"),
    ],
)
def test_a_planted_fault_of_an_entity_is_found(stored: dict[Key, Row], kafka: dict[Key, int], found: str) -> None:
    """Accepted was version 5: it is missing, older, newer than all that was said, or stored otherwise."""
    wrong, _ = check_entities({KEY: Claim(said(5))}, stored, kafka)

    assert [text.split(":")[0] for text in wrong] == [found]


def test_what_nobody_knows_may_count_or_not() -> None:
    """After version 5, 6 and 7 were sent without an answer: any may stand, unless Kafka has a newer one."""
    claims = {KEY: Claim(said(5), (said(6, good=False), said(7)))}

    for version in (5, 6, 7):
        stands = said(version, good=version != 6)
        wrong, settled = check_entities(claims, {KEY: row(stands)}, {KEY: version})
        assert (wrong, settled) == ([], {KEY: stands})
    wrong, _ = check_entities(claims, {KEY: row(said(5))}, {KEY: 7})
    assert [text.split(":")[0] for text in wrong] == ["lost"]
    nothing, _ = check_entities({KEY: Claim(None, (said(6),))}, {}, {})
    assert nothing == []


def test_the_ledger_keeps_what_was_told() -> None:
    """Accepted is accepted, older silence does not matter, newer silence may, and settled is where it begins."""
    ledger = Ledger({KEY: said(3)})
    ledger.offer([said(4), said(5), said(6)])
    before = ledger.claims()[KEY]
    ledger.accept([said(5)])
    after = ledger.claims()[KEY]

    assert (before.accepted, [s.version for s in before.unknown]) == (said(3), [4, 5, 6])
    assert (after.accepted, [s.version for s in after.unknown]) == (said(5), [6])
    assert (ledger.offered, ledger.accepted) == (3, 1)


@pytest.mark.parametrize(
    ("shown", "word"),
    [((3, 4), "counted twice"), ((2, 2), "not counted"), ((1, 3), "wrong"), (None, "not counted")],
)
def test_a_planted_wrong_figure_is_found(shown: tuple[int, int] | None, word: str) -> None:
    """True is 2 of 3; one too many, one too few, a wrong numerator, none at all."""
    key = ("unit:u", "online", "today")
    figures = {} if shown is None else {key: shown}

    wrong = check_figures({key: (2, 3)}, figures, "rates")

    assert len(wrong) == 1
    assert wrong[0].startswith(word)
    assert check_figures({key: (2, 3)}, {key: (2, 3), ("unit:x", "online", "1h"): (0, 0)}, "rates") == []


def test_dead_letters_are_exactly_the_poison() -> None:
    """One that is missing, one too many, one with another reason, and one that Kafka lost."""
    place, other = ("nhip.dossiers", 0, 7), ("nhip.dossiers", 1, 3)
    poison = {place: "POISON-1.2.3-empty"}

    good = check_letters({"POISON-1.2.3-empty": "empty"}, poison, [Letter(place, "empty")])
    missing = check_letters({}, poison, [])
    reason = check_letters({}, poison, [Letter(place, "key")])
    extra = check_letters({}, poison, [Letter(place, "empty"), Letter(other, "invalid")])
    lost = check_letters({"POISON-9-empty": "empty"}, poison, [Letter(place, "empty")])

    assert good == []
    assert [len(found) for found in (missing, reason, extra, lost)] == [1, 1, 1, 1]


def test_alerts_are_told_once() -> None:
    """A second copy with the same id is none too many; a second id is, and silence is a lost alert."""
    expected = {"A": ("fired", "recovered")}
    fired, recovered = Call("1", "A", "fired"), Call("2", "A", "recovered")

    good = check_alerts(expected, [fired, fired, recovered])
    lost = check_alerts(expected, [fired])
    twice = check_alerts(expected, [fired, recovered, Call("3", "A", "fired")])
    stranger = check_alerts(expected, [fired, recovered, Call("4", "B", "fired")])

    assert good == []
    assert lost == ["alert lost: A recovered, nobody was told"]
    assert len(twice) == len(stranger) == 1
    assert twice[0].startswith("alert told twice")


def test_the_marks_of_the_load_are_those_of_the_indicators() -> None:
    """The truth is written down apart from the mark functions: for 3,000 events both say the same."""
    clock = iter(range(NOW_US, NOW_US + 10**12, 7_919))
    load = Load("t", 1, lambda: next(clock))
    steps = [load.next() for _ in range(3_000)] + [office_dossier("u", "x", NOW_US, on_time=False)]
    kinds = {kind.event: kind for kind in KINDS}

    for event, told in steps:
        kind = kinds[type(event)]
        found = ((i.key, i.mark(event.data)) for i in kind.marked if i.mark is not None)
        assert told.marks == tuple((key, mark.at_s, mark.good) for key, mark in found if mark is not None)
        assert told.key == (kind.key, event.subject)
        assert told.version == event.version


def test_figures_of_the_truth_are_those_of_marks() -> None:
    """Every scope, indicator and window of 2,000 entities as `nhip check` counts them from snapshots."""
    clock = iter(range(NOW_US - 10**12, NOW_US + 10**12, 499_999_999))
    load = Load("t", 2, lambda: next(clock))
    newest: dict[Key, Said] = {}
    tally = Tally(TREE)
    for _ in range(2_000):
        told = load.next().said
        tally.replace([newest[told.key]] if told.key in newest else [], [told])
        newest[told.key] = told
    right: dict[tuple[str, str, str], tuple[int, int]] = {}
    for kind in KINDS:
        spans = {indicator.key: _spans(indicator.reading, NOW_S) for indicator in kind.indicators}
        cuts = sorted({m for many in spans.values() for span in many for m in (span.start_s, span.end_s)})
        counted: dict[tuple[tuple[str, ...], str, int, bool], int] = {}
        for one in newest.values():
            if one.key[0] == kind.key:
                for indicator, at_s, good in one.marks:
                    cut = sum(moment <= at_s for moment in cuts)
                    key = (TREE.scopes(one.unit, one.field, at_s), indicator, cut, good)
                    counted[key] = counted.get(key, 0) + 1
        right |= _figures(counted, kind.indicators, spans, cuts)

    figures = tally.figures(NOW_S)

    assert len(figures) > 300
    assert check_figures({k: v for k, v in right.items() if v != (0, 0)}, figures, "the tally") == []
