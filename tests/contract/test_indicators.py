"""Indicators: every status of the design has the marks that the design says."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import Document
from contract.dossier import FINISHED, NATIONAL_STATUS, OPEN, Dossier, DossierStatus
from contract.marks import Mark, epoch_us, instant_mark
from contract.meeting import Meeting
from contract.payment import Payment
from contract.registry import INDICATORS

RECEIVED_S, FINISHED_S, DUE_S = 1_770_000_000, 1_770_100_000, 1_770_200_000


def moment(seconds: float) -> datetime:
    """UTC time of an epoch second."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def mark_of(indicator: str, snapshot: Any) -> Mark | None:
    """The mark of a snapshot, if it has one."""
    function = INDICATORS[indicator].mark
    assert function is not None
    return function(snapshot)


def full(status: str, **fields: Any) -> Dossier:
    """A dossier of a status with every time known, filed online."""
    known: dict[str, Any] = {
        "unit": "u",
        "channel": "online",
        "received_at": moment(RECEIVED_S),
        "finished_at": moment(FINISHED_S),
        "due_at": moment(DUE_S),
    }
    return Dossier(status=status, **{**known, **fields})  # type: ignore[arg-type]


# status: national code, has a mark of online, on_time, overdue
STATUSES: dict[str, tuple[int | None, bool, bool, bool]] = {
    "registered": (1, True, False, False),
    "accepted": (2, True, False, True),
    "rejected": (3, False, False, False),
    "processing": (4, True, False, True),
    "supplement_asked": (5, True, False, True),
    "payment_due": (6, True, False, True),
    "withdrawn": (7, True, False, False),
    "stopped": (8, True, False, False),
    "completed": (9, True, True, False),
    "returned": (10, True, True, False),
    "void": (None, False, False, False),
}


def test_the_table_holds_every_status() -> None:
    """The ten national statuses and void, nothing else; open and finished do not meet."""
    codes = {status: row[0] for status, row in STATUSES.items()}

    assert codes == NATIONAL_STATUS
    assert set(codes) == set(get_args(DossierStatus))
    assert not OPEN & FINISHED


@pytest.mark.parametrize("status", STATUSES)
def test_marks_of_each_dossier_status(status: str) -> None:
    """Received counts when received, finished when finished, open when due."""
    _, online, on_time, overdue = STATUSES[status]
    dossier = full(status)

    found = {key: mark_of(key, dossier) for key in ("online", "on_time", "overdue")}

    assert found == {
        "online": Mark(RECEIVED_S, good=True) if online else None,
        "on_time": Mark(FINISHED_S, good=True) if on_time else None,
        "overdue": Mark(DUE_S, good=False) if overdue else None,
    }


@pytest.mark.parametrize("status", STATUSES)
def test_without_its_times_a_dossier_has_no_mark(status: str) -> None:
    """What is not known is not counted."""
    dossier = full(status, received_at=None, finished_at=None, due_at=None)

    found = [mark_of(key, dossier) for key in ("online", "on_time", "overdue")]

    assert found == [None, None, None]


@pytest.mark.parametrize(
    ("channel", "good"), [("online", True), ("counter", False), ("post", False), ("other", False)]
)
def test_only_the_online_channel_is_good(channel: str, good: bool) -> None:
    """Post and counter count below the line only."""
    rv = mark_of("online", full("accepted", channel=channel))

    assert rv == Mark(RECEIVED_S, good)


