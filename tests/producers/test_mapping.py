"""Mappings are checked whole, and a fault names file, key and remedy."""

from pathlib import Path

import pytest

from producers.mapping import MappingError, load_mapping, shipped

ROOT = Path(__file__).parents[2]
CASES = """
kind = "dossier"
layout = "cases"
source = "test"
[subject]
column = "code"
[moments]
start = "start"
end = "end"
[status]
start = "accepted"
end = "completed"
[fields]
unit = { column = "office" }
channel = { column = "how", map = { web = "online" } }
received_at = { moment = "start" }
finished_at = { moment = "end" }
"""


def refused(tmp_path: Path, text: str) -> str:
    """Return the words with which a mapping is refused."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_unknown_name_lists_the_shipped() -> None:
    """A name that is not shipped is answered with those that are."""
    with pytest.raises(MappingError, match="'nope': shipped are fines, receipt"):
        load_mapping("nope")


@pytest.mark.parametrize("name", ["fines", "receipt"])
def test_shipped_ones_load(name: str) -> None:
    """Every shipped mapping is sound."""
    assert name in shipped()
    assert load_mapping(name).columns()


def test_own_file_is_read(tmp_path: Path) -> None:
    """A path that ends in .toml is read, and names the columns it needs once each."""
    path = tmp_path / "mine.toml"
    path.write_text(CASES)

    rv = load_mapping(path)

    assert rv.columns() == ("code", "start", "end", "office", "how")


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path that does not exist is said to be so."""
    with pytest.raises(MappingError, match=r"gone\.toml: cannot be read"):
        load_mapping(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('source = "test"', 'source = "test"\ncolour = "red"', ["colour"]),
        ('kind = "dossier"', 'kind = "visit"', ["$.kind"]),
        ('kind = "dossier"', 'kind = "dossier', ["is not TOML"]),
        ('source = "test"', 'source = "test"\ntimezone = "Asia/Hanoi2"', ["timezone", "Asia/Ho_Chi_Minh"]),
        ('source = "test"', 'source = "test"\ntime_formats = ["dd/mm"]', ["time_formats", "%d/%m/%Y"]),
        ('{ column = "office" }', '{ column = "office", colour = 1 }', ["fields.unit", "colour"]),
        ('{ column = "office" }', '{ column = "office", value = "x" }', ["fields.unit", "exactly one"]),
        ('{ column = "office" }', "[]", ["fields.unit", "empty"]),
        ('unit = { column = "office" }', "", ["fields.unit", "missing"]),
        ('web = "online"', 'web = "internet"', ["fields.channel", "internet", "counter, online"]),
        ('finished_at = { moment = "end" }', "", ["fields.finished_at", "completed"]),
        ("[fields]", "[fields]\ncolour = { value = 1 }", ["fields.colour", "received_at"]),
        ("[fields]", '[fields]\nstatus = { value = "void" }', ["fields.status", "[status]"]),
        ("[fields]", '[fields]\nfield = { column = "a", scale = 3 }', ["fields.field", "scale"]),
        ("[fields]", '[fields]\nfield = { column = "a", default = "b" }', ["fields.field", "map"]),
        ("[fields]", '[fields]\nfield = { column = "a", known = "row" }', ["fields.field", "log"]),
        ("[fields]", '[fields]\nfield = { moment = "start" }', ["fields.field", "time field"]),
        ('start = "accepted"', 'start = "open"', ["status.start", "open", "accepted, completed"]),
        ('start = "accepted"', 'start = "accepted"\ncolumn = "x"', ["status.column", "together"]),
        ('end = "completed"', "", ["status.end"]),
        ('start = "start"', "", ["moments.start"]),
        ('start = "start"', 'start = "start"\nrow = "r"', ["moments.row"]),
        ('start = "start"', 'start = "start"\nversion = "v"', ["moments.version"]),
        ('layout = "cases"', 'layout = "log"', ["moments.row"]),
        ('layout = "cases"', 'layout = "snapshots"', ["moments.row"]),
    ],
)
def test_faults_are_named(tmp_path: Path, before: str, after: str, words: list[str]) -> None:
    """Each slip is refused with the file, the key and what to do."""
    assert before in CASES

    rv = refused(tmp_path, CASES.replace(before, after, 1))

    for word in words:
        assert word in rv


def test_missing_fields_table(tmp_path: Path) -> None:
    """A mapping without fields is told what it lacks."""
    assert "[fields]" in refused(tmp_path, CASES[: CASES.index("[fields]")])


def test_every_key_is_documented() -> None:
    """docs/mappings.md names every key of every table."""
    from producers import mapping_tables as tables  # noqa: PLC0415

    text = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    structs = (tables.Mapping, tables.Subject, tables.Moments, tables.Status, tables.FieldSource)
    keys = {name for struct in structs for name in struct.__struct_fields__} - {"name", "subject", "moments"}

    missing = [k for k in sorted(keys - {"status", "fields"}) if f"`{k}`" not in text]

    assert not missing
    assert all(f"`[{table}]`" in text for table in ("subject", "moments", "status", "fields"))


def test_the_documented_example_loads(tmp_path: Path) -> None:
    """The smallest mapping of the documentation works as printed."""
    text = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    path = tmp_path / "documented.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0])

    assert load_mapping(path).layout == "cases"
