"""The units of systemd: what they start exists, what they read is told about, what they may do is little."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main

from nhip.cli import app
from nhip.exits import EXIT_BAD_INPUT, EXIT_REFUSED, EXIT_UNAVAILABLE, EXIT_USAGE
from nhip.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
FOR_EVER = [name for name in SERVICES if name not in ("nhip-prepare.service", "nhip-backup.service")]
WITH_PASSWORD = [name for name in SERVICES if name not in ("nhip-poll@.service", "nhip-up.service")]
MOST_EXPOSED = 1.6
"""Of 10, as systemd-analyze counts; 9.6 is a service without any line about it."""
ANALYZE = shutil.which("systemd-analyze") or ""
PROGRAM = "/opt/nhip/bin/nhip"

needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed (package systemd)")


class Unit(configparser.RawConfigParser):
    """A unit's file: names keep their case, and some stand several times: the last of equal names counts here."""

    def optionxform(self, optionstr: str) -> str:
        """Keep it as it is."""
        return optionstr


def unit(name: str) -> Unit:
    """Read a unit."""
    parser = Unit(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.read_string((FOLDER / name).read_text("utf-8"))
    return parser


def lines(name: str, key: str) -> list[str]:
    """All values of a name that may stand several times."""
    return re.findall(rf"^{key}=(.*)$", (FOLDER / name).read_text("utf-8"), re.MULTILINE)


def command(name: str) -> str:
    """What a unit starts of ours, from the program's path on."""
    (found,) = re.findall(rf"{PROGRAM} (?:--\S+ \S+ )*([a-z].*)", lines(name, "ExecStart")[0])
    return str(found)


@pytest.mark.parametrize("name", SERVICES)
def test_every_command_exists(name: str) -> None:
    """With the options that it is given; settings that it sets are settings."""
    root: Any = typer.main.get_command(app)
    started = lines(name, "ExecStart")[0]
    found = root.commands[re.split(r"[^a-z-]", command(name))[0]]
    options = {option for parameter in found.params for option in parameter.opts}

    assert set(re.findall(r"--[a-z-]+", command(name).split(";")[0])) <= options
    known = {field.name for field in msgspec.structs.fields(Settings)}
    assert "--settings /etc/nhip/nhip.toml" in started
    given = [part.split("=")[0] for value in lines(name, "Environment") for part in value.split()]
    assert {g.removeprefix(ENV_PREFIX).lower() for g in given if g.startswith(ENV_PREFIX)} <= known


@pytest.mark.parametrize("name", WITH_PASSWORD)
def test_secrets_are_files_that_systemd_hands_over(name: str) -> None:
    """No password in a unit, an argument or the environment: the path of a credential. The wall gets the reader's."""
    text = (FOLDER / name).read_text("utf-8")
    secret, setting = ("reader_store_password", "STORE_READER") if "serve" in name else ("store_password", "STORE")

    assert lines(name, "LoadCredential") == [f"{secret}:/etc/nhip/secrets/{secret}"]
    assert f"NHIP_{setting}_PASSWORD_FILE=%d/{secret}" in " ".join(lines(name, "Environment")).split()
    assert f"`{secret}`" in (ROOT / "deploy" / "secrets" / "README.md").read_text("utf-8")
    assert f"/etc/nhip/secrets/{secret}" in (ROOT / "docs" / "install.md").read_text("utf-8")
    assert (
        re.findall(r"NHIP_\w*PASSWORD=|^SetCredential=|^EnvironmentFile=|^PassEnvironment=", text, re.MULTILINE) == []
    )


@pytest.mark.parametrize("name", FOR_EVER)
def test_what_runs_for_ever_is_started_again(name: str) -> None:
    """After any end but those that a person must mend; without a limit of attempts; with bounded memory."""
    service, about = unit(name)["Service"], unit(name)["Unit"]

    assert service["Restart"] == "always"
    assert float(service["RestartSec"]) >= 1
    assert about["StartLimitIntervalSec"] == "0"
    kept_down = set(map(int, service["RestartPreventExitStatus"].split()))
    assert kept_down == {EXIT_USAGE, EXIT_BAD_INPUT, EXIT_REFUSED}
    assert EXIT_UNAVAILABLE not in kept_down
    assert "WatchdogSec" not in service  # nothing here speaks sd_notify; a worker ends by itself when it stalls


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_has_no_rights(name: str) -> None:
    """An account of its own, memory and tasks limited, its files in one folder."""
    service = unit(name)["Service"]

    assert (service["User"], service["Group"], service["StateDirectory"]) == ("nhip", "nhip", "nhip")
    assert re.fullmatch(r"\d+[MG]", service["MemoryMax"])
    assert int(service["TasksMax"]) > 0
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    assert re.search(r"^u nhip ", (FOLDER / "nhip.sysusers.conf").read_text("utf-8"), re.MULTILINE)


def test_units_that_are_named_exist() -> None:
    """In other units, and in the documents."""
    every = {path.name for path in FOLDER.iterdir()}
    texts = [
        path.read_text("utf-8")
        for path in (*FOLDER.iterdir(), *(ROOT / "docs" / f for f in ("install.md", "upgrade.md")))
    ]
    named = {
        n for text in texts for n in re.findall(r"\bnhip[a-z-]*@?\.(?:service|target|timer|sysusers\.conf)", text)
    }
    short = {n for text in texts for n in re.findall(r"\bnhip-(?:worker|poll)@(?=\w)", text)}

    assert named <= every
    assert {f"{name}.service" for name in short} <= every
    for path in FOLDER.glob("*.service"):
        for document in re.findall(r"share/nhip/docs/([\w.-]+)", path.read_text("utf-8")):
            assert (ROOT / "docs" / document).is_file()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The units with a program that exists, as `install.sh --units` writes them."""
    program = tmp_path / "opt" / "bin" / "nhip"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace("/opt/nhip/", f"{tmp_path}/opt/"), "utf-8")
    return tmp_path


@needs_systemd
def test_systemd_understands_them(written: Path) -> None:
    """Every line of every unit, without a warning; a wrong one is found."""
    units = sorted(str(path) for path in written.iterdir() if path.suffix in {".service", ".target", ".timer"})

    good = subprocess.run([ANALYZE, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    worker = written / "nhip-worker@.service"
    worker.write_text(worker.read_text("utf-8").replace("ProtectHome=", "ProtectHouse="), "utf-8")
    bad = subprocess.run([ANALYZE, "verify", "--man=no", worker], capture_output=True, text=True, check=False)

    assert (good.returncode, good.stderr) == (0, "")
    assert re.search("Unknown key (name )?'ProtectHouse'", bad.stderr)


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_little_exposed(written: Path, name: str) -> None:
    """By its own count of what the service may do."""
    command = [ANALYZE, "security", "--offline=true", "--no-pager", str(written / name)]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found
    assert float(found[1]) <= MOST_EXPOSED
