"""Which engines do the job, with what, and how many events each is given."""

from typing import NamedTuple

from benchmarks.peers.job import BOTH, SLIDING, TUMBLING

__all__ = ["ENGINES", "EVENTS", "FLOOR", "OTHERS", "WORKER", "Engine", "Turn"]

EVENTS = 400_000
"""The whole day. Slower engines get the first of these, so many as they count in some five seconds."""


A_DAY_S, A_MINUTE_S = 86_400, 60
"""Nothing of the load is later than a day; a minute is what the examples of most engines are content with."""


class Turn(NamedTuple):
    """One run: which windows, the first so many events, and, for start-up measured by itself, the fewer before.

    ``patience_s``: how long windows wait for what is late, in engines that must be told.
    """

    windows: str
    events: int = EVENTS
    warm: int = 0
    patience_s: int = A_DAY_S


class Engine(NamedTuple):
    """An engine, its module beside this one, what pip has to install, and its runs."""

    name: str
    module: str
    packages: tuple[str, ...]
    turns: tuple[Turn, ...]
    jars: bool = False


WORKER = "nhip"
ENGINES = (
    Engine("bare confluent-kafka", "confluent", ("confluent-kafka", "orjson"), (Turn(BOTH),)),
    Engine("bare aiokafka", "aiokafka_loop", ("aiokafka[lz4]", "orjson"), (Turn(BOTH),)),
    Engine("Faust, dicts", "faust_dicts", ("faust-streaming", "aiokafka[lz4]", "orjson"), (Turn(BOTH, 40_000),)),
    Engine(
        "Faust, Tables",
        "faust_tables",
        ("faust-streaming", "aiokafka[lz4]", "orjson"),
        (Turn(TUMBLING, 10_000), Turn(SLIDING, 500)),
    ),
    Engine("quixstreams", "quixstreams", ("quixstreams", "orjson"), (Turn(TUMBLING, 40_000), Turn(SLIDING, 10_000))),
    Engine("bytewax", "bytewax", ("bytewax[kafka]", "orjson"), (Turn(TUMBLING, 100_000), Turn(SLIDING, 40_000))),
    # Faster, and wrong: shown beside the others, compared with none.
    Engine(
        "quixstreams, a minute's grace",
        "quixstreams",
        ("quixstreams", "orjson"),
        (Turn(TUMBLING, 40_000, patience_s=A_MINUTE_S),),
    ),
    Engine(
        "bytewax, a minute's patience",
        "bytewax",
        ("bytewax[kafka]", "orjson"),
        (Turn(TUMBLING, 100_000, patience_s=A_MINUTE_S),),
    ),
    Engine("pathway", "pathway", ("pathway",), (Turn(TUMBLING, EVENTS, 40_000), Turn(SLIDING, 10_000, 2_000))),
    Engine(
        "Flink SQL",
        "flink",
        ("py4j==0.10.9.7", "confluent-kafka"),
        (Turn(TUMBLING, EVENTS, 40_000), Turn(SLIDING, 100_000, 10_000)),
        jars=True,
    ),
)
FLOOR = ("bare confluent-kafka", "bare aiokafka")
OTHERS = ("quixstreams", "bytewax", "pathway", "Flink SQL")
