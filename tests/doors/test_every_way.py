"""Every parameter that is declared, every text that is shown, every menu: nothing is left out of the doors' list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from contract.text import Text
from dashboards.access import Access, Mode, TokenFile
from dashboards.alerts.router import alert_router
from dashboards.alerts.standing import Standing
from dashboards.screens import SCREENS
from sinks.dead_letters import LetterGroup
from sinks.overdue import OverdueDossier
from sinks.reads import SourceAge
from streams.alerts import Action
from tests.dashboards.alert_pages import HOSTILE, alert, pages, query
from tests.dashboards.alert_pages import Desk as AlertDesk
from tests.support.screens import NOW_US, FakeReader, client, data, place

SQL = "75' UNION ALL SELECT name FROM system.users --"
UNDECLARED = {"/wall/overview": ("lang", "theme", "rotate", "unit"), "/api/rates": ("format",), "/": ("lang",)}
"""What pages read without declaring it."""
NEEDED = {"/api/series": {"indicator": "on_time"}}


def declared() -> Iterator[tuple[str, str, str]]:
    """Each parameter of the server's own document: path, name, and whether it stands in the path or the query."""
    with client() as http:
        document = http.get("/api/openapi.json").json()
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                yield path, parameter["name"], parameter["in"]


def test_sql_in_every_declared_parameter() -> None:
    """It is a word that nobody knows: refused, and not looked up."""
    rv = {}
    with client() as http:
        for path, name, where in declared():
            if where == "path":
                rv[path, name] = http.get(path.replace(f"{{{name}}}", SQL.replace("/", "%2f")))
            else:
                rv[path, name] = http.get(path, params={**NEEDED.get(path, {}), name: SQL})

    assert {key: answer.status_code for key, answer in rv.items() if answer.status_code not in {400, 404}} == {}
    assert not any("ClickHouse" in answer.text for answer in rv.values())


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in UNDECLARED.items() for name in names])
def test_sql_in_what_pages_read_beside(path: str, name: str) -> None:
    """Unknown languages, themes and formats: the usual page without the text, or a refusal that is no page."""
    with client() as http:
        rv = http.get(path, params={name: SQL})

    assert rv.status_code in {200, 400}
    assert SQL not in rv.text or rv.headers["content-type"] == "application/json"


def test_the_list_is_whole() -> None:
    """The document that parameters are taken from has those that were there when this was written."""
    assert {(path, name) for path, name, _ in declared()} >= {
        ("/api/rates", "unit"), ("/api/rates", "field"), ("/api/rates", "indicator"), ("/api/rates", "window"),
        ("/api/series", "unit"), ("/api/series", "window"), ("/api/events", "screen"), ("/api/sources", "unit"),
        ("/api/alerts", "unit"), ("/api/units", "unit"), ("/api/screens/{screen}", "screen"),
    }  # fmt: skip


