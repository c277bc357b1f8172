"""A table as a source: what changed is sent, once, whatever the table says about itself."""

import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from producers.poll.errors import PollConfigError, SourceChangedError, SourceUnreachableError
from tests.support.polling import MAPPING, START, Clock, Sent, Table, once, opened, write

SQL = """
[sql]
url = "sqlite:///{path}"
query = "SELECT * FROM dossiers WHERE updated >= :watermark"
batch_rows = 2
[sql.watermark]
column = "updated"
start = "1970-01-01 00:00:00"
overlap_s = 60
"""

CASES = """
kind = "dossier"
layout = "cases"
source = "onestop/test"
[subject]
column = "code"
[moments]
start = "received"
end = "finished"
[status]
start = "processing"
end = "completed"
[fields]
unit = { column = "office" }
channel = { value = "online" }
received_at = { moment = "start" }
finished_at = { moment = "end" }
due_at = { column = "due" }
"""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """An empty table."""
    return Table(tmp_path / "onestop.db")


def config_of(table: Table, *, top: str = "", mapping: str = MAPPING) -> Path:
    """Its configuration."""
    return write(table.path.parent, SQL.format(path=table.path), top=top, mapping=mapping)


def test_only_changes_are_sent(table: Table) -> None:
    """The first round sends each row once, the next nothing, then only the row that changed."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    for number in range(5):
        table.add(f"D{number}")

    assert once(config, sent, clock).sent == 5
    sent.take()
    clock.move(minutes=1)
    assert once(config, sent, clock).sent == 0
    table.run(
        "UPDATE dossiers SET state = 'Đã trả', finished = '2026-11-21 09:00:30', updated = '2026-11-21 09:00:30' "
        "WHERE code = 'D3'"
    )
    once(config, sent, clock)

    [event] = sent.take()
    assert (event.subject, event.data.status) == ("D3", "completed")
    assert event.version == int(event.time.timestamp() * 1e6)


def test_one_row_of_cases_is_one_snapshot(table: Table) -> None:
    """A finished case is sent as it is now, without its history, at the time of the round."""
    table.run("DROP TABLE dossiers")
    table.run("CREATE TABLE dossiers (code, office, received, finished, due)")
    table.run(
        "INSERT INTO dossiers VALUES (?, 'H19.01', ?, ?, '2026-11-25')",
        [("open", "2026-11-20 08:00:00", None), ("done", "2026-11-19 08:00:00", "2026-11-20 15:00:00")],
    )
    source = SQL.split("[sql.watermark]", maxsplit=1)[0].replace(" WHERE updated >= :watermark", "")
    config = write(table.path.parent, source.format(path=table.path), mapping=CASES)
    sent, clock = Sent(), Clock()

    report = once(config, sent, clock)

    events = {e.subject: e for e in sent.take()}
    assert report.full
    assert {s: (e.data.status, e.data.finished_at is not None) for s, e in events.items()} == {
        "open": ("processing", False),
        "done": ("completed", True),
    }
    assert {e.time for e in events.values()} == {START}
    assert once(config, sent, clock).sent == 0


def test_touched_row_is_no_change(table: Table) -> None:
    """A row whose time moved but that says the same is not sent."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    once(config, sent, clock)
    table.run("UPDATE dossiers SET updated = '2026-11-21 08:59:00'")

    report = once(config, sent, clock)

    assert (report.rows, report.sent) == (1, 0)


def test_source_that_lies_about_its_watermark(table: Table) -> None:
    """A change that keeps the old time is found by the full comparison, and wins."""
    sent, clock, config = Sent(), Clock(), config_of(table, top="full_comparison_s = 3600")
    table.add("D1")
    table.add("D2", updated="2026-11-21 08:30:00")
    once(config, sent, clock)
    before = {e.subject: e.version for e in sent.take()}
    table.run("UPDATE dossiers SET how = 'desk' WHERE code = 'D1'")
    clock.move(minutes=10)
    assert once(config, sent, clock).sent == 0
    clock.move(minutes=50)

    report = once(config, sent, clock)

    [event] = sent.take()
    assert report.full
    assert (event.subject, event.data.channel) == ("D1", "counter")
    assert event.version > before["D1"]


