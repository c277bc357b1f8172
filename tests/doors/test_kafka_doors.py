"""Each door of Kafka tried on a real broker: TLS, logins, rights; and the whole pipeline through all of them."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiokafka
import pytest
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from contract.dossier import Dossier
from contract.registry import KINDS
from nhip.lag import Backlog
from nhip.local.ports import HOST
from nhip.watchdog import Watchdog
from producers import KafkaAccess, Producer, Source
from producers.administration import administer, give_rights, require_rights
from producers.client import KafkaCertificateError, KafkaLoginError, KafkaRefusedError, KafkaRightsError
from producers.doors import knock
from producers.driver import AuthorizationError
from producers.intake import IntakeTokenFile
from producers.intake.grants import Limits
from producers.rights import GROUP, READ, TOPIC, Right, least
from producers.topics import ensure_topics, partition_counts
from streams.patience import Patience
from streams.rows import Partition
from tests.conftest import Database
from tests.support.certificates import Authority
from tests.support.kafka_commands import UNIT, Commands
from tests.support.secure_kafka import (
    ADMIN,
    INTAKE,
    OPERATOR,
    OTHER,
    PLANTED,
    PREPARE,
    PRODUCER,
    READER,
    WORKER,
    SecureKafka,
    access_of,
)

pytestmark = pytest.mark.services

TOPICS = [kind.topic for kind in KINDS]
DOSSIERS, PAYMENTS = "nhip.dossiers", "nhip.payments"
CONNECT_S, SOON_S = 90.0, 60.0
"""A refusal is told in a second, and on a busy machine later; by themselves the drivers would try for 90 or 120 s."""
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """One broker with topics, users and the least rights of each."""
    with SecureKafka(tmp_path_factory.mktemp("doors")) as running:
        admin = access_of(running, ADMIN)
        roles = {WORKER: "worker", PREPARE: "prepare", OPERATOR: "operator"}
        for user, role in roles.items():
            give_rights(running.bootstrap, f"User:{user}", least(role, TOPICS, "nhip"), admin)
        give_rights(running.bootstrap, f"User:{PRODUCER}", least("producer", [DOSSIERS], "nhip"), admin)
        give_rights(running.bootstrap, f"User:{OTHER}", least("producer", [PAYMENTS], "nhip"), admin)
        give_rights(running.bootstrap, f"User:{READER}", [Right(TOPIC, DOSSIERS, READ)], admin)
        ensure_topics(running.bootstrap, 2, 1, access_of(running, PREPARE))
        yield running


@contextmanager
def told_soon() -> Iterator[None]:
    """Fail when what is inside takes longer than a refusal may."""
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < SOON_S


def a_dossier(number: int, unit: str = "75", *, online: bool = True) -> Any:
    """One accepted dossier."""
    now = datetime.now(UTC)
    state = Dossier(unit=unit, channel="online" if online else "counter", status="processing", received_at=now)
    return Source("onestop/H19").event(f"H19-261122-{number:04}", state, time=now)


PLAIN = "plain text to the port of TLS"
Change = Callable[[KafkaAccess, Path], KafkaAccess]
CLOSED: dict[str, tuple[Change, type[KafkaRefusedError], str]] = {
    PLAIN: (lambda _, __: KafkaAccess(), KafkaCertificateError, "set kafka_security"),
    "no login": (lambda good, _: KafkaAccess("ssl", ca_file=good.ca_file), KafkaLoginError, "kafka_password_file"),
    "a wrong password": (lambda good, _: replace(good, password=f"{PLANTED}-wrong"), KafkaLoginError, "'onestop'"),
    "an unknown user": (lambda good, _: replace(good, user="nobody"), KafkaLoginError, "'nobody'"),
    "somebody else's authority": (
        lambda good, folder: replace(good, ca_file=Authority(folder, "other").file),
        KafkaCertificateError,
        "kafka_ca_file",
    ),
    "this machine's authorities": (
        lambda good, _: replace(good, ca_file=None),
        KafkaCertificateError,
        "this machine",
    ),
}


@pytest.mark.parametrize("door", CLOSED)
def test_a_door_that_is_shut_says_so_at_once(broker: SecureKafka, tmp_path: Path, door: str) -> None:
    """Client and commands get one typed error with the remedy, without the password, in seconds."""
    change, kind, remedy = CLOSED[door]
    access = change(access_of(broker, PRODUCER), tmp_path / "tls")

    with pytest.raises(kind) as client, told_soon():
        Producer(broker.bootstrap, access=access, connect_timeout_s=CONNECT_S if access.tls else 2.0)
    # In plain text it is told from a broker that is starting when the driver's time is over: once is enough here.
    with pytest.raises(kind) as command, told_soon():
        knock([broker.bootstrap], access) if door == PLAIN else require_rights(broker.bootstrap, [], access)

    assert remedy in str(client.value)
    assert str(command.value) == str(client.value)
    assert PLANTED not in repr((client.value, command.value, access))


def test_a_certificate_for_another_name_is_refused(broker: SecureKafka) -> None:
    """The name by which a broker is called must stand in its certificate."""
    _, port = broker.bootstrap.split(":")

    with pytest.raises(KafkaCertificateError, match=r"not for localhost.*subjectAltName"), told_soon():
        partition_counts(f"localhost:{port}", access_of(broker, PRODUCER))


def test_the_controller_asks_for_a_certificate(broker: SecureKafka) -> None:
    """Nobody reaches the port on which brokers rule without a certificate of the authority."""
    context = ssl.create_default_context(cafile=str(broker.authority.file))

    with (
        socket.create_connection((HOST, broker.controller_port), PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secure,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
    ):
        secure.recv(1)  # the end that asks tells only now what it thinks of no certificate


def test_a_producer_writes_its_own_topic_and_no_other(broker: SecureKafka) -> None:
    """What is not its own is told with user, topic, right and command; and it is not in the topic."""
    with Producer(broker.bootstrap, access=access_of(broker, PRODUCER)) as producer:
        producer.send(a_dossier(1))
        producer.flush()

        producer.send_raw(PAYMENTS, b"key", b"value")
        with pytest.raises(KafkaRightsError, match=PAYMENTS) as caught, told_soon():
            producer.flush()

    assert "kafka-acls.sh" in str(caught.value)
    assert f"--allow-principal User:{PRODUCER} --operation Write --topic {PAYMENTS}" in str(caught.value)
    assert sum(end_offsets(broker, PAYMENTS)) == 0
    assert sum(end_offsets(broker, DOSSIERS)) == 1


def test_who_may_read_a_topic_may_not_write_it(broker: SecureKafka) -> None:
    """A right that is missing although the topic is known comes to light with the record, not after 120 s."""
    producer = Producer(broker.bootstrap, access=access_of(broker, WORKER))

    producer.send(a_dossier(2))
    with pytest.raises(KafkaRightsError, match=f"User:{WORKER}.*Write on topic {DOSSIERS}"), told_soon():
        producer.flush()

    producer.close()


def test_a_spool_holds_nothing_that_must_not_be_written(broker: SecureKafka, tmp_path: Path) -> None:
    """Else it would stand before all that may be written: it is refused, and the rest goes on."""
    with Producer(broker.bootstrap, access=access_of(broker, OTHER), spool=tmp_path / "spool.db") as producer:
        with pytest.raises(KafkaRightsError, match=f"User:{OTHER}.*{DOSSIERS}"):
            producer.send(a_dossier(3))
        producer.send_raw(PAYMENTS, b"key", b"value")

    assert producer.statistics().acknowledged == 1
    assert producer.statistics().spooled == 0


def test_a_spool_waits_for_the_right_password(
    broker: SecureKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Events are kept while the login is refused, which is logged and counted; with the right one they arrive."""
    good, before = access_of(broker, OTHER), sum(end_offsets(broker, PAYMENTS))
    with Producer(broker.bootstrap, access=replace(good, password=f"{PLANTED}-old"), spool=tmp_path / "s.db") as shut:
        shut.send_raw(PAYMENTS, b"key", b"value")
        shut.flush()
        said = shut.statistics().last_error or ""

    with Producer(broker.bootstrap, access=good, spool=tmp_path / "s.db") as opened:
        opened.flush()
    assert "does not let user 'treasury' in" in said
    assert said in caplog.text
    assert PLANTED not in caplog.text + said
    assert sum(end_offsets(broker, PAYMENTS)) == before + 1


