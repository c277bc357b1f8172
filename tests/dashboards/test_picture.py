"""Pictures: documents from data, without a store, a clock or a browser."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from dashboards.data import Data
from dashboards.picture import content_of, screen_document
from dashboards.screens import SCREENS, UNIT_SCREEN, screen
from dashboards.view import View
from sinks.reads import SourceAge
from streams.rows import Heartbeat
from tests.support.screens import NOW_US, data, place, targets


def document(key: str, found: Data | None = None, unit: str | None = None) -> dict[str, Any]:
    """Draw one screen."""
    view = View(found or data(), place(), targets(), NOW_US, unit)
    return screen_document(UNIT_SCREEN if unit else screen(key), view, "1-test")


def panel(key: str, panel_key: str, found: Data | None = None, unit: str | None = None) -> dict[str, Any]:
    """Draw one panel."""
    return next(p for p in document(key, found, unit)["panels"] if p["id"] == panel_key)


@pytest.mark.parametrize("key", [found.key for found in SCREENS])
@pytest.mark.parametrize("found", [data(), Data(read_us=NOW_US)], ids=["figures", "empty"])
def test_every_screen_is_drawn_with_and_without_figures(key: str, found: Data) -> None:
    """No screen needs any figure to be drawn, and every document is plain JSON."""
    drawn = document(key, found)

    assert orjson.loads(orjson.dumps(drawn)) == drawn
    assert drawn["screen"] == key


def test_headline_shows_rate_numbers_state_and_change() -> None:
    """A headline is the published figure, with its change against the same time yesterday."""
    shown = panel("overview", "on_time")

    assert (shown["numerator"], shown["denominator"], shown["state"]) == (1304, 1328, "ok")
    assert shown["rate"] == pytest.approx(1304 / 1328, abs=1e-6)
    assert shown["change"]["points"] == pytest.approx(100 * (1304 / 1328 - 0.95), abs=0.01)
    assert shown["measured_us"] == NOW_US - 1_000_000


def test_curve_of_today_adds_up_and_ends_in_the_figure() -> None:
    """Each point is the day so far; the last one is the headline itself."""
    spark = panel("overview", "on_time")["spark"]

    assert [rate for _, rate in spark[:4]] == [0.5, 0.5, 0.8, 0.8]
    assert spark[-1] == [NOW_US - 1_000_000, pytest.approx(1304 / 1328, abs=1e-6)]


def test_nothing_counted_is_unknown_and_not_zero() -> None:
    """0 of 0 has no rate, no state and no change."""
    shown = panel("meetings", "paperless_meeting_today")

    assert (shown["rate"], shown["state"], shown["change"]["points"], shown["spark"]) == (None, "none", None, [])


def test_few_cases_are_shown_but_not_judged() -> None:
    """3 of 7 payments is a figure with a note, not a missed target."""
    shown = panel("overview", "online_payment")

    assert (shown["rate"], shown["state"]) == (pytest.approx(3 / 7, abs=1e-6), "none")
    assert shown["note"]["vi"] == "ít hơn 20 trường hợp: chưa đánh giá"


def test_a_silent_source_makes_its_figure_as_old_as_its_last_word() -> None:
    """The bank has been silent for an hour: payments are an hour old, dossiers a second."""
    assert panel("overview", "online_payment")["measured_us"] == NOW_US - 3_600_000_000
    assert panel("overview", "on_time")["measured_us"] == NOW_US - 1_000_000


def test_a_stopped_roll_makes_every_figure_old() -> None:
    """Without new heartbeats the time of the last one stands on every panel."""
    beat = Heartbeat(1, 1, NOW_US - 90_000_000, NOW_US - 80_000_000)

    measured = {p["measured_us"] for p in document("dossiers", data(beat=beat))["panels"]}

    assert measured == {NOW_US - 80_000_000}


def test_league_ranks_the_best_first_and_the_few_last() -> None:
    """19 cases are below the minimum of 20: greyed, without a rank."""
    shown = panel("overview", "communes")

    assert [(row["rank"], row["code"], row["enough"]) for row in shown["rows"]] == [
        (1, "c1", True),
        (2, "c2", True),
        (3, "c3", True),
        (None, "c4", False),
    ]


def test_long_league_shows_top_and_bottom() -> None:
    """With more units than lines both ends are shown and the ranks tell what is between."""
    rates = {(f"unit:{code}", "on_time", "30d"): (50 + n, 100) for n, code in enumerate(("c1", "c2", "c3", "c4"))}
    wide = screen("overview").panels
    league = next(p for p in wide if p.key == "communes")
    view = View(data(rates=rates), place(), targets(), NOW_US)

    from dashboards.figures import league as draw  # noqa: PLC0415 - the panel's own function, with fewer lines

    rows = draw(replace(league, rows=3), view)["rows"]

    assert [(row["rank"], row["code"]) for row in rows] == [(1, "c4"), (2, "c3"), (4, "c1")]


def test_a_lower_rate_is_better_for_overdue() -> None:
    """The league of overdue dossiers begins with the unit that has the fewest."""
    rates = {("unit:c1", "overdue", "now"): (5, 100), ("unit:c2", "overdue", "now"): (1, 100)}

    rows = panel("units", "communes_overdue", data(rates=rates))["rows"]

    assert [row["code"] for row in rows] == ["c2", "c1"]


def test_bars_leave_hours_to_come_empty() -> None:
    """What has not begun is unknown; an hour that passed without anything is zero."""
    shown = panel("overview", "per_hour")
    received = dict(zip(shown["categories"], shown["series"][0]["values"], strict=True))

    assert received["7"] == 15
    assert (received["8"], received["15"]) == (0, None)
    assert shown["series"][1]["values"][:2] == [2, 3]


def test_ageing_adds_up() -> None:
    """The four shares are all open dossiers."""
    shown = panel("overview", "ageing")

    assert [row["count"] for row in shown["rows"]] == [4310, 1408, 114, 41]
    assert shown["total"] == 5873
    assert shown["note"]["vi"] == "5.873 hồ sơ"


def test_attention_is_ordered_by_severity_and_bounded() -> None:
    """Missed targets first, then the silent source, then what is to be watched; at most six."""
    shown = panel("overview", "attention")["items"]

    states = [item["state"] for item in shown]
    assert states == sorted(states, key=["bad", "none", "watch"].index)
    assert len(shown) <= 6
    texts = [item["text"]["vi"] for item in shown]
    assert "Đang xử lý quá hạn 4,1 % (7/171), trên 3,78 %" in texts
    # Too few finished today to judge: the month behind it is judged instead.
    assert "Giải quyết đúng hạn 50,0 % (30/60), dưới 90 %" in texts
    silent = next(item for item in shown if item["title"]["vi"] == "bank")
    assert silent["right"]["vi"] == "im lặng 1 giờ"
    assert silent["since_us"] == NOW_US - 3_600_000_000


def test_overdue_list_holds_codes_units_and_whole_days() -> None:
    """A line names the dossier by its code and no person."""
    (row,) = panel("dossiers", "most_overdue")["rows"]

    assert (row[0], row[2]) == ("H10.12-261101-0042", 3)


def test_sources_of_other_provinces_are_not_shown() -> None:
    """A screen tells of its own place."""
    rows = panel("sources", "sources")["rows"]

    assert [(row["key"], row["state"], row["age_s"]) for row in rows] == [
        ("bank", "bad", 3600),
        ("onestop/c1", "ok", 4),
    ]


def test_content_ignores_the_clock_alone() -> None:
    """A second later with the same figures is no change; another figure is one."""
    later = View(data(), place(), targets(), NOW_US + 1_000_000)
    first, second = document("overview"), screen_document(screen("overview"), later, "1-test")
    other = document("overview", data(lag=8, rates={}))

    assert content_of(first) == content_of(second)
    assert content_of(first) != content_of(other)


def test_unit_screen_tells_of_its_unit() -> None:
    """The screen of one unit carries its name and its own figures."""
    rates = {("unit:c1", "on_time", "today"): (30, 40)}

    drawn = document("unit", data(rates=rates), "c1")

    assert (drawn["screen"], drawn["title"]["vi"]) == ("unit/c1", "Phường Một")
    assert drawn["panels"][0]["denominator"] == 40


def test_an_unknown_unit_says_so() -> None:
    """A unit that events name and the table does not is shown with a remark."""
    found = data(sources=[SourceAge("s", "75", "nhip.dossiers", NOW_US, NOW_US, 1, 0)])

    drawn = document("unit", found, "lạ")

    assert drawn["title"]["vi"] == "lạ (chưa có trong danh mục)"
