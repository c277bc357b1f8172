"""Which topics may be written, as far as Kafka has said: told with user, topic and right."""

import re
import time
from collections.abc import Sequence
from typing import Any

from producers.access import KafkaAccess
from producers.driver import AuthorizationError
from producers.errors import KafkaRightsError
from producers.rights import TOPIC, WRITE, Right, no_right
from producers.spool import Record

__all__ = ["WritableTopics", "write_refused"]

ASK_AGAIN_S = 30.0
"""Pause after which Kafka is asked again for a topic that may not be seen: the right may have been given."""
_ANY_PRODUCER = "ClusterAuthorizationFailed"
"""Kafka's answer to who may write nowhere; the driver tells it in the text of an error without a type."""
_NAMED = re.compile(r"TopicAuthorizationFailedError: \W*([\w.-]+)")


def write_refused(access: KafkaAccess, topic: str, error: BaseException) -> KafkaRightsError | None:
    """Return what to raise when ``error`` says that a topic must not be written; None when it is something else.

    After one such error the driver refuses every other record too, naming the first topic.
    """
    if _ANY_PRODUCER in str(error):
        return no_right(access, Right(TOPIC, topic, WRITE))
    if isinstance(error, AuthorizationError):
        named = _NAMED.search(str(error))
        return no_right(access, Right(TOPIC, named[1] if named else topic, WRITE))
    return None


class WritableTopics:
    """The topics that a user may write. What Kafka has refused is refused here until Kafka says otherwise.

    A topic that may not be seen is asked for again. One that may be seen, but not written, is known by its first
    record, which waits in the spool until the right is given.
    """

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._known: set[str] = set()
        self._unseen: dict[str, str] = {}
        self._unwritable: dict[str, str] = {}
        self._ask_again_s = 0.0

    def __contains__(self, topic: str) -> bool:
        """Whether Kafka knows the topic."""
        return topic in self._known

    @property
    def problem(self) -> str | None:
        """What keeps a record in the spool."""
        return next(iter(self._unwritable.values()), None)

    def refuse(self, records: Sequence[Record]) -> None:
        """Raise KafkaRightsError for a record that would stand in the spool and hold up all behind it."""
        if self._unseen or self._unwritable:
            for record in records:
                if said := self._unseen.get(record.topic) or self._unwritable.get(record.topic):
                    raise KafkaRightsError(said)

    def learn(self, kafka: Any, topics: Sequence[str]) -> None:
        """Ask Kafka for topics. Raises KafkaError when it does not answer."""
        self._ask_again_s = time.monotonic() + ASK_AGAIN_S
        for topic in topics:
            try:
                kafka.partitions_for(topic)
            except AuthorizationError as error:
                self._unseen[topic] = str(write_refused(self._access, topic, error))
            else:
                self._known.add(topic)
                self._unseen.pop(topic, None)

    def learn_again(self, kafka: Any) -> None:
        """Ask for those that may not be seen, from time to time. Raises like ``learn``."""
        if self._unseen and time.monotonic() > self._ask_again_s:
            self.learn(kafka, list(self._unseen))

    def failed(self, topic: str, error: BaseException) -> KafkaRightsError | None:
        """Note why a record was not written; return that, or None when it is no matter of rights."""
        refused = write_refused(self._access, topic, error)
        if refused is not None:
            self._unwritable[topic] = str(refused)
        return refused

    def written(self, topic: str) -> None:
        """Note that Kafka took a record."""
        if self._unwritable:
            self._unwritable.pop(topic, None)
