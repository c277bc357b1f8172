"""Mappings that are proposed by looking at a file: they load, and what the file can tell is found."""

import json
import random
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract.decode import Horizon
from contract.registry import KINDS, kind
from producers.examples import examples
from producers.files import ReplayError
from producers.mapping import load_mapping
from producers.propose.answers import answered
from producers.propose.columns import profile
from producers.propose.proposal import Proposal
from producers.propose.propose import propose
from producers.propose.reading import look_at
from producers.propose.vocabulary import plain
from producers.propose.write import as_toml
from producers.replay import read_events
from producers.trial import Trial, try_out

DATA = Path(__file__).parents[2] / "data"
WALL = Horizon(1_795_312_800_000_000)
UNITS = {"so xay dung": "H19.03", "H19.03": "H19.03", "phuong tam hiep": "26041", "26041": "26041"}
NATIONAL = """\
Mã hồ sơ;MaTTHC;KenhThucHien;NgayTiepNhan;NgayHenTra;NgayKetThucXuLy;TrangThai;Đơn vị xử lý;NguoiXuLy;Cập nhật
H19-1;1.005129;2;01/10/2026 09:00;08/10/2026 17:00;06/10/2026 10:00;10;Sở Xây dựng;A;06/10/2026 10:30
H19-2;1.005129;1;02/10/2026 08:30;09/10/2026 17:00;;4;Phường Tam Hiệp;B;02/10/2026 08:30
H19-3;1.001612;3;02/10/2026 14:05;12/10/2026 17:00;;Yêu cầu bổ sung;Sở Xây dựng;C;03/10/2026 09:00
"""


def proposed(path: Path) -> Proposal:
    """The proposal for a file."""
    look = look_at(path)
    return propose(look.rows, path.stem, look.form, UNITS)


def tried(path: Path, proposal: Proposal, folder: Path) -> Trial:
    """What the written mapping makes of the file."""
    target = folder / "proposed.toml"
    target.write_text(as_toml(proposal, path.name), "utf-8")
    return try_out(read_events(path, load_mapping(target)), WALL)


def test_the_permits_are_understood_without_a_question(tmp_path: Path) -> None:
    """Subject, start, end, due date, channel and the layout of receipt.csv are found; nothing is refused."""
    path = DATA / "receipt.csv"

    rv = proposed(path)
    trial = tried(path, rv, tmp_path)

    assert (rv.kind, rv.layout, rv.subject) == ("dossier", "log", "case:concept:name")
    assert rv.moments == {"start": "case:startdate", "row": "time:timestamp", "end": "case:enddate"}
    assert rv.fields["due_at"].column == "case:deadline"
    assert rv.fields["channel"].words["Internet"] == "online"
    assert (len(trial.events), trial.refused) == (11_340, 0)


def test_the_fines_are_payments(tmp_path: Path) -> None:
    """A payment is seen in the activity; amounts that are no whole đồng are refused and said to be open."""
    path = DATA / "fines.csv"

    rv = proposed(path)
    trial = tried(path, rv, tmp_path)

    assert (rv.kind, rv.layout) == ("payment", "log")
    assert rv.status is not None
    assert (rv.status.start, rv.status.words) == ("due", {"Payment": "paid"})
    assert "Send Fine" in rv.status.steps
    assert 'keep the status: "Create Fine", "Send Fine"' in as_toml(rv, path.name)
    assert rv.fields["paid_at"].only == {"concept:name": ("Payment",)}
    assert "decimals, e.g. '" in rv.fields["amount_vnd"].open[0]
    assert "# ? no column tells the unit" in as_toml(answered(rv, {"fields.unit": ""}), path.name)
    assert {event.data.unit for event in trial.events} == {"unknown"}  # type: ignore[attr-defined]
    assert trial.groups[0].column == "amount"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1258"])
def test_a_national_export_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """The names of the national synchronisation, day before month, semicolons and Windows-1258 are understood."""
    path = tmp_path / "ho_so.csv"
    path.write_bytes(as_bytes(NATIONAL, encoding))

    rv = proposed(path)
    trial = tried(path, rv, tmp_path)

    assert (rv.kind, rv.layout, rv.delimiter, rv.time_formats) == ("dossier", "snapshots", ";", ("%d/%m/%Y %H:%M",))
    columns = {name: source.column for name, source in rv.fields.items()}
    assert columns["received_at"] == "NgayTiepNhan"
    assert columns["due_at"] == "NgayHenTra"
    assert columns["finished_at"] == "NgayKetThucXuLy"
    assert rv.fields["status"].words == {"10": "returned", "4": "processing", "Yêu cầu bổ sung": "supplement_asked"}
    assert rv.fields["channel"].words == {"2": "online", "1": "counter", "3": "post"}
    assert rv.fields["unit"].words == {"Sở Xây dựng": "H19.03", "Phường Tam Hiệp": "26041"}
    assert next(g for g in rv.guesses if g.column == "NguoiXuLy").role is None
    assert (len(trial.events), trial.refused) == (3, 0)


