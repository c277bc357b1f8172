"""Liveness on real Kafka and the real engine: a worker that stands still ends, wrong panes are built anew."""

import asyncio
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator

import aiokafka
import msgspec
import psutil
import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from typer.testing import CliRunner

from contract.dossier import DOSSIER
from contract.payment import PAYMENT
from nhip.cli import app
from nhip.lag import Backlog, Member
from nhip.settings import Settings, load_tree
from nhip.watchdog import Watchdog
from sinks.check import compare
from streams.clock import US_PER_S
from streams.patience import Patience
from streams.progress import Stall
from streams.rows import Partition
from tests.support.pipeline import Pipeline, pipeline, sample

pytestmark = pytest.mark.services

HERE, MARKED = Partition(DOSSIER.topic, 0), Partition(PAYMENT.topic, 3)
STALL_S = 3.0
PATIENCE_S = 60.0
EVENTS = 1_000


def until(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until it holds."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


class FakeFold:
    """A fold that holds one partition and does nothing."""

    generation = 1
    rebuilding = False

    def __init__(self, partition: Partition) -> None:
        self.held = frozenset({partition})


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A system of one worker, impatient, that has counted some real dossiers."""
    settings = Settings(clock="event", stall_s=STALL_S, check_interval_s=2.0)
    with pipeline(tmp_path_factory.mktemp("liveness"), settings=settings) as running:
        running.send(sample("receipt.csv", "receipt")[:EVENTS])
        running.figures()
        yield running


def the_worker(system: Pipeline) -> Member:
    """The group's only member."""
    with Backlog(system.system.kafka.bootstrap, system.system.settings.group) as backlog:
        (found,) = backlog.members()
    return found


def told(at: str) -> str:
    """The metrics of a process."""
    with urllib.request.urlopen(f"http://{at}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_worker_tells_where_it_can_be_asked(system: Pipeline) -> None:
    """Through Kafka, which `nhip status` reads; there it is ready, and has counted what it folded."""
    found = the_worker(system)
    at = found.client.partition("@")[2]

    with urllib.request.urlopen(f"http://{at}/health/ready", timeout=5) as answer:
        ready = answer.read()
    until(lambda: 'nhip_waiting_records{partition="0",topic="nhip.dossiers"} 0.0' in told(at))
    metrics = told(at)

    assert (found.instance, len(found.partitions)) == ("nhip-0", 16)
    assert ready == b"ok\n"
    assert f"nhip_events_folded_total {EVENTS}.0" in metrics


def test_wrong_panes_are_built_anew(system: Pipeline) -> None:
    """A pane is falsified by hand: the check in the background finds it, and the owner builds all of them again."""
    client, tree = system.store.client, load_tree(system.system.settings)
    beat = system.store.heartbeat()
    assert beat is not None

    def differences() -> int:
        return len(compare(system.store, tree, beat.as_of_us // US_PER_S))

    client.command(
        "INSERT INTO panes SELECT * REPLACE (good + 7 AS good, flush + 1000000 AS flush) FROM panes FINAL "
        "WHERE scope = 'unit:wabo' AND indicator = 'on_time' AND level = 0 AND topic = 'nhip.dossiers' "
        "ORDER BY epoch DESC LIMIT 1"
    )
    falsified = differences()
    until(lambda: client.rows("SELECT count() FROM epochs WHERE owner = 'check'") != [(0,)])
    until(lambda: differences() == 0)

    assert falsified > 0
    assert "figures differ" in system.system.workers[0].log.read_text()


def test_a_worker_that_stands_still_ends_and_is_started_again(system: Pipeline) -> None:
    """The store hangs: it neither answers nor refuses. The worker ends with a clear line, and nothing is lost."""
    before = system.figures()["unit:wabo", "online", "all"]
    more = [msgspec.structs.replace(e, subject=f"again-{e.subject}") for e in sample("receipt.csv", "receipt")[:50]]
    port = str(system.system.settings.store_port)
    found = (p for p in psutil.Process().children(recursive=True) if port in p.cmdline())
    (store,) = (p for p in found if "nhip.local.clickhouse_server" in p.cmdline()[:4])
    log = system.system.workers[0].log

    store.send_signal(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        system.send(more)
        until(lambda: "worker stalled" in log.read_text())
        noticed_s = time.monotonic() - began_s
    finally:
        store.send_signal(signal.SIGCONT)
    after = system.figures()["unit:wabo", "online", "all"]

    print(f"noticed after {noticed_s:.1f} s, stall_s = {STALL_S}")
    assert "nothing was committed for" in log.read_text()
    assert "Current thread" in log.read_text()
    assert any("worker 0 has ended" in line for line in system.said)
    assert after[1] > before[1]


def test_what_waits_is_a_record(system: Pipeline) -> None:
    """A transaction's marker at the end of a partition has an offset too, but nothing waits there."""
    kafka = system.system.kafka.bootstrap
    asyncio.run(_end_with_a_marker(kafka, "marker"))
    found: dict[str, list[Stall]] = {"nobody": [], "marker": []}

    for group, partition in {"nobody": HERE, "marker": MARKED}.items():
        watchdog = Watchdog(kafka, group, group, FakeFold(partition), Patience(1.0), 1.0, found[group].append, _raise)
        with Backlog(kafka, group) as backlog:
            for _ in range(8):
                watchdog._look(watchdog._read(backlog))
                time.sleep(0.2)

    assert found["nobody"][0].partition == HERE
    assert found["marker"] == []


async def _end_with_a_marker(kafka: str, group: str) -> None:
    """Let a partition end with the marker of a transaction, and commit up to it, as the fold would."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka, transactional_id="marker")
    await producer.start()
    async with producer.transaction():
        sent = await producer.send_and_wait(MARKED.topic, b"{}", b"x", partition=MARKED.partition)
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    place = TopicPartition(*MARKED)
    consumer.assign([place])
    await consumer.commit({place: OffsetAndMetadata(sent.offset + 1, "")})
    ends = await consumer.end_offsets([place])
    await consumer.stop()
    assert ends[place] == sent.offset + 2


def _raise(error: BaseException) -> None:
    raise error


def test_status_shows_each_worker_and_where_to_ask_it(system: Pipeline) -> None:
    """For a person as a table, for a program as a document."""
    settings = system.system.settings
    asked = ("kafka", "store_port", "store_password_file")
    flags = [*(f"--set={name}={getattr(settings, name)}" for name in asked), "status"]

    table, document = CliRunner().invoke(app, flags), CliRunner().invoke(app, [*flags, "--json"])

    (worker,) = msgspec.json.decode(document.stdout)["workers"]
    assert worker["instance"] == "nhip-0"
    assert worker["health"].startswith("http://127.0.0.1:")
    assert "nhip-0" in table.stdout
