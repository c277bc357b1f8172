"""One seed after the other on one running system: load, faults, and the comparison of everything with the truth."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import httpx

from contract.partition import partition_of
from nhip.store import open_client
from producers.errors import ProducerError
from sinks.client import Client
from tests.faults.compare import Comparison
from tests.faults.fleet import ALERT_UNITS, Fleet
from tests.faults.inflict import Inflictor
from tests.faults.load import Load, Step, office_dossier
from tests.faults.observe import InKafka
from tests.faults.outcome import Measure, Outcome
from tests.faults.schedule import Schedule
from tests.faults.senders import HttpSender, KafkaSender, run_load
from tests.faults.signs import Signs
from tests.faults.truth import Ledger
from tests.faults.waiting import LOOK_S, RECOVERY_S, Errors, wait_for
from tests.support.mailbox import WebHook

__all__ = ["Lab", "laboratory"]

SHARES = {"spool": 0.4, "direct": 0.35, "http": 0.25}
"""Which part of the load goes which way."""
LATE, ON_TIME = 10, 300
SAMPLE = 5_000
Span = tuple[float, float]


class Lab:
    """What stays from one seed to the next: producers, what is settled, where to read on."""

    def __init__(self, fleet: Fleet, hook: WebHook, client: Client, load_seed: int, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._fleet = fleet
        self._client = client
        self._comparison = Comparison(fleet, hook, client)
        bootstrap, spools = fleet.system.kafka.bootstrap, fleet.folder / "spools"
        self._spooled = KafkaSender(bootstrap, "spool", spools / "client.db")
        self._direct = KafkaSender(bootstrap, "direct", None)
        self._probe = KafkaSender(bootstrap, "probe", fleet.folder / "probe.db")
        self._http = HttpSender(fleet.health["intake"], fleet.token)
        self._get = httpx.Client(timeout=10.0)
        self._loads = {name: Load(name, load_seed, _now_us) for name in SHARES}
        self._sample: deque[Step] = deque(maxlen=SAMPLE)

    def run(self, schedule: Schedule, least_s: float, *, marks: bool) -> Outcome:
        """Run the load for at least so many seconds and until every fault is over; then compare everything.

        ``marks``: compare the marks that are stored too, by SQL over all of them.
        """
        began_s = time.monotonic()
        ledger = Ledger(self._comparison.settled)
        self._fleet.proxy.reseed(schedule.seed)
        inflictor = Inflictor(self._fleet, schedule.seed, ledger, self._direct, lambda: list(self._sample))
        signs, errors = Signs(self._fleet), Errors()
        self._direct.given_up.clear()
        spans: dict[int, Span] = {}
        over: dict[int, float] = {}

        def suffer(number: int) -> None:
            fault = schedule.faults[number]
            time.sleep(max(0.0, began_s + fault.at_s - time.monotonic()))
            struck = [time.monotonic()]
            inflictor.do(number, fault, lambda: struck.append(time.monotonic()))
            lasting = fault.for_s > 0 or len(struck) == 1
            end_s = time.monotonic() if lasting or time.monotonic() - struck[-1] > 1.0 else struck[-1]
            spans[number] = (struck[-1], end_s)
            over[number] = self._until_counted(f"LAB-R.{schedule.seed}.{number}", ledger) - end_s

        signs.start()
        with self._under_load(ledger, errors):
            alert = errors.thread(lambda: self._alert(schedule.seed, ledger))
            faults = [errors.thread(lambda n=n: suffer(n)) for n in range(len(schedule.faults))]  # type: ignore[misc]
            for thread in faults:
                thread.join()
            time.sleep(max(0.0, began_s + least_s - time.monotonic()))
            load_s = time.monotonic() - began_s
        alert.join()  # a stream that is behind is not judged by: on a slow machine this comes after the load
        self._probe.settle(RECOVERY_S)
        signs.stop()
        wrong = [*errors.found]
        kafka = InKafka({}, {}, {}, 0)
        try:
            kafka = self._comparison.drained([self._spooled.drained, self._probe.drained])
            wrong += self._comparison.compare(schedule.seed, ledger, kafka, inflictor.poison, marks=marks)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs into the report beside its schedule
            wrong.append(f"{type(error).__name__}: {error}")
        measures = []
        for number, fault in enumerate(schedule.faults):
            if number not in over:
                continue
            begun_s, end_s = spans[number]
            sign = signs.first(fault, begun_s, end_s + over[number])
            others = [(s, e + over.get(n, 0.0)) for n, (s, e) in spans.items() if n != number]
            alone = not any(s < end_s + over[number] and begun_s < e for s, e in others)
            measures.append(
                Measure(
                    fault.kind.name,
                    fault.at_s,
                    fault.for_s,
                    fault.size,
                    None if sign is None else sign.at_s - begun_s,
                    "" if sign is None else f"{sign.part.rstrip(' 0123456789')}: {sign.what}",
                    over[number],
                    alone,
                )
            )
        return Outcome(
            seed=schedule.seed,
            load_s=load_s,
            total_s=time.monotonic() - began_s,
            offered=ledger.offered,
            accepted=ledger.accepted,
            unknown=sum(len(claim.unknown) for claim in ledger.claims().values()),
            records=kafka.records,
            entities=len(self._comparison.settled),
            poison=len(kafka.poison),
            alerts=2,
            given_up=dict(self._direct.given_up),
            wrong=tuple(wrong),
            measures=tuple(measures),
        )

    @contextmanager
    def _under_load(self, ledger: Ledger, errors: "Errors") -> Iterator[None]:
        stop = threading.Event()
        self._http.give_up.clear()
        ways = {"spool": self._spooled, "direct": self._direct, "http": self._http}
        threads = [
            errors.thread(
                lambda s=sender, n=name: run_load(
                    s, self._loads[n], ledger, self._rate_per_s * SHARES[n], stop, self._sample.append
                )  # type: ignore[misc]
            )
            for name, sender in ways.items()
        ]
        try:
            yield
        finally:
            stop.set()
            for thread in threads[:2]:
                thread.join()
            threads[2].join(RECOVERY_S)
            self._http.give_up.set()
            threads[2].join()
            for sender in (self._spooled, self._direct):
                sender.settle(RECOVERY_S)

    def _until_counted(self, unit: str, ledger: Ledger) -> float:
        """Send one dossier to every partition; return when all are in a rate."""
        partitions = self._fleet.system.settings.partitions
        subjects: dict[int, str] = {}
        for n in range(1_000):
            subjects.setdefault(partition_of(f"{unit}-{n}".encode(), partitions), f"{unit}-{n}")
        steps = [office_dossier(unit, subject, _now_us(), on_time=True) for subject in subjects.values()]
        self._send(steps, ledger)
        wait_for(lambda: self._counted(unit) == partitions, f"events of {unit} in a rate")
        return time.monotonic()

    def _counted(self, unit: str) -> int:
        rows = self._client.rows(
            """SELECT denominator FROM rates_now FINAL
               WHERE scope = {scope:String} AND indicator = 'online' AND window = 'all'""",
            {"scope": f"unit:{unit}"},
        )
        return int(rows[0][0]) if rows else 0

    def _send(self, steps: list[Step], ledger: Ledger) -> None:
        """Send events that must not be lost on the way in."""
        while True:
            try:
                self._probe.send(steps, ledger)
            except ProducerError:
                time.sleep(LOOK_S)
            else:
                return

    def _alert(self, seed: int, ledger: Ledger) -> None:
        """Let a rule fire, wait until somebody was told; let it recover, wait again."""
        unit = f"{ALERT_UNITS}{seed}"
        for state, first, count, on_time in (("fired", 0, LATE, False), ("recovered", LATE, ON_TIME, True)):
            steps = [
                office_dossier(unit, f"{unit}-{n}", _now_us() + n, on_time=on_time)
                for n in range(first, first + count)
            ]
            self._send(steps, ledger)
            wait_for(
                lambda wanted=state: any((c.unit, c.state) == (unit, wanted) for c in self._comparison.calls()),  # type: ignore[misc]
                f"the web hook is told that {unit} has {state}",
            )

    def ready(self, name: str) -> bool:
        """Whether a part says of itself that it works."""
        answer = self._get.get(f"http://127.0.0.1:{self._fleet.health[name]}/health/ready")
        return answer.status_code == httpx.codes.OK

    def close(self) -> None:
        """Close the producers; everything was settled before."""
        for sender in (self._spooled, self._direct, self._probe):
            with suppress(ProducerError):
                sender.producer.close(5.0)
        self._http.close()
        self._get.close()
        self._comparison.close()


@contextmanager
def laboratory(fleet: Fleet, hook: WebHook, load_seed: int, rate_per_s: float) -> Iterator[Lab]:
    """Open the producers and a connection to the store."""
    client = open_client(fleet.direct)
    lab = Lab(fleet, hook, client, load_seed, rate_per_s)
    try:
        for name in fleet.health:
            wait_for(partial(lab.ready, name), f"{name} is ready")
        yield lab
    finally:
        lab.close()
        client.close()


def _now_us() -> int:
    return time.time_ns() // 1_000
