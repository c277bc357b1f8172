"""The rules' file: what is read, and what each mistake is told as."""

from pathlib import Path

import pytest

from contract.text import Text
from contract.units import UnitTree
from streams.rule import DayTimes, Rule
from streams.rule_file import RulesError, parse_rules
from tests.support.rules import TREE

CONFIG = Path(__file__).parents[2] / "config"
GROUPS = {"operators", "engineers", "leaders"}
GOOD = """\
[[rule]]
id = "a"
indicator = "on_time"
window = "today"
scope = "unit:*"
below = 0.95
to = ["unit"]
"""


def read(text: str) -> tuple[Rule, ...]:
    """Rules of a text named r.toml."""
    return parse_rules(text, "r.toml", TREE, GROUPS)


def faults(text: str) -> list[str]:
    """What is wrong with a text, line by line."""
    with pytest.raises(RulesError) as caught:
        read(text)
    return str(caught.value).split("\n")


def with_line(line: str, *, instead_of: str | None = None) -> str:
    """The good rule with another line; it replaces that of its key, or of ``instead_of``, or comes last."""
    key = instead_of or line.partition("=")[0].strip()
    lines = GOOD.splitlines()
    at = next((n for n, old in enumerate(lines) if old.partition("=")[0].strip() == key), len(lines))
    return "\n".join([*lines[:at], line, *lines[at + 1 :]])


def test_the_shipped_rules_pass_their_own_check() -> None:
    """With the shipped units and the three groups; each names its recipients and has a way back."""
    tree = UnitTree.from_csv((CONFIG / "units.csv").read_text("utf-8"), "units.csv")

    rules = parse_rules((CONFIG / "rules.toml").read_text("utf-8"), "rules.toml", tree, GROUPS)

    found = {rule.id: rule for rule in rules}
    assert found["on_time"].below == 0.95
    assert (found["overdue_high"].above, found["overdue"].above) == (0.0378, 0.005)
    assert found["online"].below == 0.60
    assert {"online_payment", "paperless_meeting", "source_silent", "dead_letters", "stream_behind"} <= found.keys()
    assert (found["due_soon"].daily_min, found["due_soon"].to) == (480, ("unit",))
    assert all(rule.recover >= rule.below for rule in rules if rule.below is not None)
    assert all(rule.recover <= rule.above for rule in rules if rule.above is not None)


def test_a_rule_is_filled_with_the_defaults() -> None:
    """What the rule leaves out comes from [defaults], what that leaves out from the program."""
    text = """
[defaults]
minimum_n = 30
quiet = "21:00-07:00"
remind = "4h"
working_days = true
to = ["operators"]
""" + GOOD.replace('to = ["unit"]', 'title = { vi = "{unit} chậm", en = "{unit} late" }\nremind = "none"')

    (rule,) = read(text)

    assert rule == Rule(
        id="a",
        indicator="on_time",
        window="today",
        scope="unit:*",
        below=0.95,
        recover=0.95,
        minimum_n=30,
        minimum_history=3,
        hold_s=600,
        severity="warning",
        remind_s=None,
        quiet=DayTimes(21 * 60, 7 * 60),
        working_days=True,
        to=("operators",),
        escalate_s=None,
        escalate_to=(),
        daily_min=None,
        title=Text("{unit} chậm", "{unit} late"),
        text=None,
    )


