"""The page behind a signed link: what it shows, what it records, and what it refuses."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from litestar.testing import TestClient

from contract.text import Text
from dashboards.access import Access, Mode
from dashboards.alerts.choices import MOST_REASON, MUTES, reason_of
from dashboards.alerts.limit import Limit
from dashboards.alerts.router import alert_router
from sinks.outbox import DeliveryState
from streams.alerts import AlertState
from tests.dashboards.alert_pages import HOSTILE, MINUTE_US, NOW_US, Desk, alert, pages, query, sent
from tests.support.chromium import FLAGS, chromium
from tests.support.screens import client as whole

HOUR_US = 60 * MINUTE_US


def desk(state: AlertState = AlertState.FIRING, **changes: Any) -> Desk:
    """One alert, and two messages about it."""
    messages = [
        sent("reminder", "duty", NOW_US - MINUTE_US, None),
        sent("fired", "ward-one", NOW_US - 30 * MINUTE_US, DeliveryState.SENT),
    ]
    return Desk({"a1": alert(state=state, **changes), "a2": alert("a2")}, sent=messages)


@contextmanager
def served(found: Desk, title: Text | None = None, most: int = 1000) -> Iterator[TestClient[Any]]:
    """The pages without the rest of the application."""
    app = Litestar([alert_router(pages(found, title, most))], openapi_config=None)
    with TestClient(app, base_url="http://127.0.0.1") as http:
        yield http


def test_the_page_tells_all_and_changes_nothing() -> None:
    """Who opens the link, or a scanner that follows it, sees figures with n, limit and messages; nothing is done."""
    found = desk()

    with served(found) as http:
        rv = http.get("/alerts/a1", params=query())

    assert rv.status_code == 200
    for words in ("Phường Một", "Ward One", "94,3 % (1.180/1.251)", "dưới 95 %", "91,2 % (31/34)", "Chưa ai nhận",
                  "13:38 22/11/2026", "Nhắc lại", "đang gửi", "đã gửi", "on_time_low", "ward-one"):  # fmt: skip
        assert words in rv.text
    assert found.done == []


def test_every_answer_is_guarded_and_kept_by_nobody() -> None:
    """Nothing inline, nothing from elsewhere, forms only to this address; good, forged and absent alike."""
    with served(desk()) as http:
        answers = [
            http.get("/alerts/a1", params=query()),
            http.get("/alerts/a1", params=query(signature="bad")),
            http.get("/alerts/a9", params=query("a9")),
            http.post("/alerts/a1", data={}),
        ]

    assert [answer.status_code for answer in answers] == [200, 403, 404, 403]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert 'lang="en"' in answer.text
        assert "<script" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        (query(signature="bad"), 403, "Đường dẫn không đúng"),
        (query("a2"), 403, "Đường dẫn không đúng"),
        (query(signature="old"), 410, "hết hạn"),
        ({}, 403, "Đường dẫn không đúng"),
    ],
    ids=["forged", "of another alert", "expired", "bare"],
)
def test_a_link_that_gives_no_right_is_refused(method: str, given: dict[str, str], status: int, words: str) -> None:
    """It says in both languages what to do, records nothing and does not even ask the store."""
    found = desk()

    with served(found) as http:
        rv = http.request(
            method,
            "/alerts/a1",
            params=given if method == "GET" else None,
            data={**given, "do": "ack"} if method == "POST" else None,
        )

    assert rv.status_code == status
    assert words in rv.text
    assert "This link" in rv.text
    assert (found.done, found.asked) == ([], 0)


def test_acknowledging_records_who_and_leads_back() -> None:
    """One record by the name in the link; pressed again it stays one."""
    found = desk()

    with served(found) as http:
        first = http.post("/alerts/a1", data=query(do="ack"), headers={"Origin": "http://127.0.0.1"})
        again = http.post("/alerts/a1", data=query(do="ack"))

    assert (first.url.path, first.history[0].status_code) == ("/alerts/a1", 303)
    assert "Đã ghi: bạn đã nhận" in first.text
    assert "Tôi đã nhận" not in first.text
    assert "ward-one, 14:20 22/11/2026" in again.text
    assert [(one.action, one.alert, one.by, one.at_us) for one in found.done] == [("ack", "a1", "ward-one", NOW_US)]


@pytest.mark.parametrize(
    ("choice", "until_us"),
    [
        ("1h", NOW_US + HOUR_US),
        ("4h", NOW_US + 4 * HOUR_US),
        ("tomorrow", NOW_US + 16 * HOUR_US + 40 * MINUTE_US),
        ("7d", NOW_US + 7 * 24 * HOUR_US),
    ],
)
def test_muting_needs_a_reason_and_ends(choice: str, until_us: int) -> None:
    """The rule and scope are muted until then, with the reason on one line, and can be unmuted."""
    found = desk()

    with served(found) as http:
        muted = http.post("/alerts/a1", data=query(**{"do": "mute", "for": choice, "reason": " chuyển\r\n trụ sở "}))
        unmuted = http.post("/alerts/a1", data=query(do="unmute"))

    assert "chuyển trụ sở (ward-one)" in muted.text
    assert "Gửi tin trở lại" in muted.text
    assert "tin nhắn được gửi trở lại" in unmuted.text
    assert [(one.action, one.rule, one.scope, one.until_us, one.reason) for one in found.done] == [
        ("mute", "on_time_low", "unit:c1", until_us, "chuyển trụ sở"),
        ("unmute", "on_time_low", "unit:c1", None, ""),
    ]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "mute", "for": "1h", "reason": " \u200b\n"}, 400),
        ({"do": "mute", "for": "1h", "reason": "x" * (MOST_REASON + 1)}, 400),
        ({"do": "mute", "for": "99y", "reason": "x"}, 400),
        ({"do": "drop"}, 400),
        ({}, 400),
        ({"do": "mute", "for": "1h", "reason": "x" * 20_000}, 413),
    ],
)
def test_a_form_that_is_not_ours_is_refused(form: dict[str, str], status: int) -> None:
    """No reason, one too long, an unknown choice or action, a huge body: words, and nothing recorded."""
    found = desk()

    with served(found) as http:
        rv = http.post("/alerts/a1", data=query(**form))

    assert (rv.status_code, found.done) == (status, [])
    assert "Không thực hiện được" in rv.text


def test_another_sites_request_is_refused() -> None:
    """The signature is the authority; a page elsewhere that learned it still may not press."""
    found = desk()

    with served(found) as http:
        foreign = http.post("/alerts/a1", data=query(do="ack"), headers={"Origin": "https://evil.example"})
        linked = http.post("/alerts/a1", data=query(do="ack"), headers={"Origin": "https://alerts.example.org"})

    assert (foreign.status_code, linked.status_code) == (403, 200)
    assert len(found.done) == 1


@pytest.mark.parametrize(
    ("state", "changes"),
    [(AlertState.RECOVERED, {}), (AlertState.FIRING, {"ended_us": NOW_US - MINUTE_US})],
    ids=["recovered", "told in the morning"],
)
def test_an_alert_that_is_over_says_so(state: AlertState, changes: dict[str, Any]) -> None:
    """There is no button to acknowledge; whoever presses an old one is told, and nothing is recorded."""
    found = desk(state, **changes)

    with served(found) as http:
        page = http.get("/alerts/a1", params=query())
        pressed = http.post("/alerts/a1", data=query(do="ack"))

    assert "Đã trở lại bình thường" in page.text
    assert "Tôi đã nhận" not in page.text
    assert (pressed.status_code, found.done) == (409, [])
    assert "đã hết" in pressed.text


def test_hostile_texts_are_text() -> None:
    """A unit's name, a rule's title, a reason and a recipient's name cannot become part of the page."""
    found = Desk({"a1": alert(scope="unit:c3")})

    with served(found, Text(HOSTILE, HOSTILE)) as http:
        http.post("/alerts/a1", data=query(recipient=HOSTILE, **{"do": "mute", "for": "1h", "reason": HOSTILE}))
        rv = http.get("/alerts/a1", params=query(recipient=HOSTILE, done=HOSTILE))

    assert found.done[0].reason == HOSTILE
    assert "<script" not in rv.text
    assert "<img" not in rv.text
    assert rv.text.count("&lt;script&gt;") >= 4


