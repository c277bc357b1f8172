"""All settings in one typed object: ``nhip.toml`` < environment ``NHIP_*`` < flags."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contract.calendar import WorkCalendar
from contract.sources import Sources, SourcesError, parse_sources
from contract.units import UnitTree
from nhip.resources import config_file

__all__ = [
    "ENV_PREFIX",
    "Settings",
    "SettingsError",
    "load_calendar",
    "load_office_sources",
    "load_settings",
    "load_tree",
]

ENV_PREFIX = "NHIP_"


class SettingsError(Exception):
    """A setting is unknown or has a wrong value; the text names where it came from."""


Port = Annotated[int, Meta(ge=0, le=65_535)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting of every part. The descriptions are what docs/operations.md must repeat."""

    kafka: Annotated[str, Meta(description="Kafka's bootstrap addresses, host:port, comma-separated")] = (
        "127.0.0.1:9092"
    )
    kafka_security: Annotated[
        Literal["plaintext", "ssl", "sasl_ssl"],
        Meta(description="plaintext: neither TLS nor login; ssl: TLS; sasl_ssl: TLS and a login (SCRAM-SHA-512)"),
    ] = "plaintext"
    kafka_user: Annotated[str | None, Meta(description="user in Kafka, with sasl_ssl")] = None
    kafka_password_file: Annotated[
        str | None,
        Meta(description="file of its password, mode 0600; else NHIP_KAFKA_PASSWORD in the environment"),
    ] = None
    kafka_ca_file: Annotated[
        str | None,
        Meta(description="certificate (PEM) of the authority that signed Kafka's; else those of this machine"),
    ] = None
    kafka_certificate_file: Annotated[
        str | None, Meta(description="this client's own certificate (PEM), where Kafka asks for one")
    ] = None
    kafka_key_file: Annotated[str | None, Meta(description="its key (PEM), mode 0600, without a password")] = None
    store_host: Annotated[str, Meta(description="host of ClickHouse's HTTP interface")] = "127.0.0.1"
    store_port: Annotated[Port, Meta(description="port of ClickHouse's HTTP interface")] = 8123
    store_database: Annotated[str, Meta(description="database in ClickHouse", pattern="^[a-z][a-z0-9_]{0,62}$")] = (
        "nhip"
    )
    store_tls: Annotated[
        bool, Meta(description="speak TLS with ClickHouse; its certificate must be of store_host")
    ] = False
    store_ca_file: Annotated[
        str | None, Meta(description="certificates (PEM) that may sign ClickHouse's; else those of this machine")
    ] = None
    store_user: Annotated[str, Meta(description="user in ClickHouse who may write: workers", min_length=1)] = "nhip"
    store_password_file: Annotated[
        str | None,
        Meta(description="file that holds the user's password in ClickHouse; else that of `nhip up` in this folder"),
    ] = None
    store_reader_user: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="user for the wall and for commands that only look; else store_user"),
    ] = None
    store_reader_password_file: Annotated[
        str | None, Meta(description="file that holds the password of store_reader_user")
    ] = None
    store_engine_prefix: Annotated[
        Literal["", "Replicated"], Meta(description="engines of the tables: empty, or Replicated on a cluster")
    ] = ""
    store_cluster: Annotated[
        str, Meta(description="cluster named in ON CLUSTER; empty: none", pattern="^[A-Za-z0-9_]*$")
    ] = ""
    store_patience_s: Annotated[
        float, Meta(description="seconds for which a worker repeats a call to the store, then ends", gt=0)
    ] = 45.0
    stall_s: Annotated[
        float,
        Meta(
            description="seconds without a commit, while records wait, after which a worker ends to be started "
            "again; longer than the store takes for one flush",
            ge=1,
        ),
    ] = 60.0
    check_interval_s: Annotated[
        float, Meta(description="seconds between two checks of all figures in the background; 0: none", ge=0)
    ] = 3_600.0
    health_host: Annotated[
        str, Meta(description="address for the health and metrics of a worker, a poller or `nhip up`", min_length=1)
    ] = "127.0.0.1"
    health_port: Annotated[
        Port, Meta(description="port for the health and metrics of a worker, a poller or `nhip up`; 0: none")
    ] = 0
    group: Annotated[str, Meta(description="Kafka consumer group of the workers", min_length=1)] = "nhip"
    instance: Annotated[
        str | None,
        Meta(description="fixed name of this worker's slot: restarted, it has its partitions back at once"),
    ] = None
    session_timeout_s: Annotated[
        float, Meta(description="seconds of silence after which Kafka gives a worker's partitions away", ge=6)
    ] = 10.0
    partitions: Annotated[int, Meta(description="partitions of each topic when they are created", ge=1, le=64)] = 4
    replication: Annotated[int, Meta(description="copies of each topic when they are created", ge=1, le=5)] = 1
    clock: Annotated[
        Literal["wall", "event"],
        Meta(description="what 'now' is: the wall clock, or the newest event time when old data is replayed"),
    ] = "wall"
    flush_interval_s: Annotated[float, Meta(description="seconds between two flushes under load", gt=0, le=5)] = 0.2
    province: Annotated[str, Meta(description="code of the province that is shown first")] = "75"
    units_file: Annotated[str | None, Meta(description="CSV of units instead of the shipped config/units.csv")] = None
    wall_host: Annotated[str, Meta(description="address to which the wall and the read API bind", min_length=1)] = (
        "127.0.0.1"
    )
    wall_port: Annotated[Port, Meta(description="port of the wall and the read API; 0: any free one")] = 8080
    wall_tokens_file: Annotated[
        str, Meta(description="file of wall tokens; only their hashes are in it", min_length=1)
    ] = "wall-tokens.json"
    intake_tokens_file: Annotated[
        str, Meta(description="file of the producers' tokens; only their hashes are in it", min_length=1)
    ] = "intake-tokens.json"
    intake_spool: Annotated[
        str | None,
        Meta(description="file that keeps taken events while Kafka is down; else intake-spool.db, beside the data"),
    ] = None
    intake_spool_mb: Annotated[int, Meta(description="largest size of that file, in MiB", ge=1, le=1_000_000)] = 256
    intake_request_mb: Annotated[
        int, Meta(description="largest body of a request to the intake, also unpacked, in MiB", ge=1, le=256)
    ] = 8
    intake_rate: Annotated[
        float, Meta(description="events a second that one token may send to the intake, on average", gt=0)
    ] = 5_000.0
    targets_file: Annotated[
        str | None, Meta(description="TOML of targets instead of the shipped config/targets.toml")
    ] = None
    sources_file: Annotated[
        str | None, Meta(description="TOML of sources instead of the shipped config/sources.toml")
    ] = None
    rules_file: Annotated[
        str | None, Meta(description="TOML of alert rules instead of the shipped config/rules.toml")
    ] = None
    recipients_file: Annotated[
        str | None, Meta(description="TOML of recipients of alerts instead of the shipped config/recipients.toml")
    ] = None
    alerts_url: Annotated[
        Annotated[str, Meta(pattern="^https?://[^/?#@\\s]+(/[^?#\\s]*)?$")] | None,
        Meta(description="address of the wall in the links of messages; default: http://127.0.0.1 and wall_port"),
    ] = None
    alerts_key_file: Annotated[
        str | None,
        Meta(description="key of the links in messages, one for workers and wall; else alerts.key, beside the data"),
    ] = None
    alerts_channel: Annotated[
        str | None,
        Meta(description="Apprise address that gets all messages of replayed history (clock event); empty: nobody"),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least level that is logged")
    ] = "info"

    def environment(self) -> dict[str, str]:
        """Return the settings that differ from their defaults, as environment for a child process."""
        default = msgspec.to_builtins(Settings())
        return {
            ENV_PREFIX + name.upper(): str(value)
            for name, value in msgspec.to_builtins(self).items()
            if value != default[name] and value is not None
        }


