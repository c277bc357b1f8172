"""The archive for machines without a network: what goes into it, and what its installation does and refuses.

The whole archive, installed and run with the network cut, is `make bundle-test`: it needs minutes and 400 MB.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.bundle.archive import write_archive, write_sums
from deploy.bundle.lock import LockError, needed, read_lock, selected
from deploy.bundle.wheels import as_requirements, least_glibc
from nhip.local.jars import bundled_folder
from tests.support.tiny_bundle import PYTHON, tiny_bundle

SHA256SUM = shutil.which("sha256sum") or "sha256sum"
ROOT = Path(__file__).resolve().parents[1]
HASH = f"    --hash=sha256:{'0' * 64}\n"
INSTALL_TIMEOUT_S = 200
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
"""What a command is started with: a path to other modules would lead past what was installed."""

Install = Callable[..., "subprocess.CompletedProcess[str]"]


def install(bundle: Path, *arguments: str | Path, home: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run an archive's install.sh as on a machine where nothing is configured."""
    command = [str(bundle / "install.sh"), *map(str, arguments)]
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    # A pip that would ask an index anyway is led to a port where nobody listens.
    environment = {"PATH": path, "HOME": str(home or bundle), "PIP_INDEX_URL": "http://127.0.0.1:9/"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False, env=environment
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked archive, in a folder with a space in its name."""
    return tiny_bundle(tmp_path_factory.mktemp("from a disk") / "nhip-0.1.0")


@pytest.fixture(scope="module")
def opt(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix into which the archive was installed; beside it the home folder that was used."""
    place = tmp_path_factory.mktemp("machine")
    (place / "home").mkdir()
    done = install(bundle, "--prefix", place / "opt", home=place / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "opt"


def test_the_lock_is_read_whole() -> None:
    """Every package of requirements.lock, each with digests, and only what nhip itself needs is chosen."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    tree = {"nhip": ["faust-streaming", 'chdb ; extra == "local"'], "faust-streaming": ["mode-streaming"]}

    lock = read_lock(text)
    names = needed("nhip[local]", lambda name: tree.get(name, []))
    chosen = selected(lock, names, "nhip")

    assert sum(len(entry.lines.splitlines()) for entry in lock) == len(text.splitlines())
    assert "".join(entry.lines for entry in lock) == text
    assert [entry.name for entry in chosen] == ["chdb", "faust-streaming", "mode-streaming"]
    assert needed("nhip", lambda name: tree.get(name, [])) == {"nhip", "faust-streaming", "mode-streaming"}


@pytest.mark.parametrize("line", ["aiohttp==3.14.5 \\\n", f"aiohttp>=3 \\\n{HASH}"])
def test_a_lock_without_digest_or_version_is_refused(line: str) -> None:
    """What could be anything is not put into an archive."""
    with pytest.raises(LockError, match="has no version or no digest: run `make lock`"):
        read_lock(line)


def test_a_package_that_the_lock_lacks_is_named() -> None:
    """An environment that is newer than the lock does not slip through."""
    lock = read_lock(f"aiohttp==3.14.5 \\\n{HASH}numpy==1 ; python_full_version < '3' \\\n{HASH}")

    with pytest.raises(LockError, match=r"lacks numpy, rich: run `make lock`"):
        selected(lock, needed("nhip", lambda name: ["aiohttp", "rich", "numpy"] if name == "nhip" else []), "nhip")


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    """Whoever owns them, whenever they were written; programs stay programs."""
    digests = []
    for turn, second in (("a", 1_000_000_000), ("b", 1_700_000_000)):
        folder = tmp_path / turn / "nhip-1"
        (folder / "deep").mkdir(parents=True)
        for name in ("z.txt", "deep/a.sh") if turn == "a" else ("deep/a.sh", "z.txt"):
            (folder / name).write_text(name)
            os.utime(folder / name, (second, second))
        (folder / "z.txt").chmod(0o600 if turn == "a" else 0o664)
        (folder / "deep/a.sh").chmod(0o700 if turn == "a" else 0o775)
        write_sums(folder)
        write_archive(folder, tmp_path / f"{turn}.tar.gz", 1_580_601_600, lambda *_: None)
        digests.append((tmp_path / f"{turn}.tar.gz").read_bytes())

    assert digests[0] == digests[1]
    with gzip.open(tmp_path / "a.tar.gz") as packed, tarfile.open(fileobj=packed) as tar:
        modes = {member.name: oct(member.mode) for member in tar}
    assert modes == {
        "nhip-1": "0o755",
        "nhip-1/SHA256SUMS": "0o644",
        "nhip-1/deep": "0o755",
        "nhip-1/deep/a.sh": "0o755",
        "nhip-1/z.txt": "0o644",
    }


def test_the_oldest_glibc_is_the_newest_that_any_wheel_needs() -> None:
    """Each wheel does with the oldest of its tags; wheels of pure Python with any."""
    names = [
        "a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
        "b-1-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
        "c-1-py3-none-any.whl",
    ]

    assert least_glibc(map(Path, names)) == "2.24"
    assert least_glibc([Path(names[2])]) == ""


def test_the_installed_program_runs(opt: Path) -> None:
    """By the prefix's own command, from a version's folder, without pip; jars lie where nhip looks for them."""
    said = subprocess.run(
        [opt / "bin" / "nhip", "status"], capture_output=True, text=True, check=True, env=PLAIN
    ).stdout
    (version,) = (opt / "versions").iterdir()

    assert said == "nhip 0.1.0 status\n"
    assert (opt / "current").resolve() == version
    assert not list(version.glob("lib/python*/site-packages/pip*"))
    assert list(version.rglob("cli.*.pyc"))  # the units' file system is read-only
    assert (version / bundled_folder().relative_to(sys.prefix) / "kafka-1.jar").read_text() == "a jar"


def test_nothing_is_written_outside_the_prefix(opt: Path, bundle: Path) -> None:
    """No file in the home folder, none beside the prefix, none in the archive's folder."""
    assert sorted(path.name for path in opt.parent.iterdir()) == ["home", "opt"]
    assert list((opt.parent / "home").iterdir()) == []
    checked = subprocess.run([SHA256SUM, "-c", "--quiet", "SHA256SUMS"], cwd=bundle, check=False)
    assert checked.returncode == 0
    assert len(list(bundle.rglob("*.pyc"))) == 0


def test_a_second_installation_changes_nothing(opt: Path, bundle: Path) -> None:
    """It says so, and every file stays what it was."""
    before = {path: path.stat().st_mtime_ns for path in (opt / "versions").rglob("*")}

    again = install(bundle, "--prefix", opt)

    assert again.returncode == 0
    assert "is installed already" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (opt / "versions").rglob("*")} == before


def test_a_newer_version_comes_beside_the_old_one(opt: Path, tmp_path: Path, bundle: Path) -> None:
    """`current` leads to the new one, the old one stays whole; its archive, run again, leads back."""
    newer = tiny_bundle(tmp_path / "nhip-0.2.0", "0.2.0")

    upgraded = install(newer, "--prefix", opt)
    new = subprocess.run([opt / "bin" / "nhip"], capture_output=True, text=True, check=True, env=PLAIN).stdout
    back = install(bundle, "--prefix", opt)
    old = subprocess.run([opt / "bin" / "nhip"], capture_output=True, text=True, check=True, env=PLAIN).stdout

    assert (upgraded.returncode, back.returncode) == (0, 0), upgraded.stderr + back.stderr
    assert "the one before stays in" in upgraded.stdout
    assert "nhip prepare" in upgraded.stdout
    assert (new, old) == ("nhip 0.2.0\n", "nhip 0.1.0\n")
    assert len(list((opt / "versions").iterdir())) == 2


def test_an_installation_that_was_broken_off_is_made_anew(bundle: Path, tmp_path: Path, opt: Path) -> None:
    """What a killed run left is no installation."""
    (version,) = (path.name for path in (opt / "versions").iterdir() if path.name.startswith("0.1.0"))
    half = tmp_path / "opt" / "versions" / version
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "nhip").write_text("half a program")

    done = install(bundle, "--prefix", tmp_path / "opt", "--units", tmp_path / "units")

    assert done.returncode == 0, done.stderr
    said = subprocess.run([tmp_path / "opt/bin/nhip"], capture_output=True, text=True, check=True, env=PLAIN).stdout
    assert said == "nhip 0.1.0\n"
    unit = (tmp_path / "units" / "nhip-worker@.service").read_text("utf-8")
    assert f"ExecStart={tmp_path}/opt/bin/nhip " in unit
    assert "/opt/nhip/" not in unit