def test_a_link_is_not_used_without_end() -> None:
    """More than the limit in a minute is 429 for that link, not for others; after the minute it opens again."""
    now_s = [0.0]
    limit = Limit(2, 60.0, lambda: now_s[0])

    with served(desk(), most=2) as http:
        rv = [http.get("/alerts/a1", params=query()).status_code for _ in range(3)]
        other = http.get("/alerts/a2", params=query("a2")).status_code
    taken = [limit.take(("a",)) for _ in range(3)]
    now_s[0] = 60.0

    assert (rv, other) == ([200, 200, 429], 200)
    assert (taken, limit.take(("a",))) == ([True, True, False], True)


def test_the_page_needs_no_wall_token_and_the_wall_still_does() -> None:
    """The signature opens this page alone, on any host name; every other page is refused as before."""
    access = Access(Mode.TOKENS)

    with whole(access=access, routers=[alert_router(pages(desk()))]) as http:
        page = http.get("/alerts/a1", params=query(), headers={"Host": "alerts.example.org"})
        style = http.get(f"/alerts/style/{page.text.partition('/alerts/style/')[2].partition(chr(34))[0]}")
        wall = [http.get(path).status_code for path in ("/wall/overview", "/api/alerts", "/alerts")]

    assert (page.status_code, style.status_code) == (200, 200)
    assert "immutable" in style.headers["cache-control"]
    assert wall == [401, 401, 404]


