"""Three producers, and what each was told: a client with a spool, one without, and HTTP to the intake.

Each offers an event to the ledger before it sends it, and reports it accepted when it was told so and not before.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import httpx
import msgspec

from producers.client import DELIVERY_TIMEOUT_S, Producer
from producers.errors import ProducerError
from producers.receipt import Receipt
from tests.faults.load import Load, Step
from tests.faults.truth import Ledger

__all__ = ["HttpSender", "KafkaSender", "Sender", "run_load"]

DIRECT_DELIVERY_S = 8.0
"""Without a spool a record is given up after so long: whether Kafka has it, nobody knows. Then it is sent again."""
RETRY_S = 0.3
HTTP_TIMEOUT_S = 30.0
PACE_BATCH = 20


class Sender(Protocol):
    """A way into the system."""

    def send(self, steps: Sequence[Step], ledger: Ledger) -> None:
        """Send events; returns when more may be sent, not when these are safe."""
        ...

    def settle(self, timeout_s: float) -> None:
        """Wait until nothing is under way any more, or the time is over."""
        ...


class KafkaSender:
    """The Python client, with a spool or without. Events that it gives up are sent once more, with the same ids."""

    def __init__(self, bootstrap: str, name: str, spool: Path | None) -> None:
        self.name = name
        self._waiting: dict[int, tuple[Step, ...]] = {}
        self._again: list[tuple[tuple[Step, ...], Ledger, bool]] = []
        self._lock = threading.Lock()
        self._number = 0
        self.given_up: Counter[str] = Counter()
        """Why batches were given up by the client, and how often."""
        delivery_s = DIRECT_DELIVERY_S if spool is None else DELIVERY_TIMEOUT_S
        self.producer = Producer(
            bootstrap, client_id=f"lab-{name}", connect_timeout_s=30.0, delivery_timeout_s=delivery_s, spool=spool
        )

    @property
    def under_way(self) -> int:
        """Events of which nothing is known yet."""
        with self._lock:
            return sum(map(len, self._waiting.values())) + sum(len(steps) for steps, _, _ in self._again)

    def drained(self) -> bool:
        """Whether nothing waits in the spool."""
        return self.producer.statistics().spooled == 0

    def send(self, steps: Sequence[Step], ledger: Ledger) -> None:
        """Send events with one receipt."""
        self._retry()
        ledger.offer([step.said for step in steps])
        self._put(tuple(steps), ledger, repeated=False)

    def repeat(self, steps: Sequence[Step], ledger: Ledger) -> None:
        """Send events that were sent before."""
        ledger.offer([step.said for step in steps], repeated=True)
        self._put(tuple(steps), ledger, repeated=True)

    def settle(self, timeout_s: float) -> None:
        """Wait for the receipts, and send again what failed."""
        deadline_s = time.monotonic() + timeout_s
        while self.under_way and time.monotonic() < deadline_s:
            self._retry()
            time.sleep(0.05)

    def _put(self, steps: tuple[Step, ...], ledger: Ledger, *, repeated: bool) -> None:
        saids = [step.said for step in steps]
        with self._lock:
            self._number += 1
            number = self._number
            self._waiting[number] = steps

        def told(error: BaseException | None) -> None:
            if error is None:
                ledger.accept(saids, repeated=repeated)
            with self._lock:
                if self._waiting.pop(number, None) is not None and error is not None:
                    self.given_up[f"{type(error).__name__}: {error}"] += 1
                    self._again.append((steps, ledger, repeated))

        records = self.producer.records([step.event for step in steps])
        try:
            self.producer.put(records, Receipt(len(records), told))
        except ProducerError as error:
            told(error)

    def _retry(self) -> None:
        with self._lock:
            failed, self._again = self._again, []
        if failed:
            time.sleep(RETRY_S)
        for steps, ledger, repeated in failed:
            self._put(steps, ledger, repeated=repeated)


class HttpSender:
    """Batches to the intake, one after the other; anything but "accepted" is sent again, with the same ids."""

    def __init__(self, port: int, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=HTTP_TIMEOUT_S)
        self.answers: dict[int, int] = {}
        self.give_up = threading.Event()

    def send(self, steps: Sequence[Step], ledger: Ledger) -> None:
        """Send until the answer is "accepted". Raises AssertionError when good events are refused."""
        saids = [step.said for step in steps]
        ledger.offer(saids)
        body = msgspec.json.encode([step.event for step in steps])
        while not self.give_up.is_set():
            try:
                answer = self._client.post("/v1/events", content=body)
            except httpx.TransportError:
                time.sleep(RETRY_S)
                continue
            self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1
            if answer.status_code == httpx.codes.OK:
                ledger.accept(saids)
                return
            if answer.status_code not in (429, 503):
                raise AssertionError(f"the intake answered {answer.status_code}: {answer.text[:500]}")
            time.sleep(RETRY_S)

    def settle(self, timeout_s: float) -> None:
        """Nothing is under way between two calls."""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def run_load(
    sender: Sender, load: Load, ledger: Ledger, rate_per_s: float, stop: threading.Event, keep: Callable[[Step], None]
) -> None:
    """Send at a rate until told to stop; what was held up is made up for. ``keep`` sees every event."""
    began_s, count = time.monotonic(), 0
    while not stop.is_set():
        steps = [load.next() for _ in range(PACE_BATCH)]
        for step in steps[:1]:
            keep(step)
        sender.send(steps, ledger)
        count += len(steps)
        stop.wait(max(0.0, began_s + count / rate_per_s - time.monotonic()))
