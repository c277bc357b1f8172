"""The document that a unit issues: snapshot, and the shares signed digitally and handled online.

Outgoing and internal documents, counted once, at the unit that issues them: what another office receives is its
issuer's document. The walk is that of administrative documents (văn bản đi): drafted, signed by the person in
charge, given number and date (issued), sent to its recipients; revoked when it was issued in error.
"""

from typing import Annotated, Literal

from contract.fields import Code, Count, EntityCode, Instant, about
from contract.indicators import Bars, Indicator, Target
from contract.kind import Event, Kind, KindScreen
from contract.marks import Mark, Snapshot, instant_mark
from contract.text import Text

__all__ = ["DOCUMENT", "ISSUED", "Document", "DocumentEvent"]

ISSUED = frozenset({"issued", "sent"})


class Document(Snapshot, frozen=True, kw_only=True):
    """Everything known of one issued document after a change; neither its text nor who signed it."""

    unit: Annotated[Code, about("Unit that issues it")]
    status: Annotated[
        Literal["draft", "signed", "issued", "sent", "revoked", "void"],
        about("draft, signed (no number yet), issued, sent, revoked, or void (entered by mistake)"),
    ]
    issued_at: Annotated[Instant | None, about("When it was given number and date")] = None
    handled: Annotated[Literal["online", "paper"] | None, about("How it was drafted, submitted and approved")] = None
    digitally_signed: Annotated[bool | None, about("Whether it bears a digital signature")] = None
    signatures: Annotated[Count | None, about("Digital signatures on it")] = None
    pages: Annotated[Count | None, about("Pages")] = None
    kind: Annotated[
        Literal["decision", "letter", "notice", "report", "plan", "submission", "invitation", "other"] | None,
        about("Form of the document; an official letter (công văn) is letter"),
    ] = None
    dossier: Annotated[EntityCode | None, about("Dossier whose result it is")] = None


class DocumentEvent(Event, frozen=True, kw_only=True, tag_field="type", tag="nhip.document.v1"):
    """One snapshot of one document on its way through Kafka."""

    data: Document


def _signed(document: Document) -> Mark | None:
    if document.status not in ISSUED or document.issued_at is None:
        return None
    return instant_mark(document.issued_at, good=document.digitally_signed is True)


def _online(document: Document) -> Mark | None:
    if document.status not in ISSUED or document.issued_at is None:
        return None
    return instant_mark(document.issued_at, good=document.handled == "online")


DOCUMENT = Kind(
    key="document",
    topic="nhip.documents",
    table="documents",
    name_vi="Văn bản",
    name_en="Documents",
    event=DocumentEvent,
    snapshot=Document,
    facts=("issued_at",),
    needs={"issued": "issued_at", "sent": "issued_at"},
    indicators=(
        Indicator(
            key="digital_signature",
            name_vi="Văn bản ký số",
            name_en="Documents signed digitally",
            unit_vi="văn bản",
            unit_en="documents",
            higher_is_better=True,
            counts="documents issued and not revoked, at the time they were issued",
            formula="digitally_signed is true; an unknown answer is not",
            source="the project's own: no official formula is known to this project",
            target=Target(value=0.90, watch=0.80, source="own choice"),
            bars=Bars(Text("đã ban hành", "issued"), Text("ký số", "signed digitally")),
            mark=_signed,
        ),
        Indicator(
            key="documents_online",
            name_vi="Văn bản xử lý trực tuyến",
            name_en="Documents handled online",
            unit_vi="văn bản",
            unit_en="documents",
            higher_is_better=True,
            counts="documents issued and not revoked, at the time they were issued",
            formula="handled is online; an unknown way is not",
            source="the project's own: no official formula is known to this project",
            target=Target(value=0.90, watch=0.80, source="own choice"),
            bars=Bars(Text("đã ban hành", "issued"), Text("trực tuyến", "online")),
            mark=_online,
        ),
    ),
    reads=("handled", "digitally_signed"),
    screen=KindScreen(
        names=Text("Văn bản", "Documents"),
        per_hour=Text("Văn bản theo giờ", "Documents per hour"),
        windows=("today", "30d"),
    ),
)
