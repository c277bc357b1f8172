"""The meeting: snapshot and the share that is held without paper."""

from typing import Annotated, Literal

from contract.fields import Code, Count, Instant, about
from contract.indicators import Bars, Indicator, Target
from contract.kind import Event, Kind, KindScreen
from contract.marks import Mark, Snapshot, instant_mark
from contract.text import Text

__all__ = ["MEETING", "Meeting", "MeetingEvent"]


class Meeting(Snapshot, frozen=True, kw_only=True):
    """Everything known of one meeting after a change; people only as counts."""

    unit: Annotated[Code, about("Unit that holds it")]
    status: Annotated[
        Literal["draft", "invited", "live", "finished", "cancelled"],
        about("draft, invited, live, finished or cancelled"),
    ]
    starts_at: Annotated[Instant, about("When it starts")]
    ended_at: Annotated[Instant | None, about("When it ended")] = None
    paperless: Annotated[bool | None, about("Whether it was held without paper")] = None
    participants: Annotated[Count | None, about("People invited")] = None
    attended: Annotated[Count | None, about("People present")] = None
    documents: Annotated[Count | None, about("Documents")] = None
    documents_printed: Annotated[Count | None, about("Documents that were printed")] = None


class MeetingEvent(Event, frozen=True, kw_only=True, tag_field="type", tag="nhip.meeting.v1"):
    """One snapshot of one meeting on its way through Kafka."""

    data: Meeting


def _paperless(meeting: Meeting) -> Mark | None:
    if meeting.status != "finished" or meeting.ended_at is None:
        return None
    return instant_mark(meeting.ended_at, good=meeting.paperless is True)


MEETING = Kind(
    key="meeting",
    topic="nhip.meetings",
    table="meetings",
    name_vi="Họp",
    name_en="Meetings",
    event=MeetingEvent,
    snapshot=Meeting,
    facts=("ended_at",),
    needs={"finished": "ended_at"},
    indicators=(
        Indicator(
            key="paperless_meeting",
            name_vi="Họp không giấy tờ",
            name_en="Meetings without paper",
            unit_vi="cuộc họp",
            unit_en="meetings",
            higher_is_better=True,
            counts="meetings finished, at the time they ended",
            formula="paperless is true; an unknown answer is not",
            source="the project's own: no official indicator exists",
            target=Target(value=0.80, watch=0.70, minimum_n=5, source="own choice: no official indicator exists"),
            window="7d",  # too few in one day
            overview=4,
            bars=Bars(Text("cuộc họp", "meetings"), Text("không giấy tờ", "without paper")),
            mark=_paperless,
        ),
    ),
    reads=("paperless",),
    screen=KindScreen(
        names=Text("Họp không giấy tờ", "Paperless meetings"),
        per_hour=Text("Cuộc họp theo giờ", "Meetings per hour"),
    ),
)
