"""Whatever fails and whenever the process dies: no gap, no flood, the same event again."""

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from contract.kind import Event
from producers.poll.errors import StateError
from producers.poll.state import PollState
from tests.support.polling import Clock, Sent, Table, once, opened, write

SQL = """
[sql]
url = "sqlite:///{path}"
query = "SELECT * FROM dossiers WHERE updated >= :watermark ORDER BY code"
batch_rows = 3
[sql.watermark]
column = "updated"
start = ""
overlap_s = 5
"""


class Killed(BaseException):
    """The process has ended here."""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """An empty table."""
    return Table(tmp_path / "onestop.db")


def config_of(table: Table, top: str = "") -> Path:
    """Its configuration."""
    return write(table.path.parent, SQL.format(path=table.path).replace('start = ""', 'start = "0"'), top=top)


def test_same_event_again_after_a_failed_send(table: Table) -> None:
    """What was not confirmed is sent again with its id and version, though the clock went on."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    seen: list[Event] = []
    table.add("D1")
    original = sent.send
    sent.send = lambda event: (seen.append(event), original(event))[1]  # type: ignore[func-returns-value,method-assign]
    sent.fail_after = 1
    with pytest.raises(ConnectionError):
        once(config, sent, clock)
    sent.fail_after = None
    clock.move(minutes=5)

    report = once(config, sent, clock)

    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert (report.sent, report.changed) == (1, 0)


def test_change_while_the_target_is_away(table: Table) -> None:
    """What changed while the first version could not be sent follows it with a larger version."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    sent.fail_after = 0
    with opened(config, sent, clock) as poller:
        with pytest.raises(ConnectionError):
            poller.round()
        clock.move(minutes=1)
        table.run("UPDATE dossiers SET how = 'desk', updated = '2026-11-21 08:30:00'")
        sent.fail_after = None

        poller.round()

    first, second = sent.take()
    assert (first.data.channel, second.data.channel) == ("online", "counter")
    assert second.version > first.version


def test_restart_is_no_flood(table: Table) -> None:
    """Twenty restarts send nothing that has not changed."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    for number in range(10):
        table.add(f"D{number}")
    once(config, sent, clock)
    sent.take()

    for _ in range(20):
        clock.move(hours=5)
        once(config, sent, clock)

    assert sent.take() == []


def test_state_that_cannot_be_written(table: Table) -> None:
    """When the state fails the round says so; the next one that can, goes on."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    with opened(config, sent, clock) as poller:
        poller._state._db.execute("PRAGMA query_only = ON")
        with pytest.raises(StateError, match=r"poll\.state: cannot be used .*is the disk full\?"):
            poller.round()
        poller._state._db.execute("PRAGMA query_only = OFF")

        assert poller.round().sent == 1


def test_rounds_go_on_after_a_failure(table: Table) -> None:
    """Without end a round that fails is told and repeated, an interval from start to start."""
    sent, clock, config = Sent(), Clock(), config_of(table, "interval_s = 10")
    table.add("D1")
    told: list[object] = []
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            table.run("ALTER TABLE dossiers RENAME COLUMN office TO agency")
        if len(slept) == 2:
            table.run("ALTER TABLE dossiers RENAME COLUMN agency TO office")
        if len(slept) == 3:
            raise Killed

    seconds = iter([0.0, 3.0, 10.0, 25.0, 30.0, 31.0])
    with opened(config, sent, clock) as poller, contextlib.suppress(Killed):
        poller.run(told.append, monotonic=lambda: next(seconds), sleep=sleep)

    assert [type(one).__name__ for one in told] == ["RoundReport", "SourceChangedError", "RoundReport"]
    assert slept == [7.0, 0.0, 9.0]


STEPS = ("begin", "stage", "seal", "outbox", "confirm", "finish")


@pytest.mark.parametrize("seed", range(8))
def test_random_schedules(table: Table, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Rows change, lie, vanish and return while the process is killed at every step: at the end all is right."""
    chance = random.Random(seed)
    sent, clock = Sent(), Clock()
    config = config_of(table, 'full_comparison_s = 600\nvanished = "void"\nmax_void_share = 1')
    world: dict[str, Event] = {}
    kill_at = [0]

    def breakable(name: str) -> None:
        original = getattr(PollState, name)

        def step(self: PollState, *arguments: object, **more: object) -> object:
            kill_at[0] -= 1
            if kill_at[0] == 0:
                raise Killed
            found = original(self, *arguments, **more)
            kill_at[0] -= 1
            if kill_at[0] == 0:
                raise Killed
            return found

        monkeypatch.setattr(PollState, name, step)

    for name in STEPS:
        breakable(name)
    for _ in range(20):
        mutate(table, chance, clock)
        clock.move(seconds=chance.choice([1, 60, 400]))
        kill_at[0] = chance.choice([0, *range(1, 25)])
        sent.fail_after = chance.choice([None, None, *range(8)])
        with contextlib.suppress(Killed, ConnectionError):
            once(config, sent, clock)
        fold(world, sent)
    kill_at[0], sent.fail_after = 0, None
    clock.move(seconds=601)

    once(config, sent, clock)

    fold(world, sent)
    with sqlite3.connect(table.path) as db:
        rows = db.execute("SELECT code, how, office, max(updated) FROM dossiers GROUP BY code").fetchall()
    db.close()
    shown = {s: e for s, e in world.items() if e.data.status != "void"}  # type: ignore[attr-defined]
    assert {code: (how, office) for code, how, office, _ in rows} == {
        s: ({"online": "web", "counter": "desk"}[e.data.channel], e.data.unit)  # type: ignore[attr-defined]
        for s, e in shown.items()
    }
    clock.move(seconds=601)
    assert once(config, sent, clock).sent == 0


def mutate(table: Table, chance: random.Random, clock: Clock) -> None:
    """Change some rows, with a clock that may be an hour off, back, or stand still."""
    for _ in range(chance.randrange(4)):
        code = f"D{chance.randrange(9)}"
        lie_s = chance.choice([0, 0, 0, 3600, -3600, -400_000])
        updated = (clock.now.timestamp() + 7 * 3600 + lie_s) // 1
        text = f"datetime({updated}, 'unixepoch')"
        with sqlite3.connect(table.path) as db:
            known = db.execute("SELECT 1 FROM dossiers WHERE code = ?", (code,)).fetchone()
        db.close()
        if not known:
            table.add(code, how=chance.choice(["web", "desk"]))
        elif chance.random() < 0.2:
            table.run(f"DELETE FROM dossiers WHERE code = '{code}'")  # noqa: S608 - a code of this test
        else:
            how, office = chance.choice(["web", "desk"]), f"H19.0{chance.randrange(4)}"
            moved = "" if chance.random() < 0.2 else f", updated = {text}"
            table.run(f"UPDATE dossiers SET how = '{how}', office = '{office}'{moved} WHERE code = '{code}'")  # noqa: S608


def fold(world: dict[str, Event], sent: Sent) -> None:
    """Take in what was stored: the larger version wins."""
    for event in sent.take():
        known = world.get(event.subject)
        if known is None or event.version > known.version:
            world[event.subject] = event
        elif event.version == known.version:
            assert event == known
