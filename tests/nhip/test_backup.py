"""A store that is destroyed: restored from a back-up that was taken under load, or read anew from Kafka."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from typer.testing import CliRunner, Result

from contract.kind import Event
from nhip.cli import app
from nhip.settings import Settings
from nhip.store import open_store, prepare_store
from producers.driver import TopicPartition, admin_client
from sinks.backup.errors import BackupDamagedError, BackupTargetError, StoreNotEmptyError
from sinks.engines import SchemaError
from tests.support.pipeline import PATIENCE_S, Pipeline, pipeline, sample

pytestmark = pytest.mark.services

EVENTS = 11_340
SMALL_FILES = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
runpy.run_module("nhip", run_name="__main__")
"""
"""The program on a disk that is full after 20 kB of a file."""


@pytest.fixture(scope="module")
def receipt() -> list[Event]:
    """The real dossiers."""
    return sample("receipt.csv", "receipt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the system has its data."""
    return tmp_path_factory.mktemp("backup")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Pipeline]:
    """A system whose commands wait for the shortest session that Kafka allows."""
    with pipeline(folder, settings=Settings(clock="event", session_timeout_s=6)) as system:
        yield system


def flags(running: Pipeline) -> list[str]:
    """Options that lead a command to the running system."""
    built = msgspec.to_builtins(running.system.settings)
    names = ("kafka", "store_host", "store_port", "store_password_file", "clock", "session_timeout_s")
    return [part for name in names for part in ("--set", f"{name}={built[name]}")]


def nhip(running: Pipeline, *arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [*flags(running), *arguments])


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
    while running.store.heartbeat() in (None, before):
        assert time.monotonic() < deadline_s, "no heartbeat after the start"
        time.sleep(0.2)


def destroy_store(running: Pipeline, folder: Path) -> None:
    """Stop workers and store, and remove all that the store had; an empty one answers afterwards."""
    stop_workers(running)
    running.system.store.kill()
    shutil.rmtree(folder / "store")
    running.system.store.start()


def come_again(running: Pipeline) -> None:
    """Open the store as a new process does: with its folder went its passwords."""
    running.store.client.close()
    running.store = open_store(running.system.settings)


def assert_whole(running: Pipeline) -> None:
    """The file's own figures, nothing refused, and four ways to the same figures."""
    figures = running.figures()

    assert figures["unit:wabo", "online", "all"] == (1250, 1434)
    assert figures["unit:wabo", "on_time", "all"] == (952, 1329)
    assert figures["unit:wabo", "overdue", "now"][1] == 1434 - 1329
    assert running.dead_letters() == []
    checked = nhip(running, "check")
    assert (checked.exit_code, checked.stdout) == (0, "")


@pytest.fixture(scope="module")
def backup(running: Pipeline, folder: Path, receipt: list[Event]) -> dict[str, Any]:
    """A back-up taken while events arrive; what the command printed."""
    half, rest = EVENTS // 2, EVENTS * 3 // 4
    running.send(receipt[:half])
    deadline_s = time.monotonic() + PATIENCE_S
    while running.store.client.rows("SELECT count() FROM dossiers") == [(0,)]:
        assert time.monotonic() < deadline_s, "nothing was counted"
        time.sleep(0.1)
    sending = threading.Thread(target=running.send, args=(receipt[half:rest],))
    sending.start()
    made = nhip(running, "backup", str(folder / "b"), "--json")
    sending.join()
    running.send(receipt[rest:])
    assert made.exit_code == 0, made.output
    document: dict[str, Any] = orjson.loads(made.stdout)
    return document


def test_a_destroyed_store_comes_back_from_a_backup(running: Pipeline, folder: Path, backup: dict[str, Any]) -> None:
    """Taken in the middle of the stream; the rest is read again from Kafka, and every figure is the truth."""
    running.figures()
    in_backup = sum(offset + 1 for found in backup["positions"].values() for offset in found.values())
    destroy_store(running, folder)

    restored = nhip(running, "restore", str(folder / "b"))
    assert restored.exit_code == 0, restored.output
    come_again(running)
    rows = running.store.client.rows("SELECT count() FROM rates")
    start_workers(running)

    assert "start the workers now" in restored.stderr
    assert rows == [(backup["tables"]["rates"],)]
    assert 0 < in_backup <= EVENTS * 3 // 4
    assert_whole(running)


@pytest.mark.usefixtures("backup")
def test_a_store_lost_without_a_backup_is_read_from_kafka(running: Pipeline, folder: Path) -> None:
    """All is gone but a row that is wrong: --from-kafka asks, removes it, and the workers read every record again."""
    destroy_store(running, folder)
    prepare_store(running.system.settings)
    come_again(running)
    running.store.client.command(
        "INSERT INTO dossiers (id, unit, version) VALUES ('case-10011', 'elsewhere', 9000000000000000)"
    )

    asked = nhip(running, "rebuild", "--from-kafka")
    kept = running.store.client.rows("SELECT count() FROM dossiers")
    rebuilt = nhip(running, "rebuild", "--from-kafka", "--yes")
    start_workers(running)

    assert (asked.exit_code, kept) == (1, [(1,)])
    assert rebuilt.exit_code == 0, rebuilt.output
    assert_whole(running)


def test_a_backup_older_than_kafka_is_told(running: Pipeline, folder: Path, backup: dict[str, Any]) -> None:
    """Records that the back-up lacks and Kafka has dropped are counted, not passed over in silence."""
    stop_workers(running)
    admin = admin_client(bootstrap_servers=running.system.kafka.bootstrap.split(","))
    position = backup["positions"]["nhip.dossiers"]["0"]
    admin.delete_records({TopicPartition("nhip.dossiers", 0): position + 3})
    admin.close()

    rv = nhip(running, "--set", "group=nobody", "restore", str(folder / "b"), "--replace", "--json")

    assert orjson.loads(rv.stdout)["no_longer_in_kafka"] == {"nhip.dossiers[0]": 2}


@pytest.mark.usefixtures("backup")
def test_commands_refuse_with_the_way_out(running: Pipeline, folder: Path) -> None:
    """A name that is taken, a full disk, a damaged file, rows in the way, a newer schema: a typed error for each."""
    stop_workers(running)
    alone = ("--set", "group=nobody")  # does not wait for the sessions of the workers
    taken = nhip(running, "backup", str(folder / "b"))
    full = run([sys.executable, "-c", SMALL_FILES, *flags(running), "backup", str(folder / "c")])
    occupied = nhip(running, *alone, "restore", str(folder / "b"))
    (folder / "b" / "dossiers.parquet").write_bytes(b"")
    damaged = nhip(running, *alone, "restore", str(folder / "b"), "--replace")
    running.store.client.command("INSERT INTO schema_migrations (number, name) VALUES (99, 'later')")
    rebuild = nhip(running, *alone, "rebuild")
    worker = run([sys.executable, "-m", "nhip", *flags(running), "worker"])

    assert isinstance(taken.exception, BackupTargetError)
    assert (full.returncode, "free space" in full.stderr, list(folder.glob("c*"))) == (73, True, [])
    assert isinstance(occupied.exception, StoreNotEmptyError)
    assert isinstance(damaged.exception, BackupDamagedError)
    assert isinstance(rebuild.exception, SchemaError)
    assert (worker.returncode, "migration 99" in worker.stderr) == (78, True)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
