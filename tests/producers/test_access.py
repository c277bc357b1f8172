"""How a client enters Kafka: what goes together, which files are refused, and what nothing shows."""

from pathlib import Path
from typing import Any

import pytest

from producers.access import MECHANISM, PLAINTEXT, KafkaAccess, read_password
from producers.client import KafkaAccessError, Producer
from tests.support.certificates import Authority

PLANTED = "planted-Ka55-secret"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority for all."""
    return Authority(tmp_path_factory.mktemp("tls"), "ca")


def secret(folder: Path, mode: int = 0o600, text: str = PLANTED + "\n") -> Path:
    """A file with a password."""
    file = folder / "password"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_the_default_is_plain_text() -> None:
    """For a broker on this machine a driver is told nothing that it would not do by itself."""
    rv = PLAINTEXT.options()

    assert rv == {}
    assert not PLAINTEXT.tls


def test_a_login_gives_both_drivers_their_arguments(authority: Authority) -> None:
    """TLS that verifies names, the strongest SCRAM, user and password."""
    rv: dict[str, Any] = KafkaAccess("sasl_ssl", "onestop", PLANTED, authority.file).options()

    context = rv.pop("ssl_context")
    assert (context.check_hostname, context.verify_mode.name) == (True, "CERT_REQUIRED")
    assert rv == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": "onestop",
        "sasl_plain_password": PLANTED,
    }


def test_a_client_shows_its_own_certificate(authority: Authority) -> None:
    """Certificate and key are read; who Kafka will see cannot be known here by name."""
    certificate, key = authority.issue("client", "DNS:client.example.org")

    rv = KafkaAccess("ssl", ca_file=authority.file, certificate_file=certificate, key_file=key)

    assert set(rv.options()) == {"security_protocol", "ssl_context"}
    assert rv.principal == "the subject of the client's certificate"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"security": "sasl_ssl", "password": PLANTED}, "needs a user"),
        ({"security": "sasl_ssl", "user": "onestop"}, "and a password"),
        ({"security": "ssl", "user": "onestop", "password": PLANTED}, "does not log in with ssl"),
        ({"user": "onestop", "password": PLANTED}, "does not log in with plaintext"),
        ({"security": "ssl", "key_file": "client.key"}, "without its certificate"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: dict[str, Any], word: str) -> None:
    """Nobody believes to be logged in who is not."""
    with pytest.raises(KafkaAccessError, match=word) as caught:
        KafkaAccess(**arguments)

    assert PLANTED not in str(caught.value)


def test_nothing_shows_the_password() -> None:
    """Neither its text, nor that of what holds it."""
    rv = KafkaAccess("sasl_ssl", "onestop", PLANTED)

    assert PLANTED not in f"{rv} {rv!r} {[rv]}"
    assert "onestop" in repr(rv)


def test_a_password_is_read_from_a_private_file(tmp_path: Path) -> None:
    """Its line's end does not count."""
    rv = read_password(secret(tmp_path))

    assert rv == PLANTED


@pytest.mark.parametrize(("mode", "text", "word"), [(0o640, PLANTED, "chmod 600"), (0o600, " \n", "is empty")])
def test_a_password_that_others_can_read_is_refused(tmp_path: Path, mode: int, text: str, word: str) -> None:
    """So is none; the text does not repeat what is in the file."""
    file = secret(tmp_path, mode, text)

    with pytest.raises(KafkaAccessError, match=word) as caught:
        read_password(file)

    assert str(file) in str(caught.value)
    assert PLANTED not in str(caught.value)


def test_a_password_file_that_is_absent_is_named(tmp_path: Path) -> None:
    """With what the system says."""
    with pytest.raises(KafkaAccessError, match=r"absent: cannot be read: No such file"):
        read_password(tmp_path / "absent")


def test_a_container_decides_who_reads_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below /run/secrets the engine sets the mode."""
    monkeypatch.setattr("producers.access._CONTAINER_SECRETS", tmp_path)

    rv = read_password(secret(tmp_path, 0o444))

    assert rv == PLANTED


def test_a_key_that_others_can_read_is_refused(authority: Authority) -> None:
    """As a password is."""
    certificate, key = authority.issue("open", "DNS:open.example.org")
    key.chmod(0o644)

    with pytest.raises(KafkaAccessError, match="chmod 600"):
        KafkaAccess("ssl", certificate_file=certificate, key_file=key)


@pytest.mark.parametrize("option", ["ca_file", "certificate_file"])
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, option: str) -> None:
    """Told when the producer is made, also while Kafka is down and with a spool."""
    file = tmp_path / "no.pem"
    file.write_text("no certificate")
    access = KafkaAccess("ssl", **{option: file})  # type: ignore[arg-type]

    with pytest.raises(KafkaAccessError, match=rf"no\.pem.*correct kafka_{option}"):
        Producer("127.0.0.1:1", access=access, spool=tmp_path / "spool.db")
