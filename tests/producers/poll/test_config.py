"""Configurations: what is wrong is told before the source is asked, with file, key and remedy."""

from pathlib import Path

import pytest

from producers.mapping import MappingError
from producers.poll.config import load_config, load_poll_mapping, state_path
from producers.poll.credentials import Credential
from producers.poll.errors import PollConfigError, StateError
from tests.support.polling import MAPPING, Clock, Sent, Table, opened, write

SQL = '[sql]\nurl = "sqlite:///x.db"\nquery = "SELECT * FROM t"\n'
REST = '[rest]\nurl = "https://db.invalid/list"\n'
FOLDER = '[folder]\npath = "in"\n'
WATERMARK = '[sql.watermark]\ncolumn = "c"\nstart = 0\n'


def test_defaults(tmp_path: Path) -> None:
    """The smallest configuration, and where its state is."""
    config = load_config(write(tmp_path, SQL))

    assert (config.interval_s, config.full_comparison_s, config.vanished) == (60, 86_400, "ignore")
    assert state_path(config) == tmp_path / "poll.state"


@pytest.mark.parametrize(
    ("top", "source", "text"),
    [
        ("", "", r"source: give exactly one of the tables \[sql\], \[rest\] and \[folder\]"),
        ("", SQL + FOLDER, "source: give exactly one"),
        ("intervall_s = 5", SQL, "unknown field `intervall_s`.*docs/poll.md lists every key"),
        ("interval_s = 0", SQL, r"interval_s"),
        ("interval_s = 'x'", SQL, r"Expected `float`, got `str` - at `\$\.interval_s`"),
        ("interval_s = 60\nfull_comparison_s = 30", SQL, "full_comparison_s: is shorter than interval_s"),
        ("vanished = 'delete'", SQL, "vanished"),
        ("", SQL + "pasword_env = 'X'", r"unknown field `pasword_env` - at `\$\.sql`"),
        ("", SQL.replace("sqlite:///x.db", "postgresql://nhip:open-sesame@db/x"), "sql.url: has a password in it"),
        (
            "",
            SQL.replace("sqlite:///x.db", "postgresql://db/x?password=open-sesame"),
            "sql.url: has a password in it",
        ),
        ("", SQL.replace("sqlite:///x.db", "x.db"), "sql.url: is no SQLAlchemy URL"),
        ("", SQL.replace("SELECT * FROM t", "DELETE FROM t"), "does not begin with SELECT or WITH"),
        ("", SQL + WATERMARK, "sql.query: does not name :watermark: add WHERE c >= :watermark"),
        ("", SQL.replace("FROM t", "FROM t WHERE c >= :watermark"), "sql.watermark: is missing"),
        (
            "",
            SQL.replace("FROM t", "FROM t WHERE c >= :watermark") + WATERMARK.replace("0", "true"),
            "watermark.start",
        ),
        ("", SQL + "password_env = 'A'\npassword_file = 'b'", "keep one"),
        ("", REST.replace("https:", "ftp:"), "url"),
        ("", REST.replace("db.invalid", "nhip:open-sesame@db.invalid"), "url"),
        ("", REST.replace("/list", "/list?token=open-sesame"), r"rest.url: has the secret 'token' in it"),
        ("", REST.replace("/list", "/list#top"), "has a fragment"),
        ("", REST + "[rest.paging]\nstyle = 'scroll'", "Invalid value 'scroll'"),
        ("", REST + "[rest.paging]\nstyle = 'cursor'", "missing required field `next`"),
        ("", REST + "[rest.paging]\nstyle = 'page'\nsize = 3", "unknown field `size`"),
        ("", FOLDER + "encoding = 'utf-8'", "unknown field `encoding`"),
        ("[", "", "is not TOML"),
    ],
)
def test_faults(tmp_path: Path, top: str, source: str, text: str) -> None:
    """Each fault names file and key, and never a secret."""
    path = write(tmp_path, source, top=top)

    with pytest.raises(PollConfigError, match=text) as error:
        load_config(path)

    assert str(error.value).startswith(str(path))
    assert "open-sesame" not in str(error.value)


