"""The door of the wall and the read API, tried from outside: tokens, units, paths, SQL, headers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.access import Access, Mode, TokenFile
from dashboards.alerts.router import alert_router
from dashboards.answers import HEADERS
from tests.dashboards.alert_pages import Desk as AlertDesk
from tests.dashboards.alert_pages import alert, pages, query
from tests.support.screens import client, place

NOW = datetime.now(UTC)
SQL = [
    "'",
    "' OR 1=1 --",
    "75'; DROP TABLE rates; --",
    "{x:String}",
    "75\\",
    "1) UNION ALL SELECT * FROM system.users",
]
PAGES = ["/wall/overview", "/wall/unit/c1", "/api/screens", "/api/rates", "/api/units", "/api/sources", "/api/alerts"]


@pytest.fixture
def walls(tmp_path: Path) -> TokenFile:
    """A file of wall tokens."""
    return TokenFile(tmp_path / "walls.json")


def access(walls: TokenFile, now: datetime = NOW) -> Access:
    """Access by tokens at a moment."""
    return Access(Mode.TOKENS, walls, place().below, lambda: int(now.timestamp() * 1e6))


class TestWall:
    """Who may look."""

    @pytest.mark.parametrize("path", PAGES)
    def test_no_wrong_expired_and_revoked(self, walls: TokenFile, path: str) -> None:
        """None of them sees a page or a figure; the answer is guarded as all are."""
        expired = walls.create("expired", [], NOW - timedelta(days=2), timedelta(days=1))
        revoked = walls.create("revoked", [], NOW)
        good = walls.create("good", [], NOW, timedelta(days=1))
        walls.revoke("revoked")

        with client(access=access(walls)) as http:
            rv = {
                name: http.get(path, headers={} if secret is None else {"Authorization": f"Bearer {secret}"})
                for name, secret in {
                    "none": None, "wrong": "x" * 43, "expired": expired, "revoked": revoked, "good": good,
                }.items()
            }  # fmt: skip

        assert {name: answer.status_code for name, answer in rv.items()} == {
            "none": 401, "wrong": 401, "expired": 401, "revoked": 401, "good": 200,
        }  # fmt: skip
        for answer in rv.values():
            assert HEADERS.keys() <= {name.title() for name in answer.headers} | HEADERS.keys()
            assert all(name in answer.headers for name in HEADERS)
            assert "server" not in answer.headers

    def test_another_units_token(self, walls: TokenFile) -> None:
        """One ward's token opens neither the province, nor another ward, by page, API, list or alert."""
        secret = walls.create("ward", ["c1"], NOW)

        with client(access=access(walls)) as http:
            http.headers["Authorization"] = f"Bearer {secret}"
            rv = {path: http.get(path).status_code for path in (
                "/wall/unit/c1", "/wall/unit/c2", "/wall/overview", "/api/rates?unit=c2", "/api/rates?unit=75",
                "/api/sources?unit=c2", "/api/alerts?unit=c2", "/api/series?indicator=on_time&unit=c2",
                "/api/screens/overview", "/api/screens/unit/c2", "/api/events?screen=overview",
            )}  # fmt: skip

        assert {path for path, status in rv.items() if status == 200} == {"/wall/unit/c1"}
        assert set(rv.values()) == {200, 403}

    def test_an_expired_viewer_is_shut_out_while_it_looks(self, walls: TokenFile) -> None:
        """A screen that was let in is not let on."""
        secret = walls.create("a", [], NOW, timedelta(hours=1))
        viewer = access(walls).viewer(secret)
        assert viewer is not None

        assert access(walls).still(viewer)
        assert not access(walls, NOW + timedelta(hours=1)).still(viewer)

    def test_rotation_keeps_rights_and_ends_the_old_one(self, walls: TokenFile) -> None:
        """The old secret is good for a while; revoking ends both."""
        old = walls.create("a", ["c1"], NOW)
        new = walls.rotate("a", NOW, timedelta(days=1), timedelta(days=90))

        now, later = access(walls), access(walls, NOW + timedelta(days=2))
        found = now.viewer(new)
        assert found is not None
        assert found.units == ("c1",)
        assert now.viewer(old) is not None
        assert later.viewer(old) is None
        assert later.viewer(new) is not None

        walls.rotate("a", NOW, timedelta(0), None)
        assert now.viewer(new) is None
        walls.revoke("a")
        assert walls.read() == ()

    def test_wrong_tokens_are_slowed_and_right_ones_never(self, walls: TokenFile) -> None:
        """Many wrong tokens get 429; who comes from the same address with a right one passes."""
        good = walls.create("a", [], NOW)

        with client(access=access(walls)) as http:
            answers = (http.get("/api/units", headers={"Authorization": f"Bearer {n}"}) for n in range(2_000))
            slowed = next(answer for answer in answers if answer.status_code != 401)
            right = http.get("/api/units", headers={"Authorization": f"Bearer {good}"})

        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) > 0
        assert right.status_code == 200

    @pytest.mark.parametrize("value", SQL)
    @pytest.mark.parametrize(
        "path",
        ["/api/rates?unit=", "/api/rates?field=", "/api/rates?indicator=", "/api/rates?window=", "/api/units?unit=",
         "/api/sources?unit=", "/api/alerts?unit=", "/api/series?indicator=", "/api/screens/", "/wall/unit/"],
    )  # fmt: skip
    def test_sql_in_every_parameter(self, path: str, value: str) -> None:
        """It is a word that nobody knows: 404, and the store is not asked."""
        with client() as http:
            address, sign, _ = path.partition("=")
            rv = (
                http.get(address.partition("?")[0], params={address.partition("?")[2]: value})
                if sign
                else http.get(path + value.replace("/", "%2f"))
            )

        assert rv.status_code in {400, 404}

    @pytest.mark.parametrize(
        "path",
        ["/wall/static/x/..%2f..%2fview.py", "/wall/static/x/../../view.py", "/wall/static/x/%2e%2e/%2e%2e/view.py",
         "/wall/static/x//etc/passwd", "/wall/static/x/..%5c..%5cview.py", "/wall/static/x/%00", "/wall/..%2fview.py",
         "/alerts/style/..%2f..%2fpage.py", "/wall/static/..%2f..%2fview.py"],
    )  # fmt: skip
    def test_path_traversal(self, path: str) -> None:
        """Only files in the list that was made at the start can be asked for."""
        with client(routers=[alert_router(pages(AlertDesk({})))]) as http:
            rv = http.get(path)

        assert "import" not in rv.text
        assert "root:" not in rv.text

    def test_header_injection(self, walls: TokenFile) -> None:
        """Line ends in a parameter do not become headers of the redirect that takes the token out of the address."""
        secret = walls.create("a", [], NOW)

        with client(access=access(walls)) as http:
            rv = http.get(f"/wall/overview?token={secret}&lang=en%0d%0aX-Evil:%201", follow_redirects=False)

        assert rv.status_code == 303
        assert "x-evil" not in rv.headers
        assert "\n" not in rv.headers["location"]
        assert secret not in rv.headers["location"]
        cookie = rv.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie

    def test_tls_is_remembered_only_where_there_is_tls(self) -> None:
        """Strict-Transport-Security over https alone."""
        with client() as http:
            plain = http.get("/wall/overview")
            http.base_url = "https://127.0.0.1"
            secure = http.get("/wall/overview")

        assert "strict-transport-security" not in plain.headers
        assert secure.headers["strict-transport-security"] == "max-age=31536000"

    def test_nothing_inline_on_any_page(self) -> None:
        """No page has a script, a style or a handler of its own, so that the policy needs no exception."""
        with client(routers=[alert_router(pages(AlertDesk({"a1": alert()})))]) as http:
            shown = [http.get(path) for path in ("/wall/overview", "/wall/unit/c3", "/wall/nothing", "/nothing")]
            shown.append(http.get("/alerts/a1", params=query()))

        for page in shown:
            assert "unsafe" not in page.headers["content-security-policy"]
            assert "frame-ancestors" in page.headers["content-security-policy"]
            assert not any(sign in page.text for sign in (" style=", "<style", " onerror=", " onload=", " onclick="))
            for script in page.text.split("<script")[1:]:
                assert script.startswith((' type="module" src="', ' type="application/json"'))
