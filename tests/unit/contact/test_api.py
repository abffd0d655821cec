"""A program of the person reads their messages over the node's API, with a token that was given for that; nobody else does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.contact.world import Fake, World, scenario
from tests.unit.web.conftest import ABOUT, Caller, calling

from sluis.contact import api_routes, service
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

    async def read(self, query: str = "", **signed_in: Any) -> Any:
        given = {
            "acting": Acting(self.person),
            "audience": "citizen",
            "level": "substantial",
            "scope": (OWN_LOG,),
        }
        self.tokens["t"] = SignedIn(
            **{"session": "s", "acr": "-", "method": "digid", "at": 0, **given, **signed_in}
        )
        return await self.call("GET", f"/v1/messages{query}", None, {"authorization": "Bearer t"})


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


@pytest.mark.parametrize("most", [1, 2])
async def test_a_history_goes_on_where_a_page_ended_and_misses_nothing_of_one_second(
    node: Node, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(service, "SHOWN", most)
    for number in range(4):
        node.clock.later(number % 2)
        await node.happens(id=f"more-{number}", facts={"uitkomst": "x", "kenmerk": f"Z-{number}"})
    found, until = list[str](), ""
    while page := (await node.read(query=until)).json:
        found += [one["case"] for one in page]
        until = f"?until={page[-1]['at']}"
    assert sorted(found) == ["Z-0", "Z-1", "Z-1", "Z-2", "Z-3"]
    assert (await node.read(query="?until=-1")).status == 400
