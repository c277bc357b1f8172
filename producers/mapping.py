"""Mappings: how the columns of a file become events, written in TOML.

A mapping names the ``kind`` of event, the ``layout`` of the file (``log``: several rows a case, ``cases``:
one row a case, ``snapshots``: each row one full state), the ``source``, the column of the ``subject``, the
columns of the ``moments``, the ``status`` over time, and for each field where its value comes from and when
it becomes known. docs/mappings.md explains every key; ``mappings/`` holds the shipped ones.
"""

import tomllib
from pathlib import Path

import msgspec

from producers.mapping_faults import faults
from producers.mapping_tables import FieldSource, Mapping

__all__ = ["SHIPPED", "Mapping", "MappingError", "load_mapping", "shipped"]

SHIPPED = Path(__file__).parent / "mappings"
"""The folder of the mappings that come with the program."""


class MappingError(ValueError):
    """A mapping cannot be used. The text names the file, the key and the remedy."""


def shipped() -> tuple[str, ...]:
    """Names of the mappings that come with the program, sorted."""
    return tuple(sorted(p.stem for p in SHIPPED.glob("*.toml")))


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read and check a mapping: a path that ends in ``.toml``, or the name of a shipped one.

    Raises MappingError naming file, key and remedy; nothing is left to be found while rows are read.
    """
    text = str(name_or_path)
    if not text.endswith(".toml") and text not in shipped():
        raise MappingError(
            f"no mapping is called {text!r}: shipped are {', '.join(shipped())}; for your own give the path "
            "of a .toml file"
        )
    path = Path(text) if text.endswith(".toml") else SHIPPED / f"{text}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: is not TOML: {error}") from error
    raw["name"] = str(path)
    raw["fields"] = _sources(path, raw.get("fields"))
    try:
        mapping = msgspec.convert(raw, Mapping)
    except msgspec.ValidationError as error:
        raise MappingError(f"{path}: {error}: docs/mappings.md lists every key") from None
    for key, text in faults(mapping):
        raise MappingError(f"{path}: {key}: {text}")
    return mapping


def _sources(path: Path, raw: object) -> dict[str, tuple[FieldSource, ...]]:
    """Convert field by field: msgspec's own message would not name the field."""
    if not isinstance(raw, dict):
        raise MappingError(f"{path}: the table [fields] is missing: name at least the unit")
    found = {}
    for name, table in raw.items():
        try:
            found[name] = msgspec.convert(table if isinstance(table, list) else [table], tuple[FieldSource, ...])
        except msgspec.ValidationError as error:
            raise MappingError(f"{path}: fields.{name}: {error}: docs/mappings.md lists every key") from None
    return found
