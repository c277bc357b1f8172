"""Processes that die with their parent, and folders that are locked while they live."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from nhip.local import LocalClickHouse, LocalServiceError
from nhip.local.folder import LOCK_NAME, DataFolder
from nhip.local.ports import HOST, free_ports, require_free
from nhip.local.process import ServiceProcess

PATIENCE_S = 120.0
SLEEPER = [sys.executable, "-c", "import time; time.sleep(1000)"]
IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(1000)
"""
OWNER = """
import signal, sys, threading, time
from pathlib import Path
from nhip.local import LocalClickHouse, LocalKafka

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell starts us with it ignored

# From a thread that ends at once: a service must not depend on the thread that started it.
service = {"store": LocalClickHouse, "kafka": LocalKafka}[sys.argv[1]](Path(sys.argv[2]))
thread = threading.Thread(target=service.start)
thread.start()
thread.join()
print("running", flush=True)
try:
    time.sleep(1000)
finally:
    service.stop()
"""


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended; nobody may be there to collect an orphan's exit code."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_gone(processes: list[psutil.Process]) -> None:
    """Wait until all have ended."""
    deadline = time.monotonic() + PATIENCE_S
    while not all(gone(process) for process in processes):
        assert time.monotonic() < deadline, f"still running: {processes}"
        time.sleep(0.02)


@contextmanager
def owning(kind: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a script that owns a service and waits; the service runs when this is entered."""
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), kind, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A script that owns a store in `tmp_path / "store"`."""
    with owning("store", tmp_path / "store") as process:
        yield process


@pytest.mark.services
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_service_outlives_its_parent(owner: subprocess.Popen[str], tmp_path: Path, number: int) -> None:
    """Whatever ends the parent, its services end too and the folder can be used again."""
    services = psutil.Process(owner.pid).children(recursive=True)
    assert len(services) == 2

    owner.send_signal(number)
    owner.wait(PATIENCE_S)

    wait_gone(services)
    with LocalClickHouse(tmp_path / "store") as again:
        assert again.port


@pytest.mark.services
def test_no_broker_outlives_its_parent(tmp_path: Path) -> None:
    """A SIGKILL of the parent ends a Java process as well."""
    with owning("kafka", tmp_path) as parent:
        services = psutil.Process(parent.pid).children(recursive=True)

        parent.kill()

        wait_gone(services)
    assert len(services) == 2


@pytest.mark.services
def test_folder_of_a_killed_owner_can_be_taken_at_once(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    """A start right after a SIGKILL waits for the dying service instead of refusing."""
    owner.kill()
    owner.wait(PATIENCE_S)

    with LocalClickHouse(tmp_path / "store") as again:
        assert again.port


@pytest.mark.services
def test_interrupt_reaches_the_parent_alone(owner: subprocess.Popen[str]) -> None:
    """Services are in sessions of their own, so a terminal's Ctrl-C is the parent's to handle."""
    services = psutil.Process(owner.pid).children(recursive=True)

    sessions = {os.getsid(service.pid) for service in services}

    assert os.getsid(owner.pid) not in sessions


@pytest.mark.services
def test_second_start_on_a_folder_is_refused(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    """The message names the folder and the process that has it."""
    second = LocalClickHouse(tmp_path / "store")

    with pytest.raises(LocalServiceError) as refused:
        second.start()

    assert f"process {owner.pid}" in str(refused.value)
    assert str(tmp_path / "store") in str(refused.value)


def test_service_that_loses_its_guard_is_killed(tmp_path: Path) -> None:
    """A SIGKILL of the process in between does not leave the service behind."""
    if sys.platform != "linux":
        pytest.skip("the death signal is Linux's")
    service = ServiceProcess("sleeper", SLEEPER, tmp_path / "log")
    others = set(psutil.Process().children())  # services that other tests share
    service.start()
    (guard,) = set(psutil.Process().children()) - others
    while not (children := guard.children()):
        time.sleep(0.01)

    guard.kill()

    wait_gone(children)
    service.stop()


def test_deaf_service_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM is followed by SIGKILL when the service does not listen."""
    monkeypatch.setattr("nhip.local.process.STOP_TIMEOUT_S", 0.2)
    log = tmp_path / "log"
    service = ServiceProcess("deaf", [sys.executable, "-c", IGNORES_SIGTERM], log)
    others = set(psutil.Process().children(recursive=True))  # services that other tests share
    service.start()
    service.wait_ready(lambda: "ready" in log.read_text(), PATIENCE_S)
    processes = set(psutil.Process().children(recursive=True)) - others

    service.stop()

    assert not service.alive
    assert all(gone(process) for process in processes)


def test_failed_start_shows_the_log(tmp_path: Path) -> None:
    """A service that ends while starting is reported with its last words."""
    service = ServiceProcess("failer", [sys.executable, "-c", "print('the reason')"], tmp_path / "log")
    service.start()

    with pytest.raises(LocalServiceError, match=r"failer ended while starting(.|\n)*the reason"):
        service.wait_ready(lambda: False, PATIENCE_S)


def test_silent_start_is_given_up(tmp_path: Path) -> None:
    """A service that never answers is stopped and reported."""
    service = ServiceProcess("mute", SLEEPER, tmp_path / "log")
    service.start()

    with pytest.raises(LocalServiceError, match="mute did not answer within 0 s"):
        service.wait_ready(lambda: False, 0.0)

    assert not service.alive


def test_full_disk_is_said_in_one_sentence(tmp_path: Path) -> None:
    """The engines' own words for a full disk become a cause and a remedy."""
    words = "raise SystemExit('write failed: No space left on device')"
    service = ServiceProcess("store", [sys.executable, "-c", words], tmp_path / "log")
    service.start()

    with pytest.raises(LocalServiceError) as refused:
        service.wait_ready(lambda: False, PATIENCE_S)

    assert "the disk is full: free some space" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_port_in_use_is_named() -> None:
    """The message names the port and says what can be done."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen(1)
        port = taken.getsockname()[1]

        with pytest.raises(LocalServiceError, match=rf"port {port} .*choose another port"):
            require_free(port, "the store")


def test_port_out_of_range_is_refused() -> None:
    """A number that is no port is called so."""
    with pytest.raises(LocalServiceError, match="70000 is no port"):
        require_free(70000, "the store")


def test_free_ports_differ() -> None:
    """Ports chosen together never collide."""
    ports = free_ports(20)

    assert len(set(ports)) == 20


def test_lock_names_its_owner_and_vanishes_on_release(tmp_path: Path) -> None:
    """The lock file holds the owner's number; a released folder can be taken again."""
    folder = DataFolder(tmp_path / "data")
    folder.acquire()
    assert (tmp_path / "data" / LOCK_NAME).read_text() == str(os.getpid())

    folder.release()
    second = DataFolder(tmp_path / "data")
    second.acquire()

    second.release()


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A path through a file is no folder, and the message says which."""
    (tmp_path / "file").write_text("")

    with pytest.raises(LocalServiceError, match=r"file/data cannot be written \(Not a directory\)"):
        DataFolder(tmp_path / "file" / "data").acquire()


def test_nearly_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that would soon run out of space is refused, and the lock is not kept."""
    monkeypatch.setattr("nhip.local.folder.MIN_FREE_BYTES", 2**80)
    folder = DataFolder(tmp_path)

    with pytest.raises(LocalServiceError, match="MB are free for the data folder"):
        folder.acquire()

    monkeypatch.undo()
    folder.acquire()
    folder.release()
