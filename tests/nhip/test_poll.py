"""``nhip poll`` as a person meets it: a look without sending, counts, errors in one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.polling import Table, write

SQL = '[sql]\nurl = "sqlite:///{path}"\nquery = "SELECT * FROM dossiers"\n'


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """A table with one good and one wrong row."""
    made = Table(tmp_path / "onestop.db")
    made.add("D1")
    made.add("D2", how="pigeon")
    return made


def poll(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "nhip", "poll", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_dry_run(table: Table) -> None:
    """It shows events and counts, says what is refused, and leaves nothing behind."""
    config = write(table.path.parent, SQL.format(path=table.path))

    shown, document = poll(config, "--dry-run"), poll(config, "--dry-run", "--json")

    assert shown.returncode == document.returncode == 65
    assert json.loads(shown.stdout)["subject"] == "D1"
    assert "row 2, column how: 'pigeon' is not in the map" in shown.stderr
    assert "2 rows · 1 events sent · 1 refused (how: 1) · full comparison" in shown.stderr
    counts = json.loads(document.stdout)
    assert (counts["rows"], counts["refused"], [e["subject"] for e in counts["events"]]) == (2, 1, ["D1"])
    assert [p.name for p in table.path.parent.glob("*state*")] == []


@pytest.mark.parametrize(
    ("change", "arguments", "code", "text"),
    [
        (("mapping.toml", "absent.toml"), ["--dry-run"], 65, "absent.toml: cannot be read"),
        (("FROM dossiers", "FROM missing"), ["--dry-run"], 65, "no such table: missing"),
        (("sqlite:///", "sqlite:////nowhere/"), ["--dry-run"], 69, "no connection"),
        (("sqlite:///", "nosuch://"), ["--dry-run"], 65, "no database that SQLAlchemy knows"),
        (("[sql]", "[sqll]"), ["--dry-run"], 65, "unknown field `sqll`"),
        (("", ""), ["--json"], 2, "--json"),
    ],
)
def test_errors(table: Table, change: tuple[str, str], arguments: list[str], code: int, text: str) -> None:
    """Each fault is one sentence with an exit code that means something."""
    config = write(table.path.parent, SQL.format(path=table.path))
    config.write_text(config.read_text().replace(*change) if change[0] else config.read_text())

    rv = poll(config, *arguments)

    assert rv.returncode == code, rv.stderr
    assert "Traceback" not in rv.stderr
    assert text in " ".join(rv.stderr.split())
