"""The real installation, as far as it can be tested without a container engine."""

# ruff: noqa: S608
# The statements are made here, of literals.

import json
import re
from pathlib import Path
from typing import Any

import chdb
import jsonschema
import msgspec
import pytest
import yaml

from dashboards.grafana.check import run, statements
from dashboards.grafana.names import PLUGIN, PLUGIN_VERSION
from nhip.health import READY
from nhip.local import LocalClickHouse
from nhip.settings import ENV_PREFIX, Settings, load_settings
from sinks.client import connect
from sinks.migrate import migrate
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("prepare", "worker", "serve")
SQL = (ROOT / "deploy" / "clickhouse" / "users.sql").read_text("utf-8")


def users_sql() -> list[str]:
    """The statements of the users' file, with hashes in place."""
    plain = re.sub(r"@\w+@", "0" * 64, re.sub(r"--.*", "", SQL))
    return [part.strip() for part in re.split(r";\s*\n", plain + "\n") if part.strip()]


def by_default(text: str) -> str:
    """Text of the file as it is read when the installer sets no variable."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def volumes(name: str) -> dict[str, str]:
    """What a service mounts: place in the container → path or name of the volume."""
    parts = [by_default(volume).split(":") for volume in SERVICES[name].get("volumes", [])]
    return {part[1]: part[0] for part in parts}


def mounts() -> list[str]:
    """Every path of this repository that a container is given."""
    return [path for name in SERVICES for path in volumes(name).values() if path.startswith("./")]


def test_the_file_fits_the_specification() -> None:
    """By the schema of the Compose specification."""
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text("utf-8"))
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    """And all of them together are accepted."""
    given = SERVICES[name]["environment"]
    known = {ENV_PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
    assert {key for key in given if key.startswith(ENV_PREFIX)} <= known
    load_settings({key: by_default(value) for key, value in given.items()})


def test_every_mounted_file_is_there() -> None:
    """Also what the image is built from; secrets are the installer's, and told about."""
    assert [path for path in mounts() if not (ROOT / path).exists()] == []
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    told = (ROOT / "deploy" / "secrets" / "README.md").read_text("utf-8")
    for secret in COMPOSE["secrets"].values():
        assert f"`{Path(secret['file']).name}`" in told


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_healed(name: str) -> None:
    """A user, memory, a restart policy, no new rights; what runs for ever has a health check."""
    service = SERVICES[name]
    assert not str(service["user"]).startswith("0")
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] == ("on-failure" if name == "prepare" else "unless-stopped")
    assert service["cap_drop"] == ["ALL"]
    assert name == "prepare" or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert not any(re.search(r"password|token|secret", k, re.IGNORECASE) and not str(v).startswith("/")
                   for k, v in service.get("environment", {}).items())  # fmt: skip


def test_every_reference_leads_somewhere() -> None:
    """Secrets, volumes, networks and dependencies are declared; ports are published on this machine alone."""
    for name, service in SERVICES.items():
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
        assert set(service.get("networks", [])) <= COMPOSE["networks"].keys()
        assert set(service.get("depends_on", {})) <= SERVICES.keys()
        named = [volume for volume in volumes(name).values() if not volume.startswith("./")]
        assert set(named) <= COMPOSE["volumes"].keys()
        assert all(re.match(r"\$\{\w+:-127\.0\.0\.1\}:", port) for port in service.get("ports", []))
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_every_file_of_the_settings_is_mounted(name: str) -> None:
    """What is written lies in a volume that the image gives to its user; what an office edits, in its folder."""
    image = (ROOT / "Dockerfile").read_text("utf-8")
    written = ("WALL_TOKENS_FILE", "INTAKE_TOKENS_FILE", "INTAKE_SPOOL", "ALERTS_KEY_FILE")
    given = SERVICES[name]["environment"]

    for key in (key for key in given if key.removeprefix(ENV_PREFIX) in written):
        folder = str(Path(given[key]).parent)
        assert name == "prepare" or volumes(name)[folder] in COMPOSE["volumes"]
        assert re.search(rf"(install -d -o nhip .*|--home-dir ){folder}\b", image)
    for path in (Path(value) for value in given.values() if value.startswith("/etc/nhip/")):
        assert (ROOT / volumes(name)["/etc/nhip"] / path.name).is_file()


def test_alerts_leave_the_workers_and_their_links_open_the_wall() -> None:
    """Workers reach the outside; what they sign the wall verifies, with the same key and for the same address."""
    worker, serve = SERVICES["worker"], SERVICES["serve"]

    assert "outside" in worker["networks"]
    assert volumes("worker")["/var/lib/nhip-keys"] == volumes("serve")["/var/lib/nhip-keys"]
    for key in ("NHIP_ALERTS_KEY_FILE", "NHIP_ALERTS_URL"):
        assert worker["environment"][key] == serve["environment"][key]


