"""The example of docs/client.md runs as it stands."""

import re
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from contract.dossier import DossierEvent
from nhip.local import LocalKafka
from producers.topics import ensure_topics

TEXT = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")
EXAMPLE = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[0]
LINES = 16


def test_the_example_is_short() -> None:
    """An engineer writes about fifteen lines."""
    lines = [line for line in EXAMPLE.splitlines() if line.strip()]

    assert len(lines) <= LINES


@pytest.mark.services
def test_the_example_runs(
    kafka: LocalKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its event is in Kafka, and nothing stays in the spool."""
    ensure_topics(kafka.bootstrap, 4, 1)
    monkeypatch.chdir(tmp_path)
    consumer = import_module("kafka").KafkaConsumer(
        "nhip.dossiers", bootstrap_servers=[kafka.bootstrap], auto_offset_reset="earliest", consumer_timeout_ms=3000
    )

    exec(compile(EXAMPLE.replace("127.0.0.1:9092", kafka.bootstrap), "docs/client.md", "exec"), {})  # noqa: S102

    found = [r.value for r in consumer if r.key == b"H19.12-261121-0042"]
    consumer.close()
    assert msgspec.json.decode(found[-1], type=DossierEvent).data.unit == "H19.12"
    assert "spooled=0" in capsys.readouterr().out
    assert (tmp_path / "onestop-spool.db").exists()
