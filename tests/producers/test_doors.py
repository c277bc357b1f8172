"""Why a broker does not let a client in, told apart at listeners that are none, or half of one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from producers.access import KafkaAccess
from producers.client import KafkaCertificateError, KafkaUnreachableError, Producer
from producers.doors import knock, unanswered
from producers.driver import KafkaError
from tests.support.certificates import Authority

HOST = "127.0.0.1"
EXPIRED_DAYS = -1


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs all certificates here."""
    return Authority(tmp_path_factory.mktemp("tls"), "ca")


@contextmanager
def listener(context: ssl.SSLContext | None = None, *, silent: bool = False) -> Iterator[str]:
    """Something that takes connections: ends them at once, agrees on TLS and ends them, or says nothing."""
    with socket.create_server((HOST, 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    if silent:
                        continue
                    with suppress(OSError), connection:
                        if context:
                            with context.wrap_socket(connection, server_side=True) as secure:
                                secure.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"{HOST}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()
        thread.join(10)


def served(authority: Authority, name: str, alternative: str = f"IP:{HOST}") -> ssl.SSLContext:
    """Return the end of a server with a certificate of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(name, alternative))
    return context


def entering(authority: Authority) -> KafkaAccess:
    """Return a client that trusts the authority."""
    return KafkaAccess("ssl", ca_file=authority.file)


def test_a_listener_without_tls_is_told(authority: Authority) -> None:
    """A client that wants TLS never goes on without."""
    with listener() as address, pytest.raises(KafkaCertificateError, match=r"does not speak TLS.*kafka_security"):
        knock([address], entering(authority))


def test_a_client_without_tls_is_told_when_the_driver_gives_up(authority: Authority) -> None:
    """In plain text nothing else gives it away."""
    with listener(served(authority, "tls")) as address:
        rv = unanswered([address], KafkaAccess(), KafkaError("no answer"))

    assert isinstance(rv, KafkaCertificateError)
    assert "speaks TLS, and this client does not" in str(rv)


def test_a_listener_that_is_no_kafka_is_unreachable() -> None:
    """Who ends a connection in plain text is not taken for one that speaks TLS."""
    with listener() as address:
        rv = unanswered([address], KafkaAccess(), KafkaError("no answer"))

    assert isinstance(rv, KafkaUnreachableError)
    assert "correct the bootstrap address" in str(rv)


def test_a_certificate_for_another_name_is_told(authority: Authority) -> None:
    """The address must stand in it."""
    context = served(authority, "elsewhere", "DNS:kafka.example.org")

    with listener(context) as address, pytest.raises(KafkaCertificateError, match=r"not for 127\.0\.0\.1"):
        knock([address], entering(authority))


def test_a_certificate_that_has_expired_is_told(authority: Authority) -> None:
    """With what to do, which is not to trust another authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("old", f"IP:{HOST}", days=EXPIRED_DAYS))

    with listener(context) as address, pytest.raises(KafkaCertificateError, match=r"expired: renew the broker's"):
        knock([address], entering(authority))


def test_a_certificate_of_the_client_that_is_wanted_is_told(authority: Authority) -> None:
    """With the settings that name one."""
    context = served(authority, "strict")
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED

    with listener(context) as address, pytest.raises(KafkaCertificateError, match="set kafka_certificate_file"):
        knock([address], entering(authority))


def test_who_says_nothing_refuses_nothing(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that hangs is away, and nobody's certificate is blamed."""
    monkeypatch.setattr("producers.doors.KNOCK_S", 0.3)

    with listener(silent=True) as address:
        took_s = knock([address], entering(authority))

    assert took_s >= 0.3


def test_a_spool_takes_events_while_a_certificate_is_refused(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The producer starts; the reason is in its counts and in the log, once."""
    with listener(served(authority, "again")) as address:
        stranger = KafkaAccess("ssl")
        with Producer(address, access=stranger, spool=tmp_path / "spool.db") as producer:
            producer.send_raw("nhip.dossiers", b"key", b"value")
            producer.flush()
            rv = producer.statistics()

    assert rv.spooled == 1
    assert "kafka_ca_file" in (rv.last_error or "")
    assert len([record for record in caplog.records if record.name == "producers.outbox"]) == 1