def test_absent_file(tmp_path: Path) -> None:
    """A configuration that is not there is named."""
    with pytest.raises(PollConfigError, match=r"absent\.toml: cannot be read"):
        load_config(tmp_path / "absent.toml")


def test_log_cannot_be_polled(tmp_path: Path) -> None:
    """Rows of a log are steps, not states: the remedy is told."""
    path = write(tmp_path, SQL)
    path.write_text(path.read_text().replace("mapping.toml", "fines"))

    with pytest.raises(PollConfigError, match=r"layout log, whose rows are steps and no states.*nhip replay"):
        load_poll_mapping(load_config(path))


def test_only_dossiers_can_be_voided(tmp_path: Path) -> None:
    """A kind without the status void cannot lose rows."""
    mapping = MAPPING.replace('"dossier"', '"meeting"')
    mapping = mapping[: mapping.index("[fields]")] + (
        '[fields]\nunit = { column = "office" }\nstatus = { value = "live" }\nstarts_at = { column = "updated" }\n'
    )
    path = write(tmp_path, SQL, mapping=mapping, top='vanished = "void"')

    with pytest.raises(PollConfigError, match='vanished: a meeting has no status "void"'):
        load_poll_mapping(load_config(path))


def test_faults_of_the_mapping(tmp_path: Path) -> None:
    """A wrong mapping is told with both files; a column that nobody reads cannot be optional."""
    path = write(tmp_path, SQL, mapping="kind = 3")
    with pytest.raises(MappingError, match=r"poll\.toml: mapping: .*mapping\.toml"):
        load_poll_mapping(load_config(path))
    path = write(tmp_path, REST + 'optional = ["nothing"]')

    with pytest.raises(PollConfigError, match="reads no column 'nothing'"):
        load_poll_mapping(load_config(path))


def test_secrets(tmp_path: Path) -> None:
    """A reference that leads nowhere is told; a secret shows itself nowhere."""
    with pytest.raises(PollConfigError, match="environment variable X is not set"):
        Credential.named("here", "X", None, {}, tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(PollConfigError, match="is empty"):
        Credential.named("here", None, "empty", {}, tmp_path)
    with pytest.raises(PollConfigError, match="keep one"):
        Credential.named("here", "X", "empty", {}, tmp_path)
    secret = Credential.named("here", "X", None, {"X": "open-sesame"}, tmp_path)

    assert "open-sesame" not in f"{secret} {secret!r} {secret.hidden('login open-sesame') if secret else ''}"
    assert Credential.named("here", None, None, {}, tmp_path) is None


def test_state_is_not_shared(tmp_path: Path) -> None:
    """Two pollers cannot use one state at once, nor two sources one after the other."""
    table = Table(tmp_path / "x.db")
    path = write(tmp_path, SQL.replace("x.db", str(table.path)).replace("FROM t", "FROM dossiers"))
    with (
        opened(path, Sent(), Clock()),
        pytest.raises(StateError, match="another poller is using it"),
        opened(path, Sent(), Clock()),
    ):
        pass
    (tmp_path / "mapping.toml").write_text(MAPPING.replace("onestop/test", "onestop/other"), "utf-8")

    with (
        pytest.raises(StateError, match="has the owner 'dossier onestop/test', not 'dossier onestop/other'"),
        opened(path, Sent(), Clock()),
    ):
        pass


def test_file_that_is_no_state(tmp_path: Path) -> None:
    """A state that is something else is not overwritten."""
    path = write(tmp_path, SQL, top='state = "notes.txt"')
    (tmp_path / "notes.txt").write_text("important " * 200)

    with pytest.raises(StateError, match=r"notes\.txt: cannot be used"), opened(path, Sent(), Clock()):
        pass

    assert (tmp_path / "notes.txt").read_text() == "important " * 200
