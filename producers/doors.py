"""Why a broker does not let a client in: found out by knocking once, and told with the remedy."""

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress

from producers.access import MECHANISM, KafkaAccess
from producers.driver import KafkaError, KafkaTimeoutError, SaslError, greet
from producers.errors import KafkaCertificateError, KafkaLoginError, KafkaRefusedError, KafkaUnreachableError
from producers.reach import host_and_port

__all__ = ["knock", "unanswered"]

KNOCK_S = 5.0
"""Longest wait for one broker's answer."""
PLAIN_KNOCK_S = 1.0
"""Likewise without TLS and login: whoever speaks TLS ends such a connection at once."""
LISTEN_S = 0.5
"""How long one listens to who may object to a certificate after TLS was agreed on, as TLS 1.3 does."""
_HOST_MISMATCH, _IP_MISMATCH = 62, 64
_EXPIRED, _NOT_YET_VALID = 10, 9
"""OpenSSL's numbers of what is wrong with a certificate."""
_CERTIFICATE_ALERTS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "UNKNOWN_CA")
"""What the other end says, by TLS version, of a client's certificate that is missing or that it does not trust."""
_TLS, _NO_TLS, _WANTS_CERTIFICATE = "TLS", "no TLS", "wants a certificate"


def knock(addresses: Sequence[str], access: KafkaAccess) -> float:
    """Return the seconds it took until one of the brokers let the client in, or none answered: others tell that.

    Raises KafkaCertificateError or KafkaLoginError where one refuses and no other lets it in; KafkaAccessError.
    """
    options, began_s = access.options(), time.monotonic()
    refused: KafkaRefusedError | None = None
    for address in addresses:
        try:
            greet(address, KNOCK_S if access.tls else PLAIN_KNOCK_S, options)
        except (KafkaError, OSError, ValueError) as error:
            refused = refused or _refusal(address, access, error)
        else:
            break
    else:
        if refused is not None:
            raise refused
    return time.monotonic() - began_s


def unanswered(addresses: Sequence[str], access: KafkaAccess, error: Exception) -> Exception:
    """Return what to raise where somebody listens, but the driver got nowhere."""
    if not access.tls:  # else who was to knock has done so before
        try:
            knock(addresses, access)
        except KafkaRefusedError as refused:
            return refused
    return KafkaUnreachableError(
        f"what listens at {', '.join(addresses)} does not answer as a Kafka broker ({error}): "
        "correct the bootstrap address"
    )


def _refusal(address: str, access: KafkaAccess, error: Exception) -> KafkaRefusedError | None:
    """Return what a failed greeting means; None when nobody refused anything."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return KafkaCertificateError(_untrusted(address, access, cause))
    if isinstance(error, SaslError):
        return KafkaLoginError(
            f"Kafka at {address} does not let user {access.user!r} in: correct the password or the user (kafka_user, "
            f"kafka_password_file), or create the {MECHANISM} login with kafka-configs.sh"
        )
    return None if isinstance(error, KafkaTimeoutError) else _other_language(address, access)


def _other_language(address: str, access: KafkaAccess) -> KafkaRefusedError | None:
    """Return that TLS, the login or a certificate is on one side only."""
    heard = _listen(address, access)
    if heard == _WANTS_CERTIFICATE:
        return KafkaCertificateError(
            f"Kafka at {address} asks for a certificate of this client, which it trusts: set kafka_certificate_file "
            "and kafka_key_file"
        )
    if heard == _TLS and not access.tls:
        return KafkaCertificateError(
            f"Kafka at {address} speaks TLS, and this client does not: set kafka_security to sasl_ssl or ssl"
        )
    if heard == _NO_TLS and access.tls:
        return KafkaCertificateError(
            f"what listens at {address} does not speak TLS: correct the port or kafka_security ({access.security})"
        )
    if heard == _TLS and access.security == "ssl":
        return KafkaLoginError(
            f"Kafka at {address} closes the connection of who has not logged in: set kafka_security to sasl_ssl, "
            "kafka_user and kafka_password_file"
        )
    return None


def _untrusted(address: str, access: KafkaAccess, error: ssl.SSLCertVerificationError) -> str:
    host, _ = host_and_port(address)
    if error.verify_code in (_HOST_MISMATCH, _IP_MISMATCH):
        return (
            f"Kafka at {address} shows a certificate that is not for {host}: use a name that is in it, or have one "
            "made with this name (subjectAltName)"
        )
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return f"Kafka at {address}: {error.verify_message}: renew the broker's certificate, or set this clock"
    trusted = access.ca_file or "the authorities of this machine"
    return (
        f"Kafka at {address} shows a certificate that {trusted} did not sign ({error.verify_message}): set "
        "kafka_ca_file to the authority's certificate, and ask the broker's operator if it should be that one"
    )


def _listen(address: str, access: KafkaAccess) -> str | None:
    """Agree on TLS, say nothing and listen; return one of the words above, None when nobody answers."""
    context = access.context()
    if not access.tls:  # nothing is sent: whose certificate it is does not matter
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    host, port = host_and_port(address)
    try:
        plain = socket.create_connection((host, port), KNOCK_S)
    except OSError:
        return None
    agreed = False
    with plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                agreed = True
                secure.settimeout(LISTEN_S)
                with suppress(TimeoutError):
                    secure.recv(1)
                return _TLS
        except TimeoutError:
            return None
        except OSError as error:
            if any(alert in str(error) for alert in _CERTIFICATE_ALERTS):
                return _WANTS_CERTIFICATE
            return _TLS if agreed or "ALERT" in str(error) else _NO_TLS
