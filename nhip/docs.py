"""Generated blocks of the documentation: ``python -m nhip.docs`` rewrites them, a test holds them current.

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import typer.main

from contract.dossier import NATIONAL_STATUS
from contract.kind import Kind
from contract.registry import INDICATORS, KINDS
from contract.windows import windows_of
from nhip.alerting import load_office_recipients, load_rules, rules_path
from nhip.metrics import METRICS
from nhip.rule_words import bad_when, quiet, rhythm
from nhip.settings import ENV_PREFIX, Settings, load_tree
from producers.poll.tables import TABLES
from sinks.columns import table_columns
from sinks.migrate import load
from sinks.tables import table_sql
from streams.gauges import GAUGES

__all__ = ["BLOCKS", "filled"]

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS (\w+).*?\nENGINE = \{engine:(\w+)\}.*?\nCOMMENT '((?:[^']|'')+)'", re.DOTALL
)


def filled(text: str) -> str:
    """Return the text with every generated block made anew. Raises KeyError for an unknown block."""
    return _BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m[2]]()}\n{m[3]}", text)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _indicators() -> str:
    return _table(
        ("key", "tiếng Việt", "English", "counted", "numerator", "windows", "better", "target", "source"),
        [
            (
                f"`{i.key}`",
                i.name_vi,
                i.name_en,
                i.counts,
                i.formula,
                ", ".join(windows_of(i.reading)),
                "higher" if i.higher_is_better else "lower",
                f"{i.target.value:g} (watch {i.target.watch:g})",
                i.source,
            )
            for i in INDICATORS.values()
        ],
    )


def _events() -> str:
    return "\n\n".join(f"### {k.name_en} · `{k.type}` · topic `{k.topic}`\n\n{_fields(k)}" for k in KINDS)


def _fields(kind: Kind) -> str:
    rows = []
    said = {column.name: column.comment for column in table_columns(kind)}
    for field in msgspec.structs.fields(kind.snapshot):
        needed = field.default is msgspec.NODEFAULT
        statuses = sorted(s for s, name in kind.needs.items() if name == field.name)
        rows.append(
            (
                f"**`{field.name}`**" if needed else f"`{field.name}`",
                _type(msgspec.inspect.type_info(field.type)),
                "always" if needed else (f"with status {', '.join(statuses)}" if statuses else ""),
                said[field.name] + ("; a fact: at most a day ahead of the clock" if field.name in kind.facts else ""),
            )
        )
    return _table(("field", "type", "needed", "meaning"), rows)


def _type(found: msgspec.inspect.Type) -> str:
    if isinstance(found, msgspec.inspect.Metadata):
        return _type(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return " or ".join(_type(t) for t in found.types if not isinstance(t, msgspec.inspect.NoneType))
    if isinstance(found, msgspec.inspect.LiteralType):
        return ", ".join(f"`{v}`" for v in found.values)
    if isinstance(found, msgspec.inspect.DateTimeType):
        return "time with offset"
    if isinstance(found, msgspec.inspect.StrType):
        return f"text, 1–{found.max_length} characters"
    return f"integer, {found.ge}–{found.le}" if isinstance(found, msgspec.inspect.IntType) else "true or false"


def _statuses() -> str:
    rows = [(f"`{word}`", "–" if code is None else str(code)) for word, code in NATIONAL_STATUS.items()]
    return _table(("status", "TrangThai"), rows)


def _settings() -> str:
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = get_args(field.type)[-1]
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append((f"`{field.name}`", f"`{ENV_PREFIX}{field.name.upper()}`", default, meta.description))
    return _table(("setting", "environment", "default", "meaning"), rows)


def _tables() -> str:
    found = [m for sql in (*map(table_sql, KINDS), *(m.sql for m in load())) for m in _TABLE.findall(sql)]
    return _table(("table", "engine", "holds"), [(f"`{n}`", e, c.replace("''", "'")) for n, e, c in found])


def _commands() -> str:
    from nhip.cli import app  # noqa: PLC0415 - the program imports everything; the other blocks need it not

    rows = []
    root: Any = typer.main.get_command(app)
    for name, command in sorted(root.commands.items()):
        children: dict[str, Any] = getattr(command, "commands", {"": command})
        for child, inner in sorted(children.items()):
            first = (inner.help or "").strip().splitlines()[0]
            rows.append((f"`nhip {name} {child}`".replace(" `", "`"), first))
    return _table(("command", "does"), rows)


def _poll() -> str:
    return "\n\n".join(f"`{name}`\n\n{_keys(struct)}" for name, struct in TABLES.items())


def _keys(struct: type[msgspec.Struct]) -> str:
    rows = []
    config = struct.__struct_config__
    if config.tag is not None:
        rows.append((f"`{config.tag_field}`", "", f"`{config.tag}`"))
    for field in msgspec.structs.fields(struct):
        meta = get_args(field.type)[-1:]
        if not meta or not isinstance(meta[0], msgspec.Meta):
            continue  # a table of its own
        default = "needed" if field.required else "" if field.default in (None, "", ()) else f"`{field.default}`"
        rows.append((f"`{field.name}`", default, meta[0].description or ""))
    return _table(("key", "default", "meaning"), rows)


def _rules() -> str:
    tree = load_tree(Settings())
    recipients, _ = load_office_recipients(Settings(), tree)
    rows = []
    for rule in load_rules(rules_path(Settings()), tree, recipients):
        targets = ", ".join(f"`{name}`" for name in rule.to)
        later = ", ".join(f"`{name}`" for name in rule.escalate_to)
        told = "; ".join((targets, *rhythm(rule), *([f"then {later}"] if later else [])))
        watched = f"`{rule.indicator}` {rule.window}, `{rule.scope}`"
        rows.append((f"`{rule.id}`", watched, bad_when(rule), rule.severity, told, quiet(rule)))
    return _table(("rule", "watches", "bad when", "severity", "told", "not told"), rows)


def _gauges() -> str:
    rows = [
        (f"`{gauge.key}`", gauge.name.vi, gauge.name.en, f"`{gauge.scope}:…`", gauge.window, gauge.counts)
        for gauge in GAUGES.values()
    ]
    return _table(("gauge", "tiếng Việt", "English", "scope", "window", "numerator / denominator"), rows)


def _metrics() -> str:
    rows = [
        (f"`{m.name}`", m.kind, m.of, f"{m.help}; by {', '.join(m.labels)}" if m.labels else m.help) for m in METRICS
    ]
    return _table(("metric", "type", "of", "meaning"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "indicators": _indicators,
    "events": _events,
    "statuses": _statuses,
    "settings": _settings,
    "tables": _tables,
    "commands": _commands,
    "rules": _rules,
    "gauges": _gauges,
    "poll": _poll,
    "metrics": _metrics,
}


def main(folder: Path) -> None:
    """Rewrite the blocks of all documents in the folder."""
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text("utf-8")
        path.write_text(filled(text), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