def test_reasons_are_one_line() -> None:
    """Control and direction characters are gone, letters are composed."""
    rv = [reason_of(text) for text in ("a\u202eb\x00c", "e\u0302", "  ", "x" * MOST_REASON)]

    assert rv == ["a b c", "ê", None, "x" * MOST_REASON]
    assert list(MUTES) == ["1h", "4h", "tomorrow", "7d"]


@pytest.fixture
def address() -> Iterator[Callable[[Desk], str]]:
    """Serve pages on a free port of this machine."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def go(found: Desk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(Litestar([alert_router(pages(found))], openapi_config=None), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield go
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.mark.browser
def test_on_a_phone_it_fits_and_works_without_script(address: Callable[[Desk], str]) -> None:
    """390×844, scripts off: nothing is cut off, buttons are large, one press acknowledges, a form mutes."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in NHIP_CHROMIUM")
    found = Desk({"a1": alert(scope="unit:c3"), "a2": alert("a2")})
    base, faults = address(found), []

    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False).new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("requestfailed", lambda request: faults.append(request.url))
        page.goto(f"{base}/alerts/a2?r=ward-one&e=1795400000&s=good-a2")
        press = page.get_by_role("button", name="Tôi đã nhận").bounding_box()
        widths = [one["x"] + one["width"] for box in page.locator("section, form, button, textarea, label").all()
                  if (one := box.bounding_box())]  # fmt: skip
        page.get_by_role("button", name="Tôi đã nhận").click()
        acknowledged = page.inner_text("[role=status]")
        page.goto(f"{base}/alerts/a1?r=ward-one&e=1795400000&s=good-a1")
        page.get_by_label("7 ngày").check()
        page.get_by_label("Lý do").fill("chờ bản vá")
        page.get_by_role("button", name="Tạm dừng tin nhắn").click()
        muted = page.inner_text("[role=status]")
        browser.close()

    assert press is not None
    assert press["height"] >= 48
    assert press["y"] + press["height"] <= 844
    assert max(widths) <= 390
    assert "bạn đã nhận" in acknowledged
    assert "tạm dừng" in muted
    assert [(one.action, one.alert) for one in found.done] == [("ack", "a2"), ("mute", "a1")]
    assert faults == []
