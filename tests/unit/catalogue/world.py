"""The API of a node with a catalogue, called without sockets."""

import os
import pwd
from pathlib import Path
from typing import Any

from tests.unit.catalogue.examples import FULL, GROUNDS, OF, OWN, SERVICE, whole
from tests.unit.web.conftest import ABOUT, Reply, calling

from sluis.catalogue import (
    Catalogue,
    Description,
    Finder,
    Harvester,
    harvest_routes,
    official_routes,
    routes,
    search_routes,
)
from sluis.kernel import Refused
from sluis.web import Access, Person, make_api


class Node:
    """A node whose services a test may change, and whether its gate allows anything; it has no catalogue when `without` says
    so."""

    def __init__(
        self,
        folder: Path,
        *said: Description,
        without: bool = False,
        harvester: Harvester | None = None,
        searching: Any = None,
        **more: object,
    ) -> None:
        self.services, self.allows = {SERVICE, "api"}, False
        self.catalogue = Catalogue(
            whole(**more), said or FULL, GROUNDS, lambda: self.services, SERVICE, OF, folder
        )
        shown = None if without else self.catalogue
        user = pwd.getpwuid(os.getuid()).pw_name
        access = Access([], {user: Person(user, "p-1")}.get)
        harvests = harvest_routes(harvester, self, OWN)  # type: ignore[arg-type]
        open_to_all = [*routes(shown), *search_routes(Finder(shown, searching or harvester))]
        self.call = calling(make_api([*open_to_all, *official_routes(shown), *harvests], access, ABOUT))

    async def require(self, person: Person, action: str, resource: Any, refusal: Refused) -> None:
        """As the gate does."""
        if not self.allows:
            raise refusal

    async def get(self, path: str = "", accept: str = "", tag: str = "", **more: Any) -> Reply:
        given = {"accept": accept, "if-none-match": tag}
        headers = {name: value for name, value in given.items() if value}
        return await self.call("GET", f"/v1/catalogue{path}", None, headers, **more)

    async def own(self) -> Any:
        """What the organisation's own people see."""
        reply = await self.get("/entries", extensions={"sluis.local": {"uid": os.getuid()}})
        return reply.json
