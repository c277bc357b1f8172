"""How a client enters Kafka: in plain text, or with TLS and a login. One value for all who connect."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from producers.errors import KafkaAccessError

__all__ = ["MECHANISM", "PLAINTEXT", "KafkaAccess", "Security", "read_password"]

Security = Literal["plaintext", "ssl", "sasl_ssl"]
"""Without TLS there is no login: SCRAM hides a password, but not from who tries words on what he has heard."""
MECHANISM = "SCRAM-SHA-512"
"""The strongest login by password that Kafka has; the broker keeps a salted hash."""

_PROTOCOLS = {"ssl": "SSL", "sasl_ssl": "SASL_SSL"}
_CONTAINER_SECRETS = Path("/run/secrets")
_SYSTEMD_CREDENTIALS = Path("/run/credentials")


@dataclass(frozen=True)
class KafkaAccess:
    """Security, user and certificates. The default is plain text without a user, for a broker on 127.0.0.1.

    ``ca_file``: PEM of the authority that signed the brokers' certificates; None: those of this machine.
    ``certificate_file`` and ``key_file``: PEM of a client's own certificate, where the brokers ask for one.
    Host names are always compared with the certificate. Raises KafkaAccessError.
    """

    security: Security = "plaintext"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | Path | None = None
    certificate_file: str | Path | None = None
    key_file: str | Path | None = None

    def __post_init__(self) -> None:
        if self.security == "sasl_ssl" and not (self.user and self.password):
            raise KafkaAccessError("sasl_ssl needs a user and a password")
        if self.security != "sasl_ssl" and self.user:
            raise KafkaAccessError(
                f"user {self.user!r} does not log in with {self.security}: choose sasl_ssl, or give no user"
            )
        if self.key_file and not self.certificate_file:
            raise KafkaAccessError(f"{self.key_file}: a key is of no use without its certificate")
        if self.key_file:
            _require_private(Path(self.key_file))

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security != "plaintext"

    @property
    def principal(self) -> str:
        """Whom Kafka's rights name: as far as this side can know it."""
        if self.user:
            return f"User:{self.user}"
        return "the subject of the client's certificate" if self.certificate_file else "User:ANONYMOUS"

    def options(self) -> dict[str, object]:
        """Return the arguments by which kafka-python and aiokafka, who share their names, do all this.

        Reads the certificates anew. Raises KafkaAccessError.
        """
        if not self.tls:
            return {}
        found: dict[str, object] = {"security_protocol": _PROTOCOLS[self.security], "ssl_context": self.context()}
        if self.security == "sasl_ssl":
            found |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found

    def context(self) -> ssl.SSLContext:
        """Return what judges the brokers' certificates. Raises KafkaAccessError."""
        try:
            context = ssl.create_default_context(cafile=_text(self.ca_file))
        except OSError as error:
            raise KafkaAccessError(
                f"{self.ca_file}: is no certificate of an authority in PEM ({_reason(error)}): correct kafka_ca_file"
            ) from error
        if self.certificate_file:
            try:
                # Without a password OpenSSL would ask the terminal for that of an encrypted key.
                context.load_cert_chain(self.certificate_file, self.key_file, password="")
            except OSError as error:
                where = self.key_file or "the same file"
                raise KafkaAccessError(
                    f"{self.certificate_file}: no certificate in PEM with its key in {where} ({_reason(error)}): "
                    "correct kafka_certificate_file and kafka_key_file"
                ) from error
        return context


PLAINTEXT = KafkaAccess()


def read_password(path: str | Path) -> str:
    """Read a password from the first line of a file that its owner alone may read. Raises KafkaAccessError."""
    path = Path(path)
    _require_private(path)
    try:
        found = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KafkaAccessError(f"{path}: the password for Kafka cannot be read: {_reason(error)}") from error
    if not found:
        raise KafkaAccessError(f"{path}: is empty: it must hold the password for Kafka")
    return found


def _require_private(path: Path) -> None:
    try:
        # There the container's engine or systemd decides who may read, and no other process sees the file.
        if path.stat().st_mode & 0o077 and {_CONTAINER_SECRETS, _SYSTEMD_CREDENTIALS}.isdisjoint(
            path.absolute().parents
        ):
            raise KafkaAccessError(f"{path}: others can read this secret: run chmod 600 {path}")
    except OSError as error:
        raise KafkaAccessError(f"{path}: cannot be read: {_reason(error)}") from error


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


def _reason(error: Exception) -> str:
    # Python's TLS errors carry a place in its C source, which helps nobody.
    return str(getattr(error, "strerror", None) or error).partition(" (_ssl.c")[0]
