"""A folder of files as a source."""

import os
from pathlib import Path

import pytest

from producers.mapping import load_mapping
from producers.poll.config import load_config
from producers.poll.errors import SourceAnswerError, SourceChangedError, SourceUnreachableError
from producers.poll.folder import FolderSource
from tests.support.polling import MAPPING, START, Clock, Sent, once, write

HEADER = "code,office,how,state,due,finished,updated"
OLD_S = START.timestamp() - 3600


def put(folder: Path, name: str, *rows: str, encoding: str = "utf-8", at_s: float = OLD_S) -> Path:
    """Write a file that was last changed at a time."""
    path = folder / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("\r\n".join([HEADER, *rows, ""]).encode(encoding))
    os.utime(path, (at_s, at_s))
    return path


def row(code: str, *, how: str = "web", state: str = "Đang xử lý", updated: str = "2026-11-21 08:00") -> str:
    """One line."""
    finished = "2026-11-21 08:00" if state == "Đã trả" else ""
    return f"{code},H19.01,{how},{state},2026-11-25 17:00,{finished},{updated}"


def config_of(folder: Path, extra: str = "settle_s = 0", encoding: str = "utf-8") -> Path:
    """The folder's configuration."""
    (folder / "in").mkdir(exist_ok=True)
    mapping = MAPPING.replace("[subject]", f'encoding = "{encoding}"\n[subject]')
    return write(folder, f'[folder]\npath = "in"\n{extra}', mapping=mapping)


def test_files_are_read_when_new_or_changed(tmp_path: Path) -> None:
    """Each file is read once, again when it changed; other files are not looked at."""
    sent, clock, config = Sent(), Clock(), config_of(tmp_path)
    put(tmp_path, "a.csv", row("F1"), row("F2"))
    put(tmp_path, "note.txt", "no rows at all")
    assert once(config, sent, clock).sent == 2
    assert once(config, sent, clock).rows == 0
    put(tmp_path, "b.csv", row("F3"))
    assert once(config, sent, clock).rows == 1
    put(tmp_path, "a.csv", row("F1"), row("F2", how="desk"), at_s=OLD_S + 60)

    report = once(config, sent, clock)

    assert (report.rows, report.sent) == (2, 1)


def test_file_changed_last_wins(tmp_path: Path) -> None:
    """Of copies in several files that claim no order the one in the youngest file counts, each time."""
    sent, clock, config = Sent(), Clock(), config_of(tmp_path)
    put(tmp_path, "z-older.csv", row("F1", how="desk"))
    put(tmp_path, "a-younger.csv", row("F1", how="web"), at_s=OLD_S + 60)

    once(config, sent, clock)

    assert [e.data.channel for e in sent.take()] == ["online"]
    clock.move(days=2)
    assert once(config, sent, clock).sent == 0


def test_windows_1258(tmp_path: Path) -> None:
    """Vietnamese text in Windows-1258, with its accents after the letters, meets the words of the mapping."""
    config = config_of(tmp_path, encoding="windows-1258")
    path = put(tmp_path, "a.csv")
    line = row("F1").replace("Đang xử lý", "Đang xư\u0309 ly\u0301")
    path.write_bytes(f"{HEADER}\r\n{line}".encode("windows-1258"))
    sent = Sent()

    report = once(config, sent, Clock())

    assert (report.refused, [e.data.status for e in sent.take()]) == (0, ["processing"])


@pytest.mark.parametrize(
    ("configured", "written", "text"),
    [
        (
            "utf-8",
            "windows-1258",
            r"row 2 is not UTF-8 \(byte 0x[0-9a-f]+\).*or set the mapping's encoding, often to windows-1258",
        ),
        ("windows-1258", "utf-8", r"row 2 is UTF-8, not windows-1258: set the encoding to utf-8"),
    ],
)
def test_wrong_encoding(tmp_path: Path, configured: str, written: str, text: str) -> None:
    """Text in the other encoding is told with its row and the remedy, and nothing of it is sent."""
    config = config_of(tmp_path, encoding=configured)
    path = put(tmp_path, "a.csv")
    line = row("F1").replace("Đang xử lý", "Đang xư\u0309 ly\u0301" if written != "utf-8" else "Đang xử lý")
    path.write_bytes(f"{HEADER}\r\n{line}".encode(written))
    sent = Sent()

    with pytest.raises(SourceAnswerError, match=text):
        once(config, sent, Clock())

    assert sent.take() == []


def test_file_that_is_being_written(tmp_path: Path) -> None:
    """A file that changed just now is watched for a while; if it goes on growing it is left for later."""
    config_of(tmp_path, "")
    path = put(tmp_path, "a.csv", row("F1"), at_s=1000.0)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            with path.open("a") as file:
                file.write(row("F2"))

    table = load_config(tmp_path / "poll.toml").folder
    assert table is not None
    source = FolderSource(table, tmp_path, load_mapping(tmp_path / "mapping.toml"), clock=lambda: 1001.0, sleep=sleep)

    growing = list(source.pages({}, full=True, began=START))
    settled = list(source.pages({}, full=True, began=START))

    assert growing == []
    assert sum(len(page.rows) for page in settled) == 2
    assert waited == [2.0, 2.0]


def test_header_that_changed(tmp_path: Path) -> None:
    """A file without a column of the mapping fails the round by file and column."""
    config = config_of(tmp_path)
    path = put(tmp_path, "a.csv", row("F1"))
    path.write_text(path.read_text("utf-8").replace("office", "agency"), "utf-8")

    with pytest.raises(SourceChangedError, match=r"a\.csv: has no column 'office'"):
        once(config, Sent(), Clock())


def test_json_lines(tmp_path: Path) -> None:
    """JSON lines are read too; a row may lack what is empty, a file may not."""
    config = config_of(tmp_path, 'pattern = "*.jsonl"\nsettle_s = 0')
    path = put(tmp_path, "a.jsonl")
    cells = '"code": "F%d", "office": "H19.01", "how": "web", "state": "Đang xử lý", "updated": "2026-11-21"'
    path.write_text("{" + cells % 1 + "}\n{" + cells % 2 + ', "due": null, "finished": null}\n', "utf-8")
    assert once(config, Sent(), Clock()).sent == 2
    path.write_text("{" + cells % 1 + "}\n", "utf-8")

    with pytest.raises(SourceChangedError, match="no column 'due', 'finished'"):
        once(config, Sent(), Clock())


def test_folder_that_is_gone(tmp_path: Path) -> None:
    """A folder that cannot be seen, as of a share that is away, is no folder without files."""
    config = config_of(tmp_path)
    (tmp_path / "in").rmdir()

    with pytest.raises(SourceUnreachableError, match=r"is no folder, or cannot be seen: check folder\.path"):
        once(config, Sent(), Clock())


def test_crooked_row(tmp_path: Path) -> None:
    """A row with too many cells is refused alone."""
    put(tmp_path, "a.csv", row("F1"), "F2,too,few")

    report = once(config_of(tmp_path), Sent(), Clock())

    assert (report.sent, report.first_refusals) == (1, ("row 3: has 3 cells, the header has 7",))
