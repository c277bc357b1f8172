"""Alerts through the whole system: real Kafka, worker processes, the engine, a mail server and a web hook."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.dossier import Dossier, DossierEvent
from contract.kind import Event
from nhip.alerting import open_alert_store
from nhip.settings import Settings
from producers.replay import shifted
from tests.support.mailbox import MailServer, WebHook, wait_for
from tests.support.pipeline import Pipeline, pipeline

pytestmark = pytest.mark.services

UNIT = "25195"
RULES = """
[[rule]]
id = "on_time"
indicator = "on_time"
window = "24h"
scope = "unit:25195"
below = 0.9
recover = 0.95
minimum_n = 5
for = "1s"
severity = "critical"
to = ["duty"]
"""
REFUSED_S = 60.0
PATIENCE_S = 120.0


def finished(first: int, count: int, *, on_time: bool) -> list[Event]:
    """Dossiers finished just now, all on time or all late."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    return [
        DossierEvent(
            specversion="1.0",
            source="test/office",
            id=f"{n}",
            subject=f"T-{n}",
            time=now,
            version=int(now.timestamp() * 1_000_000) + n,
            data=Dossier(
                unit=UNIT,
                channel="online",
                status="completed",
                received_at=now - timedelta(hours=2),
                due_at=now + timedelta(hours=1 if on_time else -1),
                finished_at=now,
            ),
        )
        for n in range(first, first + count)
    ]


@contextmanager
def alarmed(folder: Path, mail: MailServer, hook: WebHook, *, workers: int = 1) -> Iterator[Pipeline]:
    """Run a system whose only rule tells one recipient by mail and by web hook."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.toml").write_text(RULES)
    recipients = folder / "recipients.toml"
    recipients.write_text(f'[recipients.duty]\nchannels = ["{mail.address()}", "{hook.address()}"]\n')
    recipients.chmod(0o600)
    settings = Settings(
        rules_file=str(folder / "rules.toml"),
        recipients_file=str(recipients),
    )
    with pipeline(folder / "data", workers=workers, settings=settings) as running:
        yield running


def watch_until(running: Pipeline, mail: MailServer, hook: WebHook, letters: int) -> None:
    """Keep the workers alive until so many letters and hooks have come, and a little longer for one too many."""

    def come() -> bool:
        running.system.watch()
        return len(mail.letters) >= letters and len(hook.received) >= letters

    wait_for(come, PATIENCE_S)
    time.sleep(3.0)


def test_one_message_for_each_change_of_state(tmp_path: Path) -> None:
    """It fires, the same events come twice, it recovers: two letters and two calls, each with an id of its own."""
    with MailServer() as mail, WebHook() as hook, alarmed(tmp_path, mail, hook) as running:
        late = finished(0, 10, on_time=False)
        running.send(late)
        watch_until(running, mail, hook, 1)
        running.send(late)
        running.send(late)
        running.send(finished(100, 300, on_time=True))
        watch_until(running, mail, hook, 2)

    assert [len(mail.letters), len(hook.received)] == [2, 2]
    assert len(set(mail.ids)) == 2
    assert all(f"<{call.id}@" in letter.id for letter, call in zip(mail.letters, hook.received, strict=True))


def test_nothing_is_lost_or_told_twice_while_everything_fails(tmp_path: Path) -> None:
    """The mail server refuses for a minute; the worker that decided is killed before it sent, another takes over.

    The web hook's yes was recorded before the kill: it is not called again.
    """
    with MailServer() as mail, WebHook() as hook, alarmed(tmp_path, mail, hook, workers=2) as running:
        mail.refuse = "451 4.3.0 try again later"
        began_s = time.monotonic()
        late = finished(0, 10, on_time=False)
        running.send(late)
        outbox = open_alert_store(running.system.settings)
        wait_for(lambda: any(one.delivery and one.delivery.delivered for one in outbox.undelivered()), PATIENCE_S)
        for worker in running.system.workers:
            worker.kill()
            time.sleep(2.0)
            running.system.watch()
        running.send(late)
        while time.monotonic() - began_s < REFUSED_S:
            running.system.watch()
            time.sleep(0.2)
        mail.refuse = None
        watch_until(running, mail, hook, 1)
        running.send(finished(100, 300, on_time=True))
        watch_until(running, mail, hook, 2)

    assert [len(mail.letters), len(hook.received)] == [2, 2]
    assert len(set(mail.ids)) == len(set(hook.ids)) == 2
    assert mail.refused >= 2


def test_history_that_is_replayed_is_no_news(tmp_path: Path) -> None:
    """Thousands of dossiers of last month, all late, cross every threshold on the way and tell nobody."""
    with MailServer() as mail, WebHook() as hook, alarmed(tmp_path, mail, hook) as running:
        old = [_moved(event, days=40) for event in finished(0, 3_000, on_time=False)]
        running.send(old)
        running.figures()
        time.sleep(5.0)

    assert mail.letters == []


def _moved(event: Event, *, days: int) -> Event:
    return shifted(event, -timedelta(days=days))
