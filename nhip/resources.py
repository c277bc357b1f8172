"""Files that ship with the program: configuration and sample data, in a checkout and in an installed wheel."""

from pathlib import Path

__all__ = ["config_file", "sample_file"]

_HERE = Path(__file__).resolve().parent


def config_file(name: str) -> Path:
    """Path of a shipped file of ``config/``."""
    return _shipped("config", name)


def sample_file(name: str) -> Path:
    """Path of a shipped file of ``data/``."""
    return _shipped("data", name)


def _shipped(folder: str, name: str) -> Path:
    packaged = _HERE / folder / name
    return packaged if packaged.exists() else _HERE.parent / folder / name
