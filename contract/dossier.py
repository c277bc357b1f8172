"""The dossier: snapshot, statuses and the four indicators that are counted from it."""

from typing import Annotated, Literal

from contract.fields import Amount, Code, Count, Instant, Name, Seconds, about
from contract.indicators import Bars, Indicator, Reading, Target
from contract.kind import Event, Kind
from contract.marks import Mark, Snapshot, instant_mark
from contract.text import Text

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


CODE_FORM = (
    r"^([A-Z][0-9]{2}|000\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2})(\.[A-Z0-9]{1,8})*"
    r"-([0-9]{2}|20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])-[0-9]{4,}$"
)
"""National form of a dossier's code: agency, date, number."""


class Dossier(Snapshot, frozen=True, kw_only=True):
    """Everything known of one dossier after a change. No field can hold a person's name, number or address."""

    unit: Annotated[Code, about("Competent agency")]
    channel: Annotated[
        Literal["online", "counter", "post", "other"], about("How it was filed: online, counter, post, other")
    ]
    status: Annotated[DossierStatus, about("One of the ten national statuses, or void")]
    received_at: Annotated[Instant | None, about("When it was accepted")] = None
    receiving_unit: Annotated[Code | None, about("Agency that received it")] = None
    procedure: Annotated[Code | None, about("Code of the administrative procedure")] = None
    field: Annotated[Name | None, about("Field of the procedure, e.g. land")] = None
    service_level: Annotated[Literal["full", "partial"] | None, about("full or partial")] = None
    submitted_at: Annotated[Instant | None, about("When it was filed")] = None
    due_at: Annotated[Instant | None, about("When the result is due")] = None
    finished_at: Annotated[Instant | None, about("When handling ended")] = None
    returned_at: Annotated[Instant | None, about("When the result was handed over")] = None
    supplements: Annotated[Count | None, about("How often papers were asked for")] = None
    paused_s: Annotated[Seconds | None, about("Time not counted, in seconds")] = None
    fee_vnd: Annotated[Amount | None, about("Fee in đồng")] = None
    result_digital: Annotated[bool | None, about("Whether the result is electronic")] = None
    components: Annotated[Count | None, about("Papers of the dossier")] = None
    components_digitised: Annotated[Count | None, about("Papers that were digitised")] = None
    components_reused: Annotated[Count | None, about("Papers taken from digital storage")] = None


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
            target=Target(
                value=0.60,
                watch=0.50,
                source="own choice; documents derived from QĐ 766/QĐ-TTg give full points from 50 %",
            ),
            overview=2,
            bars=Bars(Text("tiếp nhận", "received"), Text("trực tuyến", "online")),
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
            target=Target(value=0.95, watch=0.90, source="own choice"),
            overview=1,
            bars=Bars(Text("trả kết quả", "finished"), Text("đúng hạn", "on time")),
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
            target=Target(value=0.005, watch=0.0378, source="own choice"),
            window="now",
            overview=5,
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
            target=Target(value=0.05, watch=0.10, source="own choice"),
            window="now",
            overview=6,
            reading=Reading.DUE_SOON,
            marks_of="overdue",
        ),
    ),
    code_form=CODE_FORM,
)
