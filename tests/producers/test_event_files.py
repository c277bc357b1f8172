"""Files of events: every record is accepted, or refused with path and reason, as the stream would."""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract.decode import EventError, Horizon, decode
from contract.kind import Event
from contract.marks import epoch_us
from contract.registry import KINDS
from producers.event_files import Checked, check_file
from producers.examples import examples
from producers.files import ReplayError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HORIZON = Horizon(epoch_us(NOW))


def made(count: int = 5) -> list[Event]:
    """Valid events of all kinds."""
    chance = random.Random(7)
    return [e for kind in KINDS for e in examples(kind, count, chance, NOW)]


def check(path: Path) -> list[Checked]:
    """Every record of a file."""
    return list(check_file(path, HORIZON))


@pytest.mark.parametrize("form", ["ndjson", "json lines", "array", "pretty array", "one after the other", "gzip"])
def test_all_forms_are_told_apart(tmp_path: Path, form: str) -> None:
    """One record a line, an array, and values that follow each other give the same records, gzipped too."""
    plain = [msgspec.to_builtins(event) for event in made()]
    lines = "\n".join(map(json.dumps, plain))
    texts = {
        "ndjson": ("a.ndjson", "\ufeff" + lines),
        "json lines": ("a.txt", lines),
        "array": ("a.json", json.dumps(plain)),
        "pretty array": ("a.json", json.dumps(plain, indent=2)),
        "one after the other": ("a.json", "\n".join(json.dumps(one, indent=2) for one in plain)),
        "gzip": ("a.ndjson.gz", lines),
    }
    name, text = texts[form]
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if form == "gzip" else text.encode())

    rv = check(path)

    assert [r.event for r in rv] == made()
    assert [r.number for r in rv] == list(range(1, len(rv) + 1))


def test_one_event(tmp_path: Path) -> None:
    """A file with one event is that one record."""
    path = tmp_path / "one.json"
    path.write_bytes(msgspec.json.encode(made()[0]))

    assert [r.event for r in check(path)] == made()[:1]


def test_reasons_and_paths_are_those_of_the_stream(tmp_path: Path) -> None:
    """Each refusal says what decode says, and the good records around it are accepted."""
    good = msgspec.to_builtins(made()[0])
    bad = [
        {**good, "version": "x"},
        {**good, "data": {**good["data"], "unit": ""}},
        {**good, "data": {**good["data"], "applicant": "x"}},
        {**good, "time": (NOW + timedelta(days=3)).isoformat()},
        {key: value for key, value in good.items() if key != "source"},
        {**good, "pad": "x" * 70_000},
    ]
    path = tmp_path / "mixed.ndjson"
    path.write_text("\n".join(json.dumps(one) for one in [good, *bad, good]) + "\nnot json\n\n[1]\n")
    expected = []
    for one in bad:
        with pytest.raises(EventError) as caught:
            decode(KINDS[0], json.dumps(one).encode(), HORIZON)
        expected.append((caught.value.reason, str(caught.value)))

    rv = check(path)

    assert [(r.reason, r.text) for r in rv[1:7]] == expected
    assert [r.path for r in rv[1:5]] == ["$.version", "$.data.unit", "$.data.applicant", "$.time"]
    assert rv[0].event == rv[7].event == made()[0]
    assert [(r.number, r.reason) for r in rv[8:]] == [(9, "not_json"), (11, "invalid")]


def test_a_broken_array_ends_with_one_refusal(tmp_path: Path) -> None:
    """What stands before the break counts; the break is one record that is not JSON."""
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([msgspec.to_builtins(e) for e in made(1)], indent=1)[:-30])

    rv = check(path)

    assert [r.reason for r in rv] == [*[None] * (len(KINDS) - 1), "not_json"]


def test_bytes_that_are_no_text_refuse_their_record(tmp_path: Path) -> None:
    """A record that is not UTF-8 is refused alone, in an array too."""
    good = msgspec.json.encode(made()[0])
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + good + b"," + good.replace(b"online", b"\xff\xfe").replace(b"example/", b"\xff/") + b"]")

    rv = check(path)

    assert [r.reason for r in rv] == [None, "not_json"]


def test_a_large_file_is_read_in_pieces_with_progress(tmp_path: Path) -> None:
    """Elements larger than a piece are put together; progress ends at the size of the file."""
    path = tmp_path / "large.json"
    one = msgspec.json.encode(made()[0])
    path.write_bytes(b"[" + b",\n".join([one] * 2000 + [b'"' + b"x" * 600_000 + b'"']) + b"]")
    seen = []

    rv = list(check_file(path, HORIZON, lambda done, total: seen.append((done, total))))

    assert [r.reason for r in rv] == [None] * 2000 + ["too_large"]
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert seen[0][0] < seen[-1][0]


@pytest.mark.parametrize("content", [b"", gzip.compress(b"{}" * 1000, mtime=0)[:-9]])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """Empty and damaged files are refused as a whole."""
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(ReplayError, match=r"a\.json"):
        check(path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_examples_of_every_kind_are_valid(kind: object) -> None:
    """Whatever kinds there are: their examples are taken, all statuses occur, and a seed gives the same ones."""
    (chosen,) = (k for k in KINDS if k is kind)

    rv = list(examples(chosen, 300, random.Random(1), NOW))

    for event in rv:
        assert decode(chosen, msgspec.json.encode(event), HORIZON) == event
    assert {chosen.needs.get(e.data.status) for e in rv} >= set(chosen.needs.values())  # type: ignore[attr-defined]
    assert len({e.subject for e in rv}) == 300
    assert rv == list(examples(chosen, 300, random.Random(1), NOW))