@pytest.mark.parametrize(
    "victim", ["wheels/nhip-0.1.0-py3-none-any.whl", "jars/kafka-1.jar", "requirements.txt", "systemd/nhip.target"]
)
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_tampered_archive_is_refused(bundle: Path, tmp_path: Path, victim: str, damage: str) -> None:
    """By name, before anything is written."""
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    if damage == "changed":
        (copy / victim).write_bytes((copy / victim).read_bytes() + b" ")
    else:
        (copy / victim).unlink()

    refused = install(copy, "--prefix", tmp_path / "opt")

    assert refused.returncode == 65
    assert f"{victim}: FAILED" in refused.stderr
    assert "copy it again" in refused.stderr
    assert not (tmp_path / "opt").exists()


@pytest.mark.parametrize("sums", [None, "", "no sums\n"])
def test_an_archive_without_check_sums_is_refused(bundle: Path, tmp_path: Path, sums: str | None) -> None:
    """Also when the list is empty or none: silence is not agreement."""
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    (copy / "SHA256SUMS").unlink()
    if sums is not None:
        (copy / "SHA256SUMS").write_text(sums)

    refused = install(copy, "--prefix", tmp_path / "opt")

    assert refused.returncode == 65
    assert not (tmp_path / "opt").exists()


def test_a_package_that_is_not_the_listed_one_is_not_installed(bundle: Path, tmp_path: Path) -> None:
    """Sums made anew over a foreign wheel do not help: pip compares with requirements.txt; nothing is left behind."""
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    (wheel,) = (copy / "wheels").glob("tiny_dependency-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b" ")
    write_sums(copy)

    refused = install(copy, "--prefix", tmp_path / "opt")

    assert refused.returncode == 70
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert list((tmp_path / "opt" / "versions").iterdir()) == []
    assert not (tmp_path / "opt" / "current").exists()


OTHER = """#!/bin/sh
case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac
"""


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "says"),
    [
        (
            {},
            ["--python", "{tmp}/python"],
            69,
            f"is Python 3.9.2, or lacks the module venv; this archive needs Python {PYTHON}",
        ),
        ({}, ["--python", "{tmp}/none"], 69, "there is no such program"),
        ({"PYTHON": "9.99"}, [], 69, "no Python 9.99 with the module venv: install python9.99"),
        ({"SYSTEM": "Plan9-mips"}, [], 69, "this archive is for Plan9-mips, this machine is"),
        ({"GLIBC": "9.99"}, [], 69, "the packages need 9.99 or newer: use a newer distribution"),
        ({"NEEDS_MB": 900_000_000}, [], 73, "900000000 MB are needed: free some, or choose another --prefix"),
        ({}, ["--prefix", "{tmp}/python/opt"], 73, "cannot be written by"),
        ({}, ["--prefix", "/opt/a b"], 2, "letters, digits and"),
        ({}, ["--prefix"], 2, "--prefix needs a value"),
        ({}, ["--into", "x"], 2, "unknown option --into"),
    ],
)
def test_a_machine_that_does_not_fit_is_told_what_to_do(
    bundle: Path, tmp_path: Path, settings: dict[str, object], arguments: list[str], code: int, says: str
) -> None:
    """One sentence and an exit code, before anything is installed."""
    (tmp_path / "python").write_text(OTHER)
    (tmp_path / "python").chmod(0o755)
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    lines = dict(line.split("=", 1) for line in (copy / "bundle.env").read_text().splitlines())
    (copy / "bundle.env").write_text("".join(f"{k}={v}\n" for k, v in {**lines, **settings}.items()))
    write_sums(copy)

    refused = install(copy, "--prefix", tmp_path / "opt", *(text.format(tmp=tmp_path) for text in arguments))

    assert refused.returncode == code, refused.stderr
    assert says in refused.stderr
    assert not list(tmp_path.glob("opt/versions/*"))


def test_help_names_every_option_and_code(bundle: Path) -> None:
    """All that the script understands and answers."""
    text = (bundle / "install.sh").read_text("utf-8")

    said = install(bundle, "--help").stdout

    assert all(option in said for option in ("--prefix", "--python", "--units"))
    assert all(
        f"{code} " in said for code in {part.split()[0] for part in text.split("fail ")[1:] if part[0].isdigit()}
    )


def test_requirements_are_the_wheels_themselves(bundle: Path) -> None:
    """Each by name, version and digest."""
    assert as_requirements((bundle / "wheels").glob("*.whl")) == (bundle / "requirements.txt").read_text("utf-8")
