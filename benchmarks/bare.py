"""Producers to compare with: kafka-python and confluent-kafka as they are, with the same durability."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from producers.connection import BATCH_BYTES, LINGER_MS
from producers.spool import Record

__all__ = ["Confluent", "Sent", "kafka_python"]

INSTALL_TIMEOUT_S = 120.0
RUN_TIMEOUT_S = 120.0

# Runs in a virtual environment of its own, which has nothing of this project: one record a line, key and value.
_CONFLUENT = f"""
import sys, time
from confluent_kafka import Producer
records = [line.rstrip(b"\\n").split(b"\\t", 1) for line in open(sys.argv[2], "rb")]
producer = Producer({{
    "bootstrap.servers": sys.argv[1], "acks": "all", "enable.idempotence": True, "compression.type": "lz4",
    "partitioner": "murmur2_random", "linger.ms": {LINGER_MS}, "batch.size": {BATCH_BYTES},
    "queue.buffering.max.messages": 10_000_000,
}})
failed = []
def delivered(error, _):
    if error is not None:
        failed.append(error)
began, cpu = time.perf_counter(), time.process_time()
for key, value in records:
    producer.produce(sys.argv[3], value, key, on_delivery=delivered)
    producer.poll(0)
producer.flush()
print(time.perf_counter() - began, time.process_time() - cpu)
sys.exit(len(failed) > 0)
"""


# The same without this project, whose driver shortens some of kafka-python's ways for itself.
_KAFKA_PYTHON = f"""
import sys, time
from kafka import KafkaProducer
records = [line.rstrip(b"\\n").split(b"\\t", 1) for line in open(sys.argv[2], "rb")]
producer = KafkaProducer(
    bootstrap_servers=sys.argv[1].split(","), acks="all", enable_idempotence=True, compression_type="lz4",
    linger_ms={LINGER_MS}, batch_size={BATCH_BYTES}, metrics_enabled=False,
)
futures = []
began, cpu = time.perf_counter(), time.process_time()
for key, value in records:
    futures.append(producer.send(sys.argv[3], value, key))
producer.flush()
print(time.perf_counter() - began, time.process_time() - cpu)
sys.exit(any(future.failed() for future in futures))
"""


class Sent(NamedTuple):
    """So many events in so many seconds, and what the sending or taking process needed of its core for them."""

    events: int
    seconds: float
    cpu_s: float


def kafka_python(folder: Path, bootstrap: str, records: Sequence[Record]) -> Sent:
    """Send records of one topic with a bare kafka-python producer until all is acknowledged."""
    return _run(sys.executable, _KAFKA_PYTHON, folder, bootstrap, records)


class Confluent:
    """confluent-kafka in a virtual environment under a folder; ``why`` says why it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = folder / "confluent" / "bin" / "python"
        self.why: str | None = None
        try:
            venv.create(folder / "confluent", with_pip=True)
            install = [str(self._python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", "confluent-kafka"]
            done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
            if done.returncode:
                self.why = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        except (OSError, subprocess.SubprocessError) as error:
            self.why = str(error)

    def send(self, bootstrap: str, records: Sequence[Record]) -> Sent:
        """Send records of one topic until all is acknowledged."""
        return _run(str(self._python), _CONFLUENT, self._folder, bootstrap, records)


def _run(python: str, script: str, folder: Path, bootstrap: str, records: Sequence[Record]) -> Sent:
    file = folder / "records.tsv"
    file.write_bytes(b"".join((key or b"") + b"\t" + value + b"\n" for _, key, value in records))
    command = [python, "-W", "ignore", "-c", script, bootstrap, str(file), records[0].topic]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise RuntimeError("a bare producer did not deliver everything")
    seconds, cpu_s = map(float, done.stdout.split())
    return Sent(len(records), seconds, cpu_s)
