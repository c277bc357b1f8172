"""Delivery end to end over real SMTP and HTTP: one message for each notice, whatever fails in between."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.text import Text
from sinks.attempts import GIVE_UP_S, Said, begin, end, wait_s
from sinks.channels import Channel, parse_channel
from sinks.deliver import Deliverer, only_channel
from sinks.links import LinkSigner
from sinks.messages import Message
from sinks.notify import send
from sinks.outbox import Delivery, DeliveryState, Pending
from sinks.rationing import overflow_notice, ration
from sinks.recipients import Recipient
from sinks.writer import message_writer
from streams.alerts import Notice
from streams.patience import Patience
from tests.support.mailbox import MailServer, WebHook
from tests.support.memory_outbox import MemoryOutbox
from tests.support.notices import AT_US, notice, unit_name

S = 1_000_000


class Clock:
    """The wall clock of a test, moved by hand."""

    def __init__(self) -> None:
        self.us = AT_US

    def __call__(self) -> int:
        return self.us


class KilledError(Exception):
    """The process ends here."""


class Desk:
    """A deliverer with its outbox, clock and the recipients of a test."""

    def __init__(self, *recipients: Recipient, outbox: MemoryOutbox | None = None) -> None:
        self.outbox = outbox or MemoryOutbox()
        self.clock = Clock()
        self.owner = True
        self.send: Callable[[Message, Channel, int], None] = lambda message, channel, now: send(
            message, channel, {}, now
        )
        self.named = {recipient.name: recipient for recipient in recipients}

    def deliverer(self, recipient: Callable[[str], Recipient | None] | None = None) -> Deliverer:
        return Deliverer(
            self.outbox,
            recipient or self.named.get,
            message_writer(unit_name, LinkSigner(b"k" * 32), None),
            self._send,
            unit_name=unit_name,
            is_owner=lambda: self.owner,
            now=self.clock,
            jitter=lambda: 0.5,
            patience=Patience(5.0),
        )

    def _send(self, message: Message, channel: Channel, now_us: int) -> None:
        self.send(message, channel, now_us)

    def turns(self, *after_s: float) -> None:
        """One process: a turn after each of these seconds, each with all that it began."""

        async def run() -> None:
            deliverer = self.deliverer()
            for seconds in after_s:
                self.clock.us += round(seconds * S)
                await deliverer.turn()
                await deliverer.settle()

        asyncio.run(run())

    def state(self, key: str) -> DeliveryState | None:
        found = self.outbox.newest(key)
        return found.state if found else None


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server."""
    with MailServer() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[WebHook]:
    """A web hook."""
    with WebHook() as server:
        yield server


def _recipient(*addresses: str, name: str = "duty", per_hour: int = 20) -> Recipient:
    channels = tuple(parse_channel(address, n) for n, address in enumerate(addresses, start=1))
    return Recipient(name, channels, per_hour=per_hour)


def test_every_notice_is_sent_once_on_every_channel(mail: MailServer, hook: WebHook) -> None:
    """Three notices, two channels, several turns: one copy each, and each attempt is recorded."""
    desk = Desk(_recipient(mail.address(), hook.address()))
    desk.outbox.write_notices([notice(key) for key in ("a", "b", "c")])

    desk.turns(0, 1, 60)

    assert sorted(mail.ids) == ["<a@nhip>", "<b@nhip>", "<c@nhip>"]
    assert sorted(hook.ids) == ["a", "b", "c"]
    assert desk.outbox.states("a") == [DeliveryState.SENDING, DeliveryState.SENT]
    assert all("example.org" not in repr(row) for row in desk.outbox.rows)


