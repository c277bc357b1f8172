"""Real brokers on this machine."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from nhip.local import LocalKafka, LocalServiceError
from nhip.local.ports import free_ports
from nhip.local.wire import known_brokers

pytestmark = pytest.mark.services

TIMEOUT_S = 60


def create_topic(kafka: LocalKafka, name: str, replicas: int) -> None:
    """Create a topic of one partition."""

    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, 1, replicas)])
        finally:
            await admin.close()

    asyncio.run(create())


def write(kafka: LocalKafka, topic: str, values: list[bytes]) -> None:
    """Write and wait until all replicas in sync have them."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
            for value in values:
                await asyncio.wait_for(producer.send_and_wait(topic, value), TIMEOUT_S)

    asyncio.run(send())


def read(kafka: LocalKafka, topic: str, wanted: int) -> list[bytes]:
    """Read that many records of a topic from its beginning."""

    async def fetch() -> list[bytes]:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            return [(await asyncio.wait_for(consumer.getone(), TIMEOUT_S)).value for _ in range(wanted)]

    return asyncio.run(fetch())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Three brokers for this file."""
    with LocalKafka(tmp_path_factory.mktemp("kafka"), brokers=3) as running:
        yield running


def test_data_survives_a_restart(tmp_path: Path) -> None:
    """What was acknowledged is there after a stop, and the address stays."""
    kafka = LocalKafka(tmp_path)
    kafka.start()
    bootstrap = kafka.bootstrap
    create_topic(kafka, "kept", 1)
    write(kafka, "kept", [b"one", b"two"])

    kafka.stop()
    kafka.start()
    values = read(kafka, "kept", 2)

    kafka.stop()
    assert values == [b"one", b"two"]
    assert kafka.bootstrap == bootstrap


def test_folder_starts_on_other_ports(tmp_path: Path) -> None:
    """A later run on the same folder may listen elsewhere."""
    with LocalKafka(tmp_path) as first:
        create_topic(first, "kept", 1)
        write(first, "kept", [b"one"])
    (port,) = free_ports(1)

    with LocalKafka(tmp_path, port=port) as second:
        values = read(second, "kept", 1)

    assert values == [b"one"]
    assert second.bootstrap == f"127.0.0.1:{port}"


def test_every_broker_knows_all(cluster: LocalKafka) -> None:
    """After the start each broker serves and sees the other two."""
    ports = [int(address.rpartition(":")[2]) for address in cluster.bootstrap.split(",")]

    assert [known_brokers(port) for port in ports] == [frozenset({1, 2, 3})] * 3


def test_cluster_serves_while_a_broker_is_dead(cluster: LocalKafka) -> None:
    """With one of three killed, writes are acknowledged by the other two; it can come back."""
    create_topic(cluster, "replicated", 3)
    write(cluster, "replicated", [b"before"])

    cluster.kill_broker(2)
    write(cluster, "replicated", [b"without"])
    cluster.start_broker(2)
    cluster.stop_broker(3)
    write(cluster, "replicated", [b"without 3"])
    cluster.start_broker(3)

    assert read(cluster, "replicated", 3) == [b"before", b"without", b"without 3"]


def test_wrong_broker_number_is_refused(cluster: LocalKafka) -> None:
    """Brokers are numbered from 1."""
    with pytest.raises(LocalServiceError, match=r"no Kafka broker 0: running are \[1, 2, 3\]"):
        cluster.kill_broker(0)


def test_number_of_brokers_belongs_to_the_folder(tmp_path: Path) -> None:
    """A folder made for one broker is not started with three."""
    (tmp_path / "broker-1").mkdir()

    with pytest.raises(LocalServiceError, match="was made for 1 brokers, not 3"):
        LocalKafka(tmp_path, brokers=3).start()


def test_taken_port_is_refused(cluster: LocalKafka, tmp_path: Path) -> None:
    """The message names the broker and the port."""
    port = int(cluster.bootstrap.partition(",")[0].rpartition(":")[2])

    with pytest.raises(LocalServiceError, match=f"port {port} .* Kafka broker 1"):
        LocalKafka(tmp_path, port=port).start()
