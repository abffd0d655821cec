"""The page about catalogues of others: how each was read last, what was passed over, and reading them now. For officials who may see
the group (`read-group`); having it read takes who may change it (`change-group`).
"""

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.catalogue.finding import Finder
from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.model import Harvest
from sluis.catalogue.troubles import trouble_in_words
from sluis.kernel import PeerId, Refused, Text
from sluis.policy import CHANGE_GROUP, GROUP, READ_GROUP, Resource, takes_role
from sluis.web import STAFF, Form, Gate, SignedIn, page, redirect
from sluis.web import Entry as Link

PEERS_NAVIGATION = Link(
    "/catalogue/peers",
    Text("Catalogi van anderen", "Catalogues of others"),
    ("staff",),
    roles=("fsc-admin", "fsc-readonly"),
    section="node",
)
_TOO_LONG = 10.0  # seconds after which the page comes, and reading goes on


class HarvestView(msgspec.Struct, frozen=True):
    """A catalogue of another organisation, as the page shows it."""

    harvest: Harvest
    why: Text | None
    next: Text | None
    kilobytes: int


def view_of_harvest(one: Harvest) -> HarvestView:
    """What stood in the way in words, and how large it was."""
    why, then = trouble_in_words(one.trouble) if one.trouble else (None, None)
    return HarvestView(one, why, then, -(-one.size // 1000))


def peer_routes(
    harvester: Harvester | None, finder: Finder, gate: Gate, own: PeerId
) -> list[HTTPRouteHandler]:
    """The page and its button.

    Args:
        harvester: reads and keeps them; None where there is no group.
        finder: searches in what was read.
        gate: asks who may see and do this.
        own: this node.
    """
    group = Resource(GROUP, str.__str__(own))
    rounds = set[asyncio.Task[None]]()

    @get("/catalogue/peers", opt=STAFF)
    async def peers(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """How each was read."""
        await gate.require(person, READ_GROUP, group, not_yours())
        found = await asyncio.to_thread(harvester.states) if harvester else []
        return page(
            request, "catalogue/peers.html", peers=[view_of_harvest(one) for one in found], group=harvester is not None,
            reading=bool(rounds), may=CHANGES in person.roles,
        )  # fmt: skip

    @post("/catalogue/peers", opt=STAFF)
    async def read(person: SignedIn, form: Form) -> Response[bytes]:
        """Have all of them read now."""
        await gate.require(person, CHANGE_GROUP, group, not_yours())
        if harvester is not None and not rounds:
            task = asyncio.create_task(_read(harvester, finder))
            rounds.add(task)
            task.add_done_callback(rounds.discard)
        await asyncio.wait(rounds, timeout=_TOO_LONG) if rounds else None
        return redirect("/catalogue/peers")

    return [peers, read]


CHANGES = "fsc-admin"
"""The role that the button is shown to; who may press it, the decision point says."""


async def _read(harvester: Harvester, finder: Finder) -> None:
    await harvester.round()
    await finder.renew()


def not_yours() -> Refused:
    """Who may not see how catalogues of others are read, or have it done."""
    return Refused(
        "harvests-not-yours",
        Text("U mag niet zien hoe catalogi van anderen gelezen worden.", "You may not see how catalogues of others are read."),
        takes_role(CHANGES, looks=["fsc-readonly"]),
        Text("Zoeken in de catalogus mag iedereen.", "Anybody may search the catalogue."),
        rule="catalogue-harvesters",
    )  # fmt: skip
