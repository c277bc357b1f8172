"""The dossier: snapshot, statuses and the four indicators that are counted from it."""

from typing import Literal

from contract.fields import Amount, Code, Count, Instant, Name, Seconds
from contract.indicators import Indicator, Reading
from contract.kind import Event, Kind
from contract.marks import Mark, Snapshot, instant_mark

__all__ = ["DOSSIER", "FINISHED", "NATIONAL_STATUS", "OPEN", "Dossier", "DossierEvent", "DossierStatus"]

DossierStatus = Literal[
    "registered",
    "accepted",
    "rejected",
    "processing",
    "supplement_asked",
    "payment_due",
    "withdrawn",
    "stopped",
    "completed",
    "returned",
    "void",
]

NATIONAL_STATUS: dict[str, int | None] = {
    "registered": 1,
    "accepted": 2,
    "rejected": 3,
    "processing": 4,
    "supplement_asked": 5,
    "payment_due": 6,
    "withdrawn": 7,
    "stopped": 8,
    "completed": 9,
    "returned": 10,
    "void": None,
}
"""Our word → TrangThai code of the national synchronisation; ``void`` (entered by mistake) is our own."""

OPEN = frozenset({"accepted", "processing", "supplement_asked", "payment_due"})
FINISHED = frozenset({"completed", "returned"})


class Dossier(Snapshot, frozen=True, kw_only=True):
    """Everything known of one dossier after a change. No field can hold a person's name, number or address."""

    unit: Code
    channel: Literal["online", "counter", "post", "other"]
    status: DossierStatus
    received_at: Instant | None = None
    receiving_unit: Code | None = None
    procedure: Code | None = None
    field: Name | None = None
    service_level: Literal["full", "partial"] | None = None
    submitted_at: Instant | None = None
    due_at: Instant | None = None
    finished_at: Instant | None = None
    returned_at: Instant | None = None
    supplements: Count | None = None
    paused_s: Seconds | None = None
    fee_vnd: Amount | None = None
    result_digital: bool | None = None
    components: Count | None = None
    components_digitised: Count | None = None
    components_reused: Count | None = None


class DossierEvent(Event, frozen=True, kw_only=True, tag_field="type", tag="nhip.dossier.v1"):
    """One snapshot of one dossier on its way through Kafka."""

    data: Dossier


def _online(dossier: Dossier) -> Mark | None:
    if dossier.received_at is None or dossier.status in ("rejected", "void"):
        return None
    return instant_mark(dossier.received_at, good=dossier.channel == "online")


def _on_time(dossier: Dossier) -> Mark | None:
    finished, due = dossier.finished_at, dossier.due_at
    if dossier.status not in FINISHED or finished is None or due is None:
        return None
    return instant_mark(finished, good=finished <= due)


def _open_due(dossier: Dossier) -> Mark | None:
    if dossier.status not in OPEN or dossier.due_at is None:
        return None
    return instant_mark(dossier.due_at, good=False)


DOSSIER = Kind(
    key="dossier",
    topic="nhip.dossiers",
    table="dossiers",
    name_vi="Hồ sơ",
    name_en="Dossiers",
    event=DossierEvent,
    snapshot=Dossier,
    facts=("received_at", "submitted_at", "finished_at", "returned_at"),
    needs={"completed": "finished_at", "returned": "finished_at"},
    indicators=(
        Indicator(
            key="online",
            name_vi="Hồ sơ trực tuyến",
            name_en="Filed online",
            unit_vi="hồ sơ",
            unit_en="dossiers",
            higher_is_better=True,
            counts="dossiers received and not rejected, at the time they were received",
            formula="channel is online",
            source="QĐ 766 formula 3.3 without the sync rate (reference: documents derived from QĐ 766/QĐ-TTg)",
            mark=_online,
        ),
        Indicator(
            key="on_time",
            name_vi="Giải quyết đúng hạn",
            name_en="Finished on time",
            unit_vi="hồ sơ",
            unit_en="dossiers",
            higher_is_better=True,
            counts="dossiers finished that have a due date, at the time they were finished",
            formula="finished_at ≤ due_at, compared to the microsecond",
            source="QĐ 766 formula 2.1, finished dossiers only; no due date is never on time",
            mark=_on_time,
        ),
        Indicator(
            key="overdue",
            name_vi="Đang xử lý quá hạn",
            name_en="Open and overdue",
            unit_vi="hồ sơ",
            unit_en="dossiers",
            higher_is_better=False,
            counts="all dossiers open now that have a due date",
            formula="the minute of due_at is before the current minute",
            source="provincial practice: share of open dossiers past their due date",
            reading=Reading.OVERDUE,
            mark=_open_due,
        ),
        Indicator(
            key="due_soon",
            name_vi="Sắp đến hạn 24 giờ",
            name_en="Due within 24 hours",
            unit_vi="hồ sơ",
            unit_en="dossiers",
            higher_is_better=False,
            counts="all dossiers open now that have a due date",
            formula="the minute of due_at is the current one or one of the 1,439 after it",
            source="the project's own: what can still be finished in time",
            reading=Reading.DUE_SOON,
            marks_of="overdue",
        ),
    ),
)
