"""The page of the docs, docs/faults.md, from the report of a run. Pure."""

from typing import Any

__all__ = ["page"]


def page(report: dict[str, Any]) -> str:
    """Return the whole page; ``report`` is the document of tests/faults/report.py."""
    wrong = report["wrong"]
    return "\n".join(
        [
            _HEAD,
            _summary(report),
            "",
            "| | |",
            "|---|---|",
            f"| events offered | {report['offered']:,} |",
            f"| of these told “accepted” | {report['accepted']:,} |",
            f"| of which no producer knows the outcome | {report['unknown']:,} |",
            f"| records in Kafka, with duplicates and poison | {report['records']:,} |",
            f"| entities at the end | {report['entities']:,} |",
            f"| accepted events lost | {_count(wrong, 'lost:')} |",
            f"| figures counted twice, not counted, or wrong | {_count(wrong, 'counted', 'not counted', 'wrong')} |",
            f"| poison records, each a dead letter with its reason | {report['poison']:,} |",
            f"| changes of state of alerts, each told by exactly one id | {report['alerts']:,} |",
            f"| alerts lost, or told by a second id | {_count(wrong, 'alert')} |",
            "",
            *_table(report["kinds"]),
            _BELOW,
            _origin(report),
            "",
        ]
    )


def _summary(report: dict[str, Any]) -> str:
    return (
        f"**{report['seeds']} seeds, {report['load_s'] / 60:.0f} minutes of load, {report['faults']} faults: "
        f"{len(report['wrong'])} differences.**"
    )


def _origin(report: dict[str, Any]) -> str:
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    return (
        f"Run on {report['date']} with `{report['command']}` at commit {report['commit']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, load average at the end {machine['load_after']}; "
        f"{versions}. In all {report['total_s'] / 60:.0f} minutes, with the comparisons."
    )


def _table(kinds: list[dict[str, Any]]) -> list[str]:
    head = [
        "| fault | times | first noticed by | noticed: p50 | worst | over: p50 | worst | alone: p50 | worst |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines = []
    for kind in kinds:
        signs = ", ".join(kind["signs"][:2]) or "–"
        noticed = f"{signs} ({kind['detected']} of {kind['faults']})" if kind["detected"] else signs
        figures = [
            kind[name]
            for name in (
                "detected_p50_s",
                "detected_worst_s",
                "recovered_p50_s",
                "recovered_worst_s",
                "alone_p50_s",
                "alone_worst_s",
            )
        ]
        lines.append(
            f"| {kind['kind']} | {kind['faults']} | {noticed} | " + " | ".join(map(_seconds, figures)) + " |"
        )
    return [*head, *lines]


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _count(wrong: list[str], *words: str) -> int:
    return sum(text.startswith(words) for text in wrong)


_HEAD = """# Faults

What happens to counted events when parts of the system die, hang, lie or lose their disk. The laboratory
(`tests/faults/`) starts three Kafka brokers (three copies, two in sync), the store, three workers, the intake and
the wall as processes, under the supervisor of `nhip up`. It sends events by three ways: a client with a spool, a
client without, and HTTP to the intake. A schedule that follows from a seed strikes meanwhile: three to five faults
for each seed, at any time and together.

After each seed everything is compared with what the producers said and were told: the newest snapshot of every
entity, its stored marks, panes, all published rates in all windows, the wall's API, dead letters, and the messages
that a web hook received. An event that was told “accepted” must stand, or a newer one of its entity; one of which
nobody knows may, unless Kafka has it: then it must. Figures must be those of the producers' own notes, which are
kept apart from the program. A rule fires and recovers in every seed. What is wrong in one seed stays in the store,
so the run ends there; schedule and seed are printed.

```
make faults                                  # 100 seeds; root may mount, so that disks can be full
python -m tests.faults --seeds 1 --seed 42   # one schedule again
```

A short run is in `make test` (`tests/faults/test_lab.py`).
"""

_BELOW = """
*Noticed* is counted from the beginning of the fault to the first sign of it: the supervisor says that a part has
ended, `/health/ready` of a worker, the wall or the intake does not answer “ok” within a second, the wall's figures
are older than 3 s, events wait in a spool, Kafka lists fewer brokers, a worker's metrics count dead letters or
rebalances. Each part is asked four times a second. Not noticed is what was over before anybody looked, and what
changes nothing: duplicates are only noted in `sources.ignored`.

*Over* is counted from the end of the fault (the part may be started again, the disk has room) until a dossier that
was sent after it to every partition of its topic is in a published rate. Most faults meet others in their seed, and
their times contain what those did; *alone* are those that met none.

## What it has found

- Two threads that read or send their first event at one moment could crash the process: msgspec 0.22 makes the
  decoder of a struct when it is first used. Decoders are made on import now (`contract/decode.py`).
- A client without a spool never sent again after two of three brokers had been away for longer than a record is
  tried (two minutes): kafka-python 3.0.12 drops its producer id and asks for no other, or takes the timeout of that
  question for fatal. Mended in `producers/stuck.py`. Nothing that was told “accepted” was lost.
- A rule that fired while a worker's clock was 45 minutes ahead was told 45 minutes later: the message waited for the
  time it had been decided at. Times that are still to come wait for nothing now (`streams/episode.py`, `not_ahead`).
- The embedded engine answered streamed inserts into a full disk as written, and stored none of them. Inserts need
  room now, before and after (`nhip/local/space.py`). A disk that loses its last 100 MB within one insert can still
  harm a part of a table in the embedded engine; then count everything from Kafka again into a new data folder.

## What the laboratory shortens, and what it does not try

- Times are scaled so that seeds are short: a session of 6 s (`session_timeout_s`, else 10), patience with the store
  of 10 s (`store_patience_s`, else 45). Most frozen workers sleep 8 to 12 s, some 30; all longer than a session.
- Clocks of workers jump by up to 50 minutes, either way, and back. Minutes are kept an hour longer than the longest
  window needs them; a clock that is further ahead lets a worker forget minutes of the 24-hour window early, until
  the next rebuild (the check each hour finds that and asks for one). A clock more than a day behind makes good events
  look as if they came from the future: they become dead letters.
- Garbled is where HTTP's own words stand. A bit that flips within the data and passes TCP's checksum is not noticed
  by plain HTTP; between machines use TLS.
- All runs on one machine: a network that parts machines in two is tried only between workers and store.
"""
