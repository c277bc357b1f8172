"""What the Kafka side of this room raises on purpose."""

__all__ = ["DeliveryError", "EventTooLargeError", "KafkaUnreachableError", "ProducerError", "TopicError"]


class ProducerError(Exception):
    """Base of all of them."""


class KafkaUnreachableError(ProducerError):
    """No broker answered, or none knows the topic. The text names the address and what to do."""


class EventTooLargeError(ProducerError):
    """One event is larger than MAX_EVENT_BYTES: readers would refuse it, so it is not sent."""


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
