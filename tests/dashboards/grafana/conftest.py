"""What the tests of the Grafana side share."""

from pathlib import Path

import pytest

from contract.units import UnitTree
from dashboards.grafana.place import Office
from dashboards.grafana.render import files
from tests.support.screens import targets

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def office() -> Office:
    """The office of the shipped configuration."""
    units = ROOT / "config" / "units.csv"
    return Office(UnitTree.from_csv(units.read_text("utf-8"), str(units)), targets(), "75")


@pytest.fixture(scope="session")
def rendered(office: Office) -> dict[str, str]:
    """Everything that is rendered for it."""
    return files(office)
