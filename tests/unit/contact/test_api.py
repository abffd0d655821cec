"""A program of the person reads their messages over the node's API, with a token that was given for that; nobody else does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.contact.world import Fake, World, scenario
from tests.unit.web.conftest import ABOUT, Caller, calling

from sluis.contact import api_routes
from sluis.identity.provider import OWN_LOG
from sluis.kernel import Acting
from sluis.serve.citizen import ReadingAccess
from sluis.web import SignedIn, make_api


class Node(World):
    """An API with the messages of people, whose tokens are what a test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"box": Fake("box")}, scenario("box"))
        self.tokens: dict[str, SignedIn] = {}
        self.call: Caller = calling(make_api(api_routes(self.contact), ReadingAccess(self), ABOUT))

    def by_cookie(self, secret: str) -> SignedIn | None:
        return None

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return self.tokens.get(token)

    async def read(self, **signed_in: Any) -> Any:
        given = {
            "acting": Acting(self.person),
            "audience": "citizen",
            "level": "substantial",
            "scope": (OWN_LOG,),
        }
        self.tokens["t"] = SignedIn(
            **{"session": "s", "acr": "-", "method": "digid", "at": 0, **given, **signed_in}
        )
        return await self.call("GET", "/v1/messages", None, {"authorization": "Bearer t"})


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    await made.happens()
    await made.settle()
    yield made
    made.store.close()


async def test_a_person_reads_their_own_messages(node: Node) -> None:
    reply = await node.read()
    assert reply.status == 200
    assert [(one["subject"], one["state"]) for one in reply.json] == [("Er is een besluit", "reached")]


async def test_another_person_reads_none_of_them(node: Node) -> None:
    assert (await node.read(acting=Acting("iemand anders"))).json == []


@pytest.mark.parametrize(
    "other",
    [{"scope": ("openid",)}, {"level": "low"}, {"level": None}, {"audience": "staff", "scope": ("api",)}],
)
async def test_who_has_no_right_to_it_reads_nothing(node: Node, other: dict[str, Any]) -> None:
    assert (await node.read(**other)).status == 403
