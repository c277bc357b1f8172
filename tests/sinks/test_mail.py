"""E-mail against a real mail server: encryption, passwords, and every way in which it says no."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sinks.channels import parse_channel
from sinks.mail import send_mail
from sinks.messages import Message
from sinks.notify import NotSentError, send
from tests.support.certificates import Authority
from tests.support.mailbox import MailServer
from tests.support.notices import AT_US

MESSAGE = Message("n1", "[Cảnh báo] Đúng hạn", "Ngưỡng: dưới 95 %", "warning", "fired")
SECRET = "hunter2Geheim"  # noqa: S105 - planted
PEOPLE = "from=nhip@example.org&to=duty@example.org"


@pytest.fixture(scope="module")
def encryption(tmp_path_factory: pytest.TempPathFactory) -> SSLContext:
    """What a server with a certificate of its own authority needs; nobody here trusts it."""
    certificate, key = Authority(tmp_path_factory.mktemp("mail"), "post").issue("mail", "IP:127.0.0.1")
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    """Let in who knows the password."""
    return AuthResult(success=isinstance(given, LoginPassword) and given.password == SECRET.encode(), handled=False)


def deliver(address: str, password: str = SECRET) -> None:
    """Send the message there."""
    send(MESSAGE, parse_channel(address, 1), {"P": password}, AT_US)


class Strict(MailServer):
    """Answers senders and receivers as it is told."""

    sender = receiver = "250 OK"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.receiver


@pytest.mark.parametrize(
    ("sender", "receiver", "said", "final"),
    [
        ("250 OK", "550 5.1.1 unknown planted@example.org", "refused the receiver (SMTP 550)", True),
        ("250 OK", "450 4.2.1 later", "refused the receiver (SMTP 450)", False),
        ("553 5.1.8 who are you", "250 OK", "refused the message (SMTP 553)", True),
        ("451 4.3.0 later", "250 OK", "refused the message (SMTP 451)", False),
    ],
)
def test_a_refused_sender_or_receiver_is_told_apart(sender: str, receiver: str, said: str, final: bool) -> None:
    """5xx is for good, 4xx worth another try; the server's words, which may hold an address, are not repeated."""
    with Strict() as mail:
        mail.sender, mail.receiver = sender, receiver
        with pytest.raises(NotSentError) as caught:
            deliver(mail.address())

    assert str(caught.value) == f"the mail server {said}"
    assert caught.value.final is final
    assert mail.letters == []


def test_a_password_goes_over_an_encrypted_connection(encryption: SSLContext) -> None:
    """After STARTTLS it logs in; sender's name and reply address are those of the channel."""
    with MailServer(tls_context=encryption, require_starttls=True, authenticator=login) as mail:
        deliver(
            f"mailtos://nhip:${{env:P}}@127.0.0.1:{mail.port}/?{PEOPLE}"
            "&mode=starttls&verify=no&reply=answers@example.org&name=Trung%20t%C3%A2m"
        )

    (letter,) = mail.letters
    assert letter.message["From"] == "Trung tâm <nhip@example.org>"
    assert letter.message["Reply-To"] == "answers@example.org"


def test_a_wrong_password_may_be_mended(encryption: SSLContext) -> None:
    """It is no refusal for good, and the password stays out of what is said."""
    with MailServer(tls_context=encryption, require_starttls=True, authenticator=login) as mail:
        address = f"mailtos://nhip:${{env:P}}@127.0.0.1:{mail.port}/?{PEOPLE}&mode=starttls&verify=no"
        with pytest.raises(NotSentError) as caught:
            deliver(address, "planted")

    assert str(caught.value) == "the mail server refused user and password (SMTP 535)"
    assert caught.value.final is False
    assert mail.letters == []


def test_a_certificate_must_be_trusted_unless_told_otherwise(encryption: SSLContext) -> None:
    """Encrypted from the first byte: with ``verify=no`` it is sent, else nothing leaves."""
    with MailServer(ssl_context=encryption) as mail:
        address = f"mailtos://127.0.0.1:{mail.port}/?{PEOPLE}&mode=ssl"
        with pytest.raises(NotSentError, match=r"could not be reached \(SSLCertVerificationError\)"):
            deliver(address)
        before = list(mail.ids)
        deliver(f"{address}&verify=no")

    assert before == []
    assert mail.ids == ["<n1@nhip>"]


@contextmanager
def greeting(words: bytes) -> Iterator[int]:
    """A server that says this and hangs up; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"554 5.3.2 not today\r\n", "is not ready (SMTP 554)"),
        (b"421 4.3.2 going down\r\n", "is not ready (SMTP 421)"),
        (b"", "could not be reached (SMTPServerDisconnected)"),
    ],
)
def test_a_server_that_is_not_ready_is_asked_again(words: bytes, said: str) -> None:
    """What it says before it knows the message is nothing against the message, whatever the number."""
    with greeting(words) as port, pytest.raises(NotSentError) as caught:
        deliver(f"mailto://127.0.0.1:{port}/?{PEOPLE}")

    assert str(caught.value) == f"the mail server {said}"
    assert caught.value.final is False


def test_an_unencrypted_server_gets_no_password_when_starttls_is_asked_for(tmp_path: Path) -> None:
    """A server, or somebody in between, that offers no STARTTLS ends the attempt."""
    with MailServer() as mail:
        address = f"mailtos://nhip:${{file:{tmp_path / 'secret'}}}@127.0.0.1:{mail.port}/?{PEOPLE}&mode=starttls"
        (tmp_path / "secret").write_text(SECRET)
        with pytest.raises(NotSentError, match="the mail server could not be reached"):
            deliver(address)

    assert mail.letters == []


def test_a_service_without_a_receiver_is_no_channel() -> None:
    """Apprise leaves out receivers that it does not understand; nothing is sent to nobody."""
    from apprise import Apprise  # noqa: PLC0415 - this test alone makes a service by hand

    service = Apprise.instantiate("mailto://127.0.0.1:9/?from=nhip@example.org&to=nobody")
    assert service is not None

    with pytest.raises(Exception, match="not an e-mail address that Apprise understands"):
        send_mail(MESSAGE, service, AT_US)
