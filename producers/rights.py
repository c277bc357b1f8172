"""Rights in Kafka: which a part of the system needs at least, and what to do where one is missing."""

import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from producers.access import KafkaAccess
from producers.errors import KafkaRightsError

__all__ = [
    "CREATE",
    "DESCRIBE",
    "GROUP",
    "READ",
    "ROLES",
    "TOPIC",
    "WRITE",
    "Right",
    "acl_command",
    "least",
    "no_right",
]

TOPIC, GROUP = "topic", "group"
READ, WRITE, CREATE, DESCRIBE = "Read", "Write", "Create", "Describe"
"""Operations as Kafka's own tool writes them. Each of the first two contains Describe; Write on any topic, from Kafka
2.8 on, also the idempotent write."""

ROLES = ("worker", "intake", "poller", "producer", "prepare", "operator")
"""``producer`` and ``poller``: whoever sends events; ``intake``: `nhip serve`; ``operator``: commands by hand."""


class Right(NamedTuple):
    """Permission to do ``operation`` with the topic or group ``name``."""

    resource: str
    name: str
    operation: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}"


def least(role: str, topics: Iterable[str], group: str) -> list[Right]:
    """Return what a role needs, and no more: ``topics`` are those of its kinds, ``group`` the workers'."""
    on_topics = {
        "worker": (READ,),
        "intake": (WRITE,),
        "poller": (WRITE,),
        "producer": (WRITE,),
        "prepare": (CREATE, DESCRIBE),
        "operator": (WRITE,),
    }[role]
    # The wall shows the workers' lag; who reads in the group could take partitions from a worker.
    on_group = {"worker": (READ,), "intake": (DESCRIBE,), "operator": (DESCRIBE,)}.get(role, ())
    return [
        *(Right(TOPIC, topic, operation) for topic in topics for operation in on_topics),
        *(Right(GROUP, group, operation) for operation in on_group),
    ]


def acl_command(principal: str, rights: Sequence[Right]) -> str:
    """Return the command that gives rights on one thing, for who administers Kafka."""
    operations = " ".join(f"--operation {right.operation}" for right in rights)
    first = rights[0]
    return (
        "kafka-acls.sh --bootstrap-server HOST:PORT --command-config admin.properties --add "
        f"--allow-principal {shlex.quote(principal)} {operations} --{first.resource} {shlex.quote(first.name)}"
    )


def no_right(access: KafkaAccess, right: Right) -> KafkaRightsError:
    """Return what to raise where Kafka says that this user may not."""
    command = acl_command(access.principal, [right])
    return KafkaRightsError(f"Kafka does not let {access.principal} do this: {right}. To give the right: {command}")