def test_a_producer_reads_nothing(broker: SecureKafka) -> None:
    """Its login opens no topic for reading, its own neither."""
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(read_one(broker, PRODUCER, None))


def test_a_reader_does_not_join_the_workers(broker: SecureKafka) -> None:
    """Who may read the topic cannot take partitions from the workers, nor see their lag."""
    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(read_one(broker, READER, "nhip"))

    with Backlog(broker.bootstrap, "nhip", access_of(broker, READER)) as backlog:
        with pytest.raises(KafkaRightsError, match=f"User:{READER}.*Describe on group nhip.*--group nhip"):
            backlog.read()
        with pytest.raises(KafkaRightsError, match="Describe on group nhip"):
            backlog.members()


def test_a_worker_cannot_destroy(broker: SecureKafka) -> None:
    """Its user deletes no topic, makes none, and gives itself no rights."""
    access = access_of(broker, WORKER)
    kafka = administer(broker.bootstrap, access, "nhip-test")

    with pytest.raises(AuthorizationError):
        kafka.delete_topics([DOSSIERS])
    with pytest.raises(AuthorizationError):
        kafka.create_topics({"nhip.more": {"num_partitions": 1, "replication_factor": 1}})
    with pytest.raises(KafkaRightsError, match="administers Kafka"):
        give_rights(broker.bootstrap, f"User:{WORKER}", least("operator", TOPICS, "nhip"), access)

    kafka.close()
    assert DOSSIERS in partition_counts(broker.bootstrap, access_of(broker, OPERATOR))