def test_rows_committed_late_are_found_by_the_overlap(table: Table) -> None:
    """A row that appears with a time a little before the newest is read."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1", updated="2026-11-21 08:50:00")
    once(config, sent, clock)
    table.add("late", updated="2026-11-21 08:49:20")

    assert once(config, sent, clock).sent == 1


def test_clock_an_hour_ahead(table: Table) -> None:
    """A time an hour ahead hides neither later rows nor a later change of the same row."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("first")
    once(config, sent, clock)
    clock.move(seconds=10)
    table.add("ahead", updated="2026-11-21 10:00:10")
    once(config, sent, clock)
    wrong = sent.take()[-1]
    clock.move(minutes=2)
    table.run("UPDATE dossiers SET how = 'desk', updated = '2026-11-21 09:02:00' WHERE code = 'ahead'")
    table.add("normal", updated="2026-11-21 09:02:00")

    once(config, sent, clock)

    later = {e.subject: e for e in sent.take()}
    assert set(later) == {"ahead", "normal"}
    assert wrong.version == int((clock.now.timestamp() - 120) * 1e6)
    assert later["ahead"].version > wrong.version
    assert all(e.time <= clock.now for e in later.values())


def test_correction_backwards(table: Table) -> None:
    """A row set back to an earlier state and an earlier time wins against what was sent."""
    sent, clock, config = Sent(), Clock(), config_of(table, top="full_comparison_s = 60")
    table.add("D1")
    once(config, sent, clock)
    clock.move(minutes=1)
    table.run("UPDATE dossiers SET how = 'desk', updated = '2026-11-21 08:59:00'")
    once(config, sent, clock)
    clock.move(minutes=1)
    table.run("UPDATE dossiers SET how = 'web', updated = '2026-11-20 08:00:00'")

    once(config, sent, clock)

    events = sent.take()
    assert [e.data.channel for e in events] == ["online", "counter", "online"]
    assert events == sorted(events, key=lambda e: e.version)


def test_lost_state_loses_nothing(table: Table) -> None:
    """Without its state the poller sends everything once more, and what the source says now wins."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1", updated="2026-11-21 08:59:00")
    once(config, sent, clock)
    for file in config.parent.glob("*.state*"):
        file.unlink()
    clock.move(minutes=1)
    table.run("UPDATE dossiers SET how = 'desk', updated = '2026-11-20 08:00:00'")

    once(config, sent, clock)

    first, second = sent.take()
    assert second.data.channel == "counter"
    assert second.version > first.version


def test_missing_column(table: Table) -> None:
    """A column that is gone fails the round by name; nothing is sent, nothing advances; then it goes on."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    once(config, sent, clock)
    table.run("ALTER TABLE dossiers RENAME COLUMN office TO agency")
    table.add("D2")

    with pytest.raises(SourceChangedError, match=r"no column 'office' that the mapping .* it has 'code', 'agency'"):
        once(config, sent, clock)

    table.run("ALTER TABLE dossiers RENAME COLUMN agency TO office")
    assert once(config, sent, clock).sent == 1


def test_query_that_fails(table: Table) -> None:
    """A query that names what is gone says so in the driver's words."""
    table.run("ALTER TABLE dossiers RENAME COLUMN updated TO changed")

    with pytest.raises(SourceChangedError, match=r"no such column: updated.*adapt sql\.query"):
        once(config_of(table), Sent(), Clock())


def test_new_column_is_told_once(table: Table) -> None:
    """A column that nobody maps is ignored, with a notice in the round that first has it."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    assert once(config, sent, clock).new_columns == ()
    table.run("ALTER TABLE dossiers ADD COLUMN note")

    assert once(config, sent, clock).new_columns == ("note",)
    assert once(config, sent, clock).new_columns == ()


def test_duplicates_in_one_page(table: Table) -> None:
    """Of two rows of one entity the newer counts, in a page and over pages, and rounds do not flap."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    for copy, updated in (("web", "2026-11-21 08:10:00"), ("desk", "2026-11-21 08:05:00")):
        table.add("near", how=copy, updated=updated)
    table.add("far", how="web", updated="2026-11-21 08:20:00")
    table.add("between")
    table.add("far", how="desk", updated="2026-11-21 08:21:00")

    report = once(config, sent, clock)

    assert {e.subject: e.data.channel for e in sent.take()} == {
        "near": "online",
        "far": "counter",
        "between": "online",
    }
    assert report.duplicates == 2
    clock.move(days=2)
    again = once(config, sent, clock)
    assert (again.full, again.sent, again.duplicates) == (True, 0, 2)


