"""The report: figures by kind of fault, and a page that does not hide what was wrong."""

import pytest
from msgspec import json
from msgspec.structs import replace

from tests.faults.outcome import Measure, Outcome, rows
from tests.faults.page import page
from tests.faults.report import document, joined


def measure(detected_s: float | None, recovered_s: float, *, alone: bool) -> Measure:
    """One killed worker."""
    sign = "" if detected_s is None else "worker: ended"
    return Measure("WORKER_KILL", 1.0, 0.0, 0.0, detected_s, sign, recovered_s, alone)


OUTCOME = Outcome(
    seed=7,
    load_s=13.0,
    total_s=20.0,
    offered=1_000,
    accepted=990,
    unknown=10,
    records=1_100,
    entities=400,
    poison=20,
    alerts=2,
    given_up={},
    wrong=(),
    measures=(measure(0.5, 2.0, alone=True), measure(None, 8.0, alone=False), measure(1.5, 4.0, alone=True)),
)


def test_p50_and_worst_of_a_kind() -> None:
    """Two of three were noticed, two met no other fault."""
    (row,) = rows([OUTCOME])

    assert (row.faults, row.detected, row.alone) == (3, 2, 2)
    assert (row.detected_p50_s, row.detected_worst_s) == (1.0, 1.5)
    assert (row.recovered_p50_s, row.recovered_worst_s) == (4.0, 8.0)
    assert (row.alone_p50_s, row.alone_worst_s) == (3.0, 4.0)
    assert row.signs == ("worker: ended",)


def test_the_page_tells_what_was_wrong() -> None:
    """Counts of losses and doubles are those of the outcomes; with none the page says 0."""
    bad = replace(OUTCOME, wrong=("lost: dossier d1", "counted twice: rates of x", "alert lost: A fired"))

    good_page = page(document([OUTCOME], ["python", "-m", "tests.faults"]))
    bad_page = page(document([OUTCOME, bad], ["python", "-m", "tests.faults"]))

    assert "0 differences" in good_page
    assert "| accepted events lost | 0 |" in good_page
    assert "3 differences" in bad_page
    assert "| accepted events lost | 1 |" in bad_page
    assert "| alerts lost, or told by a second id | 1 |" in bad_page
    assert "| figures counted twice, not counted, or wrong | 1 |" in bad_page
    assert "| worker killed (-9) | 6 |" in bad_page


def test_reports_of_runs_side_by_side_are_put_together() -> None:
    """Sums are of all seeds, in their order; reports of two commits are not of one program."""
    first, second = (
        json.decode(json.encode(document([replace(OUTCOME, seed=seed)], ["python", "-m", "tests.faults"])))
        for seed in (8, 7)
    )

    both = joined([first, second])

    assert [outcome["seed"] for outcome in both["outcomes"]] == [7, 8]
    assert (both["seeds"], both["accepted"], both["faults"]) == (2, 1_980, 6)
    assert "2 seeds" in page(both)
    with pytest.raises(ValueError, match="several commits"):
        joined([first, second | {"commit": "another"}])
