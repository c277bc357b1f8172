"""Every metric of every process: name, meaning and unit in one table, read from plain numbers when somebody asks."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

__all__ = ["METRICS", "Declared", "Sample", "registry_of"]


class Declared(NamedTuple):
    """A metric. ``of``: the processes that have it; ``labels``: what tells its samples apart."""

    name: str
    kind: Literal["counter", "gauge", "summary"]
    of: str
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One number; of a summary ``value`` is the sum over ``observed`` of them."""

    name: str
    value: float
    labels: tuple[str, ...] = ()
    observed: int = 0


METRICS: Final = (
    Declared("nhip_events_folded_total", "counter", "worker", "events stored and committed"),
    Declared("nhip_flush_write_seconds", "summary", "worker", "flushes, and seconds spent on writing them"),
    Declared("nhip_flush_events", "summary", "worker", "flushes, and events in them"),
    Declared(
        "nhip_waiting_records",
        "gauge",
        "worker",
        "records of its partitions that are not committed yet, as Kafka says, some seconds old",
        ("topic", "partition"),
    ),
    Declared("nhip_partitions_held", "gauge", "worker", "partitions that it was given; 0: it stands by"),
    Declared("nhip_standstill_seconds", "gauge", "worker", "how long commits or event loop have stood still, if so"),
    Declared("nhip_store_calls_retrying", "gauge", "worker", "calls to the store that failed and are repeated"),
    Declared("nhip_dead_letters_total", "counter", "worker", "records refused into the dead letters"),
    Declared("nhip_rebalances_total", "counter", "worker", "assignments of partitions by the consumer group"),
    Declared("nhip_takeover_seconds", "summary", "worker", "claims of partitions with a rebuild, and their seconds"),
    Declared("nhip_epochs_contested_total", "counter", "worker", "rebuilds for late rows of another worker"),
    Declared("nhip_commits_refused_total", "counter", "worker", "commits that Kafka refused during a rebalance"),
    Declared("nhip_rates_age_seconds", "gauge", "worker, serve", "age of the newest rates; of the worker that sums"),
    Declared("nhip_alert_rounds_total", "counter", "worker", "evaluations of the alert rules"),
    Declared("nhip_alert_failures_total", "counter", "worker", "looks of the alarm that ended by an error"),
    Declared("nhip_notices_sent_total", "counter", "worker", "messages that all channels took"),
    Declared("nhip_notices_failed_total", "counter", "worker", "attempts after which a channel had not"),
    Declared("nhip_checks_total", "counter", "worker", "comparisons of all figures in the background"),
    Declared(
        "nhip_check_differences", "gauge", "worker", "figures that differed in the newest comparison; must be 0"
    ),
    Declared("nhip_store_up", "gauge", "serve", "1 while the store answers, else 0"),
    Declared("nhip_backlog_records", "gauge", "serve", "records of all partitions that are not committed yet"),
    Declared("nhip_screens_connected", "gauge", "serve", "screens that hold a stream of events"),
    Declared("nhip_intake_events_accepted_total", "counter", "serve", "events answered as accepted"),
    Declared("nhip_intake_events_refused_total", "counter", "serve", "events answered as refused"),
    Declared("nhip_intake_spool_records", "gauge", "serve", "accepted events that Kafka does not have yet"),
    Declared("nhip_intake_spool_bytes", "gauge", "serve", "their size"),
    Declared("nhip_part_up", "gauge", "up", "1 while the part runs, 0 until it is started again", ("part",)),
    Declared("nhip_part_restarts_total", "counter", "up", "how often it had ended and was started again", ("part",)),
    Declared("nhip_poll_rounds_total", "counter", "poll", "rounds that were done"),
    Declared("nhip_poll_rounds_failed_total", "counter", "poll", "rounds that failed and were repeated"),
    Declared("nhip_poll_rows_total", "counter", "poll", "rows read"),
    Declared("nhip_poll_rows_refused_total", "counter", "poll", "rows that could not be read"),
    Declared("nhip_poll_events_sent_total", "counter", "poll", "events sent and confirmed"),
    Declared("nhip_poll_round_age_seconds", "gauge", "poll", "since the newest round that was done"),
)
"""All metrics, in the order of the document."""

_BY_NAME: Final = {metric.name: metric for metric in METRICS}


def registry_of(read: Callable[[], Iterable[Sample]]) -> CollectorRegistry:
    """Return what a process tells: the samples that ``read`` gives when asked, its memory, time and files."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reader(read))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class _Reader(Collector):
    def __init__(self, read: Callable[[], Iterable[Sample]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Tell nothing beforehand: nothing is read while it is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return the numbers as they are now. Raises KeyError for a metric that is not declared."""
        families: dict[str, Metric] = {}
        for name, value, labels, observed in self._read():
            declared = _BY_NAME[name]
            family = families.setdefault(name, _family(declared))
            if isinstance(family, SummaryMetricFamily):
                family.add_metric(labels, count_value=observed, sum_value=value)
            elif isinstance(family, (CounterMetricFamily, GaugeMetricFamily)):
                family.add_metric(labels, value)
        yield from families.values()


def _family(metric: Declared) -> Metric:
    if metric.kind == "counter":
        return CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
    if metric.kind == "gauge":
        return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    return SummaryMetricFamily(metric.name, metric.help, labels=metric.labels)
