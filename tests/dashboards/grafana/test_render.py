"""What is rendered: current, the same every time, whole, and what the rules and types let through."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboards
from contract.registry import INDICATORS
from contract.units import Unit, UnitTree
from dashboards.grafana.check import check_files
from dashboards.grafana.lint import lint_board, lint_boards, lint_group
from dashboards.grafana.place import Office
from dashboards.grafana.render import drift, files, write
from dashboards.grafana.shape import misfits_of_board, misfits_of_group
from dashboards.screens import SCREENS, Form

GENERATED = Path(dashboards.__path__[0]) / "grafana" / "generated"


def board_of(rendered: dict[str, str], uid: str) -> dict[str, Any]:
    """One dashboard, to be spoilt."""
    found: dict[str, Any] = json.loads(rendered[f"dashboards/{uid}.json"])
    return found


def test_the_committed_files_are_current(office: Office) -> None:
    """`nhip dashboards render` would change nothing."""
    assert drift(office, GENERATED) == []


def test_rendering_is_the_same_in_another_process(rendered: dict[str, str], tmp_path: Path) -> None:
    """Neither the hash seed nor the process shows in a file; a second run changes nothing."""
    command = [sys.executable, "-m", "nhip", "dashboards", "render", "--out", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert len(first.stdout.splitlines()) == len(rendered)
    assert {name: (tmp_path / name).read_text("utf-8") for name in rendered} == rendered
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "is current" in " ".join(second.stderr.split())


def test_what_is_no_longer_rendered_is_removed(office: Office, tmp_path: Path) -> None:
    """A dashboard of a screen that is gone goes too; files of others stay."""
    write(office, tmp_path)
    (tmp_path / "dashboards" / "nhip-gone-vi.json").write_text("{}")
    (tmp_path / "dashboards" / "mine.json").write_text("{}")
    assert write(office, tmp_path) == ["dashboards/nhip-gone-vi.json"]
    assert drift(office, tmp_path) == ["dashboards/mine.json"]


def test_nothing_is_wrong_with_it(rendered: dict[str, str]) -> None:
    """Types, round trip and rules find nothing."""
    assert check_files(rendered) == []


def test_every_screen_in_both_languages(rendered: dict[str, str]) -> None:
    """The same panels with the same ids; Vietnamese titles and English ones."""
    for screen in SCREENS:
        vi, en = (board_of(rendered, f"nhip-{screen.key}-{lang}") for lang in ("vi", "en"))
        assert (vi["title"], en["title"]) == screen.names
        assert [panel["id"] for panel in vi["panels"]] == [panel["id"] for panel in en["panels"]]
        assert all(one["title"] != other["title"] for one, other in zip(vi["panels"], en["panels"], strict=True))


def test_thresholds_are_those_of_the_office(office: Office, rendered: dict[str, str]) -> None:
    """Every headline turns at its target; a target that is just reached is met."""
    board = board_of(rendered, "nhip-overview-en")
    for n, panel in enumerate(SCREENS[0].panels):
        if panel.form is not Form.HEADLINE:
            continue
        (key,) = panel.indicators
        target = office.targets.of(key)
        shown = next(p for p in board["panels"] if p["id"] == 10 * (n + 1))
        (override,) = shown["fieldConfig"]["overrides"]
        steps = next(p["value"]["steps"] for p in override["properties"] if p["id"] == "thresholds")
        colour = [step["color"] for step in steps if step["value"] is None or step["value"] <= target.value][-1]
        assert colour == "#009E73"
        worse = target.value - 1e-9 if INDICATORS[key].higher_is_better else target.value + 1e-9
        assert [s["color"] for s in steps if s["value"] is None or s["value"] <= worse][-1] == "#E69F00"


def test_names_from_a_file_cannot_break_out(office: Office) -> None:
    """Quotes, macros, variables and brackets in a name stay text."""
    name = "Sở '); DROP TABLE x -- ${unit} $__timeFilter(x) [[y]] \\' \" , :"
    hostile = UnitTree(
        [
            Unit("9", None, "province", name, name, date(2025, 1, 1)),
            Unit("9'1", "9", "department", name, name, date(2025, 1, 1)),
        ]
    )
    assert check_files(files(Office(hostile, office.targets, "9"))) == []


def test_provisioning_is_safe(rendered: dict[str, str]) -> None:
    """No password in the file, a folder that vanishes deletes nothing, and the uid is the one of the panels."""
    (source,) = yaml.safe_load(rendered["provisioning/datasources/nhip.yaml"])["datasources"]
    (provider,) = yaml.safe_load(rendered["provisioning/dashboards/nhip.yaml"])["providers"]
    assert source["secureJsonData"] == {"password": "$__file{/run/secrets/grafana_store_password}"}
    assert source["jsonData"]["defaultDatabase"] == "nhip"
    assert provider["disableDeletion"] is True
    assert provider["allowUiUpdates"] is False
    panel = board_of(rendered, "nhip-overview-vi")["panels"][0]
    assert panel["datasource"]["uid"] == source["uid"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b.update(uid="a b"), "the uid has other letters"),
        (lambda b: b.update(title=""), "no title"),
        (lambda b: b.update(editable=True), "can be edited"),
        (lambda b: b.update(timezone="utc"), "time zone"),
        (lambda b: b.update(refresh="1s"), "refresh"),
        (lambda b: b["panels"][1].update(id=10), "panel id 10 is there 2 times"),
        (lambda b: b["panels"][1]["gridPos"].update(y=0), "overlap"),
        (lambda b: b["panels"][0]["gridPos"].update(x=23), "outside"),
        (lambda b: b["panels"][0].pop("description"), "no description"),
        (lambda b: b["panels"][0].update(datasource={"type": "x", "uid": "y"}), "another data source"),
        (lambda b: b["panels"][0]["fieldConfig"]["defaults"].pop("noValue"), "missing value"),
        (lambda b: b["panels"][0].update(targets=[]), "no query"),
        (lambda b: b["panels"][0]["targets"][0].pop("pluginVersion"), "pluginVersion"),
        (lambda b: b["panels"][0]["targets"][0].update(rawSql=" "), "no rawSql"),
        (lambda b: b["panels"][0]["targets"][0].update(format=0), "format 0"),
        (lambda b: b["panels"][0]["targets"][0].update(rawSql="SELECT 1"), "no $__timeFilter"),
        (lambda b: b["panels"][0]["targets"][0].update(rawSql="SELECT $__conditionalAll(a, $b)"), "browser alone"),
        (lambda b: b["panels"][1]["targets"][0].update(rawSql="SELECT $__timeFilter(a)"), "ORDER BY"),
        (lambda b: b["panels"][0]["targets"][0].update(rawSql="${unit:raw}"), "differ"),
    ],
)
def test_the_rules_find(change: Callable[[dict[str, Any]], object], words: str, rendered: dict[str, str]) -> None:
    """Every rule finds what it is for."""
    board = board_of(rendered, "nhip-overview-vi")
    change(board)
    assert any(words in finding for finding in lint_board(board)), lint_board(board)


def test_the_rules_find_what_is_missing_or_twice(rendered: dict[str, str]) -> None:
    """A screen in one language only, a uid twice, languages that differ."""
    boards = [json.loads(text) for name, text in rendered.items() if name.startswith("dashboards/")]
    assert lint_boards(boards) == []
    without = [board for board in boards if board["uid"] != "nhip-dossiers-en"]
    assert lint_boards(without) == ["nhip-dossiers-en: the dashboard is missing"]
    assert any("2 times" in finding for finding in lint_boards([*boards, boards[0]]))
    boards[0]["panels"][0]["gridPos"]["h"] = 1
    assert any("languages differ" in finding for finding in lint_boards(boards))


def test_the_rules_find_faults_of_alerts(rendered: dict[str, str]) -> None:
    """Macros in alerts, uids twice, conditions that lead nowhere."""
    group = json.loads(rendered["alerts/nhip-pipeline.json"])
    assert lint_group(group) == []
    bad = copy.deepcopy(group)
    bad["rules"][0]["data"][0]["model"]["rawSql"] = "SELECT $__timeFilter(a)"
    bad["rules"][1] |= {"uid": "a b", "title": "", "annotations": {}, "noDataState": "NoData", "condition": "Z"}
    bad["rules"][3]["uid"] = bad["rules"][2]["uid"]
    found = "\n".join(lint_group(bad))
    for words in (
        "in the SQL of an alert",
        "not a uid",
        "title is empty",
        "no summary",
        "not decided",
        "none of its",
    ):
        assert words in found
    assert "2 times" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b["panels"][0].update(colour="red"), "colour: unknown to Grafana"),
        (lambda b: b.update(timezone=7), "timezone: 7 is no str"),
        (lambda b: b["panels"][0].update(id="10"), "id_val: '10' is no int"),
        (lambda b: b["panels"][0]["gridPos"].update(w=True), "w: True is no int"),
        (lambda b: b.update(tags="nhip"), "tags: 'nhip' is no list"),
        (lambda b: b["links"][0].update(type="page"), "type_val: 'page' is no"),
        (
            lambda b: b["panels"][0]["fieldConfig"]["defaults"].update(thresholds={"mode": "odd", "steps": []}),
            "'odd'",
        ),
    ],
)
def test_the_types_find(change: Callable[[dict[str, Any]], object], words: str, rendered: dict[str, str]) -> None:
    """Keys that Grafana does not know and values of a wrong type."""
    board = board_of(rendered, "nhip-overview-vi")
    change(board)
    assert any(words in misfit for misfit in misfits_of_board(board)), misfits_of_board(board)


def test_the_types_find_faults_of_alerts(rendered: dict[str, str]) -> None:
    """The same for alert rules."""
    group = json.loads(rendered["alerts/nhip-pipeline.json"])
    assert misfits_of_group(group) == []
    group["rules"][0]["noDataState"] = "Maybe"
    group["rules"][0]["wake"] = "everybody"
    found = "\n".join(misfits_of_group(group))
    assert "'Maybe' is none of" in found
    assert "wake: unknown to Grafana" in found
