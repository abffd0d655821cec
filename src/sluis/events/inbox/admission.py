"""What may be taken in: what is the bringer's own, and what a contract of this organisation covers."""

import asyncio
from collections.abc import Sequence
from math import inf

import msgspec

from sluis.crypto import KeyStore
from sluis.events.cloudevent import check_fits
from sluis.events.inbox import rules
from sluis.events.inbox.model import Came, Item
from sluis.events.interests import Registrar
from sluis.events.records import SIGNAL, Ground
from sluis.gateway import Agreed
from sluis.grounds import OfferedNotice, Withhold
from sluis.kernel import Invalid, PeerId, Refused

_STAND = 300.0  # seconds that what a source offers is not asked again
_AGAIN = 1.0  # seconds, when it does not have what is looked for

Resting = tuple[Ground, str]
"""What an event rests on, and what it is called."""


class _Agreed(msgspec.Struct, frozen=True):
    """What the signal of a standing question rests on here: the contract under which the question stands."""

    activity: str
    withhold: Withhold | None = None


class Admission:
    """Says what may be taken in. For one event loop.

    Args:
        keys: make the digests by which events are known.
        registrar: asks sources what they offer.
        agreed: the purposes under which this organisation may reach others.
    """

    def __init__(self, keys: KeyStore, registrar: Registrar, agreed: Agreed) -> None:
        self._keys, self._registrar, self._agreed = keys, registrar, agreed
        self._offers: dict[PeerId, tuple[float, dict[str, OfferedNotice]]] = {}

    async def items(self, peer: PeerId, some: Sequence[Came]) -> list[Item]:
        """What these rest on. Raises `Refused` when one of them may not be taken in, `Invalid` when one could not go on from here,
        and `Upstream` when the source cannot say what it offers."""
        found = await self._looked_at(peer, some)
        for one in found:
            if not isinstance(one, Item):
                raise one
        return [one for one in found if isinstance(one, Item)]

    async def allowed(self, peer: PeerId, some: Sequence[Came]) -> list[Item]:
        """The same of those that may be taken in. Raises `Upstream`."""
        return [one for one in await self._looked_at(peer, some) if isinstance(one, Item)]

    async def _looked_at(self, peer: PeerId, some: Sequence[Came]) -> list[Item | Refused | Invalid]:
        resting = dict[tuple[str, bool], Resting | Refused]()  # of this request: most events rest on the same
        found = list[Item | Refused | Invalid]()
        for came in some:
            event = came.event
            key = (str(event.extensions.get("notice", "")), event.type == SIGNAL)
            try:
                rules.check_source(event, peer)
                if key not in resting:
                    resting[key] = await self._rests(peer, *key)
                found.append(self._item(peer, came, resting[key]))
            except (Refused, Invalid) as problem:
                found.append(problem)
        return found

    def _item(self, peer: PeerId, came: Came, resting: Resting | Refused) -> Item:
        event = came.event
        if isinstance(resting, Refused):
            raise resting
        if event.type == SIGNAL and event.data is not None:
            raise rules.not_agreed()
        check_fits(event)
        digest = self._keys.mac("inbox", f"{event.source}\n{event.id}".encode())
        notice = str(event.extensions.get("notice", ""))
        return Item(came, digest, *resting, None if event.subject is None else (peer, notice, event.subject))

    async def _rests(self, peer: PeerId, id: str, signal: bool) -> Resting | Refused:
        if signal:
            return self._signalled(peer, id)
        offered = await self._offered(peer, id)
        if offered is None or not self._may(peer, offered):
            return rules.not_agreed()
        return offered.notice, offered.title.nl

    def _signalled(self, peer: PeerId, id: str) -> Resting | Refused:
        """What a signal rests on: a contract that names the disclosure."""
        for one in self._agreed.purposes(peer):
            if id in {bound.id for bound in one.disclosures}:
                return _Agreed(one.activity), "antwoord gewijzigd"
        return rules.not_agreed()

    def _may(self, peer: PeerId, offered: OfferedNotice) -> bool:
        notice = offered.notice
        return any(
            one.tells(notice.activity, notice.id, offered.digest) for one in self._agreed.purposes(peer)
        )

    async def _offered(self, peer: PeerId, id: str) -> OfferedNotice | None:
        now = asyncio.get_running_loop().time()
        asked, offers = self._offers.get(peer, (-inf, {}))
        found = offers.get(id)
        stands = _STAND if found is not None and self._may(peer, found) else _AGAIN
        if now - asked >= stands:
            offers = {one.notice.id: one for one in await self._registrar.offered_by(peer)}
            self._offers[peer] = (now, offers)
        return offers.get(id)