def test_a_server_that_refuses_for_a_minute_gets_one_message(mail: MailServer) -> None:
    """After 0, 5, 15 and 35 seconds it refuses, after 75 it takes the message."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])
    mail.refuse = "421 4.3.2 going down"

    desk.turns(*[1] * 60)
    mail.refuse = None
    desk.turns(*[1] * 30)

    assert mail.ids == ["<a@nhip>"]
    assert mail.refused == 4
    newest = desk.outbox.newest("a")
    assert newest is not None
    assert (newest.state, newest.attempts) == (DeliveryState.SENT, 5)


def test_only_the_channel_that_failed_is_tried_again(mail: MailServer, hook: WebHook) -> None:
    """The web hook has it after the first attempt, the mail server after the second: one copy each."""
    desk = Desk(_recipient(mail.address(), hook.address()))
    desk.outbox.write_notices([notice("a")])
    mail.refuse = "451 4.3.0 later"

    desk.turns(0)
    between = desk.outbox.newest("a")
    mail.refuse = None
    desk.turns(6)

    assert between is not None
    assert between.delivered == ("json#2",)
    assert between.error == "mailto#1: the mail server refused the message (SMTP 451)"
    assert (mail.ids, hook.ids) == (["<a@nhip>"], ["a"])
    assert desk.state("a") is DeliveryState.SENT


def test_killed_between_sending_and_recording_the_second_copy_is_the_same_message(
    mail: MailServer, hook: WebHook
) -> None:
    """The successor waits until the lease is over, then sends again: same id, same Message-ID."""
    desk = Desk(_recipient(mail.address(), hook.address()))
    desk.outbox.write_notices([notice("a")])
    record = desk.outbox.record

    def killed(notice: Notice, delivery: Delivery) -> None:
        if delivery.state is DeliveryState.SENT:
            raise KilledError
        record(notice, delivery)

    desk.outbox.record = killed  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        desk.turns(0)
    desk.outbox.record = record  # type: ignore[method-assign]
    desk.turns(29)
    early = list(mail.ids)
    desk.turns(2)

    assert early == ["<a@nhip>"]
    assert mail.ids == ["<a@nhip>", "<a@nhip>"]
    assert hook.ids == ["a", "a"]
    assert [received.key for received in hook.received] == ["a", "a"]


def test_killed_before_sending_the_successor_sends_it(mail: MailServer) -> None:
    """A decided notice that nobody began to send is sent by whoever owns the alerts next."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])
    desk.owner = False
    desk.turns(0, 1)
    before = list(mail.ids)

    desk.owner = True
    desk.turns(1)

    assert before == []
    assert mail.ids == ["<a@nhip>"]


def test_a_worker_that_lost_its_place_stops_before_the_next_channel(mail: MailServer, hook: WebHook) -> None:
    """It has sent one of two; the next owner sends the other one only."""
    desk = Desk(_recipient(mail.address(), hook.address()))
    desk.outbox.write_notices([notice("a")])
    real = desk.send

    def lose(message: Message, channel: Channel, now_us: int) -> None:
        real(message, channel, now_us)
        desk.owner = False

    desk.send = lose
    desk.turns(0)
    desk.owner, desk.send = True, real
    desk.turns(6)

    assert (mail.ids, hook.ids) == (["<a@nhip>"], ["a"])
    assert desk.state("a") is DeliveryState.SENT


def test_an_attempt_recorded_by_a_clock_that_was_ahead_is_repeated_at_once(mail: MailServer) -> None:
    """The wait after a failure counts from a moment that is still to come; clocks may differ by a few seconds."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a"), notice("b")])
    for key, ahead_s in (("a", 3600), ("b", 30)):
        at_us = AT_US + ahead_s * S
        desk.outbox.record(notice(key), end(begin(None, at_us), [Said("mail 1", "refused")], at_us, lambda: 0.5))

    desk.turns(0)

    assert mail.ids == ["<a@nhip>"]
    assert desk.state("b") is DeliveryState.RETRYING


def test_two_workers_at_once_send_one_message(mail: MailServer) -> None:
    """The one that begins records it first; the other one leaves the message alone."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])
    real = desk.send

    def other_worker_looks(message: Message, channel: Channel, now_us: int) -> None:
        desk.send = real
        desk.turns(1)
        real(message, channel, now_us)

    desk.send = other_worker_looks
    desk.turns(0)

    assert mail.ids == ["<a@nhip>"]


