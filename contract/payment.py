"""The payment: snapshot and the share that is paid online."""

from typing import Literal

from contract.fields import Amount, Code, Instant
from contract.indicators import Indicator
from contract.kind import Event, Kind
from contract.marks import Mark, Snapshot, instant_mark

__all__ = ["ONLINE_CHANNELS", "PAYMENT", "Payment", "PaymentEvent"]

ONLINE_CHANNELS = frozenset({"national_portal", "provincial_portal", "gateway"})


class Payment(Snapshot, frozen=True, kw_only=True):
    """Everything known of one payment after a change. Amounts are whole đồng."""

    unit: Code
    status: Literal["due", "paid", "cancelled", "refunded"]
    amount_vnd: Amount
    dossier: Code | None = None
    kind: Literal["fee", "land_obligation", "fine", "other"] | None = None
    channel: Literal["national_portal", "provincial_portal", "gateway", "transfer", "counter"] | None = None
    due_at: Instant | None = None
    paid_at: Instant | None = None


class PaymentEvent(Event, frozen=True, kw_only=True, tag_field="type", tag="nhip.payment.v1"):
    """One snapshot of one payment on its way through Kafka."""

    data: Payment


def _online_payment(payment: Payment) -> Mark | None:
    if payment.status != "paid" or payment.amount_vnd == 0 or payment.paid_at is None:
        return None
    return instant_mark(payment.paid_at, good=payment.channel in ONLINE_CHANNELS)


PAYMENT = Kind(
    key="payment",
    topic="nhip.payments",
    table="payments",
    name_vi="Thanh toán",
    name_en="Payments",
    event=PaymentEvent,
    snapshot=Payment,
    facts=("paid_at",),
    needs={"paid": "paid_at"},
    indicators=(
        Indicator(
            key="online_payment",
            name_vi="Thanh toán trực tuyến",
            name_en="Paid online",
            unit_vi="giao dịch",
            unit_en="payments",
            higher_is_better=True,
            counts="payments paid with an amount above zero, at the time they were paid",
            formula="channel is national_portal, provincial_portal or gateway; an unknown channel is not",
            source="QĐ 766 formula 3.6, per payment instead of per dossier",
            mark=_online_payment,
        ),
    ),
)
