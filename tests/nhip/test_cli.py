"""What a person sees who makes a mistake: one sentence, an exit code, no traceback."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from nhip.cli import app
from tests.support.pipeline import DATA

HEADER = (DATA / "receipt.csv").read_text().splitlines()[0]
ROW = (DATA / "receipt.csv").read_text().splitlines()[1]


def nhip(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "nhip", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        check=False,
    )


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """The error, which must be no traceback."""
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("column.csv", b"case:channel,case:concept:name\nInternet,1\n", "case:startdate"),
        ("broken.csv.gz", gzip.compress((HEADER + "\n" + ROW * 50).encode(), mtime=0)[:-20], "broken.csv.gz"),
        ("bytes.csv", (HEADER + "\n").encode() + b"\xff\xfe\n", "row 2"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    """A missing column, a truncated gzip and invalid UTF-8 end with exit code 65, naming file and place."""
    file = tmp_path / name
    file.write_bytes(content)

    rv = nhip("try", file, "--mapping", "receipt")

    assert rv.returncode == 65
    assert name in one_sentence(rv)
    assert word in one_sentence(rv)


def test_an_unknown_mapping_lists_the_shipped_ones() -> None:
    """The remedy stands in the message."""
    rv = nhip("try", DATA / "receipt.csv", "--mapping", "recipe")

    assert rv.returncode == 65
    assert "receipt" in one_sentence(rv)
    assert "fines" in one_sentence(rv)


def test_kafka_and_the_store_unreachable() -> None:
    """A service that is away ends with exit code 69 and its address."""
    replayed = nhip("--set", "kafka=127.0.0.1:1", "replay", DATA / "fines.csv", "--mapping", "fines")
    asked = nhip("--set", "store_port=1", "rates")

    assert (replayed.returncode, asked.returncode) == (69, 69)
    assert "Connection refused" in one_sentence(asked)
    assert "HTTPConnectionPool" not in one_sentence(asked)
    assert "127.0.0.1:1" in one_sentence(replayed)
    assert "127.0.0.1:1" in one_sentence(asked)


def test_a_wrong_setting_is_a_usage_error() -> None:
    """An unknown setting ends with exit code 2 and the known ones."""
    rv = nhip("--set", "colour=red", "rates")

    assert rv.returncode == 2
    assert "partitions" in one_sentence(rv)


def test_help_names_every_command() -> None:
    """The first page shows what there is."""
    rv = nhip("--help")

    assert rv.returncode == 0
    for command in ("up", "demo", "try", "replay", "rates", "check", "status", "dead-letters", "worker"):
        assert command in rv.stdout


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and subcommand by its name."""
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        for child, inner in getattr(command, "commands", {}).items():
            yield f"{name} {child}", inner
        yield name, command


@pytest.mark.parametrize(("name", "command"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_every_help_text_is_shown_whole(name: str, command: Any) -> None:
    """The page of each command opens, and nothing in brackets is taken for a mark of style and left out."""
    rv = CliRunner().invoke(app, [*name.split(), "--help"])

    assert rv.exit_code == 0, rv.exception
    texts = [command.help, *(getattr(option, "help", None) for option in command.params)]
    for text in filter(None, texts):
        assert Text.from_markup(text).plain == text.replace("\\[", "[")
