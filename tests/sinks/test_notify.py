"""One message through one channel, to a real mail server and a real web hook; secrets stay where they are."""

import logging
import socket
from collections.abc import Iterator

import pytest

from sinks.channels import parse_channel
from sinks.mail import send_mail
from sinks.messages import Message
from sinks.notify import NotSentError, send
from tests.support.mailbox import MailServer, WebHook
from tests.support.notices import AT_US

MESSAGE = Message(
    "n1", "[Cảnh báo] Đúng hạn: Phường 1, 91,2 % (31/34)", "Ngưỡng: dưới 95 %\n\n.\nMã tin: n1", "warning", "fired"
)
PASSWORD = "hunter2Geheim"  # noqa: S105 - planted, to be looked for
TOKEN = "987654321:AAplantedTokenOfABot_x"  # noqa: S105 - likewise


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server."""
    with MailServer() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[WebHook]:
    """A web hook."""
    with WebHook() as server:
        yield server


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_e_mail_carries_the_id_of_the_notice(mail: MailServer) -> None:
    """One Message-ID, ours; title and text arrive in Vietnamese; nobody's out-of-office answers it."""
    send(MESSAGE, parse_channel(mail.address(), 1), {}, AT_US)

    (letter,) = mail.letters
    assert letter.message.get_all("Message-ID") == ["<n1@nhip>"]
    assert letter.to == ("duty@example.org",)
    assert letter.subject == MESSAGE.title
    assert letter.body == MESSAGE.body
    assert letter.message["From"] == "Nhịp <nhip@example.org>"
    assert letter.message["To"] == "duty@example.org"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.message["Date"] == "Sun, 22 Nov 2026 08:40:00 -0000"


def test_a_web_hook_gets_the_id_twice(hook: WebHook) -> None:
    """In the body and as Idempotency-Key, beside a header of the address with its secret."""
    channel = parse_channel(hook.address() + "?+Authorization=${env:HOOK}", 1)

    send(MESSAGE, channel, {"HOOK": f"Bearer {PASSWORD}"}, AT_US)

    (received,) = hook.received
    assert (received.id, received.key, received.path) == ("n1", "n1", "/nhip")
    assert received.body["title"] == MESSAGE.title
    assert received.body["message"] == MESSAGE.body
    assert received.headers["Authorization"] == f"Bearer {PASSWORD}"


@pytest.mark.parametrize(
    ("reply", "final", "said"),
    [
        ("451 4.3.0 later", False, "refused the message (SMTP 451)"),
        ("421 4.3.2 going down", False, "(SMTP 421)"),
        ("550 5.7.1 not here", True, "refused the message (SMTP 550)"),
    ],
)
def test_what_a_mail_server_refuses_is_told_apart(mail: MailServer, reply: str, final: bool, said: str) -> None:
    """4xx is worth another try, 5xx is not; its words are not repeated, they may hold addresses."""
    mail.refuse = reply

    with pytest.raises(NotSentError) as caught:
        send(MESSAGE, parse_channel(mail.address(), 1), {}, AT_US)

    assert said in str(caught.value)
    assert caught.value.final is final
    assert mail.letters == []


@pytest.mark.parametrize(("status", "said"), [(503, "HTTP 503"), (401, "HTTP 401"), (302, "HTTP 302")])
def test_what_a_web_hook_refuses_is_told_by_its_status(hook: WebHook, status: int, said: str) -> None:
    """Another try may help with any of them; a redirect is not followed with our secrets."""
    hook.refuse = status

    with pytest.raises(NotSentError, match=said) as caught:
        send(MESSAGE, parse_channel(hook.address(), 1), {}, AT_US)

    assert caught.value.final is False
    assert hook.refused == 1


def test_a_server_that_is_away_is_an_error_that_names_no_address() -> None:
    """Connection refused, by mail and by web."""
    port = _closed_port()
    addresses = (f"mailto://127.0.0.1:{port}/?from=n@example.org&to=a@example.org", f"json://127.0.0.1:{port}/x")

    reasons = []
    for address in addresses:
        with pytest.raises(NotSentError) as caught:
            send(MESSAGE, parse_channel(address, 1), {}, AT_US)
        reasons.append(str(caught.value))

    assert reasons == [
        "the mail server could not be reached (ConnectionRefusedError)",
        "the service could not be reached",
    ]


