"""E-mail with a Message-ID of our own: Apprise reads the address, the standard library writes and sends.

Apprise 2.2 gives every e-mail a random Message-ID and lets nobody set it: a header ``+Message-ID`` in the address
becomes a second one beside its own (decision 010).
"""

import contextlib
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from apprise import NotifyBase
from apprise.plugins.email import NotifyEmail, SecureMailMode

from sinks.messages import Message
from streams.clock import US_PER_S

__all__ = ["MailError", "send_mail"]

TIMEOUT_S = 10
"""Of each step of the conversation."""
_SENDER = "Nhịp"
_FOR_GOOD = 500
"""SMTP replies from here on are final, those below are worth another try (RFC 5321, 4.2.1)."""


class MailError(Exception):
    """The mail server did not take the message; ``final``: it refused it, or its sender or receiver, for good."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def send_mail(message: Message, service: NotifyBase, now_us: int) -> None:
    """Send the message to the one address of Apprise's e-mail service. Blocks. Raises MailError."""
    if not isinstance(service, NotifyEmail) or not service.targets:
        raise MailError("the channel is not an e-mail address that Apprise understands")
    try:
        written = _write(message, service, now_us)
    except ValueError:
        raise MailError("the channel's addresses cannot stand in an e-mail: correct them") from None
    try:
        server = _connect(service)
        try:
            server.send_message(written)
        finally:
            # smtplib's own "with" raises when QUIT is answered badly, though the message was taken.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        code = next((code for code, _ in error.recipients.values()), 0)
        raise MailError(f"the mail server refused the receiver (SMTP {code})", final=code >= _FOR_GOOD) from None
    except smtplib.SMTPAuthenticationError as error:
        # A wrong password is mended here, and the message then goes.
        raise MailError(f"the mail server refused user and password (SMTP {error.smtp_code})") from None
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        code = error.smtp_code
        raise MailError(f"the mail server refused the message (SMTP {code})", final=code >= _FOR_GOOD) from None
    except smtplib.SMTPResponseException as error:
        raise MailError(f"the mail server is not ready (SMTP {error.smtp_code})") from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(f"the mail server could not be reached ({type(error).__name__})") from None


def _write(message: Message, service: NotifyEmail, now_us: int) -> EmailMessage:
    written = EmailMessage(policy=SMTP)
    name, address = (str(part or "") for part in service.from_addr)
    written["From"] = Address(name if name and name != service.app_id else _SENDER, addr_spec=address)
    to_name, to_address = (str(part or "") for part in service.targets[0])
    written["To"] = Address(to_name, addr_spec=to_address)
    if service.reply_to:
        written["Reply-To"] = [Address(addr_spec=one) for one in sorted(service.reply_to)]
    written["Subject"] = message.title
    written["Message-ID"] = f"<{message.id}@nhip>"
    written["Date"] = formatdate(now_us / US_PER_S)
    # RFC 3834: nobody's out-of-office answers this.
    written["Auto-Submitted"] = "auto-generated"
    # Base64 passes servers that do not speak 8BITMIME.
    written.set_content(message.body, charset="utf-8", cte="base64")
    return written


def _connect(service: NotifyEmail) -> smtplib.SMTP:
    """Connect as the address says: in plain, encrypted, or encrypted after STARTTLS; log in if it has a password."""
    context = ssl.create_default_context()
    if not service.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    server: smtplib.SMTP
    port = int(service.port or 0)
    if service.secure_mode == SecureMailMode.SSL:
        server = smtplib.SMTP_SSL(service.smtp_host, port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(service.smtp_host, port, timeout=TIMEOUT_S)
    try:
        if service.secure_mode == SecureMailMode.STARTTLS:
            server.starttls(context=context)
        if service.user and service.password:
            server.login(service.user, service.password)
    except BaseException:
        server.close()
        raise
    return server