class _Page(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def hostile() -> FakeReader:
    """Figures in which every text that comes from outside is an attack."""
    act = Action(at_us=NOW_US, rule=HOSTILE, scope="unit:c3", action="ack", by=HOSTILE, alert="a1", reason=HOSTILE)
    found = data()
    detail = found.details["unit:75"]
    detail = type(detail)(
        today=detail.today, before=detail.before, ageing=detail.ageing,
        overdue=[OverdueDossier(HOSTILE, "c3", NOW_US // 1_000_000 - 99_999)],
    )  # fmt: skip
    return FakeReader(
        data(
            rates={**found.rates, (f"field:{HOSTILE}", "on_time", "30d"): (1, 9)},
            details={"unit:75": detail, "unit:c3": detail},
            sources=[SourceAge(HOSTILE, "c3", "nhip.dossiers", NOW_US, NOW_US - 3_600_000_000, 5, 1)],
            letters=[LetterGroup(HOSTILE, HOSTILE, 3, NOW_US)],
            alerts=[
                Standing(
                    alert=alert(scope="unit:c3", rule=HOSTILE),
                    title=Text(HOSTILE, HOSTILE),
                    acknowledged=act,
                    muted=act,
                )
            ],
            mutes=[act],
            titles={HOSTILE: Text(HOSTILE, HOSTILE)},
        )
    )


@pytest.mark.parametrize("path", [*(f"/wall/{screen.key}" for screen in SCREENS), "/wall/unit/c3"])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_xss_through_every_text_of_a_screen(path: str, lang: str) -> None:
    """Names of units and fields, sources, reasons, codes of dossiers, rules, who acknowledged: text, and no more."""
    with client(hostile(), routers=[alert_router(pages(AlertDesk({})))]) as http:
        rv = http.get(path, params={"lang": lang})
        document = http.get(f"/api/screens/{path.removeprefix('/wall/')}")
    page = _Page()
    page.feed(rv.text)

    assert rv.status_code == 200
    assert not [one for one in page.found if one[0] == "img"]
    assert not [name for _, attrs in page.found for name in attrs if name.startswith("on")]
    scripts = [attrs for tag, attrs in page.found if tag == "script"]
    assert all(
        (one.get("src") or "").startswith("/wall/static/") or one.get("type") == "application/json" for one in scripts
    )
    assert "<script>alert" not in rv.text
    assert document.headers["content-type"].startswith("application/json")


def test_hostile_texts_were_shown() -> None:
    """So that the test above can fail: each kind of text stands on some screen, escaped."""
    with client(hostile()) as http:
        shown = {screen.key: http.get(f"/api/screens/{screen.key}").text for screen in SCREENS}
        html = "".join(http.get(f"/wall/{screen.key}").text for screen in SCREENS)

    assert sum("onerror" in text for text in shown.values()) >= 3
    assert "&lt;img src=x onerror" in html


def test_the_menu_has_what_may_be_seen(tmp_path: Path) -> None:
    """A token for two units sees their screens, in the page and in the API; a token for all sees all."""
    walls, now = TokenFile(tmp_path / "walls.json"), datetime.now(UTC)
    limited, whole = walls.create("ward", ["c1", "H1"], now), walls.create("hall", [], now)
    access = Access(Mode.TOKENS, walls, place().below, lambda: int(now.timestamp() * 1e6))

    with client(access=access) as http:
        mine, theirs = (
            (http.get(path, headers={"Authorization": f"Bearer {limited}"}),
             http.get(other, headers={"Authorization": f"Bearer {whole}"}))
            for path, other in (("/wall/unit/c1", "/wall/overview"), ("/api/screens", "/api/screens"))
        )  # fmt: skip
        linked = [row["id"] for row in theirs[0].json()]
        opened = [
            http.get(f"/wall/{one}", headers={"Authorization": f"Bearer {limited}"}).status_code for one in linked
        ]

    assert linked == ["unit/c1", "unit/H1"]
    assert opened == [200, 200]
    assert [row["id"] for row in theirs[1].json()] == [screen.key for screen in SCREENS]
    assert mine[0].text.count('href="/wall/unit/') == 2
    assert 'href="/wall/overview' not in mine[0].text
    assert 'href="/wall/overview' in mine[1].text
    assert "Phường Một" in mine[0].text


@pytest.mark.parametrize(
    ("name", "status"), {"r": 303, "e": 303, "reason": 303, "s": 403, "do": 400, "for": 400}.items()
)
def test_sql_in_every_field_of_the_mute_page(name: str, status: int) -> None:
    """What a signature vouches for and the reason are kept as the texts that they are; else it is no choice."""
    desk = AlertDesk({"a1": alert()})
    with client(routers=[alert_router(pages(desk))]) as http:
        form = {**query(do="mute"), "for": "1h", "reason": "x", name: SQL}
        rv = http.post("/alerts/a1", data=form, follow_redirects=False)
        other = http.get(f"/alerts/{SQL}", params=query())

    assert rv.status_code == status
    assert [act.reason for act in desk.done] == ([form["reason"]] if status == 303 else [])
    assert other.status_code in (403, 404)


def test_oversize_at_the_mute_page() -> None:
    """A form of some megabytes is refused before it is read; the alert stays as it is."""
    desk = AlertDesk({"a1": alert()})
    with client(routers=[alert_router(pages(desk))]) as http:
        rv = http.post("/alerts/a1", data={**query(do="mute"), "reason": "x" * 5_000_000})

    assert rv.status_code == 413
    assert desk.done == []


def test_header_injection_at_the_mute_page() -> None:
    """What a form sends does not become a header of the answer."""
    desk = AlertDesk({"a1": alert()})
    evil = "1h\r\nX-Evil: 1"
    with client(routers=[alert_router(pages(desk))]) as http:
        good = {**query(do="mute", recipient=evil), "for": "1h", "reason": evil}
        rv = [http.post("/alerts/a1", data=good, follow_redirects=False),
              http.post("/alerts/a1", data={**query(do=evil)}, follow_redirects=False),
              http.get("/alerts/a1%0d%0aX-Evil:%201", params=query())]  # fmt: skip

    assert all("x-evil" not in one.headers for one in rv)
    assert all("\n" not in value for one in rv for value in one.headers.values())
