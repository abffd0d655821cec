"""The API of a node with a catalogue, called without sockets."""

import os
import pwd
from pathlib import Path
from typing import Any

from tests.unit.catalogue.examples import FULL, GROUNDS, OF, SERVICE, whole
from tests.unit.web.conftest import ABOUT, Reply, calling

from sluis.catalogue import Catalogue, Description, official_routes, routes
from sluis.web import Access, Person, make_api


class Node:
    """A node whose services a test may change; it has no catalogue when `without` says so."""

    def __init__(self, folder: Path, *said: Description, without: bool = False, **more: object) -> None:
        self.services = {SERVICE, "api"}
        self.catalogue = Catalogue(
            whole(**more), said or FULL, GROUNDS, lambda: self.services, SERVICE, OF, folder
        )
        shown = None if without else self.catalogue
        user = pwd.getpwuid(os.getuid()).pw_name
        access = Access([], {user: Person(user, "p-1")}.get)
        self.call = calling(make_api([*routes(shown), *official_routes(shown)], access, ABOUT))

    async def get(self, path: str = "", accept: str = "", tag: str = "", **more: Any) -> Reply:
        given = {"accept": accept, "if-none-match": tag}
        headers = {name: value for name, value in given.items() if value}
        return await self.call("GET", f"/v1/catalogue{path}", None, headers, **more)

    async def own(self) -> Any:
        """What the organisation's own people see."""
        reply = await self.get("/entries", extensions={"sluis.local": {"uid": os.getuid()}})
        return reply.json
