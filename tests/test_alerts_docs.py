"""The document on alerts: every key, placeholder and channel in it is one that the program takes; none is missing."""

import re
from pathlib import Path

import msgspec
import pytest

from contract.units import UnitTree
from dashboards.alerts.choices import MUTES
from nhip.settings import Settings, load_tree
from sinks import recipients
from sinks.channels import parse_channel
from sinks.links import LINK_LIFE_S
from sinks.recipients import parse_recipients
from streams import rule_file
from streams.rule_file import parse_rules
from streams.rule_values import PLACEHOLDERS

TEXT = (Path(__file__).parents[1] / "docs" / "alerts.md").read_text("utf-8")


def table(head: str) -> list[list[str]]:
    """The cells of the table whose head begins so, without head and rule."""
    lines = TEXT.split(f"| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def names(text: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([a-z_]+)`", text))


@pytest.fixture(scope="module")
def tree() -> UnitTree:
    """The shipped units."""
    return load_tree(Settings())


def test_every_key_of_a_rule_is_documented() -> None:
    """The table has all keys and no other; [defaults] likewise."""
    defaults = TEXT.split("`[defaults]` may set")[1].split("for all rules")[0]

    rv = {name for row in table("key") for name in names(row[0])}

    assert rv == rule_file._COMMON | rule_file._LIMITS | rule_file._OWN
    assert names(defaults) == rule_file._COMMON


def test_defaults_are_documented() -> None:
    """What a rule has without a key is what the table says."""
    rows = {name: row[2].strip("`") for row in table("key") for name in names(row[0])}
    common = rule_file._Common()

    rv = (rows["minimum_n"], rows["minimum_history"], rows["for"], rows["severity"], rows["working_days"])

    assert rv == (
        str(common.minimum_n),
        str(common.minimum_history),
        f"{common.hold_s // 60}m",
        common.severity,
        str(common.working_days).lower(),
    )


def test_every_placeholder_is_documented() -> None:
    """Titles and texts may name these and no other."""
    rv = set(re.findall(r"`\{([a-z]+)\}`", TEXT))

    assert rv == PLACEHOLDERS


def test_every_key_of_a_recipient_is_documented() -> None:
    """The table has all keys, with their defaults."""
    rows = {name: row[2].strip("`") for row in table("key of `[recipients.NAME]`") for name in names(row[0])}
    fields = {field.name: field.default for field in msgspec.structs.fields(recipients._Entry)}

    assert rows.keys() == fields.keys()
    assert (rows["language"], rows["per_hour"]) == (fields["language"], str(fields["per_hour"]))


@pytest.mark.parametrize("row", table("channel"), ids=lambda row: row[0])
def test_every_channel_of_the_document_is_taken(row: list[str]) -> None:
    """The examples are addresses that the recipients' file accepts."""
    address = row[1].strip("`")

    rv = parse_channel(address, 1)

    assert rv.address == address


def test_the_example_rule_is_sound(tree: UnitTree) -> None:
    """What is shown can be copied."""
    text = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]

    (rv,) = parse_rules(text, "docs/alerts.md", tree, ())

    assert (rv.id, rv.hold_s, rv.to) == ("ward_late", 3600, ("unit",))


def test_links_and_mutes_last_as_long_as_is_said() -> None:
    """Seven days, and the four choices of the page."""
    assert f"trong {LINK_LIFE_S // 86_400} ngày" in TEXT
    assert all(choice.words.vi in " ".join(TEXT.split()) for choice in MUTES.values())


def test_the_commented_channels_of_the_shipped_file_are_taken() -> None:
    """Uncommented, the examples of config/recipients.toml are valid."""
    shipped = (Path(__file__).parents[1] / "config" / "recipients.toml").read_text("utf-8")
    found = re.findall(r'^#\s+("[a-z]+://.*"),$', shipped, re.MULTILINE)

    rv = parse_recipients(f"[recipients.a]\nchannels = [{', '.join(found)}]\n", "recipients.toml")

    assert len(rv.recipients["a"].channels) == len(found) == 4
