"""A real broker behind every door that Kafka has: TLS, SCRAM logins, rights by user."""

import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from nhip.local.broker import CLUSTER, BrokerPlan, java_command
from nhip.local.jars import kafka_jars
from nhip.local.ports import HOST, free_ports
from nhip.local.process import ServiceProcess
from producers import KafkaAccess
from tests.support.certificates import Authority

__all__ = [
    "ADMIN",
    "INTAKE",
    "OPERATOR",
    "OTHER",
    "PLANTED",
    "PREPARE",
    "PRODUCER",
    "READER",
    "USERS",
    "WORKER",
    "SecureKafka",
    "access_of",
]

ADMIN = "admin"
"""The one user that may do everything."""
WORKER, PRODUCER, OTHER, READER = "worker", "onestop", "treasury", "analyst"
PREPARE, OPERATOR, INTAKE = "prepare", "operator", "intake"
USERS = (ADMIN, WORKER, PRODUCER, OTHER, READER, PREPARE, OPERATOR, INTAKE)
PLANTED = "planted-Kx71-secret"
"""In every password."""
START_S = 120.0


class SecureKafka:
    """One broker with SASL_SSL alone (SCRAM-SHA-512), the StandardAuthorizer and USERS; a context manager.

    Who has no right by an ACL has none. The controller's port asks for a certificate.
    """

    def __init__(self, folder: Path) -> None:
        own, controller = free_ports(2)
        self.authority = Authority(folder / "tls", "ca")
        self.passwords = {user: f"{PLANTED}-{user}" for user in USERS}
        self.bootstrap = f"{HOST}:{own}"
        self.controller_port = controller
        self._plan = BrokerPlan(1, own, controller, ((1, controller),), folder / "broker")
        self._process: ServiceProcess | None = None

    def __enter__(self) -> Self:
        self._plan.folder.mkdir(parents=True)
        self._plan.properties_file.write_text(self._plan.properties() + self._doors())
        self._plan.properties_file.chmod(0o600)
        jars = kafka_jars(lambda _: None)
        users = [
            part
            for user, password in self.passwords.items()
            for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
        ]
        form = ("format", "-t", CLUSTER, "-c", str(self._plan.properties_file), *users)
        made = subprocess.run(
            java_command(jars, "kafka.tools.StorageTool", *form), check=False, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stdout + made.stderr
        command = java_command(jars, "kafka.Kafka", str(self._plan.properties_file))
        self._process = ServiceProcess("Kafka behind doors", command, self._plan.output_file)
        self._process.start()
        self._process.wait_ready(self._serves, START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def log(self) -> str:
        """What the broker has printed."""
        return self._plan.output_file.read_text()

    def _doors(self) -> str:
        certificate, key = self.authority.issue("broker", f"IP:{HOST}")
        store = certificate.with_name("broker-keystore.pem")
        store.write_text(key.read_text() + certificate.read_text())
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        own = f'username="{ADMIN}" password="{self.passwords[ADMIN]}"'
        settings = {
            "listeners": f"SASL_SSL://{HOST}:{self._plan.port},CONTROLLER://{HOST}:{self._plan.controller_port}",
            "advertised.listeners": f"SASL_SSL://{HOST}:{self._plan.port}",
            "inter.broker.listener.name": "SASL_SSL",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{scram} required {own};",
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.file,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMIN};User:CN=broker",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _serves(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        with suppress(OSError), socket.create_connection((HOST, self._plan.port), 5) as plain:
            context.wrap_socket(plain, server_hostname=HOST).close()
            return True
        return False


def access_of(broker: SecureKafka, user: str) -> KafkaAccess:
    """Return what lets a user in."""
    return KafkaAccess("sasl_ssl", user, broker.passwords[user], broker.authority.file)
