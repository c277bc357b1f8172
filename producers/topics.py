"""The input topics: made with an explicit long retention, because Kafka's default of a week loses history."""

from collections.abc import Sequence
from typing import Self

from contract.registry import KINDS
from producers.access import PLAINTEXT, KafkaAccess
from producers.administration import administer
from producers.driver import AuthorizationError, KafkaError, TopicAlreadyExistsError
from producers.errors import TopicError
from producers.rights import CREATE, TOPIC, Right, no_right

__all__ = ["RETENTION_MS", "TopicError", "ensure_topics", "partition_counts"]

RETENTION_MS = 400 * 24 * 3600 * 1000
"""How long input topics keep records, in milliseconds: 400 days, a reporting year and the month after."""

_CONFIGS = {
    "retention.ms": str(RETENTION_MS),
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
}


def ensure_topics(
    bootstrap: str | Sequence[str], partitions: int, replication: int, access: KafkaAccess = PLAINTEXT
) -> dict[str, int]:
    """Make the topics of all kinds that are absent; return topic → partition count of every one.

    A topic that exists is left as it is, also with another count: partitions of keyed topics cannot be
    changed without moving entities. Raises KafkaUnreachableError, KafkaRefusedError, TopicError.
    """
    with _Admin(bootstrap, access) as admin:
        absent = [k.topic for k in KINDS if k.topic not in admin.counts()]
        for topic in absent:
            admin.create(topic, partitions, replication)
        admin.wait_for([k.topic for k in KINDS])
        return admin.counts()


def partition_counts(bootstrap: str | Sequence[str], access: KafkaAccess = PLAINTEXT) -> dict[str, int]:
    """Return topic → partition count of the input topics that exist and that the user may see.

    Raises KafkaUnreachableError, KafkaRefusedError.
    """
    with _Admin(bootstrap, access) as admin:
        return admin.counts()


class _Admin:
    """The four administrative calls used here, typed, on one connection."""

    def __init__(self, bootstrap: str | Sequence[str], access: KafkaAccess) -> None:
        self._access = access
        self._kafka = administer(bootstrap, access, "nhip-topics")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kafka.close()

    def counts(self) -> dict[str, int]:
        try:
            found = {t["name"]: len(t["partitions"]) for t in self._kafka.describe_topics()}
        except KafkaError as error:
            raise TopicError(f"the topics cannot be described: {error}") from error
        return {k.topic: found[k.topic] for k in KINDS if k.topic in found}

    def create(self, topic: str, partitions: int, replication: int) -> None:
        wanted = {"num_partitions": partitions, "replication_factor": replication, "configs": _CONFIGS}
        try:
            self._kafka.create_topics({topic: wanted})
        except TopicAlreadyExistsError:
            return  # another process was faster; its topic is as good
        except AuthorizationError as error:
            raise no_right(self._access, Right(TOPIC, topic, CREATE)) from error
        except KafkaError as error:
            raise TopicError(
                f"topic {topic} with {partitions} partition(s) and {replication} replica(s) was refused: "
                f"{error}: are there that many brokers, and may this client create topics?"
            ) from error

    def wait_for(self, topics: list[str]) -> None:
        try:
            self._kafka.wait_for_topics(topics)
        except KafkaError as error:
            raise TopicError(f"the topics are not ready: {error}") from error
