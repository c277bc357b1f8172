"""The figures of the real files, through real Kafka, Faust and the real engine, whatever happens on the way."""

import random
import threading
import time
from pathlib import Path

import pytest

from contract.kind import Event
from tests.support.pipeline import Pipeline, pipeline, sample

pytestmark = pytest.mark.services

DEPARTMENTS = ("unit:wabo.general", "unit:wabo.customer-contact", "unit:wabo.experts")
SENDING_S = 8.0
"""Long enough for a fault to fall into the middle."""


@pytest.fixture(scope="module")
def receipt() -> list[Event]:
    """The real dossiers."""
    return sample("receipt.csv", "receipt")


def assert_receipt(running: Pipeline) -> None:
    """The whole municipality and its departments have the file's own figures, and nothing was refused."""
    figures = running.figures()

    assert figures["unit:wabo", "online", "all"] == (1250, 1434)
    assert figures["unit:wabo", "on_time", "all"] == (952, 1329)
    for indicator in ("online", "on_time"):
        parts = [figures[unit, indicator, "all"] for unit in DEPARTMENTS]
        whole = figures["unit:wabo", indicator, "all"]
        assert (sum(p[0] for p in parts), sum(p[1] for p in parts)) == whole
    assert figures["unit:wabo", "overdue", "now"][1] == 1434 - 1329
    assert running.dead_letters() == []


def send_slowly(running: Pipeline, events: list[Event]) -> threading.Thread:
    """Send in a thread, spread over SENDING_S."""
    thread = threading.Thread(target=running.send, args=(events,), kwargs={"rate_per_s": len(events) / SENDING_S})
    thread.start()
    return thread


def test_replayed_twice(tmp_path: Path, receipt: list[Event]) -> None:
    """A second replay of the same file changes nothing."""
    with pipeline(tmp_path) as running:
        running.send(receipt)
        assert_receipt(running)

        running.send(receipt)

        assert_receipt(running)


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_and_random_order(tmp_path: Path, receipt: list[Event], workers: int) -> None:
    """Records in random order over two and three workers give the same figures."""
    shuffled = random.Random(workers).sample(receipt, len(receipt))
    with pipeline(tmp_path, workers=workers) as running:
        running.send(shuffled)

        assert_receipt(running)


def test_worker_killed_in_the_middle(tmp_path: Path, receipt: list[Event]) -> None:
    """Of two workers one is killed with SIGKILL while records arrive; it is started again."""
    with pipeline(tmp_path, workers=2) as running:
        sending = send_slowly(running, receipt)
        time.sleep(SENDING_S / 2)
        running.system.workers[0].kill()
        sending.join()

        assert_receipt(running)
        assert any("worker 0 has ended" in line for line in running.said)


def test_only_worker_killed_again_and_again(tmp_path: Path, receipt: list[Event]) -> None:
    """The only worker is killed several times; what it left half-done is made whole."""
    with pipeline(tmp_path) as running:
        sending = send_slowly(running, receipt)
        for _ in range(3):
            time.sleep(SENDING_S / 4)
            running.system.workers[0].kill()
            while not running.system.workers[0].alive:
                running.system.watch()
                time.sleep(0.1)
        sending.join()

        assert_receipt(running)


def test_store_stopped_for_twenty_seconds(tmp_path: Path, receipt: list[Event]) -> None:
    """The store is away for 20 s in the middle; the worker waits and goes on without a restart."""
    with pipeline(tmp_path) as running:
        running.send(receipt[:1])
        running.figures()  # the worker is at work: one that is still starting ends without a store
        sending = send_slowly(running, receipt)
        time.sleep(SENDING_S / 2)
        running.system.store.kill()
        time.sleep(20)
        running.system.store.start()
        sending.join()

        assert_receipt(running)
        assert not any("has ended" in line for line in running.said)


def test_payments_of_the_real_fines(tmp_path: Path) -> None:
    """The fines' payments are counted once each: every fine with a payment, none of them known to be online."""
    fines = sample("fines.csv", "fines")
    paid = {e.subject for e in fines if e.data.status == "paid"}  # type: ignore[attr-defined]
    with pipeline(tmp_path) as running:
        running.send(fines)

        figures = running.figures()

    assert figures["unit:rtfm", "online_payment", "all"] == (0, len(paid))
