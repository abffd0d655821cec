"""Where a print street takes letters from: a folder, here or on its server (SFTP, draft-ietf-secsh-filexfer-02 over SSH).

A file is there whole or not at all: it is written under another name and then renamed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from sluis.contact.channels.base import Failed
from sluis.store import write_durably

if TYPE_CHECKING:  # a node without such a print street does not wait for it to be imported
    from asyncssh import SFTPClient


T = TypeVar("T")


class Drop(Protocol):
    """A folder of files by name. Everything raises `Failed` (`later`) when it cannot be done."""

    async def put(self, files: dict[str, bytes]) -> None:
        """Put files there, in this order, each in the place of what it was before. The last one says that the others are whole,
        so that is taken away before they change."""

    async def names(self) -> list[str]:
        """The names of what is there."""

    async def remove(self, names: list[str]) -> None:
        """Take files away; what is not there already is no failure."""


class Folder:
    """A folder on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, files: dict[str, bytes]) -> None:
        """See `Drop.put`; durable."""

        def work() -> None:
            (self._path / [*files][-1]).unlink(missing_ok=True)
            for name, content in files.items():
                write_durably(self._path / name, content)

        await _done(work)

    async def names(self) -> list[str]:
        """See `Drop.names`."""
        return await _done(lambda: [path.name for path in self._path.iterdir()])

    async def remove(self, names: list[str]) -> None:
        """See `Drop.remove`."""

        def work() -> None:
            for name in names:
                (self._path / name).unlink(missing_ok=True)

        await _done(work)


async def _done(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError:
        raise Failed("street-closed", "later") from None


class Server(msgspec.Struct, frozen=True):
    """A folder on the server of a print street.

    Args:
        host, port, user: where, and as whom.
        key: private key to sign in with.
        known_hosts: by which the server is known; another is not spoken to.
        folder: there.
        seconds: that one visit may take.
    """

    host: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    folder: str
    seconds: float = 30.0


class Sftp:
    """A folder elsewhere; each visit is a connection."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def put(self, files: dict[str, bytes]) -> None:
        """See `Drop.put`."""
        async with self._visit() as client:
            await self._remove(client, [*files][-1])
            for name, content in files.items():
                half = f"{self._server.folder}/.{name}.part"
                async with client.open(half, "wb") as file:
                    await file.write(content)
                await client.posix_rename(half, f"{self._server.folder}/{name}")

    async def names(self) -> list[str]:
        """See `Drop.names`."""
        async with self._visit() as client:
            return [str(name) for name in await client.listdir(self._server.folder)]

    async def remove(self, names: list[str]) -> None:
        """See `Drop.remove`."""
        async with self._visit() as client:
            for name in names:
                await self._remove(client, name)

    async def _remove(self, client: "SFTPClient", name: str) -> None:
        if await client.exists(f"{self._server.folder}/{name}"):
            await client.remove(f"{self._server.folder}/{name}")

    @asynccontextmanager
    async def _visit(self) -> "AsyncIterator[SFTPClient]":
        import asyncssh

        server = self._server
        try:
            async with (
                asyncio.timeout(server.seconds),
                asyncssh.connect(
                    server.host,
                    server.port,
                    username=server.user,
                    client_keys=[str(server.key)],
                    known_hosts=str(server.known_hosts),
                    config=None,
                    agent_path=None,
                ) as connection,
                connection.start_sftp_client() as client,
            ):
                yield client
        except TimeoutError:
            raise Failed("street-late", "later") from None
        except (
            asyncssh.Error,
            OSError,
            ValueError,
        ):  # the last: a key or a list of hosts that cannot be read
            raise Failed("street-closed", "later") from None
