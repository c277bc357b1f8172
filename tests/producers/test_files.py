"""Files are read as streams, and what is wrong with one has a place."""

import gzip
import json
from pathlib import Path

import pytest

from producers.files import ReplayError, read_rows
from producers.refusal import Refusal

CSV = "code,Tên\n1,đất\n2,\n"


def test_csv(tmp_path: Path) -> None:
    """Rows come with the number that a spreadsheet shows."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + CSV.encode())

    assert list(read_rows(path)) == [(2, {"code": "1", "Tên": "đất"}), (3, {"code": "2", "Tên": ""})]


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    """A gzipped file is read whatever it is called."""
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(CSV.encode(), mtime=0))

    assert len(list(read_rows(path))) == 2


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.gz", "a.txt"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    """Numbers keep their digits, null is empty, booleans are words."""
    path = tmp_path / name
    path.write_text('{"a": 1.10, "b": null, "c": true, "d": "x"}\n\n{"a": 12345678901234567890}\n')

    assert list(read_rows(path)) == [
        (1, {"a": "1.10", "b": "", "c": "true", "d": "x"}),
        (3, {"a": "12345678901234567890"}),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [("[1]", "JSON list"), ("7", "JSON"), ("{", "not JSON"), (json.dumps({"a": "\ud800"}), "surrogate")],
)
def test_bad_json_line_is_refused_alone(tmp_path: Path, line: str, words: str) -> None:
    """A line that is no object is refused with its number, the others are read."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n' + line + '\n{"a": 2}\n')

    rv = list(read_rows(path))

    refusal = rv[1]
    assert isinstance(refusal, Refusal)
    assert refusal.row == 2
    assert words in refusal.reason
    assert len(rv) == 3


def test_row_with_other_cells_is_refused_alone(tmp_path: Path) -> None:
    """A row that is longer or shorter than the header is refused."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1\n1,2,3\n1,2\n")

    rv = list(read_rows(path))

    assert [str(r) for r in rv[:2]] == [
        "row 2: has 1 cells, the header has 2",
        "row 3: has 3 cells, the header has 2",
    ]
    assert rv[2] == (4, {"a": "1", "b": "2"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1,\xff\n", "row 2 is not UTF-8 (byte 0xff)"),
        (gzip.compress(CSV.encode() * 100, mtime=0)[:-20], "truncated"),
        (b"\x1f\x8b garbage", "damaged"),
        (b"a,a\n1,2\n", "a more than once"),
        (b'a,b\n"1,2\n', "is not CSV"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    """What stops a whole file is said with its path, the row where there is one, and why."""
    path = tmp_path / "bad.csv"
    path.write_bytes(content)

    with pytest.raises(ReplayError) as caught:
        list(read_rows(path))

    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that does not exist is said so."""
    with pytest.raises(ReplayError, match=r"gone\.csv: cannot be read"):
        list(read_rows(tmp_path / "gone.csv"))
