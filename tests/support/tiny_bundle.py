"""A small archive of the same shape as the real one: real check sums and digests, made-up packages."""

import base64
import hashlib
import platform
import shutil
import sys
import zipfile
from pathlib import Path

import pip

from deploy.bundle.archive import write_sums
from deploy.bundle.wheels import as_requirements

__all__ = ["PYTHON", "tiny_bundle", "tiny_wheel"]

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PROGRAM = """import sys
def main():
    import tiny_dependency
    print("nhip", tiny_dependency.VERSION, *sys.argv[1:])
"""


def tiny_wheel(
    folder: Path, name: str, version: str, files: dict[str, str], metadata: str = "", script: str | None = None
) -> Path:
    """Write a wheel of pure Python; ``metadata``: more lines of METADATA, ``script``: an entry point."""
    info = f"{name}-{version}.dist-info"
    entries = dict(files)
    entries[f"{info}/METADATA"] = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}"
    entries[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if script:
        entries[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script}\n"
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in entries.items()]
    entries[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in entries.items():
            archive.writestr(path, text)
    return wheel


def tiny_bundle(folder: Path, version: str = "0.1.0", **settings: object) -> Path:
    """Make an unpacked archive; ``settings`` replace lines of bundle.env."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    tiny_wheel(wheels, "tiny_dependency", "1.0", {"tiny_dependency.py": f'VERSION = "{version}"\n'})
    needs = "Requires-Dist: tiny_dependency==1.0\n"
    tiny_wheel(
        wheels, "nhip", version, {"nhip/__init__.py": "", "nhip/cli.py": PROGRAM}, needs, "nhip = nhip.cli:main"
    )
    (folder / "requirements.txt").write_text(as_requirements(wheels.glob("*.whl")), "utf-8")
    (folder / "installer").mkdir()
    _pip_wheel(folder / "installer" / "pip-0-py3-none-any.whl")
    (folder / "jars").mkdir()
    (folder / "jars" / "kafka-1.jar").write_text("a jar")
    shutil.copytree(ROOT / "deploy" / "systemd", folder / "systemd")
    (folder / "docs").mkdir()
    (folder / "sbom.cdx.json").write_text("{}")
    shutil.copy(ROOT / "deploy" / "bundle" / "install.sh", folder / "install.sh")
    machine = {
        "PYTHON": PYTHON,
        "SYSTEM": f"{platform.system()}-{platform.machine()}",
        "GLIBC": "2.17",
        "NEEDS_MB": 1,
    }
    lines = {"VERSION": version, **machine, **settings}
    (folder / "bundle.env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()), "utf-8")
    write_sums(folder)
    return folder


def _pip_wheel(target: Path) -> None:
    """Pack the pip of this environment: the real archive has its own, which would need a network here."""
    package = Path(pip.__path__[0])
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(package.rglob("*.p*")):
            if path.suffix in {".py", ".pem"}:
                archive.write(path, path.relative_to(package.parent))


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
