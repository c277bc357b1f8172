"""What alerts need of the settings: rules, recipients, the store, links."""

from pathlib import Path

from contract.days import local_date
from contract.sources import Sources
from contract.units import UnitTree
from dashboards.alerts.link import Link, LinkState
from nhip.resources import config_file
from nhip.settings import Settings, load_office_sources
from nhip.store import open_client
from sinks.alert_store import ClickHouseAlertStore
from sinks.links import ExpiredLinkError, ForgedLinkError, LinkSigner, load_link_key
from sinks.recipients import Recipients, load_recipients
from streams.clock import US_PER_S, wall_clock_us
from streams.rule import Rule
from streams.rule_file import RulesError, parse_rules
from streams.rule_table import Fault

__all__ = [
    "alerts_url",
    "check_link",
    "key_path",
    "load_office_recipients",
    "load_rules",
    "open_alert_store",
    "read_rules",
    "recipients_path",
    "resolve",
    "rules_path",
    "unknown_owners",
]


def rules_path(settings: Settings) -> Path:
    """Return where the rules stand."""
    return Path(settings.rules_file) if settings.rules_file else config_file("rules.toml")


def recipients_path(settings: Settings) -> Path:
    """Return where the recipients stand."""
    return Path(settings.recipients_file) if settings.recipients_file else config_file("recipients.toml")


def key_path(settings: Settings) -> Path:
    """Return where the key of signed links stands."""
    return Path(settings.alerts_key_file or "alerts.key")


def alerts_url(settings: Settings) -> str:
    """Return the address of the wall as links name it; without the setting it opens on this machine alone."""
    return (settings.alerts_url or f"http://127.0.0.1:{settings.wall_port}").rstrip("/")


def load_office_recipients(settings: Settings, tree: UnitTree) -> tuple[Recipients, tuple[str, ...]]:
    """Read the recipients that the settings name; also returns warnings. Raises RecipientsError."""
    return load_recipients(recipients_path(settings), tree.known)


def read_rules(path: Path) -> str:
    """Return the text of a file of rules. Raises RulesError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(0, f"the rules cannot be read: {error}: check the path, and save the file as UTF-8")
        raise RulesError(str(path), [fault]) from error


def load_rules(path: Path, tree: UnitTree, recipients: Recipients) -> tuple[Rule, ...]:
    """Read a file of rules. Raises RulesError with all faults."""
    return parse_rules(read_rules(path), str(path), tree, recipients.groups.keys() | recipients.recipients.keys())


def unknown_owners(sources: Sources, recipients: Recipients) -> tuple[str, ...]:
    """Return the owners of sources for whom nobody would be told."""
    return tuple(dict.fromkeys(pace.owner for pace in sources.paces if not recipients.knows(pace.owner)))


def resolve(
    recipients: Recipients, sources: Sources, tree: UnitTree, target: str, scope: str, now_us: int
) -> tuple[str, ...]:
    """Return the recipients that a target of a rule stands for in a scope, as of now."""
    today = local_date(now_us // US_PER_S)
    return recipients.resolve(
        target, scope, lambda unit: tree.ancestors(unit, today), lambda source: sources.of(source).owner
    )


def open_alert_store(settings: Settings, *, reading: bool = False) -> ClickHouseAlertStore:
    """Open the store of alerts; ``reading``: as who may only look, acknowledge and mute.

    Raises StoreUnavailableError, SettingsError, SourcesError.
    """
    return ClickHouseAlertStore(open_client(settings, reading=reading), load_office_sources(settings), wall_clock_us)


def check_link(settings: Settings, link: Link) -> LinkState:
    """Judge a signed link by the key as it is now. Raises LinkKeyError."""
    path = key_path(settings)
    # Who asks must not make the key: without one nobody has signed anything.
    if not path.exists():
        return "forged"
    try:
        LinkSigner(load_link_key(path)).verify(*link, wall_clock_us() / US_PER_S)
    except ForgedLinkError:
        return "forged"
    except ExpiredLinkError:
        return "expired"
    return "good"
