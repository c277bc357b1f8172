"""An installation of three kinds gets the fourth: no rebuild, and its figures and topics stay as they are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.document import DOCUMENT, Document, DocumentEvent
from contract.dossier import DOSSIER
from contract.fingerprint import digest
from contract.kind import Event
from contract.meeting import MEETING
from contract.payment import PAYMENT
from nhip.settings import load_tree
from producers.driver import admin_client
from producers.topics import partition_counts
from sinks.check import compare
from tests.support.pipeline import pipeline, sample

pytestmark = pytest.mark.services

DAY = datetime(2026, 11, 20, 3, tzinfo=UTC)


def document(n: int, version: int, **fields: Any) -> Event:
    """One document of the same day, one minute after the other."""
    moment = DAY + timedelta(minutes=n)
    data: dict[str, Any] = {"unit": "H19.01", "status": "sent", "issued_at": moment, **fields}
    return DocumentEvent(
        specversion="1.0",
        source="test",
        id=f"{n}/{version}",
        subject=f"{n}/QĐ-UBND",
        time=moment,
        version=version,
        data=Document(**data),
    )


def test_documents_come_to_a_system_that_has_counted_payments(tmp_path: Path) -> None:
    """30 documents: 20 signed digitally, 15 handled online; one is revoked later, one was only drafted."""
    fines = sample("fines.csv", "fines")
    events = [document(n, 1, digitally_signed=n < 20, handled="online" if n < 15 else "paper") for n in range(30)]
    events += [document(0, 2, status="revoked"), document(99, 1, status="draft", issued_at=None)]
    with pipeline(tmp_path) as before:
        before.send(fines)
        payments = {k: v for k, v in before.figures().items() if k[1] == "online_payment"}
        # As it was before there were documents: three tables, three topics, one digest for all definitions.
        for worker in before.system.workers:
            worker.stop()
        client = before.store.client
        client.command("DROP TABLE documents")
        client.command(
            "ALTER TABLE definitions UPDATE fingerprint = {f:String} WHERE 1 SETTINGS mutations_sync = 1",
            {"f": digest((DOSSIER, PAYMENT, MEETING))},
        )
        admin = admin_client(bootstrap_servers=before.system.kafka.bootstrap.split(","))
        admin.delete_topics([DOCUMENT.topic])
        admin.close()

    with pipeline(tmp_path) as after:
        after.send(events)
        figures = after.figures()
        beat = after.store.heartbeat()

        assert beat is not None
        assert compare(after.store, load_tree(after.system.settings), beat.as_of_us // 1_000_000) == []
        assert DOCUMENT.topic in partition_counts(after.system.kafka.bootstrap)
        assert after.dead_letters() == []
    assert figures["unit:H19.01", "digital_signature", "all"] == (19, 29)
    assert figures["unit:H19.01", "documents_online", "all"] == (14, 29)
    assert {k: v for k, v in figures.items() if k[1] == "online_payment" and k[2] == "all"} == {
        k: v for k, v in payments.items() if k[2] == "all"
    }
