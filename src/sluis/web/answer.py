"""What the API and the portal do alike around their frameworks: the headers of every answer, and how it began."""

from collections.abc import Callable, Iterable

from litestar.types import Message, Send

Headers = Iterable[tuple[bytes, bytes]]


class Sending:
    """Sends an answer with the headers that every one has, unless it says something else itself.

    Args:
        send: of ASGI.
        headers: that every answer has.
        more: gives headers that this answer has besides, once it begins.

    Attributes:
        status: of the answer; 0 until it began.
    """

    def __init__(self, send: Send, headers: Headers, more: Callable[[], Headers] = tuple) -> None:
        self._send, self._headers, self._more = send, headers, more
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            present = {name.lower() for name, _ in headers}
            headers += [one for one in self._headers if one[0] not in present]
            message["headers"] = [*headers, *self._more()]
        await self._send(message)
