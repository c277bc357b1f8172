"""Settings: precedence, types and errors."""

from pathlib import Path

import pytest

from nhip.settings import Settings, SettingsError, load_settings, load_tree


def test_flags_beat_environment_and_environment_beats_the_file(tmp_path: Path) -> None:
    """The file gives way to NHIP_*, which gives way to flags."""
    file = tmp_path / "nhip.toml"
    file.write_text('partitions = 2\ngroup = "file"\nprovince = "01"\n')

    rv = load_settings({"NHIP_GROUP": "env", "NHIP_PARTITIONS": "8", "PATH": "/"}, file, {"partitions": 16})

    assert (rv.partitions, rv.group, rv.province) == (16, "env", "01")


def test_a_child_gets_the_same_settings() -> None:
    """The environment made for a child process reads back as the same settings."""
    settings = Settings(kafka="127.0.0.1:5", clock="event", session_timeout_s=7.5, instance="a")

    rv = load_settings(settings.environment())

    assert rv == settings


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("partition = 4", "unknown setting 'partition'"),
        ('partitions = "many"', "$.partitions"),
        ('clock = "moon"', "$.clock"),
        ("partitions = ", "cannot be read"),
        ('store_database = "x; DROP"', "$.store_database"),
    ],
)
def test_a_wrong_file_names_the_setting(tmp_path: Path, text: str, word: str) -> None:
    """A wrong value, name or file gives one sentence that says where."""
    file = tmp_path / "nhip.toml"
    file.write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_settings({}, file)

    assert word in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_file_of_units_is_named() -> None:
    """A units file that is not there is named."""
    with pytest.raises(SettingsError, match=r"nowhere\.csv"):
        load_tree(Settings(units_file="nowhere.csv"))


def test_the_shipped_units_hold_the_whole_country() -> None:
    """34 provinces and 3,321 communes ship with the program; the demo's province has 95 of them."""
    tree = load_tree(Settings())

    assert len(tree.by_kind("province")) == 34
    assert len([c for c in tree.children("75") if (u := tree.get(c)) and u.kind != "department"]) == 95
    assert len(tree.by_kind("department", under="75")) == 14
