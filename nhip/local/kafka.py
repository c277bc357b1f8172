"""A real Kafka on this machine, of one broker or several."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from nhip.local.broker import CLUSTER, BrokerPlan, java_command
from nhip.local.errors import LocalServiceError
from nhip.local.folder import DataFolder
from nhip.local.jars import kafka_jars
from nhip.local.ports import HOST, free_ports, require_free
from nhip.local.process import ServiceProcess
from nhip.local.wire import known_brokers

__all__ = ["LocalKafka"]

START_TIMEOUT_S = 120.0
FORMAT_TIMEOUT_S = 120.0


class LocalKafka:
    """Kafka in KRaft mode; every broker is also a controller.

    data: its folder, created if absent; what was written survives a restart.
    brokers: how many; a folder keeps the number it was made for.
    port: the first broker's, the next ones follow; free ports are chosen when absent.
    log: is told what takes long (the first download).

    Brokers are numbered from 1, as Kafka numbers them here.
    """

    def __init__(
        self,
        data: Path,
        *,
        brokers: int = 1,
        port: int | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        if brokers < 1:
            raise LocalServiceError(f"Kafka needs at least one broker, not {brokers}")
        self._folder = DataFolder(data)
        self._brokers = brokers
        self._port = port
        self._log = log or (lambda _message: None)
        self._jars: tuple[Path, ...] = ()
        self._plans: tuple[BrokerPlan, ...] = ()
        self._processes: dict[int, ServiceProcess] = {}

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them: "127.0.0.1:9092,127.0.0.1:9093"."""
        return ",".join(f"{HOST}:{plan.port}" for plan in self._planned())

    def start(self) -> None:
        """Start every broker and block until each one serves and knows all others.

        Raises LocalServiceError when that fails, and leaves nothing running then.
        """
        if self._processes:
            raise LocalServiceError(f"Kafka in {self._folder.path} is running already")
        self._folder.acquire()
        try:
            self._jars = kafka_jars(self._log)
            if self._port is not None:
                for plan in self._planned():
                    require_free(plan.port, f"Kafka broker {plan.node}")
            self._format()
            for plan in self._planned():
                self._launch(plan)
            everyone = frozenset(plan.node for plan in self._planned())
            for plan in self._planned():
                self._wait(plan, everyone)
        except BaseException:  # Ctrl-C too: a half-started cluster must not stay
            self._abandon()
            raise

    def stop(self) -> None:
        """Stop every broker in order; data is on disk afterwards. May be repeated."""
        for process in self._processes.values():
            process.ask_to_stop()
        for process in self._processes.values():
            process.stop()
        self._processes.clear()
        self._folder.release()

    def start_broker(self, number: int) -> None:
        """Start a stopped or killed broker again and block until it serves."""
        plan = self._plan(number)
        if self._processes[number].alive:
            raise LocalServiceError(f"Kafka broker {number} is running already")
        self._processes[number].kill()
        self._launch(plan)
        self._wait(plan, frozenset({number}))

    def stop_broker(self, number: int) -> None:
        """Stop one broker in order and wait for its end."""
        self._plan(number)
        self._processes[number].stop()

    def kill_broker(self, number: int) -> None:
        """SIGKILL one broker and wait for its end."""
        self._plan(number)
        self._processes[number].kill()

    @property
    def died(self) -> bool:
        """Whether a broker has ended though nobody here ended it."""
        return any(process.died for process in self._processes.values())

    def revive(self) -> None:
        """Start every broker that does not run, on the same ports and data, and block until it serves.

        Raises LocalServiceError when that fails; may be repeated.
        """
        away = [plan for plan in self._planned() if not self._processes[plan.node].alive]
        for plan in away:  # all before any is waited for: alone, a broker of several does not serve
            self._processes[plan.node].kill()
            self._launch(plan)
        for plan in away:
            self._wait(plan, frozenset({plan.node}))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _planned(self) -> tuple[BrokerPlan, ...]:
        """Choose the ports at first use; a restart keeps them, so that clients find the brokers again."""
        if not self._plans:
            numbers = range(1, self._brokers + 1)
            chosen = free_ports(2 * self._brokers)
            own, controllers = chosen[: self._brokers], chosen[self._brokers :]
            if self._port is not None:
                own = [self._port + offset for offset in range(self._brokers)]
            voters = tuple(zip(numbers, controllers, strict=True))
            self._plans = tuple(
                BrokerPlan(node, own[node - 1], controllers[node - 1], voters, self._folder.path / f"broker-{node}")
                for node in numbers
            )
        return self._plans

    def _plan(self, number: int) -> BrokerPlan:
        if number not in self._processes:
            raise LocalServiceError(f"there is no Kafka broker {number}: running are {sorted(self._processes)}")
        return self._planned()[number - 1]

    def _format(self) -> None:
        """Write the brokers' settings, and prepare folders that are new."""
        found = len(list(self._folder.path.glob("broker-*")))
        if found not in (0, self._brokers):
            raise LocalServiceError(
                f"the data folder {self._folder.path} was made for {found} brokers, not {self._brokers}: "
                f"start {found}, or choose another folder"
            )
        new = []
        try:
            for plan in self._planned():
                plan.folder.mkdir(exist_ok=True)
                plan.properties_file.write_text(plan.properties())
                if not (plan.log_folder / "meta.properties").exists():
                    new.append(plan)
        except OSError as error:
            raise LocalServiceError(
                f"the data folder {self._folder.path} cannot be written ({error.strerror or error}): "
                "check its owner and free space, or choose another folder"
            ) from error
        _run_together([self._format_command(plan) for plan in new])

    def _format_command(self, plan: BrokerPlan) -> list[str]:
        tool = "kafka.tools.StorageTool"
        arguments = ("format", "--ignore-formatted", "-t", CLUSTER, "-c", str(plan.properties_file))
        return java_command(self._jars, tool, *arguments)

    def _launch(self, plan: BrokerPlan) -> None:
        command = java_command(self._jars, "kafka.Kafka", str(plan.properties_file))
        process = ServiceProcess(
            f"Kafka broker {plan.node}", command, plan.output_file, keep_open=[self._folder.descriptor]
        )
        self._processes[plan.node] = process
        process.start()

    def _wait(self, plan: BrokerPlan, expected: frozenset[int]) -> None:
        self._processes[plan.node].wait_ready(lambda: expected <= known_brokers(plan.port), START_TIMEOUT_S)

    def _abandon(self) -> None:
        for process in self._processes.values():
            process.kill()
        self._processes.clear()
        self._folder.release()


def _run_together(commands: Sequence[list[str]]) -> None:
    """Run short commands side by side; raise LocalServiceError with the output of the first that fails."""
    running = [
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
        for command in commands
    ]
    try:
        for process in running:
            output, _ = process.communicate(timeout=FORMAT_TIMEOUT_S)
            if process.returncode:
                raise LocalServiceError(f"Kafka's folder could not be prepared:\n{output.decode(errors='replace')}")
    except subprocess.TimeoutExpired as error:
        raise LocalServiceError(f"Kafka's folder was not prepared within {FORMAT_TIMEOUT_S:.0f} s") from error
    finally:
        for process in running:
            with process:  # closes its pipe and waits
                process.kill()
