"""Receivers of webhooks for measuring, in a process of their own: they answer 204 to every POST, on one port each, and note of
every event when it came. One can be told never to answer."""

import asyncio
import json
import os
import signal
import time
from functools import partial
from multiprocessing import Process, Queue
from queue import Empty
from typing import Any

import uvloop
from httptools import HttpRequestParser

from _measure import must

HOST = "127.0.0.1"
_GOOD = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receivers:
    """Running receivers.

    Args:
        count: how many.
        hanging: how many of them, the first, never answer.
    """

    def __init__(self, count: int, hanging: int = 0) -> None:
        self._told: Queue[Any] = Queue()
        self._asked: Queue[str] = Queue()
        self._process = Process(target=_serve, args=(count, hanging, self._told, self._asked), daemon=True)
        self._process.start()
        self.ports: list[int] = self._told.get(timeout=30)

    def counted(self) -> dict[str, Any]:
        """How many events each has had, the moments (time.time) by event id and receiver since the last call, and the
        processor time of the process so far."""
        self._asked.put("count")
        while True:
            try:
                found: dict[str, Any] = self._told.get(timeout=1)
            except Empty:
                must(self._process.is_alive(), "the receivers ended")
            else:
                return found

    def end(self) -> None:
        """End the process: it keeps nothing."""
        self._process.kill()
        self._process.join(10)


class _Receiver(asyncio.Protocol):
    def __init__(self, mine: "_One") -> None:
        self._mine = mine
        self._parser = HttpRequestParser(self)
        self._pieces: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        body, self._pieces = b"".join(self._pieces), []
        if not self._mine.hangs:
            self._mine.note(body)
            self._transport.write(_GOOD)


class _One:
    def __init__(self, hangs: bool) -> None:
        self.hangs, self.count, self.moments = hangs, 0, list[tuple[str, float]]()

    def note(self, body: bytes) -> None:
        if body.startswith(b"["):
            found = json.loads(body)
            self.count += len(found)
            return
        self.count += 1
        at = body.find(b'"id":"') + 6
        self.moments.append((body[at : body.find(b'"', at)].decode(), time.time()))


def _serve(count: int, hanging: int, told: Any, asked: Any) -> None:
    # Who ends the measurement (`timeout` does) may signal all its processes: these last until they are ended by it.
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        all_ = [_One(number < hanging) for number in range(count)]
        servers = [await loop.create_server(partial(_Receiver, one), HOST, 0) for one in all_]
        told.put([server.sockets[0].getsockname()[1] for server in servers])
        while await loop.run_in_executor(None, _is_asked, asked):
            told.put(
                {
                    "counts": [one.count for one in all_],
                    "moments": [one.moments for one in all_],
                    "processor": time.process_time(),
                }
            )
            for one in all_:
                one.moments = []

    uvloop.run(main())


def _is_asked(asked: Any) -> bool:
    """Wait until somebody asks; false when nobody is left who could."""
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            asked.get(timeout=1)
        except Empty:
            continue
        return True
    return False
