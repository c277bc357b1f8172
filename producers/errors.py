"""What the Kafka side of this room raises on purpose."""

__all__ = [
    "DeliveryError",
    "EventTooLargeError",
    "InvalidEventError",
    "KafkaAccessError",
    "KafkaCertificateError",
    "KafkaLoginError",
    "KafkaRefusedError",
    "KafkaRightsError",
    "KafkaUnreachableError",
    "ProducerError",
    "SpoolError",
    "SpoolFullError",
    "SpoolInUseError",
    "TopicError",
]


class ProducerError(Exception):
    """Base of all of them."""


class KafkaUnreachableError(ProducerError):
    """No broker answered, or none knows the topic. The text names the address and what to do."""


class KafkaAccessError(ProducerError):
    """Certificates, user or password cannot be read, or do not go together. The text names the file."""


class KafkaRefusedError(ProducerError):
    """Kafka is there, but a door of it stays shut. To repeat without a change is of no use."""


class KafkaLoginError(KafkaRefusedError):
    """Unknown user, wrong password, or a login where there must be one. The text never holds the password."""


class KafkaCertificateError(KafkaRefusedError):
    """One of both ends does not trust the other's certificate, or only one of them speaks TLS."""


class KafkaRightsError(KafkaRefusedError):
    """The user is known, but has no right to this. The text names user, thing and right, and the command."""


class EventTooLargeError(ProducerError):
    """One event is larger than MAX_EVENT_BYTES: readers would refuse it, so it is not sent."""


class InvalidEventError(ProducerError):
    """Readers would refuse the event, so it is not sent.

    ``path`` names the wrong field, such as ``$.data.unit``; ``reason`` is that of the dead letter it would be.
    """

    def __init__(self, text: str, *, reason: str, path: str | None) -> None:
        super().__init__(text)
        self.reason = reason
        self.path = path


class SpoolError(ProducerError):
    """The spool cannot be opened, read or written. The text names the file and what to do."""


class SpoolInUseError(SpoolError):
    """Another process has the spool: two senders would mix up the order of its events."""


class SpoolFullError(SpoolError):
    """Neither Kafka nor the spool can take more now. Nothing of the call was taken: send it again later."""


class TopicError(ProducerError):
    """Kafka refused to make or describe a topic. The text says which and why."""


class DeliveryError(ProducerError):
    """Records were given to the client and are not known to be stored in Kafka.

    ``topic`` is that of the first failure, ``keys`` how many different keys are concerned (topic empty and 0
    keys when a time limit ran out and the driver has not given up yet), ``cause`` the first error.
    """

    def __init__(self, text: str, *, topic: str, keys: int, cause: BaseException) -> None:
        super().__init__(text)
        self.topic = topic
        self.keys = keys
        self.cause = cause