def as_bytes(text: str, encoding: str) -> bytes:
    """Encode; Windows-1258 wants the accents of tones after their letters."""
    if encoding != "cp1258":
        return text.encode(encoding)
    found = bytearray()
    for sign in text:
        found += _tone_apart(sign).encode("cp1258")
    return bytes(found)


def _tone_apart(sign: str) -> str:
    try:
        sign.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", sign)
        tones = [p for p in parts if p in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tones))
        return base + "".join(tones)
    return sign


def test_a_list_of_cases_as_json(tmp_path: Path) -> None:
    """One row a case without a time of change: start and end tell the status, and the doubt is written down."""
    path = tmp_path / "cases.json"
    rows = [
        {"dossier": f"D{n}", "department": "Somewhere", "received": "2026-10-01T08:00:00+07:00",
         "deadline": "2026-10-05", "closed": None, "status": "4", "channel": "online"}
        for n in range(5)
    ]  # fmt: skip
    path.write_text(json.dumps(rows, indent=1))

    rv = proposed(path)
    trial = tried(path, rv, tmp_path)

    assert (rv.layout, rv.moments["start"]) == ("cases", "received")
    assert any("status" in doubt for doubt in rv.open)
    assert "dates without a time" in rv.fields["due_at"].open[0]
    assert (len(trial.events), trial.refused) == (5, 0)


def test_answers_close_questions(tmp_path: Path) -> None:
    """Source, unit and unknown words are asked for; with the answers nothing is marked open there."""
    path = tmp_path / "thu.csv"
    path.write_text(
        "Mã giao dịch,Số tiền,Ngày thanh toán,Trạng thái,Hình thức thanh toán,Cập nhật\n"
        "1,50000,2026-10-01 08:00,Đã thanh toán,VNPAY,2026-10-01 08:00\n"
        "2,70000,,Ghi nợ,Xu,2026-10-01 09:00\n"
    )

    first = proposed(path)
    rv = answered(
        first,
        {"source": "kho-bac", "fields.unit": "H19.03", "fields.status.Ghi nợ": "due", "fields.channel.Xu": "counter"},
    )
    trial = tried(path, rv, tmp_path)

    assert {q.key for q in first.questions} == {"source", "fields.unit", "fields.status.Ghi nợ", "fields.channel.Xu"}
    assert rv.questions == ()
    assert "# ?" not in as_toml(rv, "x").partition("kind =")[2]
    assert {e.source for e in trial.events} == {"kho-bac"}
    assert [e.data.status for e in trial.events] == ["paid", "due"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [k.key for k in KINDS])
def test_an_export_of_any_kind_by_its_own_names(tmp_path: Path, name: str) -> None:
    """Whatever kind there is: a table with the contract's field names is taken for it, and loads."""
    path = tmp_path / f"{name}.jsonl"
    made = list(examples(kind(name), 40, random.Random(1), datetime(2026, 11, 20, tzinfo=UTC)))
    rows = [{"id": e.subject, "updated_at": e.time, **msgspec.to_builtins(e.data)} for e in made]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))

    rv = proposed(path)
    trial = tried(path, rv, tmp_path)

    assert (rv.kind, rv.layout) == (name, "snapshots")
    assert len(trial.events) == 40


def test_names_are_compared_without_accents() -> None:
    """Camel case, underscores and accents make no difference."""
    assert {plain("NgayHenTra"), plain("ngay_hen_tra"), plain("Ngày hẹn trả")} == {"ngay hen tra"}
    assert plain("Đơn vị") == "don vi"
    assert plain("MaTTHC") == "ma tthc"


@pytest.mark.parametrize(
    ("cells", "form", "formats"),
    [
        (["25/12/2026", "01/02/2026"], "time", ("%d/%m/%Y",)),
        (["12/25/2026", "01/02/2026"], "time", ("%m/%d/%Y",)),
        (["20261122083000", "20261122093000"], "time", ("%Y%m%d%H%M%S",)),
        (["1", "2", "-3"], "integer", ()),
        (["1.5", "2"], "decimal", ()),
        (["true", "No"], "boolean", ()),
        (["1.005129", "2.000815.A"], "text", ()),
        (["", ""], "empty", ()),
    ],
)
def test_forms_of_columns(cells: list[str], form: str, formats: tuple[str, ...]) -> None:
    """The form of a column is that of its cells."""
    (rv,) = profile([{"a": cell} for cell in cells])

    assert (rv.form, rv.formats) == (form, formats)


def test_odd_cells_are_named() -> None:
    """A few cells that do not fit do not change the form, and are shown."""
    (rv,) = profile([{"a": f"2026-10-{n:02d}"} for n in range(1, 21)] + [{"a": "NULL"}])

    assert (rv.form, rv.odd) == ("time", ("NULL",))


def test_a_file_without_rows_says_so(tmp_path: Path) -> None:
    """A header alone and UTF-16 are no proposals but sentences."""
    alone, wide = tmp_path / "a.csv", tmp_path / "b.csv"
    alone.write_text("a,b\n")
    wide.write_bytes("a,b\n1,2\n".encode("utf-16"))

    with pytest.raises(ReplayError, match="no row"):
        look_at(alone)
    with pytest.raises(ReplayError, match="UTF-8"):
        look_at(wide)
