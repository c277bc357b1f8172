"""Health and metrics: what each process answers, to whom, and that every number is documented."""

import asyncio
import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Router
from prometheus_client.parser import text_string_to_metric_families

from dashboards.access import Access, Mode, TokenFile
from dashboards.reader import Reader
from nhip.health import HealthPortError, serve_health
from nhip.metrics import METRICS, Sample, registry_of
from nhip.poll_health import PollHealth
from nhip.serve_health import CountedStreams, health_router, server_samples
from nhip.worker_health import WorkerParts
from producers.intake import Intake
from producers.poll.report import Tally
from producers.statistics import Statistics
from tests.support.screens import NOW_US, FakeReader, client, data, place

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime(2026, 11, 22, tzinfo=UTC)


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def numbers(text: str) -> dict[str, float]:
    """Samples by name; labels are left out."""
    return {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples}


# -- a process without a web server ---------------------------------------------------------------------


class Told:
    """What a process says of itself; set by the test."""

    def __init__(self) -> None:
        self.live: str | None = None
        self.ready: str | None = None
        self.samples: list[Sample] = []
        self.port = serve_health(
            "127.0.0.1", 0, lambda: self.live, lambda: self.ready, registry_of(lambda: self.samples)
        )


@pytest.fixture(scope="module")
def told() -> Told:
    """One listener for the module; its threads end with the process."""
    return Told()


def test_live_and_ready_tell_yes_or_no(told: Told) -> None:
    """200 when nothing is wrong; 503 and the reason when something is."""
    fine = get(told.port, "/health/live"), get(told.port, "/health/ready")
    told.ready = "the store does not answer"
    wrong = get(told.port, "/health/live"), get(told.port, "/health/ready")
    told.ready = None

    assert fine == ((200, "ok\n"), (200, "ok\n"))
    assert wrong == ((200, "ok\n"), (503, "the store does not answer\n"))
    assert get(told.port, "/")[0] == 404


def test_metrics_are_read_when_somebody_asks(told: Told) -> None:
    """In Prometheus' text format, with labels, sums and counts, and the process's own memory."""
    told.samples = [
        Sample("nhip_events_folded_total", 7),
        Sample("nhip_waiting_records", 3, ("nhip.dossiers", "0")),
        Sample("nhip_flush_write_seconds", 1.5, observed=2),
    ]

    status, text = get(told.port, "/metrics")

    assert status == 200
    assert 'nhip_waiting_records{partition="0",topic="nhip.dossiers"} 3.0' in text
    found = numbers(text)
    assert found["nhip_events_folded_total"] == 7
    assert (found["nhip_flush_write_seconds_sum"], found["nhip_flush_write_seconds_count"]) == (1.5, 2)
    assert "python_info" in found


def test_a_taken_port_is_one_sentence(told: Told) -> None:
    """It names the setting to change."""
    with pytest.raises(HealthPortError, match="choose another health_port"):
        serve_health("127.0.0.1", told.port, lambda: None, lambda: None, registry_of(list))


# -- the wall's server ----------------------------------------------------------------------------------


class FakeIntake:
    """An intake that has taken something."""

    accepted, refused = 5, 2

    def statistics(self) -> Statistics:
        return Statistics(spooled=4, spool_bytes=999)


def routers(reader: FakeReader) -> list[Router]:
    """The routes under test, over figures that a test sets."""
    read = server_samples(cast("Reader", reader), lambda: 12, cast("Intake", FakeIntake()), lambda: 3, lambda: NOW_US)
    return [health_router(lambda: reader.up, registry_of(read))]


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """A file of wall tokens."""
    return TokenFile(tmp_path / "tokens.json")


def test_live_and_ready_need_no_token_and_say_no_more(tokens: TokenFile) -> None:
    """The server lives without the store, but is not ready."""
    tokens.create("a", [], TODAY)
    reader = FakeReader(data())
    with client(reader, Access(Mode.TOKENS, tokens), routers(reader)) as http:
        up = http.get("/health/live"), http.get("/health/ready")
        reader.up = False
        down = http.get("/health/live"), http.get("/health/ready")

    assert [(r.status_code, r.text) for r in (*up, *down)] == [
        (200, "ok\n"),
        (200, "ok\n"),
        (200, "ok\n"),
        (503, "not ready\n"),
    ]
    assert "nosniff" in up[0].headers["x-content-type-options"]


def test_metrics_are_for_who_may_see_the_whole_wall(tokens: TokenFile) -> None:
    """Without a token 401, with one for units 403, with one for all the numbers."""
    whole, one = tokens.create("prometheus", [], TODAY), tokens.create("c", ["c1"], TODAY)
    reader = FakeReader(data())
    with client(reader, Access(Mode.TOKENS, tokens, place().below), routers(reader)) as http:
        answers = [
            http.get("/metrics", headers={"authorization": f"Bearer {secret}"} if secret else {})
            for secret in (None, one, whole)
        ]

    assert [r.status_code for r in answers] == [401, 403, 200]
    found = numbers(answers[2].text)
    assert found["nhip_store_up"] == 1
    assert found["nhip_rates_age_seconds"] == 1
    assert found["nhip_backlog_records"] == 12
    assert found["nhip_screens_connected"] == 3
    assert found["nhip_intake_events_accepted_total"] == 5
    assert found["nhip_intake_spool_records"] == 4


