"""The real installation, as far as it can be tested without a container engine."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import chdb
import jsonschema
import msgspec
import pytest
import yaml

from dashboards.grafana.check import statements
from dashboards.grafana.macros import TimeRange, expand
from dashboards.grafana.names import PLUGIN, PLUGIN_VERSION
from nhip.health import READY
from nhip.local import LocalClickHouse
from nhip.local.users import StoreUsers
from nhip.settings import ENV_PREFIX, Settings, load_settings
from nhip.store import prepare_store
from sinks.rights import Role
from tests.support.store_account import Account

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("prepare", "worker", "serve")
SQL = (ROOT / "deploy" / "clickhouse" / "users.sql").read_text("utf-8")


def users_sql() -> list[str]:
    """The statements of the users' file, with hashes in place."""
    plain = re.sub(r"@\w+@", "0" * 64, re.sub(r"(?m)^--.*$", "", SQL))
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
    """By ClickHouse's own parser. What rights and limits do is tried in tests/doors/test_store_users.py."""
    chdb.query(f"EXPLAIN AST {statement}")


def test_the_reader_is_bounded() -> None:
    """Read-only, and bounded in time, rows and memory."""
    profile = next(text for text in users_sql() if "PROFILE IF NOT EXISTS nhip_grafana" in text)
    for setting in ("readonly = 1", "max_execution_time = 15", "max_result_rows = ", "max_rows_to_read = "):
        assert setting in profile
    user = next(text for text in users_sql() if text.startswith("CREATE USER IF NOT EXISTS grafana"))
    assert "SETTINGS PROFILE 'nhip_grafana'" in user
    given = [text for text in users_sql() if text.startswith("GRANT") and text.endswith("TO grafana")]
    assert given
    assert all(re.match(r"GRANT SELECT(\([^)]*\))? ON nhip\.\w+ TO grafana$", text) for text in given)


@pytest.mark.services
def test_the_grants_are_enough_and_no_more(tmp_path: Path, rendered_files: dict[str, str]) -> None:
    """Every panel and alert runs as Grafana's account, of all units and of one; bytes of records stay closed."""
    with LocalClickHouse(tmp_path, database="nhip") as server:
        prepare_store(Settings(store_port=server.port, store_password_file=str(server.password_file)))
        users, now = StoreUsers(tmp_path), datetime.now(UTC)
        accounts = [Account(server.url, f"g{len(units)}", users.create(f"g{len(units)}", Role.GRAFANA, now, units))
                    for units in ([], ["H19"])]  # fmt: skip
        wrong = []
        for account in accounts:
            # The English boards ask the same, with other words.
            for stated in (one for one in statements(rendered_files) if "-en panel" not in one.where):
                known = {} if stated.where.startswith("alert ") else {"unit": "'H19'"}
                sql = expand(stated.sql, TimeRange(1_800_000_000 - 86_400, 1_800_000_060), known)
                if (answer := account.ask(sql)).code:
                    wrong.append(f"{account.user} {stated.where}: {answer.text}")
        closed = [account.ask("SELECT value FROM dead_letters").code for account in accounts]

    assert wrong == []
    assert closed == [497, 497]


def test_the_wall_has_no_password_that_writes() -> None:
    """Its container is given the reader's alone; workers theirs."""
    wall, worker = SERVICES["serve"], SERVICES["worker"]

    assert "store_password" not in wall["secrets"]
    assert "NHIP_STORE_PASSWORD_FILE" not in wall["environment"]
    assert wall["environment"]["NHIP_STORE_READER_PASSWORD_FILE"] == f"/run/secrets/{wall['secrets'][0]}"
    assert worker["environment"]["NHIP_STORE_PASSWORD_FILE"] == f"/run/secrets/{worker['secrets'][0]}"


def test_every_hash_is_filled_in() -> None:
    """The script replaces each placeholder of the users' file by the hash of a secret that the container has."""
    script = (ROOT / "deploy" / "clickhouse" / "init.sh").read_text("utf-8")

    filled = dict(re.findall(r"s/@(\w+)@/\$\(hash_of (\w+)\)/", script))

    assert set(filled) == set(re.findall(r"@(\w+)@", SQL))
    assert set(filled.values()) == set(SERVICES["clickhouse"]["secrets"])


def test_tls_closes_the_port_without_it() -> None:
    """The file is read as XML; what it says was not tried on a server."""
    found = ET.fromstring((ROOT / "deploy" / "clickhouse" / "tls.xml").read_text("utf-8"))  # noqa: S314 - ours

    http, https = found.find("http_port"), found.findtext("https_port")

    assert http is not None
    assert http.get("remove") == "remove"
    assert https == "8443"
    assert found.findtext("openSSL/server/certificateFile", "").startswith("/run/secrets/")


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
