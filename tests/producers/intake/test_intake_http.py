"""The intake over HTTP: every way to send, every bad door."""

import gzip
import io
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from contract.dossier import DOSSIER
from producers.errors import DeliveryError, SpoolFullError
from producers.intake.bodies import BodyError, records_of
from tests.support.intake import NOW, NOW_US, Desk, body, event

JSON = {"Content-Type": "application/json"}
BINARY = {
    **JSON,
    "ce-specversion": "1.0",
    "ce-type": "nhip.dossier.v1",
    "ce-source": "onestop/H1",
    "ce-id": "case-1/1",
    "ce-subject": "case-1",
    "ce-time": "2026-11-22T14:00:00+07:00",
    "ce-version": str(NOW_US),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An intake without tokens."""
    return Desk(tmp_path)


@pytest.fixture
def http(desk: Desk) -> Iterator[TestClient[Any]]:
    """A client with a token for all of onestop."""
    with desk.client(desk.token()) as found:
        yield found


def one(answer: Any) -> dict[str, Any]:
    """The only result."""
    (found,) = answer.json()["results"]
    return dict(found)


class TestWaysToSend:
    """What a system may send."""

    def test_one_event(self, desk: Desk, http: TestClient[Any]) -> None:
        """The bytes sent are what Kafka gets, keyed by the subject, on the kind's topic."""
        sent = msgspec.json.encode(event())

        answer = http.post("/v1/events", content=sent, headers=JSON)

        assert answer.status_code == 200
        assert answer.json() == {
            "accepted": 1,
            "refused": 0,
            "results": [{"id": "case-1/1", "status": "accepted"}],
        }
        assert desk.producer.records == [(DOSSIER.topic, b"case-1", sent)]

    @pytest.mark.parametrize(
        ("content_type", "sent"),
        [
            ("application/json", body(event("a"), event("b"))),
            ("application/json; charset=UTF-8", b"  " + body(event("a"), event("b"))),
            ("application/cloudevents-batch+json", body(event("a"), event("b"))),
        ],
    )
    def test_arrays(self, desk: Desk, http: TestClient[Any], content_type: str, sent: bytes) -> None:
        """An array is taken in order, however it is named."""
        answer = http.post("/v1/events", content=sent, headers={"Content-Type": content_type})

        assert answer.status_code == 200
        assert [key for _, key, _ in desk.producer.records] == [b"a", b"b"]

    def test_structured(self, desk: Desk, http: TestClient[Any]) -> None:
        """The structured mode of CloudEvents is one event."""
        answer = http.post(
            "/v1/events",
            content=msgspec.json.encode(event()),
            headers={"Content-Type": "application/cloudevents+json; charset=utf-8"},
        )

        assert answer.status_code == 200
        assert len(desk.producer.records) == 1

    def test_lines(self, desk: Desk, http: TestClient[Any]) -> None:
        """NDJSON is judged line by line: a broken one spoils no other."""
        lines = msgspec.json.encode(event("a")) + b"\r\n\n{broken\n" + msgspec.json.encode(event("b"))

        answer = http.post("/v1/events", content=lines, headers={"Content-Type": "application/x-ndjson"})

        assert answer.status_code == 207
        assert [r["status"] for r in answer.json()["results"]] == ["accepted", "refused", "accepted"]
        assert answer.json()["results"][1]["reason"] == "not_json"
        assert [key for _, key, _ in desk.producer.records] == [b"a", b"b"]

    def test_binary(self, desk: Desk, http: TestClient[Any]) -> None:
        """In binary mode the attributes come as headers, percent-encoded, and the body is the snapshot."""
        data = msgspec.json.encode(event()["data"])

        answer = http.post("/v1/events", content=data, headers={**BINARY, "ce-subject": "h%E1%BB%93%20s%C6%A1"})

        assert answer.status_code == 200
        ((topic, key, value),) = desk.producer.records
        assert (topic, key) == (DOSSIER.topic, "hồ sơ".encode())
        assert msgspec.json.decode(value) == {**event(), "subject": "hồ sơ"}

    def test_gzip(self, desk: Desk, http: TestClient[Any]) -> None:
        """A packed body is unpacked, also when it has several members."""
        sent = body(event("a"), event("b"))
        packed = gzip.compress(sent[:50], mtime=0) + gzip.compress(sent[50:])

        answer = http.post("/v1/events", content=packed, headers={**JSON, "Content-Encoding": "gzip"})

        assert answer.status_code == 200
        assert len(desk.producer.records) == 2

    def test_sent_again(self, desk: Desk, http: TestClient[Any]) -> None:
        """The same event is accepted again; versions make it count once."""
        answers = [http.post("/v1/events", json=event()) for _ in range(2)]

        assert [a.status_code for a in answers] == [200, 200]
        assert len(desk.producer.records) == 2

    def test_composed_letters(self, desk: Desk, http: TestClient[Any]) -> None:
        """A decomposed subject has the key that readers expect."""
        http.post("/v1/events", json=event("ho\u0302\u0300"))

        assert desk.producer.records[0].key == "hồ".encode()


class TestRefusedRecords:
    """What is wrong with single events."""

    @pytest.mark.parametrize(
        ("changes", "reason", "path"),
        [
            ({"data": {"unit": 5}}, "invalid", "$.data.unit"),
            ({"data": {"unit": ""}}, "invalid", "$.data.unit"),
            ({"data": {"colour": "red"}}, "invalid", "$.data.colour"),
            ({"data": {"status": "completed"}}, "invalid", "$.data.finished_at"),
            ({"data": []}, "invalid", "$.data"),
            ({"subject": ...}, "invalid", "$.subject"),
            ({"type": ...}, "invalid", "$.type"),
            ({"type": "nhip.dossier.v9"}, "invalid", "$.type"),
            ({"time": "2026-11-22T14:00:00"}, "invalid", "$.time"),
            ({"time": "2099-01-01T00:00:00Z"}, "future", "$.time"),
            ({"version": 2**62}, "future", "$.version"),
            ({"version": "1"}, "invalid", "$.version"),
            ({"extension": "x"}, "invalid", "$.extension"),
            ({"data": {"procedure": "x" * 70_000}}, "too_large", None),
            ({"source": "bank/1"}, "source", "$.source"),
        ],
    )
    def test_reason_and_path(
        self, desk: Desk, http: TestClient[Any], changes: dict[str, Any], reason: str, path: str | None
    ) -> None:
        """A refusal has the reason of the dead letter it would be, and the path of the wrong field."""
        answer = http.post("/v1/events", json=event(**changes))

        assert answer.status_code == 422
        found = one(answer)
        assert (found["status"], found["reason"], found.get("path")) == ("refused", reason, path)
        assert found["error"]
        assert found["id"] == "case-1/1"
        assert not desk.producer.records

    @pytest.mark.parametrize(
        ("limits", "sent", "reason"),
        [
            ({"kinds": ("payment",)}, event(), "kind"),
            ({"units": ("H2",)}, event(), "unit"),
            ({"units": ("75",)}, event(), None),
            ({"sources": ("onestop/H1",)}, event(), None),
            ({"sources": ("onestop/H1",)}, event(source="onestop/H10"), "source"),
        ],
    )
    def test_limits_of_a_token(
        self, desk: Desk, limits: dict[str, Any], sent: dict[str, Any], reason: str | None
    ) -> None:
        """A token speaks for its sources, kinds and units, and the units below them."""
        with desk.client(desk.token(**limits)) as http:
            found = one(http.post("/v1/events", json=sent))

        assert found.get("reason") == reason


class TestBadDoors:
    """Who is not let in, and what is not read."""

    def test_no_tokens_at_all(self, desk: Desk) -> None:
        """Without any token the intake is shut, and says how to open it."""
        with desk.client(None) as http:
            answer = http.post("/v1/events", json=event())

        assert answer.status_code == 401
        assert "nhip intake-token create" in answer.json()["detail"]

    @pytest.mark.parametrize("header", [None, "Bearer ", "Bearer wrong", "Basic abc", "Bearer \xff"])
    def test_wrong_token(self, desk: Desk, header: str | None) -> None:
        """No token, another one, or something else: 401."""
        desk.token()
        with desk.client(None) as http:
            headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
            answer = http.post("/v1/events", json=event(), headers=headers)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert not desk.producer.records

    def test_expired_and_revoked(self, desk: Desk) -> None:
        """A token ends by its date, or at once."""
        secret = desk.token(expires=NOW + timedelta(hours=1))
        desk.token("other")
        with desk.client(secret) as http:
            before = http.post("/v1/events", json=event())
            desk.now_us += 3_600_000_000
            after = http.post("/v1/events", json=event())
            desk.now_us = NOW_US
            desk.tokens.revoke("a")
            revoked = http.post("/v1/events", json=event())

        assert [a.status_code for a in (before, after, revoked)] == [200, 401, 401]
        assert "expired" in after.json()["detail"]

    @pytest.mark.parametrize(
        ("sent", "headers", "status"),
        [
            (b"", JSON, 400),
            (b"[]", JSON, 400),
            (b"[1", JSON, 400),
            (b"[" * 60_000, JSON, 400),
            (b"{}", {"Content-Type": "application/cloudevents-batch+json"}, 400),
            (b"{}", {"Content-Type": "text/plain"}, 415),
            (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            (b"{}", {"Content-Type": "application/json; charset=windows-1258"}, 415),
            (b"{}", {}, 415),
            (b"{}", {**JSON, "Content-Encoding": "br"}, 415),
            (b"no gzip", {**JSON, "Content-Encoding": "gzip"}, 400),
            (gzip.compress(b"[{}]", mtime=0)[:-9], {**JSON, "Content-Encoding": "gzip"}, 400),
            (b"{}", {**BINARY, "ce-data": "x"}, 400),
            (b"{}", {**BINARY, "ce-sub_ject": "x"}, 400),
            (b"{}", {**BINARY, "ce-id": "%ff"}, 400),
            (b'{"unit":"u"},"source":"bank"', BINARY, 400),
            (b"{}", {**BINARY, "ce-time": '2026","source":"bank'}, 422),
            (b"{}", {**BINARY, "Content-Type": "application/xml"}, 415),
        ],
    )
    def test_bodies(
        self, desk: Desk, http: TestClient[Any], sent: bytes, headers: dict[str, str], status: int
    ) -> None:
        """What cannot be read is refused as a whole with a sentence, and nothing of it becomes an event."""
        answer = http.post("/v1/events", content=sent, headers=headers)

        assert answer.status_code == status
        assert not desk.producer.records
        assert status == 422 or answer.json()["detail"]

    def test_repeated_attribute(self) -> None:
        """A second header of one attribute is no way to smuggle another source in."""
        headers = [*BINARY.items(), ("ce-source", "bank")]

        with pytest.raises(BodyError, match="there twice"):
            records_of("application/json", headers, b"{}")

    def test_oversize(self, tmp_path: Path) -> None:
        """A body beyond the limit is refused, as sent or when unpacked; a bomb is not unpacked further."""
        desk = Desk(tmp_path, request_bytes=100_000)
        bomb = io.BytesIO()
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        for _ in range(100):
            bomb.write(packer.compress(bytes(1_000_000)))
        bomb.write(packer.flush())
        with desk.client(desk.token()) as http:
            plain = http.post("/v1/events", content=b" " * 100_001, headers=JSON)
            packed = http.post(
                "/v1/events", content=bomb.getvalue()[:99_999], headers={**JSON, "Content-Encoding": "gzip"}
            )

        assert (plain.status_code, packed.status_code) == (413, 413)
        assert plain.json()["detail"]

    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_other_methods(self, http: TestClient[Any], method: str) -> None:
        """Events are posted."""
        assert getattr(http, method)("/v1/events").status_code == 405


class TestLimits:
    """How much, and what happens when nothing can be stored."""

    def test_rate(self, tmp_path: Path) -> None:
        """A token that sends too much waits as long as it is told, and then may send again."""
        desk = Desk(tmp_path, events_per_s=10)
        with desk.client(desk.token()) as http:
            batch = body(*[event(str(n)) for n in range(30)])
            first = http.post("/v1/events", content=batch, headers=JSON)
            second = http.post("/v1/events", content=batch, headers=JSON)
            desk.now_s += float(second.headers["retry-after"])
            third = http.post("/v1/events", json=event())

        assert [a.status_code for a in (first, second, third)] == [200, 429, 200]
        assert second.headers["retry-after"] == "2"

    def test_one_tokens_rate_is_not_anothers(self, tmp_path: Path) -> None:
        """Buckets are apart."""
        desk = Desk(tmp_path, events_per_s=1)
        first, other = desk.token(), desk.token("b")
        with desk.client(first) as http:
            http.post("/v1/events", content=body(*[event()] * 5), headers=JSON)
            assert http.post("/v1/events", json=event()).status_code == 429

        with desk.client(other) as http:
            assert http.post("/v1/events", json=event()).status_code == 200

    @pytest.mark.parametrize(
        "error", [SpoolFullError("full"), DeliveryError("gone", topic="", keys=0, cause=OSError())]
    )
    def test_nothing_can_be_stored(self, desk: Desk, http: TestClient[Any], error: Any) -> None:
        """503 with Retry-After, never "accepted"."""
        desk.producer.error = error

        answer = http.post("/v1/events", json=event())

        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0

    def test_a_large_body_is_judged_beside_the_loop(self, desk: Desk, http: TestClient[Any]) -> None:
        """Many events at once are taken like few."""
        answer = http.post("/v1/events", content=body(*[event(str(n)) for n in range(1_000)]), headers=JSON)

        assert (answer.status_code, answer.json()["accepted"]) == (200, 1_000)
        assert len(desk.producer.records) == 1_000
