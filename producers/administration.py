"""One administrative connection to Kafka: opened here for all who ask or change something."""

from collections.abc import Sequence
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from producers.access import PLAINTEXT, KafkaAccess
from producers.doors import knock, unanswered
from producers.driver import AuthorizationError, KafkaError, SecurityDisabledError, admin_client, allow
from producers.errors import KafkaRightsError, KafkaUnreachableError
from producers.reach import LEAST_S, servers, wait_for_listener
from producers.rights import TOPIC, Right, no_right

__all__ = ["administer", "give_rights", "patiently", "require_rights"]

CONNECT_TIMEOUT_S = 10.0
"""Longest wait for the first connection, in seconds."""
COORDINATOR_PATIENCE_S = 20.0
COORDINATOR_PAUSE_S = 0.2
_MS_PER_S = 1000
_TOPIC_AUTHORIZATION_FAILED = 29


def administer(bootstrap: str | Sequence[str], access: KafkaAccess, client_id: str) -> Any:
    """Connect the driver's admin client. Raises KafkaUnreachableError, KafkaRefusedError, KafkaAccessError."""
    addresses = servers(bootstrap)
    left_s = wait_for_listener(addresses, CONNECT_TIMEOUT_S)
    if access.tls:
        left_s = max(LEAST_S, left_s - knock(addresses, access))
    try:
        return admin_client(
            bootstrap_servers=addresses,
            client_id=client_id,
            bootstrap_timeout_ms=int(left_s * _MS_PER_S),
            **access.options(),
        )
    except KafkaError as error:
        raise unanswered(addresses, access, error) from error


def patiently() -> Retrying:
    """Repeat for a while: a broker that has just started first makes the topic that holds the commits."""
    return Retrying(
        stop=stop_after_delay(COORDINATOR_PATIENCE_S),
        wait=wait_fixed(COORDINATOR_PAUSE_S),
        retry=retry_if_exception(lambda error: bool(getattr(error, "retriable", False))),
        reraise=True,
    )


def give_rights(
    bootstrap: str | Sequence[str], principal: str, rights: Sequence[Right], access: KafkaAccess = PLAINTEXT
) -> None:
    """Give a user rights; those it has stay, and to give one twice changes nothing.

    Raises KafkaRightsError when Kafka keeps no rights or ``access`` may not give any; KafkaUnreachableError,
    KafkaRefusedError.
    """
    kafka = administer(bootstrap, access, "nhip-rights")
    try:
        for right in rights:
            allow(kafka, principal, *right)
    except SecurityDisabledError as error:
        raise KafkaRightsError(
            "Kafka keeps no rights: set authorizer.class.name on its brokers first (docs/kafka.md)"
        ) from error
    except AuthorizationError as error:
        raise KafkaRightsError(
            f"Kafka does not let {access.principal} give rights: log in as who administers Kafka (kafka_user)"
        ) from error
    except KafkaError as error:
        raise KafkaUnreachableError(f"Kafka did not take the rights: {error}") from error
    finally:
        kafka.close()


def require_rights(bootstrap: str | Sequence[str], rights: Sequence[Right], access: KafkaAccess = PLAINTEXT) -> None:
    """Ask Kafka what the user may do; return when that contains all rights.

    Of a group that nobody has joined yet Kafka tells no more than whether it may be seen. Raises KafkaRightsError for
    the first right that is missing; KafkaUnreachableError, KafkaRefusedError.
    """
    kafka = administer(bootstrap, access, "nhip-rights")
    try:
        for right in rights:
            allowed = _allowed(kafka, right)
            if allowed is not None and right.operation.upper() not in allowed:
                raise no_right(access, right)
    except KafkaError as error:
        raise KafkaUnreachableError(f"Kafka does not tell what {access.principal} may do: {error}") from error
    finally:
        kafka.close()


def _allowed(kafka: Any, right: Right) -> Sequence[str] | None:
    """Return the operations that are allowed; None when Kafka does not say, as of what does not exist."""
    try:
        if right.resource == TOPIC:
            (found,) = kafka.describe_topics([right.name])
            if found["error_code"] == _TOPIC_AUTHORIZATION_FAILED:
                return ()
        else:
            found = patiently()(kafka.describe_groups, [right.name])[right.name]
    except AuthorizationError:
        return ()
    told: Sequence[str] | None = found["authorized_operations"]
    return told or None
