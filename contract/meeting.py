"""The meeting: snapshot and the share that is held without paper."""

from typing import Literal

from contract.fields import Code, Count, Instant
from contract.indicators import Indicator
from contract.kind import Event, Kind
from contract.marks import Mark, Snapshot, instant_mark

__all__ = ["MEETING", "Meeting", "MeetingEvent"]


class Meeting(Snapshot, frozen=True, kw_only=True):
    """Everything known of one meeting after a change; people only as counts."""

    unit: Code
    status: Literal["draft", "invited", "live", "finished", "cancelled"]
    starts_at: Instant
    ended_at: Instant | None = None
    paperless: bool | None = None
    participants: Count | None = None
    attended: Count | None = None
    documents: Count | None = None
    documents_printed: Count | None = None


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
            mark=_paperless,
        ),
    ),
)
