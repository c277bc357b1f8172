"""The rules' file, ``config/rules.toml``: read, filled with defaults, checked as a whole."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec

from contract.text import Text
from contract.units import UnitTree
from streams import rule_values as values
from streams.rule import DayTimes, Rule, Severity
from streams.rule_checks import Limit, check_scope, limit_of
from streams.rule_table import Fault, Table
from streams.toml_lines import lines_of

__all__ = ["RulesError", "parse_rules"]

SPECIAL: Final = frozenset({"unit", "owner"})
"""Recipients that follow from the scope."""

_COMMON: Final = frozenset(
    {
        *("minimum_n", "minimum_history", "for", "severity", "remind", "quiet", "working_days", "to"),
        *("escalate_after", "escalate_to"),
    }
)
_LIMITS: Final = frozenset({"below", "above", "worse_by", "recover"})
_OWN: Final = frozenset({"id", "indicator", "window", "scope", "daily_at", "title", "text"})
_UNUSED_IN_DIGEST: Final = ("recover", "for", "remind", "quiet", "escalate_after", "escalate_to")
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
_TOML_LINE: Final = re.compile(r"(.*) \(at line ([0-9]+), column [0-9]+\)", re.DOTALL)


class RulesError(ValueError):
    """A file of rules that cannot be used; each fault has its line and says what to do."""

    def __init__(self, origin: str, faults: Sequence[Fault]) -> None:
        self.origin = origin
        self.faults = tuple(sorted(faults))
        super().__init__(
            "\n".join(
                f"{origin}{f', line {fault.line}' if fault.line else ''}: {fault.text}" for fault in self.faults
            )
        )


class _Common(msgspec.Struct, frozen=True):
    """What ``[defaults]`` may set for all rules."""

    minimum_n: int = 20
    minimum_history: int = 3
    hold_s: int = 600
    severity: Severity = "warning"
    remind_s: int | None = None
    quiet: DayTimes | None = None
    working_days: bool = False
    to: tuple[str, ...] = ()
    escalate_s: int | None = None
    escalate_to: tuple[str, ...] = ()


def parse_rules(text: str, origin: str, tree: UnitTree, groups: Collection[str]) -> tuple[Rule, ...]:
    """Read rules from text, in its order.

    ``groups`` are the names that ``to`` and ``escalate_to`` may use beside ``unit`` and ``owner``; ``origin`` names
    the file in errors. Raises RulesError with all faults at once.
    """
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.fullmatch(str(error))
        what, line = (found[1], int(found[2])) if found else (str(error), 0)
        raise RulesError(origin, [Fault(line, f"no valid TOML: {what}: correct this line")]) from None
    faults: list[Fault] = []
    reader = _Reader(tree, SPECIAL | frozenset(groups))
    rules = reader.read(document, text, faults)
    if faults:
        raise RulesError(origin, faults)
    return tuple(rules)


class _Reader:
    def __init__(self, tree: UnitTree, targets: frozenset[str]) -> None:
        self._tree = tree
        self._targets = targets

    def read(self, document: Mapping[str, Any], text: str, faults: list[Fault]) -> list[Rule]:
        lines = lines_of(text)
        for key in document.keys() - {"defaults", "rule"}:
            line = lines.get((key, 0, ""), lines.get(("", 0, key), 0))
            faults.append(Fault(line, f"{key} is unknown: write [defaults] or [[rule]]"))
        given = document.get("defaults", {})
        tables = document.get("rule", [])
        shapes = {
            "defaults": isinstance(given, dict),
            "rule": isinstance(tables, list) and all(isinstance(entry, dict) for entry in tables),
        }
        if not all(shapes.values()):
            wrong = next(key for key, right in shapes.items() if not right)
            line = lines.get((wrong, 0, ""), lines.get(("", 0, wrong), 0))
            faults.append(
                Fault(line, "defaults and rule are tables: write [defaults] once and [[rule]] for each rule")
            )
            return []
        defaults_table = Table(given, ("defaults", 0), lines, faults)
        defaults_table.only(_COMMON)
        defaults = self._common(defaults_table, _Common())
        rules: list[Rule] = []
        lines_of_ids: dict[str, int] = {}
        for number, entry in enumerate(tables):
            table = Table(entry, ("rule", number), lines, faults)
            rule = self._rule(table, defaults, defaults_table)
            name = entry.get("id")
            if isinstance(name, str) and name in lines_of_ids:
                table.fault("id", f"the rule in line {lines_of_ids[name]} has the same id: choose another")
            elif isinstance(name, str):
                lines_of_ids[name] = table.line("id")
            if rule is not None:
                rules.append(rule)
        return rules

    def _common(self, table: Table, default: _Common) -> _Common:
        targets = values.names(self._targets)
        return _Common(
            minimum_n=table.take("minimum_n", values.count, default.minimum_n),
            minimum_history=table.take("minimum_history", _weeks, default.minimum_history),
            hold_s=table.take("for", values.duration, default.hold_s),
            severity=table.take("severity", values.one_of(_SEVERITIES), default.severity),
            remind_s=table.take("remind", values.or_none(_pause), default.remind_s),
            quiet=table.take("quiet", values.or_none(values.day_times), default.quiet),
            working_days=table.take("working_days", values.flag, default.working_days),
            to=table.take("to", targets, default.to),
            escalate_s=table.take("escalate_after", values.or_none(_pause), default.escalate_s),
            escalate_to=table.take("escalate_to", targets, default.escalate_to),
        )

    def _rule(self, table: Table, defaults: _Common, defaults_table: Table) -> Rule | None:
        table.only(_COMMON | _LIMITS | _OWN)
        common = self._common(table, defaults)
        name = table.need("id", values.rule_id)
        scope = check_scope(table, self._tree)
        limit = limit_of(table)
        daily_min = table.take("daily_at", values.minute_of_day, None)
        title, text = table.take("title", values.title, None), table.take("text", values.text, None)
        if daily_min is not None:
            table.without(_UNUSED_IN_DIGEST, "in a rule with daily_at")
            if "worse_by" in table:
                table.fault("worse_by", "a daily digest compares with one number: write below or above")
        common = _escalation(table, common)
        if not common.to and "to" not in table and "to" not in defaults_table:
            table.fault("to", "nobody is told: name at least one recipient, here or in [defaults]")
        _check_targets(table, common, scope)
        if name is None or scope is None or limit is None:
            return None
        if daily_min is not None:
            common = msgspec.structs.replace(
                common, hold_s=0, remind_s=None, quiet=None, escalate_s=None, escalate_to=()
            )
        return _filled(name, scope, limit, common, daily_min=daily_min, words=(title, text))


def _filled(
    name: str,
    scope: str,
    limit: Limit,
    common: _Common,
    *,
    daily_min: int | None,
    words: tuple[Text | None, Text | None],
) -> Rule:
    title, text = words
    return Rule(
        id=name,
        scope=scope,
        daily_min=daily_min,
        title=title,
        text=text,
        **msgspec.structs.asdict(common),
        **limit._asdict(),
    )


def _escalation(table: Table, common: _Common) -> _Common:
    """Escalation is for critical rules, and needs both keys."""
    if common.severity != "critical":
        table.without(("escalate_after", "escalate_to"), "unless severity is critical")
        return msgspec.structs.replace(common, escalate_s=None, escalate_to=())
    if common.escalate_s is None:
        if "escalate_to" in table:
            table.fault("escalate_to", "nothing says when: add escalate_after")
        return msgspec.structs.replace(common, escalate_to=())
    if not common.escalate_to:
        table.fault("escalate_after", "nobody is named: add escalate_to")
    return common


def _check_targets(table: Table, common: _Common, scope: str | None) -> None:
    if scope is None:
        return
    form = scope.partition(":")[0]
    for key, targets in (("to", common.to), ("escalate_to", common.escalate_to)):
        if "unit" in targets and form not in ("unit", "level"):
            table.fault(key, f"'unit' needs a scope of units, not {scope!r}: name a group")
        if "owner" in targets and form != "source":
            table.fault(key, f"'owner' needs a scope of sources, not {scope!r}: name a group")


def _weeks(raw: object) -> int:
    found = values.count(raw)
    if found > 4:  # noqa: PLR2004 - usual is the median of four weeks
        raise ValueError(f"{found} is more than the 4 weeks that are compared with: write 1 to 4")
    return found


def _pause(raw: object) -> int:
    found = values.duration(raw)
    if found == 0:
        raise ValueError(f"{raw!r} is no pause: write more than 0, or 'none'")
    return found
