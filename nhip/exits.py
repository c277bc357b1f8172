"""Exit codes by kind of error, after sysexits.h."""

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_CANNOT_WRITE",
    "EXIT_NO_RIGHT",
    "EXIT_REFUSED",
    "EXIT_UNAVAILABLE",
    "EXIT_USAGE",
    "KNOWN_ERRORS",
    "exit_code",
]

EXIT_USAGE = 2
EXIT_BAD_INPUT = 65
EXIT_UNAVAILABLE = 69
"""A service is away."""
EXIT_CANNOT_WRITE = 73
EXIT_NO_RIGHT = 77
"""A login, certificate or right is missing."""
EXIT_REFUSED = 78
"""A state that refuses."""

KNOWN_ERRORS: dict[str, int] = {
    "contract.calendar.CalendarError": EXIT_BAD_INPUT,
    "contract.sources.SourcesError": EXIT_BAD_INPUT,
    "contract.units.UnitError": EXIT_BAD_INPUT,
    "dashboards.grafana.errors.GrafanaConflictError": EXIT_REFUSED,
    "dashboards.grafana.errors.GrafanaError": EXIT_UNAVAILABLE,
    "dashboards.grafana.errors.GrafanaRefusedError": EXIT_REFUSED,
    "dashboards.grafana.errors.GrafanaTooOldError": EXIT_REFUSED,
    "dashboards.targets.TargetsError": EXIT_BAD_INPUT,
    "nhip.drain.DrainError": EXIT_UNAVAILABLE,
    "nhip.health.HealthPortError": EXIT_UNAVAILABLE,
    "nhip.local.errors.LocalServiceError": EXIT_UNAVAILABLE,
    "nhip.remap.ContradictedError": EXIT_REFUSED,
    "nhip.settings.SettingsError": EXIT_USAGE,
    "producers.errors.KafkaRefusedError": EXIT_NO_RIGHT,
    "producers.errors.ProducerError": EXIT_UNAVAILABLE,
    "producers.files.ReplayError": EXIT_BAD_INPUT,
    "producers.mapping.MappingError": EXIT_BAD_INPUT,
    "producers.mend.MendError": EXIT_BAD_INPUT,
    "producers.poll.errors.PollError": EXIT_BAD_INPUT,
    "producers.poll.errors.SourceUnreachableError": EXIT_UNAVAILABLE,
    "producers.poll.errors.StateError": EXIT_REFUSED,
    "producers.tokens.AccessError": EXIT_USAGE,
    "sinks.backup.errors.BackupDamagedError": EXIT_BAD_INPUT,
    "sinks.backup.errors.BackupTargetError": EXIT_CANNOT_WRITE,
    "sinks.backup.errors.StoreNotEmptyError": EXIT_REFUSED,
    "sinks.client.StoreDeniedError": EXIT_NO_RIGHT,
    "sinks.definitions.DefinitionsChangedError": EXIT_REFUSED,
    "sinks.definitions.PartitionsChangedError": EXIT_REFUSED,
    "sinks.engines.SchemaError": EXIT_REFUSED,
    "sinks.links.LinkKeyError": EXIT_REFUSED,
    "sinks.recipients.RecipientsError": EXIT_BAD_INPUT,
    "streams.rule_file.RulesError": EXIT_BAD_INPUT,
    "streams.store.StoreUnavailableError": EXIT_UNAVAILABLE,
}
"""By their names: to import all that can go wrong takes a second, and a command uses little of it."""


def exit_code(error: Exception) -> int | None:
    """Return the code of the nearest kind that is known; None for a fault of the program."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((KNOWN_ERRORS[name] for name in names if name in KNOWN_ERRORS), None)
