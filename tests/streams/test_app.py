"""The Faust app: how it is wired, and that an error in one of its loops is told instead of lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest

from contract.registry import KINDS
from producers.access import MECHANISM, KafkaAccess
from streams.app import AppSettings, WorkerApp, create_app
from streams.folder import Folder
from streams.inbox import Batch
from streams.rows import Partition


class FakeFolder:
    """What the app uses of the fold."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[Batch] = []
        self.error = error
        self.runs = 0

    async def assign(self) -> None:
        raise AssertionError("Kafka's side calls it")

    async def put(self, batch: Batch) -> None:
        self.batches.append(batch)

    async def run(self) -> None:
        self.runs += 1
        if self.error is not None:
            raise self.error


class Stream:
    """A Faust stream of given messages; acknowledgements must be off."""

    def __init__(self, messages: list[Any]) -> None:
        self.messages = messages
        self.acks = True

    def noack(self) -> "Stream":
        self.acks = False
        return self

    async def events(self) -> AsyncIterator[Any]:
        assert not self.acks
        for message in self.messages:
            yield SimpleNamespace(message=message)


def made(
    folder: FakeFolder,
    loops: tuple[Callable[[], Awaitable[None]], ...] = (),
    failed: Callable[[BaseException], None] = lambda _: None,
    **settings: Any,
) -> WorkerApp:
    """A wired app that nothing has started."""
    return create_app(AppSettings("a:1,b:2", **settings), cast(Folder, folder), loops, failed)


def run_tasks(app: WorkerApp) -> None:
    """Run what the app would start beside its agent."""

    async def scenario() -> None:
        await asyncio.gather(*(task() for task in cast(Any, app)._app_tasks))

    asyncio.run(scenario())


def test_every_broker_is_reached_by_our_transport() -> None:
    """The addresses of the settings, each by its own scheme; the group and the instance as given."""
    app = made(FakeFolder(), group="g", instance="worker-1", session_timeout_s=8.0)

    assert [str(url) for url in app.conf.broker] == ["nhip://a:1", "nhip://b:2"]
    assert app.conf.id == "g"
    assert app.conf.consumer_group_instance_id == "worker-1"
    assert (app.conf.broker_session_timeout, app.conf.broker_heartbeat_interval) == (8.0, 2.0)


def test_in_plain_text_there_are_no_credentials() -> None:
    """For a broker on this machine."""
    assert made(FakeFolder()).conf.broker_credentials is None


def test_tls_and_the_login_reach_faust_but_not_its_texts() -> None:
    """A certificate alone is TLS; with a user it is SCRAM, whose password no text shows."""
    tls = made(FakeFolder(), access=KafkaAccess(security="ssl")).conf.broker_credentials
    login = made(
        FakeFolder(),
        access=KafkaAccess(security="sasl_ssl", user="worker", password="planted"),  # noqa: S106 - made up
    ).conf.broker_credentials

    assert isinstance(tls, faust.SSLCredentials)
    assert isinstance(login, faust.SASLCredentials)
    assert tls.context is not None
    assert (login.username, login.password, login.mechanism.value) == ("worker", "planted", MECHANISM)
    assert login.ssl_context is not None
    assert "planted" not in repr(login) + str(login)


def test_the_transport_is_told_who_decides_where_to_read() -> None:
    """The fold answers each assignment."""
    folder = FakeFolder()

    app = made(folder)

    assert cast(Any, app.assigned) == folder.assign


def test_it_reads_every_kind_and_makes_no_folders(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One agent over the topics of all kinds; there are no tables, so nothing is written to the disk."""
    monkeypatch.chdir(tmp_path)
    app = made(FakeFolder())

    (agent,) = app.agents.values()
    app._create_directories()

    assert sorted(agent.get_topic_names()) == sorted(kind.topic for kind in KINDS)
    assert list(tmp_path.iterdir()) == []


def test_a_fetched_batch_reaches_the_fold_with_its_generation() -> None:
    """One message of the transport is one batch; nothing is acknowledged to Faust."""
    folder = FakeFolder()
    app = made(folder)
    (agent,) = app.agents.values()
    messages = [SimpleNamespace(topic="t", partition=n, generation_id=7, value=[f"record {n}"]) for n in (3, 1)]

    asyncio.run(cast(Any, agent).fun(Stream(messages)))

    assert folder.batches == [
        Batch(Partition("t", 3), 7, cast(Any, ["record 3"])),
        Batch(Partition("t", 1), 7, cast(Any, ["record 1"])),
    ]


def test_fold_and_all_loops_are_started() -> None:
    """Roll, alarm and delivery run beside the fold."""
    folder = FakeFolder()
    ran: list[str] = []

    async def roll() -> None:
        ran.append("roll")

    async def alarm() -> None:
        ran.append("alarm")

    run_tasks(made(folder, (roll, alarm)))

    assert (folder.runs, sorted(ran)) == (1, ["alarm", "roll"])


@pytest.mark.parametrize("where", ["the fold", "a loop beside it"])
def test_an_error_that_ends_a_loop_is_told(where: str) -> None:
    """The process must not go on without its loop; the others are not disturbed before it ends."""
    error = OSError("disk full")
    told: list[BaseException] = []

    async def loop() -> None:
        if where == "a loop beside it":
            raise error

    folder = FakeFolder(error if where == "the fold" else None)

    run_tasks(made(folder, (loop,), told.append))

    assert told == [error]
    assert folder.runs == 1
