"""A message box that is nobody's: the API that `sluis.contact.channels.box` speaks, in memory, for demo and tests.

Who it is told of as having no box, has none; who reads a message there, is told of too.
"""

from collections.abc import Collection
from hmac import compare_digest
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath

_MOST = 1024 * 1024  # bytes of a message


class Put(msgspec.Struct, frozen=True, rename="camel"):
    """A message as it is put in a box; the names of the API."""

    bericht_id: str
    onderwerp: str
    inhoud: str
    taal: str
    afzender: str
    bsn: str = ""
    kvk: str = ""
    rsin: str = ""

    @property
    def whose(self) -> str:
        """The number of whoever it is for; empty when that is not one."""
        found = [one for one in (self.bsn, self.kvk, self.rsin) if one]
        return found[0] if len(found) == 1 else ""


class MessageBox:
    """All boxes, as an ASGI app.

    Args:
        token: who may put messages there.
        without: numbers of people and companies who have no box.

    Attributes:
        messages: by their number.
        read: numbers of those that were read.
    """

    def __init__(self, token: str, without: Collection[str] = ()) -> None:
        self._token, self.without = token, set(without)
        self.messages: dict[str, Put] = {}
        self.read: set[str] = set()
        self.framework = Litestar(
            route_handlers=self._routes(),
            request_max_body_size=_MOST,
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.framework(scope, receive, send)

    def of(self, number: str) -> list[Put]:
        """The messages in the box of a number, oldest first."""
        return [one for one in list(self.messages.values()) if one.whose == number]

    def _routes(self) -> list[Any]:
        @post("/berichten")
        async def put(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
            if not self._known(request):
                return _answer(401, code="onbekend")
            try:
                message = msgspec.json.decode(await request.body(), type=Put)
            except msgspec.MsgspecError:
                return _answer(400, code="onleesbaar")
            if not message.whose:
                return _answer(400, code="onleesbaar")
            if message.whose in self.without:
                return _answer(404, code="geen-berichtenbox")
            there = self.messages.setdefault(message.bericht_id, message)
            if there != message:
                return _answer(409, code="ander-bericht")
            return _answer(201, id=message.bericht_id, status="afgeleverd")

        @get("/berichten/{number:str}")
        async def status(request: Request[Any, Any, Any], number: FromPath[str]) -> Response[dict[str, str]]:
            if not self._known(request):
                return _answer(401, code="onbekend")
            if number not in self.messages:
                return _answer(404, code="onbekend-bericht")
            return _answer(200, id=number, status="gelezen" if number in self.read else "afgeleverd")

        return [put, status]

    def _known(self, request: Request[Any, Any, Any]) -> bool:
        return compare_digest(request.headers.get("authorization", ""), f"Bearer {self._token}")


def _answer(status: int, /, **members: str) -> Response[dict[str, str]]:
    return Response(members, status_code=status, media_type="application/json")
