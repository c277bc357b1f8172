"""Sends one message through one channel: e-mail by :mod:`sinks.mail`, everything else by Apprise."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from apprise import NotifyFormat, NotifyType
from apprise.common import OverflowMode

from sinks.channels import MAIL, WEBHOOKS, Channel, ChannelError, open_channel
from sinks.mail import MailError, send_mail
from sinks.messages import Message
from sinks.quiet import quiet

__all__ = ["NotSentError", "send"]

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 10

_STATUS = re.compile(r"error=([1-5][0-9]{2})")
_TYPES = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING, "info": NotifyType.INFO}


class NotSentError(Exception):
    """A channel did not take a message: says why, never where to or with which secret.

    ``final``: the other side refused this message or address for good; sending it again is of no use.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def send(message: Message, channel: Channel, environ: Mapping[str, str], now_us: int) -> None:
    """Send the message once; secrets are looked up now. Blocks, at most some 30 s. Raises NotSentError.

    The id goes along: in the text, as Message-ID of an e-mail, and to a webhook as ``id`` in its body and as header
    ``Idempotency-Key``. A second copy after a failure thus says that it is one.
    """
    try:
        service = open_channel(channel, environ, _extra(message, channel))
    except ChannelError as error:
        raise NotSentError(f"the channel {error}") from None
    if channel.scheme in MAIL:
        try:
            send_mail(message, service, now_us)
        except MailError as error:
            raise NotSentError(str(error), final=error.final) from None
        return
    kind = NotifyType.SUCCESS if message.kind == "recovered" else _TYPES[message.severity]
    with quiet() as heard:
        try:
            taken = service.notify(
                body=message.body,
                title=message.title,
                notify_type=kind,
                body_format=NotifyFormat.TEXT,
                overflow=OverflowMode.TRUNCATE,
            )
        except Exception as error:  # noqa: BLE001 - 170 services, each with errors of its own
            # Only the kind: the text of an error of the network names the address.
            raise NotSentError(f"the service failed with {type(error).__name__}") from None
    if not taken:
        raise NotSentError(_reason(heard))


def _extra(message: Message, channel: Channel) -> str:
    if channel.scheme in MAIL:
        return ""
    timeouts = {"cto": str(CONNECT_TIMEOUT_S), "rto": str(READ_TIMEOUT_S)}
    if channel.scheme in WEBHOOKS:
        # Apprise's own way to add headers (+) and fields of the body (:).
        return urlencode({"+Idempotency-Key": message.id, ":id": message.id, **timeouts}, safe="+:")
    return urlencode(timeouts)


def _reason(heard: list[str]) -> str:
    """Take from what Apprise said only what cannot be a secret."""
    text = "\n".join(heard)
    if found := _STATUS.search(text):
        return f"the service answered HTTP {found.group(1)}"
    return "the service could not be reached" if "onnection" in text else "the service did not take it"
