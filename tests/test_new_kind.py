"""A kind declared here alone, taken from the bytes of a record to a published rate and a screen."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from contract.decode import EventError, Horizon, decode
from contract.document import DocumentEvent
from contract.fields import Code, Count, Instant, Name, about
from contract.fingerprint import fingerprint, grid
from contract.indicators import Bars, Indicator, Target
from contract.kind import Event, Kind, KindScreen
from contract.marks import EPOCH, Mark, Snapshot, epoch_us, instant_mark
from contract.registry import KINDS
from contract.text import Text
from contract.units import UnitTree
from dashboards.kind_screen import kind_screen
from producers.mapping import load_mapping
from producers.replay import read_events
from sinks.check import figures_of_marks, figures_of_snapshots
from sinks.client import Client, connect
from sinks.migrate import migrate
from sinks.panes import sum_panes
from sinks.store import ClickHouseStore
from streams.flush import Flush, write_flush
from streams.fold import PartitionFold
from streams.intake import Intake, take_in
from streams.places import Places
from streams.rows import EntityBatch, EpochKey, Partition
from tests.conftest import Database
from tests.support.events import FakeRecord, record


class Inspection(Snapshot, frozen=True, kw_only=True):
    """Everything known of one inspection."""

    unit: Annotated[Code, about("Agency that inspects")]
    status: Annotated[Literal["planned", "closed"], about("planned or closed")]
    closed_at: Annotated[Instant | None, about("When it was closed")] = None
    field: Annotated[Name | None, about("What is inspected")] = None
    findings: Annotated[Count | None, about("What was found")] = None


class InspectionEvent(Event, frozen=True, kw_only=True, tag_field="type", tag="nhip.inspection.v1"):
    """One snapshot of one inspection."""

    data: Inspection


def _clean(inspection: Inspection) -> Mark | None:
    if inspection.status != "closed" or inspection.closed_at is None:
        return None
    return instant_mark(inspection.closed_at, good=inspection.findings == 0)


INSPECTION = Kind(
    key="inspection",
    topic="nhip.inspections",
    table="inspections",
    name_vi="Kiểm tra",
    name_en="Inspections",
    event=InspectionEvent,
    snapshot=Inspection,
    facts=("closed_at",),
    needs={"closed": "closed_at"},
    indicators=(
        Indicator(
            key="clean",
            name_vi="Không vi phạm",
            name_en="Without findings",
            unit_vi="cuộc kiểm tra",
            unit_en="inspections",
            higher_is_better=True,
            counts="inspections closed",
            formula="findings is 0",
            source="this test",
            target=Target(value=0.9, watch=0.8, source="this test"),
            bars=Bars(Text("kết thúc", "closed"), Text("không vi phạm", "clean")),
            mark=_clean,
        ),
    ),
    reads=("findings",),
    screen=KindScreen(names=Text("Kiểm tra", "Inspections"), per_hour=Text("Theo giờ", "Per hour")),
)

NOW_S = 1_795_312_800
HERE = Partition(INSPECTION.topic, 0)
KEY = EpochKey(INSPECTION.topic, 0, 1)


def inspection(subject: str, version: int, **fields: object) -> InspectionEvent:
    """One event; everything beyond the unit and the status is given."""
    return InspectionEvent(
        specversion="1.0",
        source="test",
        id=f"{subject}/{version}",
        subject=subject,
        time=EPOCH + timedelta(seconds=NOW_S),
        version=version,
        data=Inspection(**{"unit": "u1", "status": "planned", **fields}),  # type: ignore[arg-type]
    )


def history() -> list[InspectionEvent]:
    """300 inspections, each planned and most of them closed, some of them corrected, in any order."""
    rng = random.Random(5)
    found = []
    for n in range(300):
        unit = rng.choice(["u1", "u2"])
        found.append(inspection(f"i{n}", 1, unit=unit))
        for version in range(2, rng.choice([2, 3, 4])):
            closed = datetime.fromtimestamp(NOW_S - rng.randrange(40 * 86_400), UTC)
            found.append(
                inspection(
                    f"i{n}",
                    version,
                    unit=unit,
                    status="closed",
                    closed_at=closed,
                    findings=rng.choice([None, 0, 0, 3]),
                    field=rng.choice([None, "fire"]),
                )
            )
    rng.shuffle(found)
    return found


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """A connection to the test's own, empty database."""
    connected = connect(host=database.host, port=database.port, database=database.name, **database.login)
    yield connected
    connected.close()


