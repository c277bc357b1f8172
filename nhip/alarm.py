"""The alarm of one worker: rules, recipients and delivery wired to the stream."""

import os
import random
import time
import tomllib
from collections.abc import Collection, Mapping

import structlog

from contract.days import local_date
from contract.sources import SourcesError
from contract.text import Text
from contract.units import UnitTree
from nhip.alerting import alerts_url, key_path, open_alert_store, read_rules, recipients_path, rules_path
from nhip.kafka_access import kafka_access
from nhip.settings import Settings, load_calendar, load_office_sources
from sinks.alert_store import ClickHouseAlertStore
from sinks.channels import ChannelError, parse_channel
from sinks.deliver import Deliverer, only_channel
from sinks.history import ClickHouseHistory
from sinks.links import LinkKeyError, LinkSigner, load_link_key
from sinks.notify import send
from sinks.recipients_file import RecipientsFile
from sinks.store import ClickHouseStore
from sinks.writer import message_writer
from streams.alarm import Alarm, AlarmParts
from streams.clock import US_PER_S, ClockMode, wall_clock_us
from streams.ends import Ends
from streams.folder import Folder
from streams.patience import Patience
from streams.roll import ROLL_PARTITION, Roll
from streams.rule import Rule
from streams.rule_file import RulesError, parse_rules
from streams.rules import Rules

__all__ = ["make_alarm", "rules_in_force"]

OF_STREAM = "behind"
"""The gauge whose rules are judged while the stream is behind, too."""

log = structlog.get_logger()


def make_alarm(
    settings: Settings,
    store: ClickHouseStore,
    tree: UnitTree,
    counts: Mapping[str, int],
    folder: Folder,
    roll: Roll,
    patience: Patience,
) -> tuple[Alarm, Deliverer] | None:
    """Put alarm and delivery together; None while a file that only they need is faulty: figures go on."""
    mode, calendar = ClockMode(settings.clock), load_calendar()
    try:
        sources, signer = load_office_sources(settings), LinkSigner(load_link_key(key_path(settings)))
        channel = parse_channel(settings.alerts_channel, 1) if settings.alerts_channel else None
    except (SourcesError, LinkKeyError, ChannelError) as error:
        log.critical("no alerts until this is mended and the worker started again", fault=str(error))
        return None
    alerts = open_alert_store(settings)
    recipients = RecipientsFile(
        recipients_path(settings),
        above=lambda unit: tree.ancestors(unit, local_date(wall_clock_us() // US_PER_S)),
        owner=lambda source: sources.of(source).owner,
        known_unit=tree.known,
    )
    rules = rules_in_force(settings, tree, recipients, alerts)
    of_stream = [rule for rule in rules if rule.indicator == OF_STREAM]
    of_figures = [rule for rule in rules if rule.indicator != OF_STREAM]

    def unit_name(code: str) -> Text:
        return Text(tree.name(code, "vi"), tree.name(code, "en"))

    deliverer = Deliverer(
        alerts,
        recipients.recipient if mode is ClockMode.WALL else only_channel(channel),
        message_writer(unit_name, signer, alerts_url(settings)),
        lambda message, channel, now_us: send(message, channel, os.environ, now_us),
        unit_name=unit_name,
        is_owner=lambda: folder.epoch_of(ROLL_PARTITION) is not None,
        now=wall_clock_us,
        jitter=random.random,
        patience=patience,
    )
    alarm = Alarm(
        AlarmParts(
            store=alerts,
            history=ClickHouseHistory(alerts.client, tree.segments),
            reach=Ends(settings.kafka, counts, kafka_access(settings)),
            make_rules=lambda: (Rules(of_figures, tree, calendar), Rules(of_stream, tree, calendar)),
            resolve=recipients.resolve,
            flushed=store.flushed_offsets,
            newest_claim=lambda: store.newest_claims([ROLL_PARTITION]).get(ROLL_PARTITION, 0),
            published=lambda: roll.published,
            decided=deliverer.wake,
        ),
        wall_clock_us,
        mode,
        patience,
        time.monotonic,
    )
    return alarm, deliverer


def rules_in_force(
    settings: Settings, tree: UnitTree, recipients: RecipientsFile, store: ClickHouseAlertStore
) -> tuple[Rule, ...]:
    """Read the rules; when the file is faulty say so and take the last good ones, so that alerts go on.

    While the recipients' file is broken, whom the rules name is taken on trust.
    """
    path = rules_path(settings)
    good = store.rules()
    try:
        text = read_rules(path)
        rules = parse_rules(text, str(path), tree, _names(recipients, text))
    except RulesError as error:
        log.critical(
            "rules are faulty, the last good ones stay in force", fault=str(error), check="nhip alerts check"
        )
        try:
            return parse_rules(good or "", "the last good rules", tree, _names(recipients, good or ""))
        except RulesError as stale:
            log.critical("the last good rules no longer fit: no alerts until the file is mended", fault=str(stale))
            return ()
    if recipients.problem is None:
        store.write_rules(text)
    return rules


def _names(recipients: RecipientsFile, text: str) -> Collection[str]:
    known = recipients.recipients
    if recipients.problem is None:
        return known.groups.keys() | known.recipients.keys()
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return ()
    tables = [document.get("defaults", {}), *document.get("rule", [])]
    return {name for table in tables for key in ("to", "escalate_to") for name in table.get(key, ())}