@pytest.mark.parametrize(("late_us", "good"), [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("status", sorted(FINISHED))
def test_on_time_is_decided_to_the_microsecond(status: str, late_us: int, good: bool) -> None:
    """Finished at the due moment is on time, a microsecond later is not."""
    finished = moment(DUE_S) + timedelta(microseconds=late_us)

    rv = mark_of("on_time", full(status, finished_at=finished))

    assert rv is not None
    assert rv.good is good


def test_a_finished_dossier_without_due_date_is_not_counted_on_time() -> None:
    """No due date is never on time, and never late."""
    rv = mark_of("on_time", full("completed", due_at=None))

    assert rv is None


def test_due_soon_reads_the_marks_of_overdue() -> None:
    """Both read the same panes by the clock."""
    rv = INDICATORS["due_soon"]

    assert (rv.marks, rv.mark) == ("overdue", None)


PAID_S = 1_770_000_001


@pytest.mark.parametrize(
    ("channel", "good"),
    [
        ("national_portal", True),
        ("provincial_portal", True),
        ("gateway", True),
        ("transfer", False),
        ("counter", False),
        (None, False),
    ],
)
def test_paid_online_means_through_a_portal_or_gateway(channel: Any, good: bool) -> None:
    """An unknown channel is not online."""
    payment = Payment(unit="u", status="paid", amount_vnd=1, channel=channel, paid_at=moment(PAID_S))

    rv = mark_of("online_payment", payment)

    assert rv == Mark(PAID_S, good)


@pytest.mark.parametrize(
    ("status", "amount", "paid_at"),
    [
        ("due", 1, moment(PAID_S)),
        ("cancelled", 1, moment(PAID_S)),
        ("refunded", 1, moment(PAID_S)),
        ("paid", 0, moment(PAID_S)),
        ("paid", 1, None),
    ],
)
def test_what_was_not_paid_is_not_counted(status: Any, amount: int, paid_at: datetime | None) -> None:
    """Only paid, above zero, and at a known time."""
    payment = Payment(unit="u", status=status, amount_vnd=amount, channel="gateway", paid_at=paid_at)

    rv = mark_of("online_payment", payment)

    assert rv is None


@pytest.mark.parametrize(("paperless", "good"), [(True, True), (False, False), (None, False)])
def test_a_finished_meeting_counts_when_it_ended(paperless: bool | None, good: bool) -> None:
    """An unknown answer is not paperless."""
    meeting = Meeting(unit="u", status="finished", starts_at=moment(0), ended_at=moment(PAID_S), paperless=paperless)

    rv = mark_of("paperless_meeting", meeting)

    assert rv == Mark(PAID_S, good)


@pytest.mark.parametrize("status", ["draft", "invited", "live", "cancelled"])
def test_a_meeting_not_finished_is_not_counted(status: Any) -> None:
    """A meeting that did not end, or not take place, has no mark."""
    meeting = Meeting(unit="u", status=status, starts_at=moment(0), ended_at=moment(PAID_S), paperless=True)

    rv = mark_of("paperless_meeting", meeting)

    assert rv is None


@given(st.integers(-(10**15), 7 * 10**15))
def test_times_become_whole_numbers_exactly(us: int) -> None:
    """Microseconds are exact; a mark's second is rounded down, before 1970 too."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)

    mark = instant_mark(when, good=True)

    assert epoch_us(when) == us
    assert mark == Mark(us // 1_000_000, good=True)


# -- documents ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signed", "good"), [(True, True), (False, False), (None, False)])
def test_an_issued_document_counts_when_it_was_issued(signed: bool | None, good: bool) -> None:
    """An unknown answer is not signed digitally."""
    document = Document(unit="u", status="issued", issued_at=moment(PAID_S), digitally_signed=signed)

    rv = mark_of("digital_signature", document)

    assert rv == Mark(PAID_S, good)


@pytest.mark.parametrize(("handled", "good"), [("online", True), ("paper", False), (None, False)])
def test_a_sent_document_counts_by_how_it_was_handled(handled: Any, good: bool) -> None:
    """An unknown way is not online; sent is issued too."""
    document = Document(unit="u", status="sent", issued_at=moment(PAID_S), handled=handled)

    rv = mark_of("documents_online", document)

    assert rv == Mark(PAID_S, good)


@pytest.mark.parametrize("status", ["draft", "signed", "revoked", "void"])
@pytest.mark.parametrize("indicator", ["digital_signature", "documents_online"])
def test_other_documents_do_not_count(indicator: str, status: Any) -> None:
    """A document without a number is not issued; a revoked one is withdrawn."""
    document = Document(unit="u", status=status, issued_at=moment(PAID_S), digitally_signed=True, handled="online")

    rv = mark_of(indicator, document)

    assert rv is None