def test_an_old_answer_of_the_store_sends_nothing_again(mail: MailServer) -> None:
    """A lagging replica says "decided" though this process has recorded "sent"."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])
    desk.outbox.undelivered = lambda: [Pending(notice("a"))]  # type: ignore[method-assign]

    desk.turns(0, 60, 3_600)

    assert mail.ids == ["<a@nhip>"]


def test_what_is_over_the_limit_comes_as_one_message(mail: MailServer) -> None:
    """Twelve at once, five an hour: four by themselves, the critical one first, the last one tells eight."""
    desk = Desk(_recipient(mail.address(), per_hour=5))
    desk.outbox.write_notices([notice(f"n{n:02}", scope=f"unit:{n}") for n in range(11)])
    desk.outbox.write_notices([notice("z", severity="critical")])

    desk.turns(0, 1, 60)

    single = {"<z@nhip>", "<n00@nhip>", "<n01@nhip>", "<n02@nhip>"}
    assert len(mail.letters) == 5
    assert single < set(mail.ids)
    (overflow,) = [letter for letter in mail.letters if letter.id not in single]
    assert overflow.subject == "[Gộp tin] 8 tin vượt giới hạn mỗi giờ"
    assert overflow.body.count("- [Cảnh báo] Giải quyết đúng hạn: Phường") == 8
    folded = desk.outbox.newest("n03")
    assert folded is not None
    assert (folded.state, f"<{folded.folded_into}@nhip>") == (DeliveryState.FOLDED, overflow.id)


def test_with_nothing_left_messages_wait_and_are_then_told_together(mail: MailServer) -> None:
    """One an hour: the first goes, three later ones are one message when the hour is over."""
    desk = Desk(_recipient(mail.address(), per_hour=1))
    desk.outbox.write_notices([notice("a")])
    desk.turns(0)
    desk.outbox.write_notices([notice(key) for key in ("b", "c", "d")])

    desk.turns(60, 3_000)
    held = len(mail.letters)
    desk.turns(600)

    assert held == 1
    assert len(mail.letters) == 2
    assert "3 tin vượt giới hạn" in mail.letters[1].subject


@given(
    st.lists(st.tuples(st.sampled_from(["info", "warning", "critical"]), st.booleans()), max_size=12),
    st.integers(-2, 12),
)
def test_a_ration_sends_folds_or_keeps_each_message(many: list[tuple[str, bool]], allowed: int) -> None:
    """Never more than allowed, each at most once, and nothing waits while something could still be sent."""
    due = [
        Pending(notice(f"n{n}", severity=severity, kind="overflow" if over else "fired"))  # type: ignore[arg-type]
        for n, (severity, over) in enumerate(many)
    ]

    found = ration(due, allowed)

    ids = [one.notice.id for one in (*found.send, *found.fold)]
    used = len(found.send) + bool(found.fold)
    assert len(ids) == len(set(ids))
    assert used <= max(0, allowed)
    assert used == min(len(due), max(0, allowed))
    assert len(found.fold) != 1
    assert all(one.notice.kind != "overflow" for one in found.fold)


def test_the_id_of_the_folding_message_follows_from_what_it_tells() -> None:
    """Whoever folds the same notices makes the same message, in whatever order they came."""
    held = [notice("b"), notice("a", severity="critical"), notice("c")]

    one, other = (overflow_notice(found, AT_US, unit_name) for found in (held, held[::-1]))

    assert one.id == other.id != overflow_notice(held[:2], AT_US, unit_name).id
    assert (one.kind, one.severity, one.recipient, one.facts.number) == ("overflow", "critical", "duty", 3)


@pytest.mark.parametrize(
    ("recipients", "said"), [((), "no such recipient"), ((Recipient("duty"),), "no channel: enter one")]
)
def test_a_message_that_cannot_go_anywhere_is_recorded_as_failed(
    recipients: tuple[Recipient, ...], said: str
) -> None:
    """At once and once, with what to do."""
    desk = Desk(*recipients)
    desk.outbox.write_notices([notice("a")])

    desk.turns(0, 60)

    assert desk.outbox.states("a") == [DeliveryState.FAILED]
    assert said in desk.outbox.rows[0][1].error


def test_by_the_event_clock_everybody_s_messages_go_to_one_channel(mail: MailServer, hook: WebHook) -> None:
    """Or nowhere when none is named; the recipients' own channels get nothing."""
    desk = Desk(_recipient(mail.address(), per_hour=1))
    named, none = only_channel(parse_channel(hook.address(), 1)), only_channel(None)

    async def run() -> None:
        for key, recipient in (("a", named), ("b", named), ("c", none)):
            desk.outbox.write_notices([notice(key, recipient=f"to-{key}")])
            deliverer = desk.deliverer(recipient)
            await deliverer.turn()
            await deliverer.settle()

    asyncio.run(run())

    assert (mail.ids, hook.ids) == ([], ["a", "b"])
    assert desk.state("c") is DeliveryState.FAILED


