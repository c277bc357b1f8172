"""Upgrade and roll-back with data in place, by the steps of docs/upgrade.md."""

import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contract.kind import Event
from nhip.cli import app
from nhip.kafka_access import embedded_environment
from nhip.settings import Settings
from producers.client import Producer
from sinks.migrate import load
from tests.support.pipeline import PATIENCE_S, Pipeline, pipeline, sample

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
OLD = ROOT / "tests" / "data" / "data-folder-schema-007.tar.xz"
ROOMS = ("contract", "producers", "streams", "sinks", "dashboards", "nhip", "config", "data")
NUMBER = max(migration.number for migration in load()) + 1
TOMORROW = (
    "ALTER TABLE dossiers {on_cluster} "
    "ADD COLUMN IF NOT EXISTS tomorrow String DEFAULT '' COMMENT 'Of a later version';\n"
)
TRUTH = {("unit:wabo", "online", "all"): (1250, 1434), ("unit:wabo", "on_time", "all"): (952, 1329)}
NEW = ("unit:rtfm", "online_payment", "all")
"""A figure that only the further events have; they are years younger, so windows up to now are empty then."""
SETTINGS = Settings(clock="event", session_timeout_s=6)


def here(running: Pipeline, *arguments: str) -> Result:
    """Run a command of today's program in this process: nothing is started for it."""
    return CliRunner().invoke(app, arguments, env=environment(running, ROOT))


def nhip(running: Pipeline, *arguments: str, program: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command of a program's tree against the running system, as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "nhip", *arguments],
        cwd=program,
        env=environment(running, program),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def environment(running: Pipeline, program: Path) -> dict[str, str]:
    """What a process of a program's tree is given to find the running system."""
    paths = {"PYTHONPATH": str(program), "PATH": "/usr/bin:/bin"}
    return {**paths, **running.system.settings.environment(), **embedded_environment()}


def stop_workers(running: Pipeline) -> None:
    """Stop all workers in order."""
    for process in running.system.workers:
        process.stop()


def missing_or_other(found: dict[tuple[str, str, str], tuple[int, int]], expected: object) -> dict[str, object]:
    """Figures that are not what they were."""
    assert isinstance(expected, dict)
    have = {" ".join(key): list(value) for key, value in found.items()}
    return {key: (value, have.get(key)) for key, value in expected.items() if have.get(key) != value}


def test_a_data_folder_of_the_first_schema_is_upgraded_in_place(tmp_path: Path) -> None:
    """Kafka and store as an older program left them: all its figures hold, and counting goes on."""
    with tarfile.open(OLD) as tar:
        tar.extractall(tmp_path, filter="data")
    figures = json.loads((tmp_path / "figures.json").read_text("utf-8"))

    with pipeline(tmp_path / "data", workers=0, settings=SETTINGS) as running:
        applied = running.store.client.rows("SELECT number FROM schema_migrations ORDER BY number")
        rebuilt = here(running, "rebuild")
        running.system.add_worker(0)
        upgraded = running.figures()
        running.send(sample("fines.csv", "fines"))
        grown = running.figures()
        checked = here(running, "check")

    assert [number for (number,) in applied] == list(range(1, NUMBER))
    assert rebuilt.exit_code == 0, rebuilt.output
    assert len(figures) == 40
    assert missing_or_other(upgraded, figures) == {}
    assert {key: grown[key] for key in TRUTH} == TRUTH
    assert NEW not in upgraded
    assert grown[NEW][1] > 0
    assert (checked.exit_code, checked.stdout) == (0, "")


@pytest.fixture
def tomorrow(tmp_path: Path) -> Path:
    """The tree of a later program, with one migration more."""
    tree = tmp_path / "tomorrow"
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__", "generated"))
    (tree / "sinks" / "schema" / f"{NUMBER:03}_tomorrow.sql").write_text(TOMORROW, "utf-8")
    return tree


def count_with(running: Pipeline, program: Path, events: Sequence[Event], log: Path) -> int:
    """Let one worker of another program count events; return its exit code after SIGTERM."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "nhip", "worker"]
        worker = subprocess.Popen(
            command, cwd=program, env=environment(running, program), stdout=output, stderr=output
        )
        try:
            with Producer(running.system.kafka.bootstrap) as producer:
                for event in events:
                    producer.send(event)
            deadline_s = time.monotonic() + PATIENCE_S
            while not TRUTH.items() <= running.store.rates_now().items():
                assert worker.poll() is None, log.read_text("utf-8")[-3000:]
                assert time.monotonic() < deadline_s, running.store.rates_now()
                time.sleep(0.5)
            worker.terminate()
            return worker.wait(PATIENCE_S)
        finally:
            worker.kill()
            worker.wait()


def test_an_upgrade_is_taken_back(tomorrow: Path, tmp_path: Path) -> None:
    """Upgrade and count on; then back: the older program refuses the newer store, and is right after a restore."""
    receipt = sample("receipt.csv", "receipt")
    data, backup = tmp_path / "data", tmp_path / "b"

    with pipeline(data, settings=SETTINGS) as running:
        running.send(receipt[: len(receipt) // 2])
        running.figures()
        backed_up = here(running, "backup", str(backup))
        stop_workers(running)
        prepared = nhip(running, "prepare", program=tomorrow)
        ended = count_with(running, tomorrow, receipt[len(receipt) // 2 :], tmp_path / "tomorrow.log")
        rows = running.store.client.rows("SELECT count(tomorrow) FROM dossiers FINAL")
        refusals = [nhip(running, *command) for command in (["worker"], ["restore", str(backup)])]

    assert (backed_up.exit_code, prepared.returncode, ended) == (0, 0, 0), backed_up.output + prepared.stderr
    assert rows == [(1434,)]
    for refused in refusals:
        assert refused.returncode == 78, refused.stderr
        assert f"has migration {NUMBER} (tomorrow), which this program does not know" in refused.stderr
        assert "install the version of nhip that wrote it, or a newer one" in refused.stderr

    (data / "store").rename(data / "store.newer")
    with pipeline(data, workers=0, settings=SETTINGS) as running:
        restored = here(running, "restore", str(backup))
        running.system.add_worker(0)
        figures = running.figures()
        checked = here(running, "check")

    assert restored.exit_code == 0, restored.output
    assert {key: figures[key] for key in TRUTH} == TRUTH
    assert (checked.exit_code, checked.stdout) == (0, ""), checked.output
