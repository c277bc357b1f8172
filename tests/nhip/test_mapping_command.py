"""The commands for events and mappings as a user runs them."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from contract.registry import KINDS
from nhip.cli import app
from tests.support.pipeline import DATA

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_samples_pass_the_check(tmp_path: Path) -> None:
    """What `events sample` prints, `events validate` accepts; one is a document, several are lines."""
    for kind in KINDS:
        one = RUN.invoke(app, ["events", "sample", kind.key])
        many = RUN.invoke(app, ["events", "sample", kind.key, "--count", "3", "--seed", "5"])
        (tmp_path / "one.json").write_text(one.stdout)
        (tmp_path / "many.ndjson").write_text(many.stdout)

        assert orjson.loads(one.stdout)["type"] == kind.type
        assert len(many.stdout.splitlines()) == 3
        for name in ("one.json", "many.ndjson"):
            assert RUN.invoke(app, ["events", "validate", name]).exit_code == 0


def test_a_refused_event_is_exit_code_65(tmp_path: Path) -> None:
    """Path and reason are told, to a program a line for each record."""
    good = RUN.invoke(app, ["events", "sample", "dossier"]).stdout
    (tmp_path / "a.json").write_text(f"[{good}, {good.replace('subject', 'sujet')}]")

    rv = RUN.invoke(app, ["events", "validate", "a.json"])
    told = RUN.invoke(app, ["events", "validate", "a.json", "--json"])

    first, second = map(orjson.loads, told.stdout.splitlines())
    assert (rv.exit_code, told.exit_code) == (65, 65)
    assert "1 accepted, 1 refused (invalid 1)" in rv.stdout
    assert first["accepted"]
    assert (second["record"], second["reason"], second["path"]) == (2, "invalid", "$.sujet")


def test_an_unknown_kind_names_the_known_ones() -> None:
    """The remedy stands in the message."""
    rv = RUN.invoke(app, ["events", "sample", "tax"])

    assert rv.exit_code == 2
    assert "dossier" in rv.output


def test_a_mapping_is_proposed_tried_and_never_overwritten(tmp_path: Path) -> None:
    """`new --yes` writes, `test --json` counts, a second `new` refuses until it is forced."""
    made = RUN.invoke(app, ["mapping", "new", str(DATA / "receipt.csv"), "--yes"])
    tried = RUN.invoke(app, ["mapping", "test", str(DATA / "receipt.csv"), "-m", "receipt.toml", "--json"])
    again = RUN.invoke(app, ["mapping", "new", str(DATA / "receipt.csv"), "--yes"])
    forced = RUN.invoke(app, ["mapping", "new", str(DATA / "receipt.csv"), "--yes", "--force"])

    assert (made.exit_code, tried.exit_code, again.exit_code, forced.exit_code) == (0, 0, 73, 0)
    document = orjson.loads(tried.stdout)
    assert (document["events"], document["refused"], len(document["first"])) == (11_340, 0, 10)
    assert (tmp_path / "receipt.toml").read_text().count("# ?") >= 2


def test_questions_are_asked(tmp_path: Path) -> None:
    """Answers stand in the mapping; a word that does not exist is asked for again."""
    given = "kho/h19\nH19.01\nH19.02\nH19.03\nnonsense\ncounter\n"

    rv = RUN.invoke(app, ["mapping", "new", str(DATA / "receipt.csv"), "-o", "mine.toml"], input=given)

    assert rv.exit_code == 0, rv.output
    text = (tmp_path / "mine.toml").read_text()
    assert 'source = "kho/h19"\n' in text
    assert '"Intern" = "counter"' in text
    assert "'nonsense' is none of" in rv.output


def test_what_is_refused_is_grouped() -> None:
    """A mapping that does not fit is told with counts, reasons and the first row."""
    RUN.invoke(app, ["mapping", "new", str(DATA / "fines.csv"), "--yes"])

    rv = RUN.invoke(app, ["mapping", "test", str(DATA / "fines.csv"), "-m", "fines.toml", "--json"])
    shown = RUN.invoke(app, ["mapping", "test", str(DATA / "fines.csv"), "-m", "fines.toml"])

    groups = orjson.loads(rv.stdout)["groups"]
    assert (rv.exit_code, shown.exit_code) == (65, 65)
    assert sum(g["count"] for g in groups) == orjson.loads(rv.stdout)["refused"] == 157
    assert {g["column"] for g in groups} == {"amount"}
    assert "233 events, 157 refused" in shown.stdout
