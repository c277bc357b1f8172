"""What a kind of event is: everything that differs from one kind to another, declared once."""

from typing import Literal

import msgspec

from contract.fields import EventId, Instant, Source, Subject, Version
from contract.indicators import Indicator
from contract.marks import Snapshot
from contract.text import Text

__all__ = ["Event", "Kind", "KindScreen"]


class Event(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """CloudEvents 1.0 envelope of one snapshot; a kind adds its ``type`` (the tag) and ``data``.

    ``version`` orders the snapshots of one ``subject``: microseconds since 1970 of the change in the source,
    strictly growing per entity; the larger wins. ``time`` is when it happened, in the source's own words.
    """

    specversion: Literal["1.0"]
    source: Source
    id: EventId
    subject: Subject
    time: Instant
    version: Version
    datacontenttype: Literal["application/json"] | None = None
    data: Snapshot


class KindScreen(msgspec.Struct, frozen=True, kw_only=True):
    """A kind's own screen: each of its rates in these windows, the first one by the hour and by unit.

    ``per_hour`` heads the bars. Rates × windows give the number of headlines; there is room for six.
    """

    names: Text
    per_hour: Text
    windows: tuple[str, ...] = ("today", "7d", "30d", "year")


class Kind(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A kind of event: its events, its topic, its table, its indicators and its screen.

    ``facts`` are the time fields that say what *has happened*: none may lie more than a day ahead of the
    clock. ``needs`` gives, per status, the field without which that status cannot be counted. ``reads`` names
    the optional fields, besides times, that mark functions look at: the fingerprint varies them. ``code_form``
    is the form of the entity's code (RE2): another one counts and is flagged. ``screen`` is None when the
    screens have one made by hand.

    What a field means stands with the field (:func:`contract.fields.about`). A kind is equal to itself alone.
    """

    key: str
    topic: str
    table: str
    name_vi: str
    name_en: str
    event: type[Event]
    snapshot: type[Snapshot]
    facts: tuple[str, ...]
    needs: dict[str, str]
    indicators: tuple[Indicator, ...]
    reads: tuple[str, ...] = ()
    code_form: str | None = None
    screen: KindScreen | None = None

    @property
    def type(self) -> str:
        """CloudEvents type, e.g. ``nhip.dossier.v1``."""
        return str(self.event.__struct_config__.tag)

    @property
    def marked(self) -> tuple[Indicator, ...]:
        """Return the indicators that have marks of their own, in the order of the store's columns."""
        return tuple(i for i in self.indicators if i.mark is not None)

    def times(self) -> tuple[str, ...]:
        """Names of all time fields of the snapshot, in declared order."""
        fields = msgspec.structs.fields(self.snapshot)
        return tuple(
            f.name for f in fields if _holds(msgspec.inspect.type_info(f.type), msgspec.inspect.DateTimeType)
        )

    def texts(self) -> tuple[str, ...]:
        """Names of all fields of the snapshot that hold free text, in declared order; codes too are free text."""
        fields = msgspec.structs.fields(self.snapshot)
        return tuple(f.name for f in fields if _holds(msgspec.inspect.type_info(f.type), msgspec.inspect.StrType))


def _holds(found: msgspec.inspect.Type, wanted: type[msgspec.inspect.Type]) -> bool:
    if isinstance(found, msgspec.inspect.Metadata):
        return _holds(found.type, wanted)
    if isinstance(found, msgspec.inspect.UnionType):
        return any(_holds(t, wanted) for t in found.types)
    return isinstance(found, wanted)
