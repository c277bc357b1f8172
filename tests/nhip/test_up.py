"""The commands that run everything: ``up``, ``try`` and ``demo``, as a user starts and stops them."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import psutil
import pytest

from contract.dossier import DossierEvent
from nhip.local.ports import free_ports
from producers.client import Producer
from tests.support.pipeline import DATA, sample

pytestmark = pytest.mark.services

START_S = 120.0
FIGURES_S = 200.0
"""A worker that was without its store for 45 s ends and begins anew, on a busy machine slowly."""


class Up:
    """A running ``nhip up``."""

    def __init__(self, data: Path, *settings: str) -> None:
        self.data = data
        self._errors = data.with_suffix(".err")
        command = [sys.executable, "-m", "nhip", "--set", "wall_port=0"]
        command += [word for setting in settings for word in ("--set", setting)]
        command += ["up", "--data", str(data)]
        command += ["--kafka-port", "0", "--store-port", "0"]
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdout=errors, stderr=errors, start_new_session=True)

    def said(self) -> str:
        """What it has printed so far, line breaks of the terminal's width removed."""
        return " ".join(self._errors.read_text().split())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has said that."""
        deadline_s = time.monotonic() + START_S
        while not (found := re.search(pattern, self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline_s, self.said()
            time.sleep(0.2)
        return found

    def flags(self) -> list[str]:
        """The settings with which other commands find it."""
        found = self.wait_for(r"Kafka (127\.0\.0\.1:\d+), store http://127\.0\.0\.1:(\d+)")
        password = self.data / "store" / "passwords" / "nhip"
        names = (f"kafka={found[1]}", f"store_port={found[2]}", f"store_password_file={password}")
        return [word for name in names for word in ("--set", name)]

    def kill(self, word: str) -> None:
        """SIGKILL the part with that word in its command, and not who guards it."""
        found = [
            p for p in self.processes() if word in (command := _command(p)) and "guard.py" not in " ".join(command)
        ]
        assert len(found) == 1, found
        found[0].kill()

    def processes(self) -> list[psutil.Process]:
        """Every process that it has started, directly or not."""
        return psutil.Process(self.process.pid).children(recursive=True)


def _command(process: psutil.Process) -> list[str]:
    """Words of its command; none when it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@contextmanager
def up(data: Path, *settings: str) -> Iterator[Up]:
    """Run ``nhip up`` and stop it in the end, whatever the test did."""
    running = Up(data, *settings)
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)


def nhip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        [sys.executable, "-m", "nhip", *arguments], capture_output=True, text=True, timeout=200, check=False
    )


def online(flags: list[str]) -> tuple[int, int] | None:
    """Published figure of the whole municipality."""
    document = orjson.loads(nhip(*flags, "rates", "--json", "--scope", "unit:wabo", "--window", "all").stdout)
    found = [r for r in document["rates"] if r["indicator"] == "online"]
    return (found[0]["numerator"], found[0]["denominator"]) if found else None


def wait_for_online(flags: list[str], wanted: tuple[int, int]) -> None:
    """Wait until the figure is published."""
    deadline_s = time.monotonic() + FIGURES_S
    while (found := online(flags)) != wanted:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.5)


def wait_for_figure(flags: list[str]) -> None:
    """Wait until any figure is published."""
    deadline_s = time.monotonic() + FIGURES_S
    while online(flags) is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def wait_for_answer(url: str) -> None:
    """Wait until a server is there."""
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except OSError:
            assert time.monotonic() < deadline_s, url
            time.sleep(0.2)
        else:
            return


def test_up_survives_a_restart_and_leaves_nothing_running(tmp_path: Path) -> None:
    """A second start is refused, a dead worker comes back, Ctrl-C stops all, and the data is there again."""
    data = tmp_path / "data"
    with up(data) as running:
        flags = running.flags()
        running.wait_for(f"export NHIP_KAFKA={flags[1].removeprefix('kafka=')} NHIP_STORE_PORT=")
        second = nhip("up", "--data", str(data), "--kafka-port", "0", "--store-port", "0")
        replayed = nhip(*flags, "replay", str(DATA / "receipt.csv"), "--mapping", "receipt")
        wait_for_online(flags, (1250, 1434))
        worker = next(p for p in running.processes() if p.cmdline()[1:] == ["-m", "nhip", "worker"])
        worker.kill()
        running.wait_for("worker 0 has ended; starting it again")
        started = running.processes()
    gone = psutil.wait_procs(started, timeout=30)[1]

    with up(data) as again:
        wait_for_online(again.flags(), (1250, 1434))

    assert second.returncode == 69
    assert str(running.process.pid) in second.stderr
    assert replayed.returncode == 0
    assert gone == []
    assert running.process.returncode == 0