def test_a_server_that_answers_quit_badly_has_still_taken_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure after the acceptance must not send a second copy."""

    async def quits_badly(self: object, arg: str) -> None:  # noqa: ARG001 - aiosmtpd's
        await self.push("554 no")  # type: ignore[attr-defined]

    monkeypatch.setattr("aiosmtpd.smtp.SMTP.smtp_QUIT", quits_badly)
    with MailServer() as mail:
        send(MESSAGE, parse_channel(mail.address(), 1), {}, AT_US)

    assert mail.ids == ["<n1@nhip>"]


def test_a_title_with_a_line_break_is_no_header(mail: MailServer) -> None:
    """Even a message that was made wrongly cannot add a header: it is refused before anything is sent."""
    wrong = Message("n1", "Title\r\nBcc: x@example.org", "body", "info", "fired")

    with pytest.raises(NotSentError, match="cannot stand in an e-mail"):
        send(wrong, parse_channel(mail.address(), 1), {}, AT_US)

    assert mail.letters == []


def test_no_secret_is_logged_or_raised(
    mail: MailServer, hook: WebHook, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Planted secrets and addresses, successes and failures of four kinds, every logger at its lowest level."""
    caplog.set_level(1)
    for name in ("apprise", "urllib3", "urllib3.connectionpool"):
        caplog.set_level(1, name)
    environ = {"P": PASSWORD, "T": TOKEN}
    port = _closed_port()
    hook.refuse = 500
    addresses = [
        f"mailto://user:${{env:P}}@127.0.0.1:{mail.port}/?from=nhip@example.org&to=planted@example.org",
        f"mailto://user:${{env:P}}@127.0.0.1:{port}/?from=nhip@example.org&to=planted@example.org",
        f"json://user:${{env:P}}@127.0.0.1:{hook.port}/planted?+X-Token=${{env:T}}",
        f"json://user:${{env:P}}@127.0.0.1:{port}/planted?+X-Token=${{env:T}}",
        "zalo://${env:P}/planted",
        f"mailto://user:${{env:P}}@127.0.0.1:{mail.port}/?from=nhip@example.org&to=${{env:P}}",
    ]

    said = []
    for number, address in enumerate(addresses, start=1):
        try:
            send(MESSAGE, parse_channel(address, number), environ, AT_US)
        except NotSentError as error:
            said.append(f"{error!r} {error.__cause__!r}")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("apprise").warning("others are still heard")

    # aiosmtpd runs in this process too, and tells what it hears.
    ours = [repr(record.__dict__) for record in caplog.records if record.name != "mail.log"]
    heard = " ".join(ours) + capfd.readouterr().err + " ".join(said)
    assert "others are still heard" in heard
    for planted in (PASSWORD, TOKEN, "planted", "127.0.0.1"):
        assert planted not in heard, planted
    assert len(said) >= 4


def test_only_an_e_mail_address_is_sent_as_e_mail() -> None:
    """The two kinds are not mixed up."""
    from apprise import Apprise  # noqa: PLC0415 - this test alone makes a service by hand

    service = Apprise.instantiate("json://127.0.0.1/x")
    assert service is not None

    with pytest.raises(Exception, match="not an e-mail address"):
        send_mail(MESSAGE, service, AT_US)


def test_a_service_that_fails_in_its_own_way_is_told_by_the_kind_of_error(
    hook: WebHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """170 services raise what they like: the text of it may name an address, and is not repeated."""
    channel = parse_channel(hook.address(), 1)

    def fails(*_: object, **__: object) -> bool:
        raise ZeroDivisionError(TOKEN)

    monkeypatch.setattr("apprise.NotifyBase.notify", fails)
    with pytest.raises(NotSentError) as caught:
        send(MESSAGE, channel, {}, AT_US)

    assert str(caught.value) == "the service failed with ZeroDivisionError"
    assert caught.value.__cause__ is None
    assert hook.received == []


def test_a_channel_that_lost_its_secret_is_not_sent_to() -> None:
    """It names the variable, not the address."""
    channel = parse_channel("json://hook.example.org/planted?+X-Token=${env:T}", 1)

    with pytest.raises(NotSentError, match=r"^the channel needs the environment variable T, ") as caught:
        send(MESSAGE, channel, {}, AT_US)

    assert "planted" not in str(caught.value)