def test_our_commands_exist() -> None:
    """What the containers start are commands of the program."""
    import typer.main  # noqa: PLC0415

    from nhip.cli import app  # noqa: PLC0415

    root: Any = typer.main.get_command(app)
    assert {SERVICES[name]["command"][0] for name in OURS} <= set(root.commands)


def test_grafana_gets_the_plugin_of_the_queries() -> None:
    """The version that is installed is the one that the queries are written for."""
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_PLUGINS_PREINSTALL_SYNC"] == f"{PLUGIN}@{PLUGIN_VERSION}"
    source = yaml.safe_load((ROOT / "dashboards/grafana/generated/provisioning/datasources/nhip.yaml").read_text())
    (found,) = source["datasources"]
    assert found["jsonData"]["host"].removeprefix("$") in environment
    secret = found["secureJsonData"]["password"].removeprefix("$__file{/run/secrets/").rstrip("}")
    assert secret in SERVICES["grafana"]["secrets"]


@pytest.mark.parametrize("statement", users_sql(), ids=lambda text: " ".join(text.split())[:50])
def test_users_and_grants_parse(statement: str) -> None:
    """By ClickHouse's own parser. The engine has no access control, so they cannot be run here."""
    chdb.query(f"EXPLAIN AST {statement}")


def test_the_reader_is_bounded() -> None:
    """Read-only, and bounded in time, rows and memory."""
    profile = next(text for text in users_sql() if text.startswith("CREATE SETTINGS PROFILE"))
    for setting in ("readonly = 1", "max_execution_time = 15", "max_result_rows = ", "max_rows_to_read = "):
        assert setting in profile
    user = next(text for text in users_sql() if text.startswith("CREATE USER IF NOT EXISTS grafana"))
    assert "SETTINGS PROFILE 'grafana_reader'" in user
    given = [text for text in users_sql() if text.startswith("GRANT") and text.endswith("TO grafana")]
    assert given
    assert all(re.match(r"GRANT SELECT(\([^)]*\))? ON nhip\.\w+ TO grafana$", text) for text in given)


def test_the_grants_are_enough_and_no_more(
    clickhouse: LocalClickHouse, database: Database, rendered_files: dict[str, str]
) -> None:
    """Every panel and alert runs where only the granted tables and columns exist; bytes of records do not."""
    client = connect(host=database.host, port=database.port, database=database.name)
    migrate(client)
    reduced = connect(host=clickhouse.host, port=clickhouse.port)
    name = f"{database.name}_reader"
    reduced.command(f"CREATE DATABASE {name}")
    try:
        for text in users_sql():
            if found := re.match(r"GRANT SELECT(?:\(([^)]*)\))? ON nhip\.(\w+) TO grafana$", text):
                columns, table = found[1] or "*", found[2]
                assert columns == "*" or "value" not in columns
                assert table not in ("notifications", "rule_sets")
                reduced.command(
                    f"CREATE VIEW {name}.{table} AS SELECT {columns} FROM {database.name}.{table} FINAL"
                    if table not in ("rates", "epochs", "progress")
                    else f"CREATE VIEW {name}.{table} AS SELECT {columns} FROM {database.name}.{table}"
                )
        reader = connect(host=clickhouse.host, port=clickhouse.port, database=name)
        for stated in statements(rendered_files):
            ran = run(reader, stated._replace(sql=stated.sql.replace(" FINAL", "")), 1_800_000_000, {"unit": "'x'"})
            assert ran.error is None, f"{ran.where}: {ran.error}"
        reader.close()
    finally:
        reduced.command(f"DROP DATABASE {name}")
        reduced.close()
        client.close()


@pytest.fixture(scope="module")
def rendered_files() -> dict[str, str]:
    """The committed files, which Grafana is given."""
    folder = ROOT / "dashboards" / "grafana" / "generated"
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.json")}


@pytest.mark.parametrize("name", ["worker", "serve"])
def test_health_checks_ask_what_the_process_answers(name: str) -> None:
    """At the port that the process is given, for a page that it has."""
    environment, (_, *command) = SERVICES[name]["environment"], SERVICES[name]["healthcheck"]["test"]

    port = environment["NHIP_HEALTH_PORT" if name == "worker" else "NHIP_WALL_PORT"]

    assert command == ["python", "/opt/nhip/healthy.py", f"http://127.0.0.1:{port}{READY}"]
    assert "COPY deploy/healthy.py /opt/nhip/healthy.py" in (ROOT / "Dockerfile").read_text("utf-8")
