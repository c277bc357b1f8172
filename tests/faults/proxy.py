"""A TCP proxy between the workers and the store that makes bad weather: slow, silent, cut, garbled, refused.

Garbled is the first bytes of a request or an answer, where the protocol stands: that is noticed. A bit that flips
within the data of plain HTTP is not, except by TCP's own checksum; against that there is TLS, not this laboratory.
"""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["FINE", "Proxy", "Weather"]

CHUNK_BYTES = 65_536
GARBLED_BYTES = 24
CONNECT_S = 5.0
_RESET = struct.pack("ii", 1, 0)


class Weather(NamedTuple):
    """What happens to what passes.

    ``delay_s``: mean delay of a chunk; ``cut``, ``garbled``: shares of chunks after which the connection ends, or
    whose beginning is changed; ``holds``: nothing passes, nothing is closed; ``refuses``: nobody listens.
    """

    delay_s: float = 0.0
    cut: float = 0.0
    garbled: float = 0.0
    holds: bool = False
    refuses: bool = False


FINE = Weather()


class Proxy:
    """Listens on a port of its own and passes everything on to another; a context manager with a thread."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.port = 0
        self.reseed(seed)
        self._target = target
        self._weather = FINE
        self._moves = asyncio.Event()
        self._moves.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def reseed(self, seed: int) -> None:
        """Begin the chances of a seed."""
        self._chance = Random(f"proxy/{seed}")

    def set(self, weather: Weather) -> None:
        """Change the weather; returns when it has changed."""
        asyncio.run_coroutine_threadsafe(self._set(weather), self._loop).result()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _set(self, weather: Weather) -> None:
        self._weather = weather
        if weather.holds:
            self._moves.clear()
        else:
            self._moves.set()
        if weather.refuses:
            self._deafen()
            for writer in tuple(self._open):
                _reset(writer)
        elif self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()  # its open connections are reset one by one
            self._server = None

    async def _close(self) -> None:
        self._deafen()
        for task in tuple(self._tasks):
            task.cancel()
        for writer in tuple(self._open):
            _reset(writer)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            async with asyncio.timeout(CONNECT_S):
                onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
        else:
            self._open.add(onward)
            ways = {
                asyncio.ensure_future(self._pass(reader, onward)),
                asyncio.ensure_future(self._pass(onward_reader, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # One way is closed: HTTP has no use for the other alone.
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                self._end(onward)
        finally:
            self._end(writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        with suppress(OSError, RuntimeError):
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._moves.wait()
                weather, chance = self._weather, self._chance
                if weather.delay_s:
                    await asyncio.sleep(chance.uniform(0.0, 2.0 * weather.delay_s))
                if weather.cut and chance.random() < weather.cut:
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    _reset(writer)
                    return
                if (
                    weather.garbled
                    and data.startswith((b"POST ", b"GET ", b"HTTP/"))
                    and chance.random() < weather.garbled
                ):
                    data = chance.randbytes(GARBLED_BYTES) + data[GARBLED_BYTES:]
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crashed machine does: with a reset, and what is under way is gone."""
    with suppress(OSError, RuntimeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
