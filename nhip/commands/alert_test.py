"""A message to try the way to a recipient: ``alerts test``."""

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from contract.text import Text
from contract.units import UnitTree
from nhip.alerting import alerts_url, load_office_recipients, recipients_path
from nhip.console import OUT, say
from nhip.exits import EXIT_UNAVAILABLE
from nhip.settings import Settings, load_tree
from sinks.messages import compose
from sinks.notify import NotSentError, send
from sinks.recipients import Recipient
from streams.alerts import Notice, NoticeFacts
from streams.clock import wall_clock_us

__all__ = ["register"]

EXIT_ABSENT = 1
_TITLE = Text("Tin thử của Nhịp dịch vụ công", "Test message of the pulse of public services")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(test)


def test(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RECIPIENT|GROUP", help="As in config/recipients.toml.")],
) -> None:
    """Send a test message now through every channel of a recipient or group, and say what each answered."""
    settings: Settings = context.obj
    tree = load_tree(settings)
    recipients, warnings = load_office_recipients(settings, tree)
    for warning in warnings:
        say(warning)
    names = recipients.groups.get(name) or ((name,) if name in recipients.recipients else ())
    if not names:
        known = ", ".join(sorted({*recipients.recipients, *recipients.groups}))
        say(f"{name!r} is neither a recipient nor a group; known: {known}")
        raise typer.Exit(EXIT_ABSENT)
    failed = False
    for recipient in (recipients.recipients[one] for one in names):
        if not recipient.channels:
            OUT.print(f"{recipient.name}: no channel: enter one in {recipients_path(settings)}", markup=False)
            failed = True
        for channel, error in _tried(settings, tree, recipient):
            OUT.print(f"{recipient.name} {channel}: {error or 'sent'}", markup=False, soft_wrap=True)
            failed = failed or bool(error)
    if failed:
        raise typer.Exit(EXIT_UNAVAILABLE)


def _tried(settings: Settings, tree: UnitTree, recipient: Recipient) -> Iterator[tuple[str, str]]:
    now_us = wall_clock_us()
    facts = NoticeFacts(
        indicator="behind",
        window="now",
        figures=(),
        threshold=0.0,
        below=False,
        since_us=now_us,
        title=_TITLE,
    )
    notice = Notice(
        id=f"test-{recipient.name}-{now_us}",
        alert="",
        rule="",
        scope="system:stream",
        kind="test",
        severity="info",
        recipient=recipient.name,
        at_us=now_us,
        facts=facts,
    )
    message = compose(
        notice,
        recipient.language,
        unit_name=lambda code: Text(tree.name(code, "vi"), tree.name(code, "en")),
        wall_url=alerts_url(settings),
        act_url=None,
        now_us=now_us,
    )
    for channel in recipient.channels:
        try:
            send(message, channel, os.environ, now_us)
        except NotSentError as error:
            yield channel.label, str(error)
        else:
            yield channel.label, ""