def test_every_role_has_what_it_needs(broker: SecureKafka) -> None:
    """Kafka itself says that the least rights were given; and what is missing for another role."""
    require_rights(broker.bootstrap, least("worker", TOPICS, "nhip"), access_of(broker, WORKER))

    with pytest.raises(KafkaRightsError, match=f"Create on topic {DOSSIERS}"):
        require_rights(broker.bootstrap, least("prepare", TOPICS, "nhip"), access_of(broker, WORKER))
    with pytest.raises(KafkaRightsError, match="Read on group nhip"):
        require_rights(broker.bootstrap, [Right(GROUP, "nhip", READ)], access_of(broker, PRODUCER))


def test_a_worker_ends_when_it_loses_a_right(broker: SecureKafka) -> None:
    """Kafka's clients then see no partitions, and all would look well: its watchdog asks, and ends the process."""
    told: list[BaseException] = []
    ended = threading.Event()

    def failed(error: BaseException) -> None:
        told.append(error)
        ended.set()

    watchdog = Watchdog(
        broker.bootstrap,
        "nhip",
        "worker",
        Idle(),
        Patience(1.0),
        PATIENCE_S,
        lambda stall: failed(AssertionError(stall)),
        failed,
        access_of(broker, READER),
        least("worker", [DOSSIERS], "nhip"),
    )

    watchdog.start()

    assert ended.wait(PATIENCE_S)
    assert isinstance(told[0], KafkaRightsError)
    assert "Read on group nhip" in str(told[0])


class Idle:
    """A fold that holds nothing."""

    held: frozenset[Partition] = frozenset()
    generation = 0
    rebuilding = False


async def read_one(broker: SecureKafka, user: str, group: str | None) -> None:
    """Read from the dossiers as a user, alone or as a member of a group."""
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        **access_of(broker, user).options(),
    )
    if group is None:
        consumer.assign([aiokafka.TopicPartition(DOSSIERS, 0)])
    else:
        consumer.subscribe([DOSSIERS])
    try:
        await consumer.start()
        await consumer.getmany(timeout_ms=5_000)
    finally:
        await consumer.stop()


def end_offsets(broker: SecureKafka, topic: str) -> list[int]:
    """Offsets after the last record of each partition."""
    with Backlog(broker.bootstrap, "nhip", access_of(broker, OPERATOR)) as backlog:
        return [part.end for part in backlog.read() if part.topic == topic]


def test_the_pipeline_runs_behind_all_doors(broker: SecureKafka, database: Database, tmp_path: Path) -> None:
    """Prepare, worker, intake, client and status, each as its own user: the rate is right, no secret is shown."""
    commands = Commands(broker, database, tmp_path)
    tokens = IntakeTokenFile(tmp_path / "intake-tokens.json")
    token = tokens.create("http", Limits(["onestop/*"]), datetime.now(UTC))
    prepared = commands.run(PREPARE, "prepare")
    running = [commands.start(WORKER, "worker")]
    try:
        given = commands.run(ADMIN, "kafka", "acls", "intake", "--user", INTAKE, "--apply", "--json", by_file=False)
        running.append(commands.start(INTAKE, "serve", "--port", str(commands.port)))
        with Producer(broker.bootstrap, access=access_of(broker, PRODUCER)) as producer:
            producer.send(*(a_dossier(number, UNIT, online=number % 4 != 0) for number in range(100, 119)))
        answered = commands.post(token, a_dossier(119, UNIT))
        counted = commands.counted()
        status = commands.run(OPERATOR, "status", "--json", by_file=False)
    finally:
        for process in running:
            process.terminate()
        ended = [commands.end(process) for process in running]

    assert (prepared[0], given[0]) == (0, 0), (prepared, given)
    assert ("rights given in Kafka", f"User:{INTAKE}") in [(act.act, act.subject) for act in commands.acts()]
    assert answered == 200, ended
    assert [code for code, _ in ended] == [0, 0], ended
    assert counted == (15, 20)
    assert json.loads(status[1])["workers"], status
    assert PLANTED not in "".join(commands.said)
    assert len(commands.listed) > 1
    assert not any(PLANTED in line for line in commands.listed)


def test_commands_that_are_refused_say_whom_and_what(broker: SecureKafka, database: Database, tmp_path: Path) -> None:
    """Exit code 77 and one sentence with user, thing, right and command; never a password."""
    commands = Commands(broker, database, tmp_path)

    prepared = commands.run(OTHER, "prepare", by_file=False)
    refused = {
        "Read on topic nhip.dossiers": commands.start(OTHER, "worker"),
        "administers Kafka": commands.start(WORKER, "kafka", "acls", "operator", "--user", WORKER, "--apply"),
    }
    ended = {what: commands.end(process) for what, process in refused.items()}

    for what, (code, said) in {"Create on topic nhip.dossiers": prepared, **ended}.items():
        assert (code, what in said) == (77, True), said
        assert "Traceback" not in said
        assert PLANTED not in said
    assert not any(PLANTED in line for line in commands.listed)
