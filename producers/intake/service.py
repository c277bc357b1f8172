"""The intake without HTTP: who may send, how much, and when an event is safe enough to be called accepted."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog

from contract.decode import Horizon
from producers.asynchronous import deliver
from producers.bucket import Bucket
from producers.client import Producer
from producers.errors import KafkaRefusedError, ProducerError, SpoolFullError
from producers.guesses import Guesses
from producers.intake.bodies import BodyError, records_of, unpacked
from producers.intake.grants import Grant, IntakeToken
from producers.intake.judge import Result, judge
from producers.statistics import Statistics
from producers.tokens import TokenWatch

__all__ = ["Intake", "IntakeError", "IntakeLimits", "Sent"]

ANSWER_S = 20.0
"""Longest wait until events are safe: the spool takes over after two seconds, so this is a broken disk."""
RETRY_AFTER_S = 5
INLINE_BYTES = 65_536
"""Larger bodies are judged beside the loop: other requests and the wall's screens do not wait for them."""
BURST_S = 2.0

log = structlog.get_logger()


class IntakeLimits(NamedTuple):
    """``request_bytes``: of a body, also when unpacked; ``events_per_s``: of one token, on average."""

    request_bytes: int = 8_388_608
    events_per_s: float = 5_000.0


class IntakeError(Exception):
    """A request is refused as a whole; ``status`` and ``headers`` are those of the answer."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}


class Sent(NamedTuple):
    """A request's parts that matter; header names in lower case."""

    content_type: str
    content_encoding: str
    headers: Iterable[tuple[str, str]]
    body: bytes


class Intake:
    """Takes events for the producer that ``open_producer`` makes when the first is needed.

    ``below(code)`` gives a unit and all units under it; ``wall_us`` the wall clock; ``clock`` seconds that only
    grow.
    """

    def __init__(
        self,
        tokens: TokenWatch[IntakeToken],
        below: Callable[[str], frozenset[str]],
        open_producer: Callable[[], Producer],
        limits: IntakeLimits,
        wall_us: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._tokens = tokens
        self._below = below
        self._open_producer = open_producer
        self._wall_us = wall_us
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._buckets: dict[str, Bucket] = {}
        self._guesses = Guesses(clock)
        self._lock = threading.Lock()
        self._producer: Producer | None = None
        self.accepted = 0
        """Events answered as accepted."""
        self.refused = 0
        """Events answered as refused; requests that were refused as a whole do not count."""

    def open(self) -> Producer:
        """Return the producer, made at the first call. Raises ProducerError."""
        with self._lock:
            if self._producer is None:
                self._producer = self._open_producer()
            return self._producer

    def close(self, timeout_s: float) -> int:
        """Close the producer if there is one; return how many events stay in the spool."""
        return 0 if self._producer is None else self._producer.close(timeout_s)

    def statistics(self) -> Statistics | None:
        """Return what the producer has done and what waits in the spool; None before the first event."""
        return None if self._producer is None else self._producer.statistics()

    def admit(self, authorization: str, address: str) -> Grant:
        """Return what the bearer of a token may send now; ``address``: whence. Raises IntakeError (401, 429)."""
        scheme, _, secret = authorization.partition(" ")
        tokens = self._tokens.current()
        if not tokens:
            raise _unauthorized("no producer may send yet: create a token with `nhip intake-token create`")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _unauthorized("a token is needed: send `Authorization: Bearer …`")
        token = self._tokens.find(secret.strip())
        if token is None:
            if (wait_s := self._guesses.wrong(address)) > 0:
                raise IntakeError(429, "too many wrong tokens: wait", {"Retry-After": str(math.ceil(wait_s))})
            raise _unauthorized("the token is wrong or was revoked: ask for a new one")
        if token.expires is not None and token.expires.timestamp() * 1e6 <= self._wall_us():
            raise _unauthorized(f"the token expired at {token.expires.isoformat()}: ask for a new one")
        wait_s = self._bucket(token).wait_s()
        if wait_s > 0:
            raise IntakeError(
                429,
                f"this token may send {self.limits.events_per_s:g} events a second: wait, and send batches",
                {"Retry-After": str(math.ceil(wait_s))},
            )
        grant = self._grants.get(token.sha256)
        if grant is None or grant.token != token:
            grant = self._grants[token.sha256] = Grant(token, self._below)
        return grant

    async def take(self, grant: Grant, sent: Sent) -> list[Result]:
        """Judge a request's events; return when those accepted are safe in Kafka or in the spool.

        Raises IntakeError (400, 413, 415, 503).
        """
        bucket = self._bucket(grant.token)
        horizon = Horizon(self._wall_us())
        try:
            body = unpacked(sent.body, sent.content_encoding, self.limits.request_bytes)
            values = records_of(sent.content_type, sent.headers, body)
        except BodyError as error:
            bucket.take(1)
            raise IntakeError(error.status, str(error)) from None
        bucket.take(len(values))
        if len(body) > INLINE_BYTES:
            verdicts = await asyncio.to_thread(judge, values, grant, horizon)
        else:
            verdicts = judge(values, grant, horizon)
        if verdicts.accepted:
            try:
                producer = await asyncio.to_thread(self.open) if self._producer is None else self._producer
                await asyncio.wait_for(deliver(producer, verdicts.accepted, wait_s=0.0), ANSWER_S)
            except SpoolFullError:
                raise _unavailable("neither Kafka nor the spool can take more now: nothing was taken") from None
            except KafkaRefusedError as error:
                # Users and rights in Kafka are for the operator's eyes: the log has them.
                log.error("Kafka refuses the intake", error=str(error))  # noqa: TRY400 - a setting, not a fault here
                raise _unavailable("the intake must not write to Kafka: its operator must mend that") from None
            except (ProducerError, TimeoutError) as error:
                raise _unavailable(f"not known to be stored ({error}): send again, duplicates are harmless") from None
        self.accepted += len(verdicts.accepted)
        self.refused += len(verdicts.results) - len(verdicts.accepted)
        return verdicts.results

    def _bucket(self, token: IntakeToken) -> Bucket:
        bucket = self._buckets.get(token.sha256)
        if bucket is None:
            rate = self.limits.events_per_s
            bucket = self._buckets[token.sha256] = Bucket(rate, BURST_S * rate, self._clock)
        return bucket


def _unauthorized(text: str) -> IntakeError:
    return IntakeError(401, text, {"WWW-Authenticate": "Bearer"})


def _unavailable(text: str) -> IntakeError:
    return IntakeError(503, f"{text}; try again in {RETRY_AFTER_S} s", {"Retry-After": str(RETRY_AFTER_S)})