def test_a_channel_with_a_fault_of_its_own_is_tried_again_and_stops_nothing(mail: MailServer) -> None:
    """An error that nobody foresaw is recorded by its kind alone."""
    desk = Desk(_recipient("json://127.0.0.1:9/x", mail.address()))
    desk.outbox.write_notices([notice("a")])
    real = desk.send

    def faulty(message: Message, channel: Channel, now_us: int) -> None:
        if channel.label == "json#1":
            raise IndexError("planted@example.org")
        real(message, channel, now_us)

    desk.send = faulty
    desk.turns(0)

    assert mail.ids == ["<a@nhip>"]
    newest = desk.outbox.newest("a")
    assert newest is not None
    assert (newest.state, newest.error) == (DeliveryState.RETRYING, "json#1: sending failed with IndexError")


def test_one_faulty_message_does_not_stop_the_others(mail: MailServer) -> None:
    """It is recorded as failed with the kind of the error."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a", text=Text("{nothing}", "{nothing}")), notice("b")])

    desk.turns(0)

    assert mail.ids == ["<b@nhip>"]
    newest = desk.outbox.newest("a")
    assert newest is not None
    assert (newest.state, newest.error) == (DeliveryState.FAILED, "the message could not be written (KeyError)")


@given(st.integers(1, 200), st.floats(0, 1))
def test_waits_double_up_to_ten_minutes(attempts: int, jitter: float) -> None:
    """Five seconds first, ±20 %; never more than twelve minutes."""
    found = wait_s(attempts, jitter)

    assert 0.8 * min(600, 5 * 2 ** (attempts - 1)) <= found <= 1.2 * min(600, 5 * 2 ** (attempts - 1))


def test_after_a_day_it_is_given_up() -> None:
    """Counted from the first attempt; a refusal for good ends it at once, unless another channel is worth a try."""
    begun = begin(None, AT_US)
    for_good, for_now = Said("mailto#1", "no", final=True), Said("json#2", "later")

    states = [
        end(begun, said, AT_US + after_s * S, lambda: 0.5).state
        for said, after_s in (
            ([for_now], GIVE_UP_S - 1),
            ([for_now], GIVE_UP_S),
            ([for_good], 1),
            ([for_good, for_now], 1),
            ([Said("mailto#1")], GIVE_UP_S),
        )
    ]

    retrying, failed, sent = DeliveryState.RETRYING, DeliveryState.FAILED, DeliveryState.SENT
    assert states == [retrying, failed, failed, retrying, sent]


def test_steps_order_the_states_of_a_message() -> None:
    """An attempt that ended is newer than its beginning and older than the next; a final state is the newest."""
    begun = begin(None, AT_US)
    failed = end(begun, [Said("a#1", "later")], AT_US, lambda: 0.5)
    again = begin(failed, AT_US)
    sent = end(again, [Said("a#1")], AT_US, lambda: 0.5)

    assert begun.step < failed.step < again.step < sent.step


def test_it_runs_until_it_is_cancelled_and_loses_nothing_under_way(mail: MailServer) -> None:
    """Woken, it sends at once; cancelled in the middle of a sending, it waits for it and records it."""
    desk = Desk(_recipient(mail.address()))
    real = desk.send

    async def run() -> None:
        deliverer = desk.deliverer()
        running, loop = asyncio.create_task(deliverer.run()), asyncio.get_running_loop()
        await asyncio.sleep(0.05)

        def stop_meanwhile(message: Message, channel: Channel, now_us: int) -> None:
            loop.call_soon_threadsafe(running.cancel)
            real(message, channel, now_us)

        desk.send = stop_meanwhile
        desk.outbox.write_notices([notice("a")])
        deliverer.wake()
        await asyncio.wait([running], timeout=20)
        assert running.cancelled()

    asyncio.run(run())

    assert mail.ids == ["<a@nhip>"]
    assert desk.state("a") is DeliveryState.SENT


def test_more_titles_than_a_message_holds_are_counted() -> None:
    """Forty titles, then how many more; the number of all is in the title."""
    found = overflow_notice([notice(f"n{n:02}") for n in range(45)], AT_US, unit_name).facts

    assert found.title is not None
    assert found.text is not None
    assert found.title.vi.startswith("45 tin")
    assert found.text.vi.count("\n- ") == 41
    assert found.text.vi.endswith("5 nơi khác")


def test_an_error_of_a_delivery_ends_the_turn_that_finds_it(mail: MailServer) -> None:
    """The process ends by it: what was not recorded is sent again by the successor, with the same id."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])
    record = desk.outbox.record

    def full(notice: Notice, delivery: Delivery) -> None:
        if delivery.state is DeliveryState.SENT:
            raise KilledError
        record(notice, delivery)

    desk.outbox.record = full  # type: ignore[method-assign]

    async def run() -> None:
        deliverer = desk.deliverer()
        await deliverer.turn()
        await asyncio.wait([task for _, task in deliverer._under_way.values()])
        with pytest.raises(KilledError):
            await deliverer.turn()

    asyncio.run(run())

    assert mail.ids == ["<a@nhip>"]
    assert desk.state("a") is DeliveryState.SENDING


