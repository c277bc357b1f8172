"""Figures as people and programs read them."""

from contract.units import UnitTree
from nhip.console import OUT
from nhip.figures import as_document, as_table, percent, selected
from streams.rows import Heartbeat, Rate

PUBLISHED = {
    ("unit:a", "online", "all"): (1250, 1434),
    ("unit:a", "online", "15m"): (0, 0),
    ("unit:a", "overdue", "now"): (0, 3),
    ("field:land", "online", "all"): (1, 1),
}
TREE = UnitTree([])


def test_document_has_null_for_a_zero_denominator() -> None:
    """Nothing counted is null; nothing good is 0."""
    rates = selected(PUBLISHED, ["unit:a"])

    rv = as_document(rates, Heartbeat(1, 1, 1_700_000_000_000_000, 0))

    assert rv["as_of"] == "2023-11-14T22:13:20+00:00"
    assert [(r["window"], r["rate"]) for r in rv["rates"]] == [("15m", None), ("all", 0.8717), ("now", 0.0)]
    assert rv["rates"][1] == {
        "scope": "unit:a",
        "indicator": "online",
        "window": "all",
        "numerator": 1250,
        "denominator": 1434,
        "rate": 0.8717,
    }


def test_percent_is_written_the_vietnamese_way() -> None:
    """A comma for the decimals, and a dash for nothing counted."""
    assert percent(Rate("unit:a", "online", "all", 1250, 1434)) == "87,2 %"
    assert percent(Rate("unit:a", "online", "all", 0, 0)) == "–"


def test_table_shows_numerator_and_denominator_beside_each_rate() -> None:
    """A rate never stands without its n."""
    with OUT.capture() as capture:
        OUT.print(as_table(selected(PUBLISHED), TREE, "title"))

    assert "1.250/1.434" in capture.get()
    assert "87,2 %" in capture.get()


def test_selection_by_indicator_and_window() -> None:
    """Each part of the selection narrows it."""
    rv = selected(PUBLISHED, indicators=["online"], windows=["all"])

    assert [r.scope for r in rv] == ["field:land", "unit:a"]
