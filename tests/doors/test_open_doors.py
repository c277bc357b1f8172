"""Doors that a wall token does not guard: the intake and the page behind a signed link."""

from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from contract.text import Text
from dashboards.alerts.router import alert_router
from dashboards.answers import HEADERS
from producers.guesses import BURST
from producers.intake import intake_router
from tests.dashboards.alert_pages import HOSTILE, alert, pages, query
from tests.dashboards.alert_pages import Desk as AlertDesk
from tests.support.intake import Desk, body, event
from tests.support.screens import client

SQL = "75'; DROP TABLE rates; --"


class TestIntake:
    """Who may send. Sizes, encodings and other sources: tests/producers/intake."""

    def test_other_units_and_sql(self, tmp_path: Path) -> None:
        """A token for one unit tells nothing of another; SQL in a field is a text."""
        desk = Desk(tmp_path)
        with desk.client(desk.token(units=["H1"])) as http:
            other = http.post("/v1/events", json=event(data={"unit": "H2"}))
            sql = http.post("/v1/events", json=event(data={"field": SQL}))

        assert other.json()["results"][0]["reason"] == "unit"
        assert sql.status_code == 200

    def test_wrong_tokens_are_slowed(self, tmp_path: Path) -> None:
        """As at the wall; the body is not read."""
        desk = Desk(tmp_path)
        good = desk.token()
        with desk.client("wrong") as http:
            wrong = [http.post("/v1/events", json=event()).status_code for _ in range(BURST + 1)]
        with desk.client(good) as http:
            right = http.post("/v1/events", json=event()).status_code

        assert (wrong[0], wrong[-1], right) == (401, 429, 200)

    def test_personal_text_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        """The answer names field and reason; number, phone and mail are in no answer and reach no Kafka."""
        desk = Desk(tmp_path)
        planted = {"id": "079201000000/1", "subject": "0912000000", "source": "onestop/nobody@example.org"}
        with desk.client(desk.token()) as http:
            rv = http.post("/v1/events", content=body(*(event(**{k: v}) for k, v in planted.items())),
                           headers={"Content-Type": "application/json"})  # fmt: skip

        assert [one["reason"] for one in rv.json()["results"]] == ["personal"] * 3
        assert not any(word in rv.text for word in ("079201000000", "0912000000", "nobody@"))
        assert desk.producer.records == []

    def test_every_answer_is_guarded(self, tmp_path: Path) -> None:
        """Refusals of this door too carry what all answers of the server carry."""
        with client(routers=[intake_router(Desk(tmp_path).intake)]) as http:
            rv = [http.post("/v1/events"), http.get("/v1/events"), http.get("/v1/nothing")]

        assert [answer.status_code for answer in rv] == [401, 405, 404]
        assert all(name in answer.headers for name in HEADERS for answer in rv)


class TestAlertPage:
    """The mute page. Forged, expired and foreign links, and CSRF by Origin: tests/dashboards/test_alert_page.py."""

    @pytest.mark.parametrize("site", ["https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"])
    def test_csrf(self, site: str) -> None:
        """Another site's form records nothing, also from a name or port that begins like ours."""
        desk = AlertDesk({"a1": alert()})
        with TestClient(Litestar([alert_router(pages(desk))]), base_url="http://127.0.0.1") as http:
            rv = http.post("/alerts/a1", data=query(do="ack"), headers={"Origin": site})

        assert (rv.status_code, desk.done) == (403, [])

    @pytest.mark.parametrize("field", ["rule", "scope", "title", "recipient", "reason", "unit"])
    def test_xss_in_every_text(self, field: str) -> None:
        """Rule, scope, title, recipient, reason and the unit's name are text on the page."""
        changes: dict[str, Any] = {"rule": {"rule": HOSTILE}, "scope": {"scope": f"source:{HOSTILE}"},
                                   "unit": {"scope": "unit:c3"}}.get(field, {})  # fmt: skip
        desk = AlertDesk({"a1": alert(**changes)})
        title = Text(HOSTILE, HOSTILE) if field == "title" else None
        link = query(recipient=HOSTILE if field == "recipient" else "ward-one")
        with TestClient(Litestar([alert_router(pages(desk, title))]), base_url="http://127.0.0.1") as http:
            if field == "reason":
                http.post("/alerts/a1", data={**link, "do": "mute", "for": "1h", "reason": HOSTILE})
            rv = http.get("/alerts/a1", params=link)

        assert rv.status_code == 200
        assert "<script" not in rv.text
        assert "<img" not in rv.text
        assert "alert(" in rv.text