def test_what_was_planned_is_left_to_the_next_owner(mail: MailServer) -> None:
    """The place is lost between the decision to send and the sending: nothing leaves, nothing is recorded."""
    desk = Desk(_recipient(mail.address()))
    desk.outbox.write_notices([notice("a")])

    async def run() -> None:
        deliverer = desk.deliverer()
        await deliverer.turn()
        desk.owner = False
        await deliverer.settle()

    asyncio.run(run())
    before = (list(mail.ids), desk.outbox.rows.copy())
    desk.owner = True
    desk.turns(1)

    assert before == ([], [])
    assert mail.ids == ["<a@nhip>"]


def test_what_is_remembered_of_sent_messages_is_bounded(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest ones: the store may lag by some messages, not by all there ever were."""
    monkeypatch.setattr("sinks.deliver.REMEMBERED", 2)
    desk = Desk(_recipient(mail.address()))

    async def run() -> list[str]:
        deliverer = desk.deliverer()
        for key in "abcd":
            desk.outbox.write_notices([notice(key)])
            await deliverer.turn()
            await deliverer.settle()
        return list(deliverer._recorded)

    rv = asyncio.run(run())

    assert rv == ["c", "d"]
    assert len(mail.ids) == 4


def test_a_slow_receiver_holds_up_nobody_else(mail: MailServer) -> None:
    """While one message is being sent, turns go on: it is not begun a second time, and others are sent."""
    slow, quick = _recipient(mail.address("slow@example.org"), name="slow"), _recipient(mail.address(), name="duty")
    desk = Desk(slow, quick)
    desk.outbox.write_notices([notice("a", recipient="slow")])
    real, gate = desk.send, threading.Event()

    def waits(message: Message, channel: Channel, now_us: int) -> None:
        if message.id == "a":
            assert gate.wait(30)
        real(message, channel, now_us)

    desk.send = waits

    async def run() -> list[str]:
        deliverer = desk.deliverer()
        await deliverer.turn()
        desk.outbox.write_notices([notice("b")])
        await deliverer.turn()
        while desk.state("b") is not DeliveryState.SENT:
            await asyncio.sleep(0.01)
            await deliverer.turn()
        before = list(mail.ids)
        gate.set()
        await deliverer.settle()
        return before

    before = asyncio.run(run())

    assert before == ["<b@nhip>"]
    assert mail.ids == ["<b@nhip>", "<a@nhip>"]
    assert desk.outbox.states("a") == [DeliveryState.SENDING, DeliveryState.SENT]
