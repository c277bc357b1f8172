"""The simulator through real Kafka, the worker and the store: the figures are what it says they must be."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import orjson
import pytest
from typer.testing import CliRunner

from contract.units import UnitTree
from nhip.cli import app
from nhip.settings import Settings
from tests.support.pipeline import pipeline

RUN = CliRunner()


def test_the_table_of_units_is_written(tmp_path: Path) -> None:
    """The file loads as the system's units; nothing is sent."""
    rv = RUN.invoke(app, ["simulate", "--write-units", str(tmp_path / "units.csv")])

    tree = UnitTree.from_csv((tmp_path / "units.csv").read_text("utf-8"), "units")
    assert rv.exit_code == 0
    assert len(tree.subtree("sim")) == 117


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--incident", "fire@2h"], "duplicate-storm"),
        (["--speed", "60"], "--days"),
        (["--days", "2", "--until", "tomorrow"], "2026-11-22"),
    ],
)
def test_a_slip_is_explained(arguments: list[str], word: str) -> None:
    """Usage errors name what is possible."""
    rv = RUN.invoke(app, ["simulate", *arguments])

    assert rv.exit_code == 2
    assert word in rv.output


@pytest.mark.services
def test_the_figures_are_the_expected_ones(tmp_path: Path) -> None:
    """Four days with a duplicate storm and a silent source: every rate of the province equals the summary."""
    units = tmp_path / "units.csv"
    RUN.invoke(app, ["simulate", "--write-units", str(units)])
    settings = msgspec.structs.replace(Settings(), clock="event", units_file=str(units), province="sim")
    with pipeline(tmp_path / "data", settings=settings) as running:
        rv = RUN.invoke(
            app,
            [
                "--set", f"kafka={running.system.settings.kafka}",
                "simulate", "--days", "4", "--until", datetime(2026, 11, 19, 17, tzinfo=UTC).isoformat(), "--json",
                "--dossiers", "160", "--land", "9000", "--documents", "40",
                "--incident", "duplicate-storm@1d/1h*3", "--incident", "source-silent:sim/onestop-2@2d/1d",
            ],
        )  # fmt: skip
        figures = running.figures()

    document = orjson.loads(rv.stdout)
    assert rv.exit_code == 0
    assert document["sent"]["dossier"] > 2_000
    for key, truth in document["rates"].items():
        if key not in {"overdue", "due_soon"}:  # these are of the minute of the newest event
            assert figures["unit:sim", key, "all"] == (truth["numerator"], truth["denominator"])
    assert figures["unit:sim", "overdue", "now"][1] == document["rates"]["overdue"]["denominator"]