def told(port: int, path: str) -> str:
    """What ``nhip up`` answers there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def told_away(port: int) -> set[str]:
    """Parts that are not running, by what ``nhip up`` answers."""
    _, _, names = told(port, "/health/ready").strip().partition("not running, started again soon: ")
    return set(filter(None, names.split(", ")))


def test_up_starts_kafka_store_and_wall_again(tmp_path: Path) -> None:
    """Each is killed once, events go on meanwhile; all are counted, and console and health tell what happened."""
    events = sample("receipt.csv", "receipt")
    chosen = dict.fromkeys(event.subject for event in events[:2_000])
    events = [event for event in events if event.subject in chosen]
    online = {event.subject for event in events if isinstance(event, DossierEvent) and event.data.channel == "online"}
    deaths = [{"Kafka": "kafka.Kafka", "wall": "serve"}, {"the store": "nhip.local.clickhouse_server"}]
    (port,) = free_ports(1)
    away = []

    with up(tmp_path / "data", f"health_port={port}") as running:
        flags = running.flags()
        with Producer(flags[1].removeprefix("kafka=")) as producer:
            for number, killed in enumerate(deaths):
                producer.send(*events[number::4])
                producer.flush()
                wait_for_figure(flags)  # a worker that was still starting would end with Kafka
                for word in killed.values():
                    running.kill(word)
                producer.send(*events[number + 2 :: 4])
                for name in killed:
                    running.wait_for(f"{name} has ended; starting it again in 1 s")
                away.append(told_away(port))
                for name in killed:
                    running.wait_for(f"{name} is started again")
        wait_for_online(flags, (len(online), len(chosen)))
        ready = told(port, "/health/ready")
        metrics = told(port, "/metrics")
        screen = running.wait_for(r"wall: (http://127\.0\.0\.1:\d+/)")[1]
        wait_for_answer(f"{screen}health/live")

    # Who was noticed first may run again when the other is noticed: nobody who was not killed is away.
    assert [names <= deaths[number].keys() for number, names in enumerate(away)] == [True, True], away
    assert ready == "ok\n"
    for name in ("Kafka", "the store", "wall"):
        assert f'nhip_part_restarts_total{{part="{name}"}} 1.0' in metrics
    assert 'nhip_part_up{part="worker 0"} 1.0' in metrics


def test_try_prints_the_files_own_figures() -> None:
    """The command of the README, with nothing running before and after."""
    rv = nhip("try", str(DATA / "receipt.csv"), "--mapping", "receipt", "--json", "--window", "all")

    assert rv.returncode == 0
    rates = orjson.loads(rv.stdout)["rates"]
    figures = {(r["scope"], r["indicator"]): (r["numerator"], r["denominator"]) for r in rates}
    assert figures["unit:wabo", "online"] == (1250, 1434)
    assert figures["unit:wabo", "on_time"] == (952, 1329)


def test_try_with_refused_rows_counts_the_rest_and_says_so(tmp_path: Path) -> None:
    """A wrong time and an unknown channel refuse their rows; the exit code tells."""
    lines = (DATA / "receipt.csv").read_text().splitlines()
    broken = [lines[0], *lines[1:60], "Pigeon," + lines[60].partition(",")[2], lines[61].replace("201", "2x1")]
    file = tmp_path / "broken.csv"
    file.write_text("\n".join(broken))

    rv = nhip("try", str(file), "--mapping", "receipt", "--json")

    assert rv.returncode == 1
    assert orjson.loads(rv.stdout)["rates"]
    assert "row 61" in rv.stderr
    assert "row 62" in rv.stderr
    assert "Traceback" not in rv.stderr


def test_demo_shows_live_rates_and_ends(tmp_path: Path) -> None:
    """The demo plays the real dossiers, and its table has the figures with their n."""
    rv = subprocess.run(
        [sys.executable, "-m", "nhip", "--set", "wall_port=0", "demo", "--seconds", "15"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=tmp_path,
    )

    assert rv.returncode == 0, rv.stderr
    assert re.search(r"1\.2\d\d/1\.4\d\d", rv.stdout)
    assert re.search(r"wall: http://127\.0\.0\.1:\d+/", rv.stderr)
    assert list(tmp_path.iterdir()) == []
