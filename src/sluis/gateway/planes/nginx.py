"""The nginx plane: nginx in front, which parses, ends and begins TLS and streams; Sluis behind it, which decides.

nginx asks over a unix socket whether a request may pass (`questions`); the same `Inway` and `Outway` judge it as
in the plane in process (`answers`). Nothing passes while nobody answers there.

Who answers at an address nginx holds against the name in the address, not against the Peer ID: it cannot read the
subject of a certificate it connects to. Sluis looks at that itself, over a connection of its own (`meeting`). What that
is worth stands in the decision on it.
"""

import asyncio
import contextlib
import logging
import socket
from pathlib import Path

from sluis.crypto import Identity
from sluis.gateway.inway import Inway
from sluis.gateway.meter import Meter
from sluis.gateway.planes.answers import InwayAnswers, OutwayAnswers
from sluis.gateway.planes.apps import App
from sluis.gateway.planes.counts import Counts
from sluis.gateway.planes.marked import MarkedDoor
from sluis.gateway.planes.meeting import Meet
from sluis.gateway.planes.nginx_layout import Listen
from sluis.gateway.planes.nginx_process import Files, Load, Nginx
from sluis.gateway.planes.nginx_system import short_path
from sluis.gateway.planes.places import Places, Resolve, addresses_of
from sluis.gateway.planes.questions import BACKLOG, Answers, Door, Gathering
from sluis.gateway.planes.reports import Reports, Side
from sluis.kernel import Problem, cause_of
from sluis.web import LocalListener, Server

log = logging.getLogger("sluis.gateway")

_SOON = 1.0  # seconds in which changes are gathered before nginx gets a new configuration
_DATAGRAM = 64 * 1024  # bytes
_NAMES = 60.0  # seconds after which names are looked up again


class NginxPlane:
    """A gateway's data plane on nginx. Use it from one event loop.

    Args:
        folder: of its own; made when absent.
        files: for TLS.
        inway: where peers come in, and the `Inway`; None without inway.
        outway: where applications come in, and the `Outway`; None without outway.
        node: the API of the node itself, which is the service `sluis`; None when it is not offered.
        meters: what requests of inway and outway are counted in.
        tls: the oldest version of TLS, `1.2` or `1.3`.
        resolve: for host names.
        meet: finds out whether the inway of a peer is its own (`meeting`); None to leave it at its name.
        workers: worker processes of nginx; 0 for one a core.
        most_body: bytes that a request body may have; 0 for any number.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        *,
        inway: tuple[Listen, Inway] | None = None,
        outway: tuple[Listen, Side] | None = None,
        node: App | None = None,
        meters: tuple[Meter, Meter] | None = None,
        tls: str = "1.2",
        resolve: Resolve = addresses_of,
        meet: Meet | None = None,
        workers: int = 0,
        most_body: int = 0,
    ) -> None:
        self._nginx = Nginx(
            folder, files, outway=outway and outway[0], inway=inway and inway[0], workers=workers,
            most_body=most_body, own=node is not None, tls=tls,
        )  # fmt: skip
        self._changes = asyncio.Event()
        self._places = Places(resolve, self._changes.set, meet, self._nginx.show)
        self._answers: dict[bytes, Answers] = {}
        self._own = None if node is None else MarkedDoor(node)
        self._serving: Server | None = None
        inward, outward = meters or (Meter(), Meter())
        self._counts = Counts({b"i": inward, b"o": outward})
        self._open = contextlib.ExitStack()
        self._giving = asyncio.Lock()  # one configuration at a time: its number is told before it is given
        if inway is not None:
            incoming = InwayAnswers(inway[1], self._places, self._own)
            self._answers |= dict.fromkeys((incoming.LINE, incoming.INSTEAD), incoming)
        self._reports: Reports | None = None
        if outway is not None:
            self._reports = Reports(outway[1], self._places)
            outgoing = OutwayAnswers(outway[1], self._places, self._reports)
            self._answers |= dict.fromkeys((outgoing.LINE, outgoing.INSTEAD), outgoing)
        self._told: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """The process id of nginx, while it runs."""
        return self._nginx.pid

    async def start(self) -> None:
        """Listen for questions, then start nginx. Raises as `Nginx.start`; nothing stays open then."""
        loop = asyncio.get_running_loop()
        self._nginx.prepare()
        try:
            await self._listen()
            self._nginx.let_in()
            self._publish()
            await self._nginx.start(self._places.all())
        except BaseException:
            await self.stop()
            raise
        self._tasks = [loop.create_task(self._keep_up()), loop.create_task(self._keep_names())]

    async def _listen(self) -> None:
        gathering, loop = Gathering(), asyncio.get_running_loop()
        self._counts.open(self._nginx.counts)
        with short_path(self._nginx.decide_socket) as path:
            self._server = await loop.create_unix_server(
                lambda: Door(self._answers, gathering), path, backlog=BACKLOG
            )
        if self._own is not None:
            self._serving = Server(self._own, proxied=True)
            path = self._open.enter_context(short_path(self._nginx.own_socket))
            await self._serving.listen(LocalListener(Path(path), 0o600))
        if self._reports is not None:
            self._hear(self._reports)

    def renew(self) -> None:
        """Have anchors and revocations read again soon."""
        self._changes.set()

    async def take(self, identity: Identity) -> None:
        """Show a renewed certificate of this node, without dropping a request: at the inway from now on, and to peers with
        the tokens that are bound to it. The one before is shown with those that are bound to that.

        Raises as `Nginx.renew`; the inway goes on as it was then.
        """
        async with self._giving:
            self._publish()
            await self._nginx.renew(identity, self._places.all())

    async def well(self) -> bool:
        """Whether nginx answers."""
        return await self._nginx.well()

    async def reload(self) -> None:
        """Read anchors and revocations again, without dropping a request. Raises as `Nginx.reload`."""
        async with self._giving:
            self._publish()
            await self._nginx.reload(self._places.all())

    async def stop(self) -> None:
        """Let requests in hand finish, then end nginx and all else. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._nginx.stop()
        if self._serving is not None:
            await self._serving.stop()
            self._serving = None
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._told is not None:
            asyncio.get_running_loop().remove_reader(self._told.fileno())
            self._told.close()
            self._told = None
        self._counts.close()
        self._open.close()

    async def load(self) -> Load:
        """What nginx counts. Raises `OSError` when it does not answer."""
        return await self._nginx.load()

    def _hear(self, reports: Reports) -> None:
        self._told = told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told.setblocking(False)
        with short_path(self._nginx.report_socket) as path:
            told.bind(path)

        def read() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    reports.take(told.recv(_DATAGRAM))

        asyncio.get_running_loop().add_reader(told.fileno(), read)

    def _publish(self) -> None:
        self._places.publish(self._nginx.generation + 1)

    async def _keep_up(self) -> None:
        """Give nginx what is new, a moment after it came."""
        while True:
            await self._changes.wait()
            await asyncio.sleep(_SOON)
            self._changes.clear()
            try:
                await self.reload()
            except (Problem, OSError) as failure:
                log.error("nginx goes on with what it had: %s", cause_of(failure))

    async def _keep_names(self) -> None:
        while True:
            await asyncio.sleep(_NAMES)
            if await self._places.renew():
                self._changes.set()
