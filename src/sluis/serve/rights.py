"""What people ask about their own data, put together from a node's settings: whose a request is, and what organisations say in their
catalogues that they have, is handed to it here, since it knows neither sign-in providers nor catalogues."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sluis.catalogue import Catalogue, Harvester
from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.kernel import Clock, PeerId, Refused, Text, Unidentified
from sluis.ledger import Ledger
from sluis.query import Asker, Owners
from sluis.rights import Confirmed, Inspection, Placed, Request, Rights, of_another, open_rights, request_urn
from sluis.serve.looked import Looking
from sluis.serve.names import all_names
from sluis.store import Store


class Identities:
    """Whose requests are: asserted by this node's sign-in provider where they leave, and made sure of where they come in.

    Args:
        own: this node.
        looking: makes assertions, and believes them; None where nobody signs in and nobody is believed.
    """

    def __init__(self, own: PeerId, looking: Looking | None) -> None:
        self._own, self._looking = own, looking

    async def asserted(self, request: Request) -> str:
        """The `Asserting` of this node. Somebody who asks it of this organisation itself need not be asserted to it."""
        signed, whom = request.content.signed, request.content.whom
        if self._looking is None or signed is None or request.peer == self._own:
            return ""
        return await self._looking.asserted(
            signed.acting, signed.acr, signed.at, (whom.kind, whom.value), request.peer, request_urn(request.receipt)
        )  # fmt: skip

    async def confirmed(self, peer: PeerId, placed: Placed) -> Confirmed | None:
        """The `Confirming` of this node. What is not believed is no reason to turn away somebody who has a right: the desk sees that."""
        if peer == self._own:
            return Confirmed("", placed.level, placed.placed)
        if self._looking is None or not placed.assertion:
            return None
        try:
            found = await self._looking.trusted.believed(placed.assertion, request_urn(placed.receipt))
        except (Unidentified, Refused):
            return None
        if (found.kind, found.value) != (placed.whom.kind, placed.whom.value):
            raise of_another()
        return Confirmed(found.issuer, found.level, found.at)


def rights_of(
    config: Config, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock, identities: Identities
) -> Rights:
    """This room, from a node's settings. Blocks. Raises `Problem`."""
    kept, most_open = timedelta(days=config.rights.keep_days), config.rights.open_per_organisation
    return open_rights(store, ledger, keys, clock, all_names(config), kept, most_open, identities.confirmed)


def inspection_of(
    asker: Asker, owners: Owners, catalogue: Catalogue | None, harvester: Harvester | None, clock: Clock
) -> Inspection:
    """What asks what is known about people, at whom this node can ask."""
    return Inspection(asker, owners, _Named(catalogue, harvester), clock)


class _Named:
    """What organisations say in their catalogues that they have: the `Kinds` of this node."""

    def __init__(self, catalogue: Catalogue | None, harvester: Harvester | None) -> None:
        self._catalogue, self._harvester = catalogue, harvester
        self._kept: tuple[Any, dict[str, list[tuple[str, Text]]]] = (None, {})
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> Mapping[str, Sequence[tuple[str, Text]]]:
        async with (
            self._one_at_a_time
        ):  # all that others offer is much to read: once, until something changes
            own = self._catalogue.entries() if self._catalogue is not None else ()
            now = own, self._harvester.changes if self._harvester is not None else 0
            if self._kept[0] is None or self._kept[0][0] is not own or self._kept[0][1] != now[1]:
                self._kept = now, await asyncio.to_thread(self._found)
            return self._kept[1]

    def _found(self) -> dict[str, list[tuple[str, Text]]]:
        found: dict[str, list[tuple[str, Text]]] = {}
        if self._catalogue is not None:
            own = [one for one in self._catalogue.entries() if one.published and one.kind == "dataset"]
            of = self._catalogue.of
            found[str.__str__(of.oin)] = [(one.name, one.title) for one in own if one.subject is not None]
        for harvest in self._harvester.found() if self._harvester is not None else ():
            found[str.__str__(harvest.peer)] = [
                (one.iri.rpartition("/")[2], one.title) for one in harvest.entries if one.kind == "dataset"
            ]
        return found