def test_refused_rows_do_not_stop_a_round_and_come_back(table: Table) -> None:
    """Wrong rows are refused alone, with row, column and reason; once mended they are sent."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("good")
    table.add("word", how="pigeon")
    table.add("", how="web")
    table.add("future", finished="2027-01-01 00:00:00", state="Đã trả")
    table.add("time", due="soon")

    report = once(config, sent, clock)

    assert [e.subject for e in sent.take()] == ["good"]
    assert (report.rows, report.sent, report.refused) == (5, 1, 4)
    assert report.refused_by_column == {"how": 1, "code": 1, "finished": 1, "due": 1}
    assert "row 2, column how: 'pigeon' is not in the map; known: 'web', 'desk' (word)" in report.first_refusals
    assert any("more than a day ahead" in text and "(future)" in text for text in report.first_refusals)
    table.run("UPDATE dossiers SET how = 'web', updated = '2026-11-21 08:30:00' WHERE code = 'word'")
    assert once(config, sent, clock).sent == 1


def test_mended_mapping_brings_refused_rows_back(table: Table) -> None:
    """A changed mapping compares everything once: rows that it now reads are sent."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("good")
    table.add("word", how="pigeon")
    once(config, sent, clock)
    config_of(table, mapping=MAPPING.replace('"desk" =', '"pigeon" = "post", "desk" ='))

    report = once(config, sent, clock)

    assert (report.full, report.sent, report.refused) == (True, 1, 0)


def test_vanished_rows_are_counted(table: Table) -> None:
    """By default a row that is gone is counted and nothing is sent."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    table.add("D2")
    once(config, sent, clock)
    table.run("DELETE FROM dossiers WHERE code = 'D1'")
    clock.move(days=2)

    report = once(config, sent, clock)

    assert (report.vanished, report.sent) == (1, 0)


def test_vanished_rows_are_voided(table: Table) -> None:
    """With vanished = void the last state is sent with the status void, once; a row that returns wins again."""
    sent, clock, config = Sent(), Clock(), config_of(table, top='vanished = "void"')
    table.add("D1", how="desk")
    table.add("D2")
    once(config, sent, clock)
    sent.take()
    table.run("CREATE TABLE bin AS SELECT * FROM dossiers WHERE code = 'D1'")
    table.run("DELETE FROM dossiers WHERE code = 'D1'")
    clock.move(days=2)

    assert once(config, sent, clock).voided == 1
    [void] = sent.take()
    assert (void.subject, void.data.status, void.data.channel) == ("D1", "void", "counter")
    clock.move(days=2)
    assert once(config, sent, clock).sent == 0
    table.run("INSERT INTO dossiers SELECT * FROM bin")
    clock.move(days=2)
    once(config, sent, clock)

    [back] = sent.take()
    assert (back.subject, back.data.status) == ("D1", "processing")
    assert back.version > void.version


def test_rows_known_before_void_was_asked_for(table: Table) -> None:
    """When voiding is switched on later, rows that were already known can be voided too."""
    sent, clock, config = Sent(), Clock(), config_of(table)
    table.add("D1")
    table.add("D2")
    once(config, sent, clock)
    config_of(table, top='vanished = "void"')
    once(config, sent, clock)
    table.run("DELETE FROM dossiers WHERE code = 'D1'")
    clock.move(days=2)

    assert once(config, sent, clock).voided == 1


def test_emptied_table_voids_nothing(table: Table) -> None:
    """When most of a table is gone at once the round fails, and nothing is voided."""
    sent, clock, config = Sent(), Clock(), config_of(table, top='vanished = "void"')
    for number in range(20):
        table.add(f"D{number}")
    once(config, sent, clock)
    sent.take()
    table.run("DELETE FROM dossiers")
    clock.move(days=2)

    with pytest.raises(SourceChangedError, match="20 of 20 entities have vanished at once"):
        once(config, sent, clock)

    assert sent.take() == []


def test_refused_rows_have_not_vanished(table: Table) -> None:
    """A row that became unreadable is not voided; with an unreadable code nothing is."""
    sent, clock, config = Sent(), Clock(), config_of(table, top='vanished = "void"')
    table.add("D1")
    table.add("D2")
    once(config, sent, clock)
    table.run("UPDATE dossiers SET how = 'pigeon' WHERE code = 'D1'")
    clock.move(days=2)
    report = once(config, sent, clock)
    assert (report.vanished, report.voided) == (0, 0)
    table.run("UPDATE dossiers SET code = NULL WHERE code = 'D2'")
    clock.move(days=2)

    report = once(config, sent, clock)

    assert (report.vanished, report.voided) == (1, 0)


def test_memory_is_bounded_at_the_first_poll(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading 8,000 rows takes hardly more memory than reading 2,000 of them."""
    monkeypatch.setattr("producers.poll.round.SEND_BATCH", 200)
    peaks = []
    for rows in (2_000, 8_000):
        folder = table.path.parent / str(rows)
        folder.mkdir()
        large = Table(folder / "onestop.db")
        row = ("H19.01", "web", "Đang xử lý", "2026-11-25 17:00:00", None, "2026-11-21 08:00:00")
        large.run("INSERT INTO dossiers VALUES (?, ?, ?, ?, ?, ?, ?)", [(f"D{n:06}", *row) for n in range(rows)])
        source = SQL.format(path=large.path).replace("batch_rows = 2", "batch_rows = 200")
        sent = Sent()
        sent.send = lambda _: None  # type: ignore[method-assign]
        with opened(write(folder, source), sent, Clock()) as poller:
            tracemalloc.start()
            report = poller.round()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert report.sent == rows

    assert peaks[1] < peaks[0] * 1.2 + 500_000, peaks


