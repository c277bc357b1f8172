"""The read API over HTTP, without a store."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboards.access import Access, Mode, TokenFile
from dashboards.data import Data
from dashboards.pictures import Pictures
from dashboards.reader import Reader
from dashboards.view import Place
from tests.support.screens import HOSTILE, NOW_US, FakeReader, client, data, place, targets

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_home_leads_to_the_overview() -> None:
    """The bare address opens the first screen and keeps the question."""
    with client() as http:
        answer = http.get("/?lang=en", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (302, "/wall/overview?lang=en")


def test_screens_are_served_with_an_etag() -> None:
    """A second request with the ETag is answered without a body."""
    with client() as http:
        first = http.get("/api/screens/overview")
        again = http.get("/api/screens/overview", headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, first.json()["panels"][0]["numerator"]) == (200, 1304)
    assert (again.status_code, again.content) == (304, b"")


def test_every_answer_carries_the_security_headers() -> None:
    """Nothing inline may run, found or not."""
    with client() as http:
        answers = [http.get(path) for path in ("/api/screens", "/wall/overview", "/nothing", "/api/rates?window=x")]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/rates?window=2h", "unknown window '2h'"),
        ("/api/rates?indicator=speed", "unknown indicator 'speed'"),
        ("/api/rates?unit=nowhere", "unknown unit 'nowhere'"),
        ("/api/rates?field=nothing", "no figures of this field"),
        ("/api/series?indicator=speed", "unknown indicator"),
        ("/api/series?indicator=on_time&window=all", "unknown window"),
        ("/api/units?unit=nowhere", "unknown unit"),
        ("/api/sources?unit=nowhere", "unknown unit"),
        ("/api/screens/nothing", "unknown screen 'nothing'"),
        ("/api/screens/unit/nowhere", "unknown screen 'unit/nowhere'"),
        ("/api/events?screen=nothing", "unknown screen"),
        ("/api/nothing", "no such page"),
    ],
)
def test_what_is_unknown_is_404_with_words(path: str, words: str) -> None:
    """A wrong word in an address is answered in both languages."""
    with client() as http:
        answer = http.get(path)

    assert answer.status_code == 404
    assert words in answer.json()["detail"]
    assert answer.json()["error"]["vi"]


def test_a_strange_path_is_a_page_of_words() -> None:
    """A person who mistypes an address gets a sentence, and nothing of the address runs."""
    with client() as http:
        answer = http.get("/<script>alert(1)</script>")

    assert answer.status_code == 404
    assert "<script" not in answer.text
    assert "There is no such page" in answer.text


def test_rates_are_selected_by_unit_indicator_and_window() -> None:
    """The figures are those of the data, by default the province's."""
    with client() as http:
        whole = http.get("/api/rates").json()
        one = http.get("/api/rates", params={"unit": "c2", "indicator": "on_time", "window": "30d"}).json()
        field = http.get("/api/rates?field=land").json()

    assert {row["scope"] for row in whole} == {"unit:75"}
    assert [(row["numerator"], row["denominator"], row["rate"]) for row in one] == [(18, 20, 0.9)]
    assert [row["scope"] for row in field] == ["field:land"]


def test_csv_is_safe_for_spreadsheets() -> None:
    """A name that begins as a formula is text, and the file opens with its diacritics."""
    with client() as http:
        answer = http.get("/api/units", headers={"Accept": "text/csv"})
        same = http.get("/api/units?format=csv")

    assert answer.content == same.content
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert next(row["name_vi"] for row in rows if row["code"] == "c3") == f"'{HOSTILE}"
    assert rows[0]["name_vi"] == "Đồng Nai"


def test_an_unknown_format_is_refused() -> None:
    """Only JSON and CSV are spoken."""
    with client() as http:
        answer = http.get("/api/units?format=xlsx")

    assert answer.status_code == 400


def test_a_hostile_name_is_data_in_the_page() -> None:
    """What stands in the table of units cannot end the page's script or run."""
    with client() as http:
        page = http.get("/wall/overview").text

    assert "<script>alert" not in page


def test_store_down_keeps_pages_and_answers_503() -> None:
    """Data endpoints say when to come back; the page and the list keep working."""
    reader = FakeReader(data())
    reader.up = False
    with client(reader) as http:
        data_answers = [
            http.get(path)
            for path in ("/api/rates", "/api/sources", "/api/screens/overview", "/api/series?indicator=online")
        ]
        page, units = http.get("/wall/overview"), http.get("/api/units")

    assert {(a.status_code, a.headers["retry-after"]) for a in data_answers} == {(503, "5")}
    assert (page.status_code, units.status_code) == (200, 200)
    assert "98,2" in page.text


def test_series_and_sources_are_served() -> None:
    """Both are tables of plain numbers."""
    with client() as http:
        series = http.get("/api/series?indicator=on_time").json()
        sources = http.get("/api/sources?unit=c1").json()

    assert series == [{"start_us": NOW_US, "numerator": 1, "denominator": 2, "rate": 0.5}]
    assert {(row["source"], row["state"], row["age_s"]) for row in sources} == {
        ("onestop/c1", "ok", 4),
        ("bank", "bad", 3600),
    }


def test_openapi_describes_the_api() -> None:
    """The description is one document without any outside asset."""
    with client() as http:
        found = http.get("/api/openapi.json").json()

    assert {"/api/rates", "/api/series", "/api/units", "/api/sources"} <= found["paths"].keys()


def test_only_reading_is_allowed() -> None:
    """Nothing can be written."""
    with client() as http:
        answer = http.post("/api/rates")

    assert answer.status_code == 405


