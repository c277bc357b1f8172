"""Seconds from the event that changes a rule's state until the mail server has the message, beyond the hold time."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.latency import percentile, wait_for_heartbeat
from benchmarks.load import units_of_province
from benchmarks.report import Figure
from benchmarks.stage import Measured, cores, pinned, running_worker, services
from contract.dossier import Dossier, DossierEvent
from nhip.alerting import open_alert_store
from nhip.console import bar, say
from nhip.local.ports import free_ports
from nhip.settings import Settings, load_tree
from nhip.store import open_store
from producers.client import Producer
from sinks.alert_store import ClickHouseAlertStore
from streams.clock import US_PER_S, wall_clock_us

__all__ = ["run"]

UNITS = 20
"""Each has one change to firing and one to recovered."""
HOLD_S = 2
SPACING_S = 1.37
"""Between two changes: no multiple of a second, at which the alarm looks."""
TARGET_P99_S = 5.0
MESSAGE_TIMEOUT_S = 60.0
POLL_S = 0.05
RULES = f"""
[[rule]]
id = "on_time"
indicator = "on_time"
window = "24h"
scope = "level:commune"
below = 0.9
minimum_n = 1
for = "{HOLD_S}s"
quiet = "none"
to = ["duty"]
"""


class _Sink:
    """Takes e-mail on 127.0.0.1 and notes when: id of the message → microseconds."""

    def __init__(self, port: int) -> None:
        self.taken: dict[str, int] = {}
        self.address = f"mailto://127.0.0.1:{port}/?from=nhip@example.org&to=duty@example.org"
        self.controller = Controller(self, hostname="127.0.0.1", port=port, ready_timeout=MESSAGE_TIMEOUT_S)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        at_us = wall_clock_us()
        key = str(BytesHeaderParser().parsebytes(cast("bytes", envelope.content))["Message-ID"])
        self.taken.setdefault(key.strip("<>").partition("@")[0], at_us)
        return "250 taken"


class _Change(NamedTuple):
    """One change of a unit's state: the message it leads to, and when its event was sent."""

    unit: str
    kind: str
    sent_us: int


def run() -> Iterator[Figure]:
    """Make units late and good again, one after the other, and wait for each message at a mail server of our own.

    Raises RuntimeError, TimeoutError.
    """
    place = cores()
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="nhip-bench-") as name, pinned(place.others):
        folder, sink = Path(name), _Sink(port)
        sink.controller.start()
        try:
            with (
                services(_settings(folder, sink.address)) as system,
                running_worker(system, place.measured, folder / "worker.log") as worker,
            ):
                wait_for_heartbeat(open_store(system.settings), worker)
                alerts = open_alert_store(system.settings)
                # Communes side by side: of a unit above them, one message would speak for all.
                tree = load_tree(system.settings)
                below = map(tree.get, units_of_province(tree))
                communes = (unit.code for unit in below if unit and unit.kind == "commune")
                warm_up, *units = islice(communes, UNITS + 1)
                _change(system.settings.kafka, [warm_up], sink, worker, before=0)
                say(f"alerts: {2 * len(units)} changes of state …")
                changes = _change(system.settings.kafka, units, sink, worker, before=2)
                waited = list(_beyond_hold(alerts, changes, sink))
        finally:
            sink.controller.stop()
    note = f"{len(waited)} changes, half of them with a hold time of {HOLD_S} s; waiting 2 s to tell others along"
    yield Figure(
        "alerts", "event until mail server, beyond the hold time, p50", percentile(waited, 0.50), "s", note=note
    )
    yield Figure("alerts", "the same, p99", percentile(waited, 0.99), "s", target=TARGET_P99_S)
    for kind in ("fired", "recovered"):
        of_kind = [s for change, s in zip(changes, waited, strict=True) if change.kind == kind]
        yield Figure("alerts", f"{kind}, p50 of {len(of_kind)}", percentile(of_kind, 0.50), "s")
        yield Figure("alerts", f"{kind}, longest", max(of_kind), "s")


def _settings(folder: Path, address: str) -> Settings:
    (folder / "rules.toml").write_text(RULES)
    recipients = folder / "recipients.toml"
    recipients.write_text(f'[recipients.duty]\nchannels = ["{address}"]\nper_hour = 1000\n')
    recipients.chmod(0o600)
    return Settings(
        rules_file=str(folder / "rules.toml"),
        recipients_file=str(recipients),
        alerts_key_file=str(folder / "alerts.key"),
    )


def _change(kafka: str, units: Sequence[str], sink: _Sink, worker: Measured, before: int) -> list[_Change]:
    """Make each unit late, then each good again; return when every message has come."""
    changes: list[_Change] = []
    for kind in ("fired", "recovered"):
        with Producer(kafka) as producer, bar(kind) as show:
            for number, unit in enumerate(units):
                now_us = wall_clock_us()
                producer.send(_event(unit, now_us, late=kind == "fired"))
                changes.append(_Change(unit, kind, now_us))
                show(number, len(units))
                time.sleep(SPACING_S)
        deadline_s = time.monotonic() + MESSAGE_TIMEOUT_S
        while len(sink.taken) < before + len(changes):
            worker.look()
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{before + len(changes) - len(sink.taken)} messages never came")
            time.sleep(POLL_S)
    return changes


def _event(unit: str, now_us: int, *, late: bool) -> DossierEvent:
    """Make the only dossier of a unit: finished an hour ago, late; or, corrected, on time."""
    now = datetime.fromtimestamp(now_us / US_PER_S, UTC)
    finished = now - timedelta(hours=1)
    return DossierEvent(
        specversion="1.0",
        source="onestop/bench",
        id=f"{unit}/{now_us}",
        subject=f"H19.{unit}-1",
        time=now,
        version=now_us,
        data=Dossier(
            unit=unit,
            channel="online",
            status="completed",
            received_at=now - timedelta(days=2),
            due_at=finished + timedelta(hours=-1 if late else 1),
            finished_at=finished,
        ),
    )


def _beyond_hold(alerts: ClickHouseAlertStore, changes: Sequence[_Change], sink: _Sink) -> Iterator[float]:
    """Yield the seconds of each change until its message was taken. Raises RuntimeError for one that is missing."""
    taken: dict[tuple[str, str], int] = {}
    for alert in alerts.alert_history(10_000):
        for one in alerts.notices_of(alert.id, 100):
            if (at_us := sink.taken.get(one.notice.id)) is not None:
                taken[one.notice.scope, one.notice.kind] = at_us
    for change in changes:
        found = taken.get((f"unit:{change.unit}", change.kind))
        if found is None:
            raise RuntimeError(f"no message says that {change.unit} has {change.kind}")
        yield (found - change.sent_us) / US_PER_S - (HOLD_S if change.kind == "fired" else 0)