def test_metrics_without_tokens_are_for_this_machine() -> None:
    """Asked for by another name they are refused, as all pages are."""
    reader = FakeReader(data())
    with client(reader, Access(Mode.LOOPBACK), routers(reader)) as http:
        here, elsewhere = http.get("/metrics"), http.get("/metrics", headers={"host": "wall.example.org"})

    assert (here.status_code, elsewhere.status_code) == (200, 421)


def test_open_streams_are_counted_until_they_end() -> None:
    """Also those that break off; other requests do not count."""
    seen: list[int] = []

    async def application(scope: Any, _: Any, __: Any) -> None:
        seen.append(counted.open)
        if scope["path"].endswith("events"):
            raise ConnectionResetError

    counted = CountedStreams(application)
    for path in ("/api/events", "/api/rates"):
        with suppress(ConnectionResetError):
            asyncio.run(counted(cast("Any", {"type": "http", "path": path}), cast("Any", None), cast("Any", None)))

    assert seen == [1, 0]
    assert counted.open == 0


# -- the worker -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "ready"),
    [
        ({}, None),
        ({"held": frozenset()}, None),
        ({"retrying": 1}, "the store does not answer"),
        ({"kafka_silent": True}, "Kafka does not answer"),
        ({"folds": False}, "taking over partitions"),
        ({"folds": False, "held": frozenset()}, "not a member of the group yet"),
        ({"still_s": 61.0}, "standing still for 61 s"),
        ({"failing": True}, "alerts are not judged: see its log"),
    ],
)
def test_a_worker_is_ready_when_it_folds_or_stands_by(changes: dict[str, Any], ready: str | None) -> None:
    """And says why not in a few words."""
    said = {"held": frozenset({("nhip.dossiers", 0)}), "retrying": 0, "folds": True, "still_s": 0.0}
    said |= {"kafka_silent": False, "failing": False, **changes}
    nothing = cast("Any", None)
    worker = WorkerParts(
        folder=cast("Any", SimpleNamespace(ready=said["folds"], held=said["held"])),
        roll=nothing,
        alarm=cast("Any", SimpleNamespace(failing=said["failing"])),
        deliverer=nothing,
        watchdog=cast("Any", SimpleNamespace(still_s=said["still_s"], kafka_silent=said["kafka_silent"])),
        check=nothing,
        patience=cast("Any", SimpleNamespace(retrying=said["retrying"])),
        stall_s=60.0,
        wall_us=lambda: NOW_US,
    )

    assert worker.ready() == ready


# -- the poller -----------------------------------------------------------------------------------------


def test_a_poller_is_ready_after_a_good_round() -> None:
    """A failed one makes it unready until the next good one; counts add up."""
    clock = [100.0]
    health = PollHealth(lambda: clock[0])
    tally = Tally()
    tally.rows = 9
    report = tally.report(changed=2, sent=2, full=True, new_columns=())

    states = [health.ready()]
    for found in (report, OSError("gone"), report):
        health.ended(found)
        states.append(health.ready())
    clock[0] += 5

    assert states == ["no round was done yet", None, "the newest round failed", None]
    assert health.live() is None
    assert {s.name: s.value for s in health.samples()} == {
        "nhip_poll_rounds_total": 2,
        "nhip_poll_rounds_failed_total": 1,
        "nhip_poll_rows_total": 18,
        "nhip_poll_rows_refused_total": 0,
        "nhip_poll_events_sent_total": 4,
        "nhip_poll_round_age_seconds": 5.0,
    }


# -- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_well_named_and_documented(metric: Any) -> None:
    """By Prometheus' rules: our prefix, base units, _total for counters alone; and in the operator's document."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")

    assert re.fullmatch(r"nhip_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not re.search(r"_(ms|minutes|kb|mb|percent)\b", metric.name)
    assert f"| `{metric.name}` |" in text, "run `python -m nhip.docs docs`"


def test_names_are_unique() -> None:
    """One line for each."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_the_health_check_of_containers_believes_200_alone(told: Told) -> None:
    """deploy/healthy.py: 0 when ready, 1 when not, and when nobody answers."""
    script = [sys.executable, str(ROOT / "deploy" / "healthy.py")]
    urls = [f"http://127.0.0.1:{told.port}/health/ready", f"http://127.0.0.1:{told.port}/nowhere"]

    rv = [subprocess.run([*script, url], check=False).returncode for url in urls]

    assert rv == [0, 1]