class _Tokens:
    """A file with a token for everything and one for a commune, and the access it gives."""

    def __init__(self, folder: Path) -> None:
        self.file = TokenFile(folder / "tokens.json")
        self.whole, self.one = self.file.create("all", [], NOW), self.file.create("one", ["c1"], NOW)
        self.access = Access(Mode.TOKENS, self.file, place().below)


@pytest.fixture
def tokens(tmp_path: Path) -> _Tokens:
    """Two tokens."""
    return _Tokens(tmp_path)


def test_without_or_with_a_wrong_token_nothing_is_shown(tokens: _Tokens) -> None:
    """Refused with words, on every path that shows anything."""
    with client(access=tokens.access) as http:
        bare = [http.get(path).status_code for path in ("/", "/wall/overview", "/api/rates", "/api/events")]
        wrong = http.get("/api/rates", headers={"Authorization": "Bearer x"})

    assert bare == [401, 401, 401, 401]
    assert wrong.status_code == 401
    assert "revoked" in wrong.json()["detail"]


def test_a_token_in_the_address_becomes_a_cookie(tokens: _Tokens) -> None:
    """It leaves the address at once, and the browser keeps it where scripts cannot read it."""
    with client(access=tokens.access) as http:
        first = http.get(f"/wall/overview?lang=en&token={tokens.whole}", follow_redirects=False)
        then = http.get("/wall/overview?lang=en")

    assert (first.status_code, first.headers["location"]) == (303, "/wall/overview?lang=en")
    assert "httponly" in first.headers["set-cookie"].lower()
    assert then.status_code == 200


def test_a_limited_token_sees_its_unit_alone(tokens: _Tokens) -> None:
    """Its unit's screen, figures and sources; nothing of others, and no screen of the whole."""
    headers = {"Authorization": f"Bearer {tokens.one}"}
    allowed = ("/api/screens/unit/c1", "/wall/unit/c1", "/api/rates?unit=c1")
    refused = (
        "/api/screens/overview",
        "/wall/overview",
        "/wall/unit/c2",
        "/api/screens/unit/75",
        "/api/rates",
        "/api/rates?unit=c2",
        "/api/rates?unit=c1&field=land",
        "/api/series?indicator=online",
        "/api/events?screen=overview",
        "/api/events?screen=unit/c2",
    )
    with client(access=tokens.access) as http:
        good = [http.get(path, headers=headers).status_code for path in allowed]
        bad = [http.get(path, headers=headers).status_code for path in refused]
        units = [row["code"] for row in http.get("/api/units", headers=headers).json()]
        sources = {row["unit"] for row in http.get("/api/sources", headers=headers).json()}
        home = http.get("/", headers=headers, follow_redirects=False).headers["location"]

    assert set(good) == {200}
    assert set(bad) == {403}
    assert (units, sources, home) == (["c1"], {"c1"}, "/wall/unit/c1")


def test_a_foreign_name_is_refused_on_this_machine() -> None:
    """A page elsewhere cannot read a local wall through a name that leads here."""
    with client(access=Access(Mode.LOOPBACK)) as http:
        own = http.get("/api/rates")
        other = http.get("/api/rates", headers={"Host": "evil.example:8080"})

    assert (own.status_code, other.status_code) == (200, 421)


def pictures(reader: FakeReader, wall: list[int], somewhere: Place) -> Pictures:
    """Pictures over a clock that the test turns."""
    found: Reader = reader  # type: ignore[assignment]
    return Pictures(found, somewhere, targets(), lambda: wall[0], "1-test")


def test_a_picture_is_drawn_once_for_all_and_sent_when_it_changes() -> None:
    """The same bytes for everybody within a tick; a new version for new figures or after five seconds."""
    reader, wall = FakeReader(data()), [NOW_US]
    drawn = pictures(reader, wall, place())
    first = drawn.frame("overview")
    assert first is not None
    assert drawn.frame("overview") is first

    reader.ticks, wall[0] = 2, NOW_US + 1_000_000
    same = drawn.frame("overview")
    reader.ticks, wall[0], reader.data = 3, NOW_US + 2_000_000, data(rates={})
    changed = drawn.frame("overview")
    reader.ticks, wall[0] = 4, NOW_US + 8_000_000
    refreshed = drawn.frame("overview")

    assert same is not None
    assert changed is not None
    assert refreshed is not None
    assert (same.version, same.event is first.event) == (1, True)
    assert (changed.version, refreshed.version) == (2, 3)
    assert changed.etag == refreshed.etag


def test_looking_at_a_unit_asks_for_its_details() -> None:
    """What nobody looks at is not read in detail."""
    reader = FakeReader(Data(read_us=NOW_US))
    drawn = pictures(reader, [NOW_US], place())

    drawn.frame("unit", "c1")

    assert reader.watched == ["unit:c1"]
    assert drawn.frame("unit", "nowhere") is None
    assert drawn.document("overview", "c1") is None


def test_events_begin_with_the_screen_and_go_on_with_beats(tmp_path: Path) -> None:
    """A subscriber gets the screen at once and then a sign of life each tick, until its token is revoked."""
    tokens = _Tokens(tmp_path)
    reader = FakeReader(data())

    async def later() -> None:
        reader.ticks += 1
        if reader.ticks == 4:
            tokens.file.revoke("all")

    reader.ticked = later  # type: ignore[method-assign]
    with client(reader, tokens.access) as http:
        answer = http.get("/api/events?screen=overview", headers={"Authorization": f"Bearer {tokens.whole}"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names == ["screen", "beat", "beat", "beat"]
