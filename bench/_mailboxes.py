"""Where messages to people arrive when measuring, in a process of their own: a real SMTP server (aiosmtpd) and a message box. Both
note when they took what."""

import asyncio
import time
from multiprocessing import Process, Queue
from typing import Any

import uvicorn
import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from sluis_demo.simulators.message_box import MessageBox

HOST = "127.0.0.1"


class Mailboxes:
    """Running, at `mail` and `box` (ports). `token`: what the box wants to see."""

    token = "token"

    def __init__(self) -> None:
        self._told: Queue[Any] = Queue()
        self._asked: Queue[str] = Queue()
        self._process = Process(target=_serve, args=(self.token, self._told, self._asked), daemon=True)
        self._process.start()
        self.mail, self.box = self._told.get(timeout=60)

    def taken(self) -> dict[str, list[tuple[str, float]]]:
        """By channel, whose message came and when (time.monotonic), since the last call."""
        self._asked.put("taken")
        found: dict[str, list[tuple[str, float]]] = self._told.get(timeout=60)
        return found

    def end(self) -> None:
        """End the process: it keeps nothing."""
        self._process.kill()
        self._process.join(10)


class _Post:
    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append((envelope.rcpt_tos[0].partition("@")[0], time.monotonic()))
        return "250 2.0.0 taken"


class _Box(MessageBox):
    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.taken: list[tuple[str, float]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        before = len(self.messages)
        await super().__call__(scope, receive, send)
        if len(self.messages) > before:
            self.taken.append((next(reversed(self.messages.values())).bsn, time.monotonic()))


def _serve(token: str, told: Any, asked: Any) -> None:
    async def main() -> None:
        loop, post, box = asyncio.get_running_loop(), _Post(), _Box(token)
        mail = await loop.create_server(lambda: SMTP(post, hostname=HOST, loop=loop), HOST, 0)
        server = uvicorn.Server(uvicorn.Config(box, host=HOST, port=0, log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        told.put((mail.sockets[0].getsockname()[1], server.servers[0].sockets[0].getsockname()[1]))
        while not serving.done():
            await loop.run_in_executor(None, asked.get)
            found = {"mail": post.taken, "box": box.taken}
            post.taken, box.taken = [], []
            told.put(found)

    uvloop.run(main())
