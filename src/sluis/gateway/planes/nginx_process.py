"""nginx from the distribution as a child of this process, in a folder of its own, without privileges it does not need.

It is started again when it ends, and ends with us. A new configuration or revocation list takes effect by a reload:
requests in hand finish under the old one (nginx documentation, "Controlling nginx"). It keeps no access log, and of what
it says about errors only the part without request and client gets into ours.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import resource
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sluis.crypto import Identity, certificate_thumbprint
from sluis.gateway.planes import nginx_conf as conf
from sluis.gateway.planes.nginx_layout import Layout, Listen, Place, shown_file, shown_name
from sluis.gateway.planes.nginx_problems import no_folder, not_installed, not_up, refused
from sluis.gateway.planes.nginx_system import (
    PREFIX,
    PROGRAM,
    Said,
    end,
    end_leftover,
    found,
    link,
    short_path,
    takes_more,
    tell,
    workers_of,
    workers_user,
)
from sluis.kernel import Problem

log = logging.getLogger("sluis.gateway")

_READY = 10.0  # seconds that nginx gets to start, or to take a new configuration
_CLOSING = 0.05  # seconds; a worker's title says that it is shutting down just before it closes its sockets
_AGAIN = (0.1, 0.5, 2.0, 5.0)  # seconds before it is started again, the last of them from then on
_SOON = 2.0  # seconds in which one that is well answers
_STEADY = 30.0  # seconds after which a start counts as one that went well
_SOCKETS = (conf.DECIDE, conf.REPORT, conf.STATUS, conf.OWN, conf.COUNTS)


class Files(msgspec.Struct, frozen=True):
    """What TLS needs; files are PEM. Anchors and revocations are read again at every reload.

    Args:
        identity: what this organisation shows at the start, as a server and as a client.
        authorities: the group's anchors.
        revocations: lists of revoked certificates, one of every authority in a chain, its root included; or None.
        service_authorities: anchors of services of our own that speak TLS.
    """

    identity: Identity
    authorities: Sequence[Path]
    revocations: Path | None = None
    service_authorities: Sequence[Path] = ()


class Load(msgspec.Struct, frozen=True):
    """What nginx counts (its `stub_status`), since it started."""

    active: int
    accepted: int
    requests: int
    waiting: int


class Nginx:
    """One nginx, as a child of this process.

    Args:
        folder: of its own; made when absent, and what it needs is written there.
        files: for TLS.
        outway: where applications come in; None without outway.
        inway: where peers come in; None without inway.
        workers: worker processes; 0 for one a core.
        most_body: bytes that a request body may have; 0 for any number.
        own: whether the node itself is behind the inway.
        tls: the oldest version of TLS, `1.2` or `1.3`.
    """

    def __init__(
        self,
        folder: Path,
        files: Files,
        *,
        outway: Listen | None = None,
        inway: Listen | None = None,
        workers: int = 0,
        most_body: int = 0,
        own: bool = False,
        tls: str = "1.2",
    ) -> None:
        self._folder, self._files = folder.absolute(), files
        user = workers_user()
        self._owner = pwd.getpwnam(user).pw_uid if user else None
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self._layout = Layout(
            0, outway, inway, (), workers, files.revocations is not None, bool(files.service_authorities),
            most_body, user, own, tls, hard if 0 < hard < 65536 else 65536,
        )  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._said = Said()
        self._reloading = asyncio.Lock()
        self._own, self._own_before = "", ""

    @property
    def generation(self) -> int:
        """The number of the configuration that was written last."""
        return self._layout.generation

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def decide_socket(self) -> Path:
        """Where it asks; made ready by `prepare`, before somebody listens there."""
        return self._folder / conf.DECIDE

    @property
    def report_socket(self) -> Path:
        """Where it tells of outcomes (datagrams)."""
        return self._folder / conf.REPORT

    @property
    def own_socket(self) -> Path:
        """Where it brings requests for the node itself."""
        return self._folder / conf.OWN

    @property
    def counts(self) -> Path:
        """The pipe into which it writes what is counted."""
        return self._folder / conf.COUNTS

    def prepare(self) -> None:
        """Make the folder, and end what an earlier run may have left in it. Raises `Invalid` (`nginx-folder`)."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700 if self._owner is None else 0o710)
            if self._owner is not None:
                os.chown(self._folder, -1, pwd.getpwuid(self._owner).pw_gid)
            end_leftover(self._folder)
            for name in _SOCKETS:
                (self._folder / name).unlink(missing_ok=True)
            for left in self._folder.glob("client-*"):
                left.unlink()
        except OSError as failure:
            raise no_folder(failure) from None

    def let_in(self) -> None:
        """Let nginx, and nobody else, connect to the sockets on which it asks, tells, and brings requests."""
        for path in (self.decide_socket, self.report_socket, self.own_socket):
            if path.exists():
                path.chmod(0o600)
                if self._owner is not None:
                    os.chown(path, self._owner, -1)

    def show(self, name: str, pem: bytes) -> None:
        """Give nginx a certificate with its key, in the place of the one of that name: `shown_file` says where.

        Workers read it at each handshake, so it is theirs to read and nobody else's. Raises `OSError`.
        """
        path = self._folder / shown_file(name)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        if self._owner is not None:
            os.chown(fresh, self._owner, -1)
        fresh.replace(path)

    async def start(self, places: Sequence[Place] = ()) -> None:
        """Start it and wait until it listens.

        Raises:
            Invalid: `no-nginx` when it is not installed, `nginx-refused` when it does not take the configuration.
            Conflict: `nginx-not-up`, with what it said.
        """
        self._own = self._show_own(self._files.identity)
        await self._write(places)
        await self._spawn()
        try:
            await self._settled()
        except Problem:
            await self.stop()
            raise
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def reload(self, places: Sequence[Place] | None = None) -> None:
        """Take new places, and read anchors and revocations again; no request in hand is dropped.

        When this returns, no connection begins any more under what was before.

        Raises `Invalid` (`nginx-refused`) when it does not take them: then it goes on as it was.
        """
        async with self._reloading:
            await self._write(self._layout.places if places is None else places)
            if self._process is not None:
                before = workers_of(self._process.pid)
                # When there is none, it is being started again, with what was written.
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGHUP)
                await self._settled(before)
                await asyncio.sleep(_CLOSING)

    async def renew(self, identity: Identity, places: Sequence[Place]) -> None:
        """Show a renewed certificate: at the inway to who connects from now on, to peers where a place names it. The one
        before can still be named.

        Raises as `reload`, and `OSError`; then the inway goes on as it was.
        """
        before, self._own = self._own, self._show_own(identity)
        try:
            await self.reload(places)
        except BaseException:
            self._own = before
            raise
        if self._own_before not in ("", before, self._own):
            (self._folder / shown_file(self._own_before)).unlink(missing_ok=True)
        self._own_before = before

    async def stop(self) -> None:
        """Let requests in hand finish for a moment, then end it. May be called twice."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        process, self._process = self._process, None
        if process is not None:
            await end(process)
        if self._telling is not None:
            await self._telling
            self._telling = None
        for left in (*(self._folder / name for name in _SOCKETS), *self._folder.glob("client-*")):
            left.unlink(missing_ok=True)

    async def load(self) -> Load:
        """What it counts. Raises `OSError` when it does not answer."""
        numbers = [int(word) for word in (await self._read("/connections")).split() if word.isdigit()]
        active, accepted, _, requests, _, _, waiting = numbers
        return Load(active, accepted, requests, waiting)

    async def well(self) -> bool:
        """Whether it answers, with the configuration that it should have."""
        try:
            async with asyncio.timeout(_SOON):
                return await self._read("/generation") == str(self.generation)
        except OSError:  # `TimeoutError` is one
            return False

    async def _write(self, places: Sequence[Place]) -> None:
        """Write the next configuration, once nginx has said that it takes it."""
        number = self._layout.generation + 1
        layout = msgspec.structs.replace(
            self._layout, generation=number, places=tuple(places), identity=self._own
        )
        self._link_files()
        candidate = self._folder / "next.conf"
        candidate.write_text(conf.configuration(layout))
        test = await self._run(asyncio.subprocess.PIPE, "-t", "-q", "-c", candidate.name)
        said = (await test.communicate())[1].decode(errors="replace")
        if test.returncode:
            raise refused(PREFIX.sub("", said.strip().partition("\n")[0]))
        candidate.replace(self._folder / "nginx.conf")
        self._layout = layout

    def _show_own(self, identity: Identity) -> str:
        name = shown_name((certificate_thumbprint(identity.certificate),))
        self.show(name, identity.pem)
        return name

    def _link_files(self) -> None:
        files = self._files
        if files.revocations is not None:
            link(self._folder / conf.REVOKED, files.revocations)
        for name, sources in (
            (conf.ANCHORS, files.authorities),
            (conf.SERVICE_ANCHORS, files.service_authorities),
        ):
            (self._folder / name).write_text("\n".join(source.read_text() for source in sources))

    async def _spawn(self) -> None:
        (self._folder / conf.STATUS).unlink(missing_ok=True)
        # A pipe of our own: `wait` would else wait for the workers of a master that was killed, which have it too.
        reading, writing = os.pipe()
        try:
            self._process = await self._run(writing, "-c", "nginx.conf")
        finally:
            os.close(writing)
        self._telling = asyncio.get_running_loop().create_task(tell(reading, self._said))

    async def _run(self, said: int, *arguments: str) -> asyncio.subprocess.Process:
        program = found(PROGRAM)
        if program is None:
            raise not_installed()
        guard = shutil.which("setpriv")
        return await asyncio.create_subprocess_exec(
            *([guard, "--pdeathsig=TERM", "--"] if guard else []),  # however this process ends, nginx ends with it
            program, "-p", ".", "-e", "stderr", *arguments,
            cwd=self._folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=said,
            start_new_session=True,
        )  # fmt: skip

    async def _settled(self, before: Sequence[int] = ()) -> None:
        """Wait until workers with the newest configuration answer, and those from before take no connection more."""
        wanted = str(self._layout.generation)
        try:
            async with asyncio.timeout(_READY):
                while True:
                    with contextlib.suppress(OSError):
                        if await self._read("/generation") == wanted and not any(map(takes_more, before)):
                            return
                    if self._process is None or self._process.returncode is not None:
                        if self._telling is not None:
                            await asyncio.wait([self._telling], timeout=1)  # it reads what was said last
                        raise not_up(self._said.last)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise not_up(self._said.last) from None

    async def _read(self, path: str) -> str:
        with short_path(self._folder / conf.STATUS) as socket:
            reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return (await reader.read()).decode().partition("\r\n\r\n")[2]
        finally:
            writer.close()

    async def _watch(self) -> None:
        """Start it again whenever it ends by itself."""
        loop, times = asyncio.get_running_loop(), 0
        while (process := self._process) is not None:
            began = loop.time()
            await process.wait()
            await end(process)  # its workers may still be there
            times = 0 if loop.time() - began > _STEADY else times
            log.error("nginx ended by itself; it is started again")
            await asyncio.sleep(_AGAIN[min(times, len(_AGAIN) - 1)])
            times += 1
            try:
                await self._spawn()
            except (OSError, Problem) as failure:
                log.error("nginx could not be started: %s", type(failure).__name__)