def load_settings(
    environ: Mapping[str, str], file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the file (``nhip.toml`` in the current folder unless given), then the environment, then the flags.

    Flags that are None count as not given. Raises SettingsError.
    """
    known = {f.name for f in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    source = file or Path("nhip.toml")
    if file is not None or source.exists():
        try:
            values.update(tomllib.loads(source.read_text("utf-8")))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{source}: cannot be read: {error}") from error
    for name, text in environ.items():
        key = name.removeprefix(ENV_PREFIX).lower()
        if name.startswith(ENV_PREFIX) and key in known:
            values[key] = text
    values.update({k: v for k, v in (flags or {}).items() if v is not None})
    if unknown := sorted(values.keys() - known):
        where = "--set" if unknown[0] in (flags or {}) else str(source)
        raise SettingsError(f"{where}: unknown setting {unknown[0]!r}; known: {', '.join(sorted(known))}")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings ({source}, {ENV_PREFIX}*, flags): {error}") from None


def load_tree(settings: Settings) -> UnitTree:
    """Read the unit tree that the settings name. Raises contract.units.UnitError or SettingsError."""
    path = Path(settings.units_file) if settings.units_file else config_file("units.csv")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the units cannot be read: {error}") from error
    return UnitTree.from_csv(text, str(path))


def load_calendar() -> WorkCalendar:
    """Read the shipped calendar of working days. Raises contract.calendar.CalendarError or SettingsError."""
    path = config_file("calendar.csv")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the calendar cannot be read: {error}") from error
    return WorkCalendar.from_csv(text, str(path))


def load_office_sources(settings: Settings) -> Sources:
    """Read the sources that the settings name. Raises contract.sources.SourcesError and as ``load_calendar``."""
    path = Path(settings.sources_file) if settings.sources_file else config_file("sources.toml")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourcesError(f"{path}: the sources cannot be read: {error}") from error
    return parse_sources(text, str(path), load_calendar())
