"""How this program enters Kafka, as the settings and the environment say."""

import os
from collections.abc import Mapping

from nhip.lag import Backlog
from nhip.settings import ENV_PREFIX, Settings, SettingsError
from producers.access import KafkaAccess, read_password
from producers.errors import KafkaAccessError

__all__ = ["EMBEDDED", "PASSWORD_VARIABLE", "backlog_of", "embedded_environment", "kafka_access"]

PASSWORD_VARIABLE = ENV_PREFIX + "KAFKA_PASSWORD"
"""No setting, so that it stands in no file of settings and on no command line."""

EMBEDDED: dict[str, str | None] = {
    "kafka_security": "plaintext",
    "kafka_user": None,
    "kafka_password_file": None,
    "kafka_ca_file": None,
    "kafka_certificate_file": None,
    "kafka_key_file": None,
}
"""The settings for the broker of this machine, whatever is set for another one."""


def embedded_environment() -> dict[str, str]:
    """Return EMBEDDED for a child process, which reads this one's file and environment too."""
    return {ENV_PREFIX + name.upper(): value or "" for name, value in EMBEDDED.items()}


def kafka_access(settings: Settings, environ: Mapping[str, str] = os.environ) -> KafkaAccess:
    """Read password and certificates. Raises SettingsError, which never holds the password."""
    try:
        password = None
        if settings.kafka_user:
            password = _password(settings, environ)
        access = KafkaAccess(
            settings.kafka_security,
            settings.kafka_user or None,
            password,
            settings.kafka_ca_file or None,
            settings.kafka_certificate_file or None,
            settings.kafka_key_file or None,
        )
        access.options()
    except KafkaAccessError as error:
        raise SettingsError(
            f"{error} (kafka_security, kafka_user, kafka_password_file or {PASSWORD_VARIABLE}, kafka_ca_file)"
        ) from error
    return access


def _password(settings: Settings, environ: Mapping[str, str]) -> str | None:
    if settings.kafka_password_file:
        return read_password(settings.kafka_password_file)
    return environ.get(PASSWORD_VARIABLE) or None


def backlog_of(settings: Settings) -> Backlog:
    """Connect to what the workers have still to count. Raises as Backlog and ``kafka_access``."""
    return Backlog(settings.kafka, settings.group, kafka_access(settings))