@pytest.mark.parametrize(
    ("line", "at", "what"),
    [
        ("belwo = 0.9", 8, "belwo: the key is unknown: write one of "),
        ('indicator = "ontime"', 3, "indicator: 'ontime' is unknown: write one of online, on_time, "),
        ('window = "2h"', 4, "window: '2h' is unknown: write one of 15m, 1h, "),
        ('scope = "commune:x"', 5, "scope: 'commune:x' is unknown: write one of unit:…, level:…, "),
        ('scope = "unit:75"', 5, "scope: 'unit:75' fits nothing: write a code of config/units.csv, or unit:*"),
        ('scope = "level:ward"', 5, "scope: 'level:ward' fits nothing: write a kind of config/units.csv"),
        ('scope = "source:*"', 5, "scope: on_time is not counted for 'source:*': write unit:… or level:… or field:…"),
        ('to = ["boss"]', 7, "to: 'boss' is unknown: write one of engineers, leaders, operators, owner, unit"),
        ("to = []", 7, "to: [] is no list of groups: write it as"),
        ('to = ["owner"]', 7, "to: 'owner' needs a scope of sources, not 'unit:*': name a group"),
        ("below = 95", 6, "below: 95 is no such share: write more than 0, at most 1 (0.95 for 95 %)"),
        ("below = 0", 6, "below: 0 is no such share"),
        ("below = nan", 6, "below: nan is no number"),
        ("below = true", 6, "below: True is no number"),
        ('below = "0.9"', 6, "below: '0.9' is no number: write one without quotes, such as 0.95"),
        ("above = 0.9", 8, "below and above are given together: write exactly one of below, above, worse_by"),
        ("recover = 0.9", 8, "recover: 0.9 is on the wrong side: write 0.95 to 1"),
        ("recover = 97", 8, "recover: 97 is on the wrong side: write 0.95 to 1 (0.97 for 97 %)"),
        ('for = "10 min"', 8, "for: '10 min' is no duration: write a whole number and s, m, h or d"),
        ("for = 600", 8, "for: 600 is no duration"),
        ('for = "999d"', 8, "for: '999d' is longer than a year"),
        ('remind = "0s"', 8, "remind: '0s' is no pause: write more than 0, or 'none'"),
        ('quiet = "21-7"', 8, "quiet: '21' is no time of day: write it as '08:00'"),
        ('quiet = "07:00-07:00"', 8, "quiet: '07:00-07:00' is no part of the day"),
        ('quiet = "00:00-24:00"', 8, "quiet: '00:00-24:00' is no part of the day"),
        ('daily_at = "24:00"', 8, "daily_at: '24:00' is no time of day"),
        ('severity = "urgent"', 8, "severity: 'urgent' is unknown: write one of info, warning, critical"),
        ("minimum_n = 0", 8, "minimum_n: 0 is no count: write a whole number from 1"),
        ("minimum_history = 5", 8, "minimum_history: 5 is more than the 4 weeks"),
        ("working_days = 1", 8, "working_days: 1 is neither true nor false"),
        ('escalate_after = "1h"', 8, "escalate_after: it has no effect unless severity is critical: remove it"),
        ('title = "late"', 8, "title: it needs both languages and nothing else: write { vi ="),
        ('title = { vi = "a", en = " " }', 8, "title: en is empty"),
        ('title = { vi = "a\\nBcc: x@example.org", en = "a" }', 8, "title: vi holds a line break or an invisible"),
        ('title = { vi = "a\\u2028b", en = "a" }', 8, "title: vi holds a line break or an invisible"),
        ('title = { vi = "a\\u202Eb", en = "a" }', 8, "title: vi holds a line break or an invisible"),
        ('text = { vi = "a\\r\\nb", en = "a" }', 8, "text: vi holds a line break or an invisible"),
        ('text = { vi = "{name}", en = "a" }', 8, "text: vi has the unknown placeholder {name}: write one of {indic"),
        ('text = { vi = "{unit.__class__}", en = "a" }', 8, "text: vi has the unknown placeholder {unit.__class__}"),
        ('text = { vi = "{rate:9999999}", en = "a" }', 8, "text: vi has the unknown placeholder {rate:9999999}"),
        ('text = { vi = "{unit!r}", en = "a" }', 8, "text: vi has the unknown placeholder {unit!r}"),
        ('text = { vi = "{", en = "a" }', 8, "text: vi has a single brace"),
        ('title = { vi = "' + "a" * 151 + '", en = "a" }', 8, "title: vi has 151 characters: write at most 150"),
        ('id = "A b"', 2, "id: 'A b' is no id: write 1 to 64 small letters, digits, - and _"),
        ('indicator = "overdue"', 4, "window: 'today' is unknown: write one of now"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_remedy(line: str, at: int, what: str) -> None:
    """Whatever else follows from it, the mistake itself is named first in its line."""
    found = faults(with_line(line))

    assert any(text.startswith(f"r.toml, line {at}: rule ") and f": {what}" in text for text in found), found


def test_an_unknown_indicator_is_told_once() -> None:
    """Scope and threshold both depend on it; the operator reads one sentence."""
    found = faults(with_line('indicator = "ontime"'))

    assert len(found) == 1, found


def test_a_threshold_on_the_wrong_side_is_refused() -> None:
    """Of what should be high, being above is no alarm; of a gauge more is always worse."""
    gauge = """
[[rule]]
id = "g"
indicator = "silence"
scope = "source:*"
below = 1
to = ["owner"]
"""

    assert (
        "line 6: rule 'a': above: of on_time higher is better: write below"
        in faults(with_line("above = 0.9", instead_of="below"))[0]
    )
    assert "line 6: rule 'g': below: of silence more is always worse: write above" in faults(gauge)[0]


def test_all_faults_are_found_at_once() -> None:
    """An office corrects its file in one go: in order of lines, each by itself."""
    text = GOOD.replace("0.95", "95") + GOOD.replace('["unit"]', '["boss"]').replace('window = "today"\n', "")

    found = faults(text)

    assert [line.partition(":")[0] for line in found] == [
        "r.toml, line 6",
        "r.toml, line 8",
        "r.toml, line 9",
        "r.toml, line 13",
    ]
    assert "rule 'a': id: the rule in line 2 has the same id: choose another" in found[2]


def test_a_mistake_in_the_defaults_is_told_once() -> None:
    """Not again for each rule that has it from there."""
    found = faults('[defaults]\nto = ["boss"]\n' + GOOD.replace('to = ["unit"]', "") * 2)

    assert [text.partition(": ")[0] for text in found] == ["r.toml, line 2", "r.toml, line 11"]
    assert "id: the rule in line 4 has the same id" in found[1]


def test_what_is_missing_is_asked_for_at_the_head_of_its_rule() -> None:
    """A rule without anything names all that it needs."""
    found = faults("[[rule]]\n")

    assert {line.partition("rule 1: ")[2] for line in found} == {
        "id is missing: add it",
        "indicator is missing: add it",
        "scope is missing: add it",
        "to: nobody is told: name at least one recipient, here or in [defaults]",
    }
    assert all(line.startswith("r.toml, line 1: ") for line in found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("rule = 3\n", "line 1: defaults and rule are tables"),
        ("[rule]\nid = 'a'\n", "line 1: defaults and rule are tables"),
        ("[[defaults]]\nfor = '1m'\n", "line 1: defaults and rule are tables"),
        ("[rules]\n", "line 1: rules is unknown: write [defaults] or [[rule]]"),
        ("x = 1\n", "line 1: x is unknown: write [defaults] or [[rule]]"),
        ("rule = [1]\n", "line 1: defaults and rule are tables"),
        ("\n[defaults]\nbelow = 0.9\n", "line 3: defaults: below: the key is unknown"),
        ("\nid = \n", "line 2: no valid TOML: Invalid value: correct this line"),
        ("[x.y]\n", "x is unknown: write [defaults] or [[rule]]"),
        ("[[rule.x]]\n", "defaults and rule are tables"),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, what: str) -> None:
    """Whatever stands in the file, the answer is a sentence."""
    assert faults(text)[0].startswith(f"r.toml, {what}" if what.startswith("line") else f"r.toml: {what}")


def test_escalation_needs_time_and_group() -> None:
    """Of a critical rule; one without the other is told."""
    critical = GOOD + 'severity = "critical"\n'

    assert "escalate_to: nothing says when: add escalate_after" in faults(critical + 'escalate_to = ["leaders"]')[0]
    assert "escalate_after: nobody is named: add escalate_to" in faults(critical + 'escalate_after = "1h"')[0]
    (rule,) = read(critical + 'escalate_after = "1h"\nescalate_to = ["leaders"]')
    assert (rule.escalate_s, rule.escalate_to) == (3_600, ("leaders",))


def test_a_digest_has_no_hold_and_no_reminders() -> None:
    """Defaults do not reach it; the same keys in the rule itself are refused."""
    defaults = '[defaults]\nremind = "4h"\nquiet = "18:00-09:00"\n'
    (rule,) = read(defaults + GOOD + 'daily_at = "08:00"')

    assert (rule.daily_min, rule.hold_s, rule.remind_s, rule.quiet) == (480, 0, None, None)
    found = faults(GOOD + 'daily_at = "08:00"\nremind = "4h"\n')
    assert "line 9: rule 'a': remind: it has no effect in a rule with daily_at: remove it" in found[0]
    worse = with_line('worse_by = 0.1\ndaily_at = "08:00"', instead_of="below")
    assert "a daily digest compares with one number" in faults(worse)[0]


def test_a_mistake_at_the_end_of_the_file_has_no_line() -> None:
    """The parser tells none; the error keeps the file's name and each fault for programs."""
    with pytest.raises(RulesError) as caught:
        read('[defaults]\nfor = "10m')

    assert str(caught.value) == "r.toml: no valid TOML: Unterminated string (at end of document): correct this line"
    assert caught.value.origin == "r.toml"
    assert [fault.line for fault in caught.value.faults] == [0]


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Editors on Windows begin a file with it."""
    assert read("\ufeff" + GOOD) == read(GOOD)


CRITICAL = GOOD + 'severity = "critical"\n'
DEFAULTS = """\
[defaults]
minimum_history = 4
for = "5m"
remind = "4h"
quiet = "18:00-09:00"
escalate_after = "1h"
escalate_to = ["leaders"]
"""


def test_every_default_reaches_a_rule_that_leaves_it_out() -> None:
    """Escalation reaches critical rules only; none switches a default off."""
    (critical,), (warning,) = read(DEFAULTS + CRITICAL), read(DEFAULTS + GOOD)
    (switched_off,) = read(DEFAULTS + CRITICAL + 'remind = "none"\nquiet = "none"\nescalate_after = "none"\n')

    assert (critical.minimum_history, critical.hold_s, critical.remind_s) == (4, 300, 14_400)
    assert critical.quiet == DayTimes(18 * 60, 9 * 60)
    assert (critical.severity, critical.escalate_s, critical.escalate_to) == ("critical", 3_600, ("leaders",))
    assert (warning.severity, warning.escalate_s, warning.escalate_to) == ("warning", None, ())
    assert (switched_off.remind_s, switched_off.quiet) == (None, None)
    assert (switched_off.escalate_s, switched_off.escalate_to) == (None, ())


def test_a_critical_digest_does_not_escalate() -> None:
    """It is a list, and no alert."""
    (rule,) = read(DEFAULTS + CRITICAL + 'daily_at = "08:00"\n')

    assert (rule.severity, rule.daily_min) == ("critical", 480)
    assert (rule.hold_s, rule.remind_s, rule.quiet, rule.escalate_s, rule.escalate_to) == (0, None, None, None, ())


def test_a_rule_keeps_its_own_words() -> None:
    """Title and text, each where it belongs."""
    (rule,) = read(GOOD + 'title = { vi = "a", en = "b" }\ntext = { vi = "c", en = "d" }\n')

    assert (rule.title, rule.text) == (Text("a", "b"), Text("c", "d"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            with_line('worse_by = 0.1\ndaily_at = "08:00"', instead_of="below"),
            ["line 6: rule 'a': worse_by: a daily digest compares with one number: write below or above"],
            id="a digest compares with one number",
        ),
        pytest.param(
            GOOD + 'escalate_to = ["leaders"]\n',
            ["line 8: rule 'a': escalate_to: it has no effect unless severity is critical: remove it"],
            id="a warning escalates to nobody",
        ),
        pytest.param(
            with_line('scope = "field:land"'),
            ["line 7: rule 'a': to: 'unit' needs a scope of units, not 'field:land': name a group"],
            id="nobody stands for a field",
        ),
        pytest.param(
            CRITICAL + 'escalate_after = "1h"\nescalate_to = ["owner"]\n',
            ["line 10: rule 'a': escalate_to: 'owner' needs a scope of sources, not 'unit:*': name a group"],
            id="nobody owns a unit",
        ),
        pytest.param(
            '[[rule]]\nid = "s"\nindicator = "silence"\nscope = "source:urn:x"\nabove = 1\nto = ["owner", "unit"]\n',
            ["line 6: rule 's': to: 'unit' needs a scope of units, not 'source:urn:x': name a group"],
            id="a source has an owner and no unit",
        ),
        pytest.param(
            with_line('scope = "level:ward"'),
            ["line 5: rule 'a': scope: 'level:ward' fits nothing: write a kind of config/units.csv, or unit:*"],
            id="a kind of unit has units",
        ),
        pytest.param(
            with_line("minimum_history = 5"),
            ["line 8: rule 'a': minimum_history: 5 is more than the 4 weeks that are compared with: write 1 to 4"],
            id="more weeks than are kept",
        ),
        pytest.param(
            with_line('remind = "0s"'),
            ["line 8: rule 'a': remind: '0s' is no pause: write more than 0, or 'none'"],
            id="no pause",
        ),
    ],
)
def test_one_mistake_is_one_sentence(text: str, expected: list[str]) -> None:
    """Nothing else follows from it."""
    assert faults(text) == [f"r.toml, {line}" for line in expected]


def test_a_kind_of_unit_may_tell_its_units() -> None:
    """Whoever stands for a commune is found by the scope."""
    (rule,) = read(with_line('scope = "level:commune"'))

    assert (rule.scope, rule.to) == ("level:commune", ("unit",))