@pytest.mark.services
def test_one_declaration_is_enough(client: Client) -> None:
    """Decode, fold, table, panes, windows, and both independent counts of `nhip check` agree on the toy's rates."""
    migrate(client, kinds=(*KINDS, INSPECTION))
    store, tree, events = ClickHouseStore(client, 1), UnitTree([]), history()
    fold = PartitionFold(INSPECTION, KEY, 0, set(), 0, lambda keys: [0] * len(keys), Places(tree.periods))
    store.claim([KEY], "test")

    for first in range(0, len(events), 100):
        intake, batch, flush = Intake(), EntityBatch(INSPECTION), Flush()
        records: list[FakeRecord] = [record(first + n, event) for n, event in enumerate(events[first : first + 100])]
        take_in(intake, INSPECTION, HERE, records, Horizon(NOW_S * 1_000_000))
        fold.check(stored := store.look_up(INSPECTION, fold.missing(intake)))
        fold.apply(intake, stored, batch, NOW_S, NOW_S * 1_000_000)
        flush.entities.append(store.entities_ready(batch))
        flush.take(fold, intake, NOW_S * 1_000_000)
        write_flush(store, flush)
    store.complete([KEY])
    rates = {
        (rate.scope, rate.indicator, rate.window): (rate.numerator, rate.denominator)
        for rate in sum_panes(client, NOW_S, None, INSPECTION.indicators)
    }

    newest = {event.subject: event for event in sorted(events, key=lambda e: e.version)}.values()
    closed = [e.data for e in newest if e.data.status == "closed"]
    assert rates["unit:u1", "clean", "all"] == (
        sum(d.findings == 0 for d in closed if d.unit == "u1"),
        sum(d.unit == "u1" for d in closed),
    )
    assert rates["field:fire", "clean", "all"][1] == sum(d.field == "fire" for d in closed)
    assert rates == figures_of_marks(client, INSPECTION, tree, NOW_S)
    assert rates == {key: rates.get(key) for key in figures_of_snapshots(client, INSPECTION, tree, NOW_S)}


def test_what_it_declares_is_checked_and_shown() -> None:
    """Unknown words, missing facts and the future are refused; the grid varies what marks read; it has a screen."""
    horizon = Horizon(NOW_S * 1_000_000)
    bad = {
        "invalid": inspection("i", 1, status="closed"),
        "future": inspection("i", 1, closed_at=EPOCH + timedelta(seconds=NOW_S + 2 * 86_400)),
    }

    for reason, event in bad.items():
        with pytest.raises(EventError) as caught:
            decode(INSPECTION, msgspec.json.encode(event), horizon)
        assert caught.value.reason == reason
    good = decode(INSPECTION, msgspec.json.encode(inspection("i", 1)), horizon)
    screen = kind_screen(INSPECTION)

    assert isinstance(good, InspectionEvent)
    assert epoch_us(good.time) == NOW_S * 1_000_000
    assert {None if (mark := _clean(s)) is None else mark.good for s in grid(INSPECTION)} == {None, False, True}
    assert fingerprint((*KINDS, INSPECTION)).startswith(fingerprint(KINDS))
    assert screen is not None
    assert [panel.key for panel in screen.panels][:2] == ["clean_today", "clean_7d"]


MAPPING = """
kind = "document"
layout = "snapshots"
source = "edoc/H19"
[subject]
column = "number"
[moments]
row = "issued"
[fields]
unit = { column = "office" }
status = { value = "issued" }
issued_at = { column = "issued" }
digitally_signed = { column = "signed" }
handled = { column = "way", map = { "mạng" = "online", "giấy" = "paper" } }
"""


def test_a_kind_comes_from_a_file_too(tmp_path: Path) -> None:
    """Mappings know every kind of the registry: documents from the export of a document system."""
    mapping, export = tmp_path / "edoc.toml", tmp_path / "edoc.csv"
    mapping.write_text(MAPPING, "utf-8")
    export.write_text("number,issued,office,signed,way\n12/QĐ,2026-11-20T08:00,H19.01,yes,mạng\n", "utf-8")

    (event,) = read_events(export, load_mapping(mapping)).events

    assert isinstance(event, DocumentEvent)
    assert (event.data.handled, event.data.digitally_signed) == ("online", True)
