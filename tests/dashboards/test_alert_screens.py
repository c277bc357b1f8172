"""Alerts on the wall, on the units' screens and in the read API, without a store."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.text import Text
from dashboards.access import Access, Mode, TokenFile
from dashboards.alerts.standing import Standing, standings
from dashboards.alerts.titles import titles_of
from dashboards.data import Data
from dashboards.picture import screen_document
from dashboards.screens import UNIT_SCREEN, screen
from dashboards.view import View
from streams.alerts import Action, AlertState
from tests.dashboards.alert_pages import MINUTE_US, alert
from tests.support.screens import HOSTILE, NOW_US, FakeReader, client, data, place, targets

ACK = Action(alert="a1", rule="on_time_low", scope="unit:c1", action="ack", by="ward-one", at_us=NOW_US - MINUTE_US)
MUTE = Action(
    alert="",
    rule="on_time_low",
    scope="unit:c3",
    action="mute",
    by="duty",
    reason="moving offices",
    until_us=NOW_US + 60 * MINUTE_US,
    at_us=NOW_US - MINUTE_US,
)
ALERTS = (
    alert(),
    alert("a2", scope="unit:c2", severity="warning", indicator="due_soon", window="now", threshold=0.05),
    alert("a3", scope="unit:c3"),
    alert("a4", AlertState.PENDING, scope="unit:c4"),
    alert("a5", rule="source_silent", scope="source:onestop/c1", indicator="silence", window="now",
          numerator=2700, denominator=900, threshold=1.0, since_us=NOW_US - 50 * MINUTE_US),
    alert("a6", scope="field:land", ended_us=NOW_US),
)  # fmt: skip


def stood(titles: dict[str, Text] | None = None) -> tuple[Standing, ...]:
    """The alerts above with what was done about them."""
    return standings(ALERTS, [ACK, MUTE], NOW_US, titles or {})


def shown(key: str, panel: str, found: Data | None = None, unit: str | None = None) -> dict[str, Any]:
    """One panel's document."""
    view = View(found or data(alerts=stood(), mutes=(MUTE,)), place(), targets(), NOW_US, unit)
    document = screen_document(UNIT_SCREEN if unit else screen(key), view, "1-test")
    return next(one for one in document["panels"] if one["id"] == panel)


def test_alerts_come_first_on_the_overview() -> None:
    """The worst first, muted ones last; each with severity, figure and n, limit, and who has it."""
    rv = shown("overview", "attention")["items"]

    assert [item["title"]["vi"] for item in rv[:4]] == [
        "Nghiêm trọng · Phường Một",
        "Nghiêm trọng · Nguồn onestop/c1",
        "Cảnh báo · Xã Hai",
        f"Nghiêm trọng · {HOSTILE}",
    ]
    assert rv[0]["text"]["vi"] == "Giải quyết đúng hạn: 100,0 % (100/100), dưới 95 %"
    assert [item["right"]["vi"] for item in rv[:4]] == [
        "đã nhận 14:19, ward-one",
        "Chưa ai nhận",
        "Chưa ai nhận",
        "tạm dừng đến 15:20",
    ]
    assert [item["state"] for item in rv[:4]] == ["bad", "bad", "watch", "bad"]
    assert rv[1]["text"]["vi"].endswith("im lặng 45 phút, quá 15 phút")


def test_what_an_alert_says_is_not_said_twice() -> None:
    """A unit below its target whose alert fires stands once on the list."""
    without, rv = shown("overview", "attention", data()), shown("overview", "attention")

    assert sum(item["title"]["vi"] == "Xã Hai" for item in without["items"]) > 0
    assert [item["title"]["vi"] for item in rv["items"] if "Xã Hai" in item["title"]["vi"]] == ["Cảnh báo · Xã Hai"]


def test_the_screen_of_alerts_has_three_lists() -> None:
    """What fires, what is pending, what is muted; an alert that is over is in none of them."""
    firing, pending, muted = (shown("alerts", key) for key in ("firing", "pending", "muted"))

    assert (firing["total"], pending["total"], muted["total"]) == (4, 1, 1)
    assert pending["items"][0]["right"]["vi"] == "chưa đủ lâu"
    assert muted["items"][0]["text"]["en"] == "on_time_low · moving offices (duty)"


def test_a_units_screen_shows_its_own_alerts() -> None:
    """A ward sees neither its neighbours' nor those of sources, nor its own name; the province sees all units'."""
    ward, province = (shown("unit", "alerts", unit=code) for code in ("c1", "75"))

    assert [item["title"]["vi"] for item in ward["items"]] == ["Nghiêm trọng · Giải quyết đúng hạn"]
    assert [item["title"]["vi"] for item in province["items"]][2] == "Cảnh báo · Xã Hai"


def test_a_rules_title_is_filled_in() -> None:
    """Placeholders of the title become the alert's own values."""
    titles = titles_of('[[rule]]\nid = "on_time_low"\ntitle = { vi = "Chậm ở {unit}: {n}", en = "Late in {unit}" }\n')

    rv = shown("overview", "attention", data(alerts=stood(titles)))["items"][0]["text"]

    assert rv["vi"].startswith("Chậm ở Phường Một: 34: 100,0 %")
    assert titles_of(None) == {}


def test_the_api_lists_alerts_by_unit() -> None:
    """Every alert with who has it; of one unit with those below it."""
    with client(FakeReader(data(alerts=stood()))) as http:
        every = http.get("/api/alerts").json()
        one = http.get("/api/alerts?unit=c1").json()
        unknown = http.get("/api/alerts?unit=nowhere")

    assert {row["id"] for row in every} == {"a1", "a2", "a3", "a4", "a5"}
    assert [(row["id"], row["acknowledged_by"], row["rate"]) for row in one] == [("a1", "ward-one", 1.0)]
    assert unknown.status_code == 404


def test_a_limited_token_sees_its_units_alerts_alone(tmp_path: Path) -> None:
    """Neither other units' nor those that are of no unit."""
    tokens = TokenFile(tmp_path / "tokens.json")
    secret = tokens.create("ward", ["c1"], datetime(2026, 11, 22, tzinfo=UTC))
    access = Access(Mode.TOKENS, tokens, place().below)
    header = {"Authorization": f"Bearer {secret}"}

    with client(FakeReader(data(alerts=stood())), access) as http:
        rows = http.get("/api/alerts", headers=header).json()
        other = http.get("/api/alerts?unit=c2", headers=header)
        nobody = http.get("/api/alerts")

    assert [row["id"] for row in rows] == ["a1"]
    assert (other.status_code, nobody.status_code) == (403, 401)


def test_csv_of_alerts_is_safe() -> None:
    """A hostile name is text in a spreadsheet too."""
    with client(FakeReader(data(alerts=stood()))) as http:
        rv = http.get("/api/alerts?format=csv").text

    assert f"'{HOSTILE}"[:8] in rv