def test_unreachable_database_hides_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be opened is told in the driver's words, but without the password that the environment holds."""

    def refuse(url: sqlalchemy.URL, **_: object) -> object:
        def connect() -> None:
            raise OperationalError("", None, Exception(f"login with {url.password} failed"))

        return SimpleNamespace(connect=connect, dispose=lambda: None)

    monkeypatch.setattr("sqlalchemy.create_engine", refuse)
    source = SQL.format(path="").replace("sqlite:///", "postgresql://nhip@db.invalid/onestop")
    config = write(tmp_path, source.replace("batch_rows = 2", 'password_env = "ONESTOP_PASSWORD"'))

    with pytest.raises(SourceUnreachableError) as error:
        once(config, Sent(), Clock(), {"ONESTOP_PASSWORD": "open-sesame"})

    assert "login with *** failed: check address, account and password" in str(error.value)
    assert "open-sesame" not in str(error.value)


def test_password_for_a_file(table: Table) -> None:
    """A password that the database does not take is a fault of the configuration."""
    source = SQL.format(path=table.path).replace("batch_rows = 2", 'password_env = "ONESTOP_PASSWORD"')

    with pytest.raises(PollConfigError, match="takes no account and no password") as error:
        once(write(table.path.parent, source), Sent(), Clock(), {"ONESTOP_PASSWORD": "open-sesame"})

    assert "open-sesame" not in str(error.value)


def test_driver_that_is_not_installed(tmp_path: Path) -> None:
    """A missing driver is named before the first round."""
    source = SQL.format(path="").replace("sqlite:///", "postgresql+psycopg2://nhip@db.invalid/onestop")

    with pytest.raises(PollConfigError, match=r"poll\.toml: sql\.url: .*needs the Python package of its driver"):
        once(write(tmp_path, source), Sent(), Clock())


def test_database_is_only_read(table: Table) -> None:
    """The source is left as it was, to the byte."""
    table.add("D1")
    before = table.path.read_bytes()

    once(config_of(table), Sent(), Clock())

    assert table.path.read_bytes() == before
    assert [p.name for p in table.path.parent.glob("onestop*")] == [table.path.name]
