"""The payment: snapshot and the share that is paid online."""

from typing import Annotated, Literal

from contract.fields import Amount, Code, EntityCode, Instant, about
from contract.indicators import Bars, Indicator, Target
from contract.kind import Event, Kind, KindScreen
from contract.marks import Mark, Snapshot, instant_mark
from contract.text import Text

__all__ = ["ONLINE_CHANNELS", "PAYMENT", "Payment", "PaymentEvent"]

ONLINE_CHANNELS = frozenset({"national_portal", "provincial_portal", "gateway"})


class Payment(Snapshot, frozen=True, kw_only=True):
    """Everything known of one payment after a change. Amounts are whole đồng."""

    unit: Annotated[Code, about("Competent agency")]
    status: Annotated[Literal["due", "paid", "cancelled", "refunded"], about("due, paid, cancelled or refunded")]
    amount_vnd: Annotated[Amount, about("Amount in đồng")]
    dossier: Annotated[EntityCode | None, about("Dossier that is paid for")] = None
    kind: Annotated[
        Literal["fee", "land_obligation", "fine", "other"] | None, about("fee, land_obligation, fine or other")
    ] = None
    channel: Annotated[
        Literal["national_portal", "provincial_portal", "gateway", "transfer", "counter"] | None,
        about("Way of paying; the national and provincial portal and the gateway are online"),
    ] = None
    due_at: Annotated[Instant | None, about("When it is due")] = None
    paid_at: Annotated[Instant | None, about("When it was paid")] = None


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
            target=Target(value=0.80, watch=0.70, source="own choice"),
            overview=3,
            bars=Bars(Text("đã thanh toán", "paid"), Text("trực tuyến", "online")),
            mark=_online_payment,
        ),
    ),
    reads=("channel",),
    screen=KindScreen(
        names=Text("Thanh toán", "Payments"),
        per_hour=Text("Thanh toán theo giờ", "Payments per hour"),
        windows=("today", "7d", "30d", "month"),
    ),
)
