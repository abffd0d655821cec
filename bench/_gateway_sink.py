"""A service that takes a body of any size, keeps nothing of it, and answers when it is whole.

python bench/_gateway_sink.py PORT
"""

import asyncio
import sys

import uvloop

from _servers import HOST

_BUFFER = bytearray(1 << 20)


class Sink(asyncio.BufferedProtocol):
    """One connection, one request with Content-Length."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._head, self._left = b"", -1

    def get_buffer(self, hint: int) -> bytearray:
        return _BUFFER

    def buffer_updated(self, size: int) -> None:
        if self._left >= 0:
            self._left -= size
        else:
            self._head += _BUFFER[:size]
            head, ended, body = self._head.partition(b"\r\n\r\n")
            if ended:
                [length] = (
                    line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                self._left = int(length) - len(body)
        if self._left == 0:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")  # type: ignore[attr-defined]
            self._transport.close()


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
