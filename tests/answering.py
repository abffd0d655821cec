"""A server on loopback that answers whatever a test has it answer, also what no server should."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Writer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(context: ssl.SSLContext | None, write: Writer) -> AsyncIterator[str]:
    """A server that does this with every request, and then closes; gives its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await write(writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"{'https' if context else 'http'}://localhost:{server.sockets[0].getsockname()[1]}/"


def bytes_of(raw: bytes) -> Writer:
    """Answers these bytes."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return write


def head(*lines: str) -> bytes:
    """The head of an answer after which the connection closes."""
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "connection: close", "", ""]).encode()
