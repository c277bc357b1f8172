"""The container image, as far as it can be tested without an engine: small, without tools, not root, by digest."""

import re
import shutil
import subprocess
from pathlib import Path

from deploy.bundle.lock import read_lock

AWK = shutil.which("awk") or "awk"
ROOT = Path(__file__).resolve().parents[1]
STAGES = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)[1:]
BUILD, FINAL = STAGES


def runs(stage: str) -> list[str]:
    """Every command of a stage's RUN instructions."""
    joined = stage.replace("\\\n", " ")
    return [part.strip() for run in re.findall(r"^RUN (.*)$", joined, re.MULTILINE) for part in run.split(" && ")]


def test_the_image_has_what_runs_and_nothing_that_builds() -> None:
    """One folder of the build stage and the health check; no pip, no compiler, no package manager."""
    copied = re.findall(r"^(?:COPY|ADD) (.*)$", FINAL, re.MULTILINE)

    assert copied == ["--from=build /opt/nhip /opt/nhip", "deploy/healthy.py /opt/nhip/healthy.py"]
    assert "python -m venv --without-pip /opt/nhip" in runs(BUILD)
    assert "python -m pip uninstall --yes --quiet pip" in runs(FINAL)
    assert not re.search(r"apt|curl|wget|gcc|pip install", " ".join(runs(FINAL)))


def test_it_does_not_run_as_root() -> None:
    """A fixed number that owns nothing but its own folders; a signal that ends it in order."""
    assert re.findall(r"^USER (.*)$", FINAL, re.MULTILINE) == ["10001:10001"]
    assert "useradd --system --uid 10001" in " ".join(runs(FINAL))
    assert FINAL.index("USER ") > FINAL.rindex("RUN ")
    assert "STOPSIGNAL SIGTERM" in FINAL


def test_every_package_is_compared_with_its_digest() -> None:
    """No installation without --require-hashes, none from outside the lock; building nhip fetches nothing."""
    installing = [command for command in runs(BUILD) if " install " in command]
    (wheel,) = [command for command in runs(BUILD) if " wheel " in command]

    assert len(installing) == 3
    assert all("--require-hashes" in command for command in installing)
    assert all("-c requirements.lock" in command or "--no-deps" in command for command in installing)
    assert {"--no-deps", "--no-build-isolation"} <= set(wheel.split())


def test_what_builds_is_in_the_lock() -> None:
    """The program that picks its lines, run on the lock: pip, hatchling and editables, each with digests."""
    (program,) = re.findall(r"awk '([^']+)' requirements\.lock", BUILD)

    chosen = subprocess.run([AWK, program, ROOT / "requirements.lock"], capture_output=True, text=True, check=True)

    assert [entry.name for entry in read_lock(chosen.stdout)] == ["editables", "hatchling", "pip"]


def test_the_build_sees_no_secret() -> None:
    """What lies beside the sources stays out of the context."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()

    assert {".git", ".venv", ".nhip", "deploy/secrets"} <= set(ignored)
