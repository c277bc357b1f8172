"""Writes messages with their links: the screen of the unit, and the signed page for this alert and recipient."""

from collections.abc import Callable
from urllib.parse import quote

from contract.text import Text
from sinks.deliver import Compose
from sinks.links import LINK_LIFE_S, LinkSigner
from sinks.messages import Message, compose
from sinks.recipients import Recipient
from streams.alerts import Notice
from streams.clock import US_PER_S

__all__ = ["message_writer"]


def message_writer(unit_name: Callable[[str], Text], signer: LinkSigner, alerts_url: str | None) -> Compose:
    """Return what turns a notice into its message; without ``alerts_url`` messages hold no links.

    ``alerts_url`` is the address of the wall as recipients reach it, such as https://nhip.example.org.
    """
    base = alerts_url.rstrip("/") if alerts_url else None

    def write(notice: Notice, recipient: Recipient, now_us: int) -> Message:
        kind, _, name = notice.scope.partition(":")
        screen = f"wall/unit/{quote(name, safe='')}" if kind == "unit" else ""
        expires_s = now_us // US_PER_S + LINK_LIFE_S
        return compose(
            notice,
            recipient.language,
            unit_name=unit_name,
            wall_url=f"{base}/{screen}" if base else None,
            act_url=signer.link(base, notice.alert, recipient.name, expires_s) if base and notice.alert else None,
            now_us=now_us,
        )

    return write
