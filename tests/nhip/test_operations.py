"""What an operator does with a running system, and what the system does with bad records."""

import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec
import orjson
import pytest
from typer.testing import CliRunner, Result

from contract.kind import Event
from nhip.cli import app
from producers.driver import admin_client, kafka_producer
from producers.mend import MendError
from tests.support.pipeline import PATIENCE_S, Pipeline, pipeline, sample

pytestmark = pytest.mark.services

TOPIC = "nhip.dossiers"


@pytest.fixture(scope="module")
def receipt() -> list[Event]:
    """The real dossiers."""
    return sample("receipt.csv", "receipt")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, receipt: list[Event]) -> Iterator[Pipeline]:
    """A system that has counted the real dossiers."""
    with pipeline(tmp_path_factory.mktemp("operations")) as system:
        system.send(receipt)
        system.figures()
        yield system


def nhip(running: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command against the running system."""
    settings = [part for name, value in _flags(running).items() for part in ("--set", f"{name}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "nhip", *settings, *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def _flags(running: Pipeline) -> dict[str, str]:
    built = msgspec.to_builtins(running.system.settings)
    return {name: str(built[name]) for name in ("kafka", "store_host", "store_port", "store_password_file", "clock")}


def test_rates_as_json(running: Pipeline) -> None:
    """``nhip rates --json`` prints the published figures."""
    rv = nhip(running, "rates", "--json", "--scope", "unit:wabo", "--indicator", "online", "--window", "all")

    assert rv.returncode == 0
    document = orjson.loads(rv.stdout)
    assert document["rates"] == [
        {
            "scope": "unit:wabo",
            "indicator": "online",
            "window": "all",
            "numerator": 1250,
            "denominator": 1434,
            "rate": 0.8717,
        }
    ]
    assert document["as_of"].startswith("2012-01-23")


def test_status_tells_lag_and_age(running: Pipeline) -> None:
    """``nhip status --json`` is healthy with nothing behind."""
    rv = nhip(running, "status", "--json")

    document = orjson.loads(rv.stdout)
    assert rv.returncode == 0
    assert document["healthy"]
    assert sum(p["lag"] for p in document["partitions"]) == 0
    assert sum(p["end"] for p in document["partitions"]) == 11_340


def test_check_is_silent_and_then_finds_one_changed_row(running: Pipeline) -> None:
    """One stored mark is turned around by hand: check names the scopes it counts in, and exits with 1."""
    healthy = nhip(running, "check")
    turn = "ALTER TABLE dossiers UPDATE on_time_good = 1 - on_time_good WHERE id = {id:String}"
    running.store.client.command(f"{turn} SETTINGS mutations_sync = 1", {"id": "case-9997"})
    changed = nhip(running, "check", "--json")
    running.store.client.command(f"{turn} SETTINGS mutations_sync = 1", {"id": "case-9997"})

    assert (healthy.returncode, healthy.stdout) == (0, "")
    assert changed.returncode == 1
    found = {(d["scope"], d["indicator"], d["window"]) for d in orjson.loads(changed.stdout)}
    assert ("unit:wabo", "on_time", "all") in found
    assert {indicator for _, indicator, _ in found} == {"on_time"}


def test_bad_records_go_to_the_dead_letters_and_everything_else_goes_on(
    running: Pipeline, receipt: list[Event]
) -> None:
    """Each bad record is kept with its place and reason; a good one sent after them is counted."""
    good = msgspec.json.encode(msgspec.structs.replace(receipt[0], subject="after-the-bad-ones"))
    bad = {
        b"no-json": (b"\x00\xff not json", "not_json"),
        b"no-offset": (good.replace(b"+02:00", b""), "invalid"),
        b"unknown": (good.replace(b'"data":{', b'"data":{"applicant":"x",'), "invalid"),
        b"huge": (b" " * 2_000_000 + good, "too_large"),
        b"another-key": (good, "key"),
        b"later": (good.replace(b'"time":"2', b'"time":"3'), "future"),
    }
    producer = kafka_producer(
        bootstrap_servers=running.system.kafka.bootstrap.split(","),
        compression_type="lz4",
        max_request_size=4_000_000,
    )
    places = {}
    for key, (value, reason) in bad.items():
        sent = producer.send(TOPIC, key=key, value=value).get(30)
        places[sent.partition, sent.offset] = reason
    producer.send(TOPIC, key=b"after-the-bad-ones", value=good).get(30)
    producer.close()

    figures = running.figures()

    letters = {(d.partition, d.offset): d.reason for d in running.dead_letters() if d.topic == TOPIC}
    assert letters == places
    assert figures["unit:wabo", "online", "all"][1] >= 1434
    assert running.store.client.rows("SELECT count() FROM dossiers FINAL WHERE id = 'after-the-bad-ones'") == [(1,)]


def letters_command(running: Pipeline, *arguments: str) -> Result:
    """Run ``nhip dead-letters`` in this process: a process for each of a dozen calls takes its second."""
    flags = [part for name, value in _flags(running).items() for part in ("--set", f"{name}={value}")]
    return CliRunner().invoke(app, [*flags, "dead-letters", *arguments])


def test_dead_letters_are_listed_and_shown(running: Pipeline) -> None:
    """Groups by reason and source, single records with their places, one record whole."""
    groups = orjson.loads(letters_command(running, "list", "--json").stdout)
    listed = orjson.loads(letters_command(running, "list", "--records", "--json", "--reason", "not_json").stdout)
    place = listed[0]["place"]

    shown = letters_command(running, "show", place)
    absent = letters_command(running, "show", "nhip.dossiers:0:999999")
    as_it_was = letters_command(running, "replay", place, "--yes")

    found = {(g["reason"], g["source"]): g["records"] for g in groups}
    assert found["not_json", "?"] == 1
    assert found["invalid", "sample/coselog"] == 2
    assert sum(found.values()) == len(running.dead_letters()) == 6
    assert "not json" in shown.stdout
    assert absent.exit_code == 1
    assert (as_it_was.exit_code, "would be refused" in as_it_was.stderr) == (65, True)


def test_dead_letters_are_mended_and_counted(running: Pipeline) -> None:
    """A field set, a jq program, a key: the events are counted, the records no longer wait; the rest is dropped."""
    before = running.figures()["unit:wabo", "online", "all"][1]
    letters = {bytes(d.key or b""): f"{d.topic}:{d.partition}:{d.offset}" for d in running.dead_letters()}

    tried = letters_command(running, "replay", "--reason", "invalid", "--jq", "env", "--yes")
    asked = letters_command(running, "replay", letters[b"another-key"], "--jq", ".")
    shown = letters_command(running, "replay", letters[b"unknown"], "--jq", "del(.data.applicant)", "--dry-run")
    mended = letters_command(
        running, "replay", letters[b"unknown"], "--yes",
        "--jq", "del(.data.applicant)", "--fix", "subject=mended-by-jq",
    )  # fmt: skip
    fixed = letters_command(
        running, "replay", letters[b"later"], "--yes",
        "--fix", "subject=mended-by-field", "--fix", "time=2011-10-11T13:45:40+02:00",
    )  # fmt: skip
    dropped = letters_command(running, "drop", "--reason", "too_large", "--yes")

    assert isinstance(tried.exception, MendError)
    assert asked.exit_code != 0
    assert (shown.exit_code, "will be taken" in shown.stderr) == (0, True)
    assert (mended.exit_code, fixed.exit_code, dropped.exit_code) == (0, 0, 0)
    assert running.figures()["unit:wabo", "online", "all"][1] == before + 2
    assert {d.reason for d in running.dead_letters()} == {"not_json", "invalid", "key"}


def test_changed_definitions_refuse_until_the_rebuild(running: Pipeline) -> None:
    """Rule 6: marks counted under other definitions stop the worker; `nhip rebuild` makes them whole."""
    before = running.figures()
    client = running.store.client
    client.command("ALTER TABLE definitions UPDATE fingerprint = 'older' WHERE 1 SETTINGS mutations_sync = 1")
    stop_workers(running)

    refused = nhip(running, "worker")
    rebuilt = nhip(running, "rebuild")
    start_workers(running)
    beside_a_worker = nhip(running, "rebuild")

    assert beside_a_worker.returncode == 75
    assert refused.returncode == 78
    assert "nhip rebuild" in refused.stderr
    assert rebuilt.returncode == 0
    assert running.figures() == before
    assert nhip(running, "check").returncode == 0


def test_changed_partition_count_refuses_until_the_rebuild(running: Pipeline) -> None:
    """Rule 5: more partitions would split an entity's history; `nhip rebuild` assigns the entities anew."""
    before = running.figures()
    stop_workers(running)
    admin = admin_client(bootstrap_servers=running.system.kafka.bootstrap.split(","))
    admin.create_partitions({TOPIC: 6})
    admin.close()

    refused = nhip(running, "worker")
    rebuilt = nhip(running, "rebuild")
    start_workers(running)

    assert refused.returncode == 78
    assert "partitions" in refused.stderr
    assert rebuilt.returncode == 0
    assert running.figures() == before
    assert nhip(running, "check").returncode == 0


def stop_workers(running: Pipeline) -> None:
    """Stop all workers in order."""
    for process in running.system.workers:
        process.stop()


def start_workers(running: Pipeline) -> None:
    """Start them again and wait for a heartbeat."""
    before = running.store.heartbeat()
    for process in running.system.workers:
        process.start()
    deadline_s = time.monotonic() + PATIENCE_S
    while running.store.heartbeat() == before:
        assert time.monotonic() < deadline_s, "no heartbeat after the start"
        time.sleep(0.2)
