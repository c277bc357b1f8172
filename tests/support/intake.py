"""An intake on a small application, with a producer that a test directs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.testing import TestClient

from producers.client import Producer
from producers.errors import ProducerError
from producers.intake import Intake, IntakeLimits, IntakeTokenFile, intake_router
from producers.intake.grants import Limits
from producers.receipt import Entry, Receipt
from producers.spool import Record
from producers.tokens import TokenWatch

__all__ = ["NOW", "NOW_US", "Desk", "FakeProducer", "below", "body", "event"]

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1e6)


def event(name: str = "case-1", **changes: Any) -> dict[str, Any]:
    """A valid event as a system would send it; ``data`` is merged, all else replaced, and ``...`` left out."""
    made: dict[str, Any] = {
        "specversion": "1.0",
        "type": "nhip.dossier.v1",
        "source": "onestop/H1",
        "id": f"{name}/1",
        "subject": name,
        "time": "2026-11-22T14:00:00+07:00",
        "version": NOW_US,
        "data": {"unit": "H1", "channel": "online", "status": "processing"},
    }
    data = changes.pop("data", {})
    made.update(changes)
    if isinstance(data, dict):
        made["data"] = {**made["data"], **data}
    else:
        made["data"] = data
    return {key: value for key, value in made.items() if value is not ...}


def body(*events: dict[str, Any]) -> bytes:
    """An array of events."""
    return msgspec.json.encode(list(events))


def below(code: str) -> frozenset[str]:
    """Units H1 and H2 under 75."""
    return frozenset({code, "H1", "H2"}) if code == "75" else frozenset({code})


class FakeProducer:
    """Keeps what it is given and calls it safe; or fails as told."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.error: ProducerError | None = None

    def put(self, records: Sequence[Record], receipt: Receipt, wait_s: float) -> None:
        """Take or fail."""
        assert wait_s == 0
        if self.error is not None:
            raise self.error
        self.records.extend(records)
        for record in records:
            receipt.settle(Entry(record, receipt))


class Desk:
    """The application and what a test does with it."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.tokens = IntakeTokenFile(folder / "tokens.json")
        self.producer = FakeProducer()
        self.now_s = 1_000.0
        self.now_us = NOW_US
        self.intake = Intake(
            TokenWatch(self.tokens),
            below,
            lambda: cast("Producer", self.producer),
            IntakeLimits(**limits),
            lambda: self.now_us,
            lambda: self.now_s,
        )
        self.app = Litestar(
            [intake_router(self.intake)],
            openapi_config=OpenAPIConfig(
                "intake", "1", path="/api/openapi.json", render_plugins=[JsonRenderPlugin(path="/")]
            ),
        )

    def token(self, name: str = "a", *, sources: Sequence[str] = ("onestop/*",), **limits: Any) -> str:
        """Make a token and return its secret."""
        return self.tokens.create(name, Limits(sources, **limits), NOW)

    @contextmanager
    def client(self, token: str | None) -> Iterator[TestClient[Any]]:
        """A client that sends this token."""
        with TestClient(self.app, base_url="http://127.0.0.1") as http:
            if token is not None:
                http.headers["Authorization"] = f"Bearer {token}"
            yield http
