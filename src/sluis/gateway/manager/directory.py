"""What the group's directory says: who is in it and where, and which services are offered (FSC Core 2.0.0, Directory).

A directory is believed about where a Manager is, and about nothing that matters: who answers there must prove who it
is, and a service is used under a contract with its own peer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from sluis.gateway.manager.client import Managers, PeerListed, ServiceListed
from sluis.gateway.peers import Group, Known, Peers, manager_address
from sluis.kernel import Invalid, PeerId, Problem

log = logging.getLogger("sluis.manager")

_REST = 1.0  # seconds between two looks for one peer; whoever asks rests longer each time
_MOST_PAGES = 1000
_LONGEST_NAME = 255
_REMEMBERED = 1024  # peers that were looked for just now


class DirectoryClient:
    """The group's directory, as this peer asks it.

    Args:
        own: this peer.
        group: whose directory.
        peers: what it says of peers goes there.
        managers: the way to it.
        near: whether peers may be on this machine (`manager_address`).
    """

    def __init__(self, own: PeerId, group: Group, peers: Peers, managers: Managers, near: bool) -> None:
        self._own, self._group, self._peers, self._managers, self._near = own, group, peers, managers, near
        self._looked: dict[PeerId, float] = {}
        self._looking: dict[PeerId, asyncio.Task[bool]] = {}

    async def locate(self, peer: PeerId) -> bool:
        """Look for another address of a peer that cannot be reached; gives whether there is one. Raises `Unkept`.

        Who asks meanwhile gets the same answer; who asks soon after gets no.
        """
        directory = self._group.directory
        if peer == directory.peer:
            return await self._peers.told(Known(peer, self._peers.name(peer), directory.address), anew=True)
        task = self._looking.get(peer)
        if task is None:
            now = asyncio.get_running_loop().time()
            if self._own == directory.peer or now - self._looked.get(peer, -_REST) < _REST:
                return False
            if len(self._looked) >= _REMEMBERED:
                self._looked = {peer: then for peer, then in self._looked.items() if now - then < _REST}
            self._looked[peer] = now
            task = self._looking[peer] = asyncio.create_task(self._look(peer))
            task.add_done_callback(lambda _: self._looking.pop(peer))
        return await asyncio.shield(task)

    async def _look(self, peer: PeerId) -> bool:
        try:
            page = await self._managers.peers(self._group.directory.peer, peer_id=str.__str__(peer))
            found = [known for one in page.peers[:10] if (known := self._known(one)) and known.id == peer]
            return await self._peers.told(found[0], anew=True) if found else False
        except Problem as problem:
            log.info("the directory does not tell where a peer is: %s", problem.code)
            return False

    async def peers(self, name: str = "") -> AsyncIterator[Known]:
        """Everyone that the directory lists whose name contains `name`. Raises `Upstream`."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = await self._managers.peers(self._group.directory.peer, peer_name=name, cursor=cursor)
            for one in page.peers:
                if known := self._known(one):
                    yield known
            cursor = page.pagination.next_cursor
            if not cursor:
                return

    async def services(self, peer: str = "", name: str = "") -> AsyncIterator[ServiceListed]:
        """Every service that the directory lists of a peer, or with a name that contains `name`; both empty for all.

        Raises `Upstream`.
        """
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = await self._managers.services(
                self._group.directory.peer, peer_id=peer, service_name=name, cursor=cursor
            )
            for one in page.services:
                yield one.data
            cursor = page.pagination.next_cursor
            if not cursor:
                return

    def _known(self, listed: PeerListed) -> Known | None:
        """What it says of a peer, when that can be."""
        try:
            address = manager_address(listed.manager_address, self._group.ports, near=self._near)
            return Known(PeerId(listed.id), listed.name[:_LONGEST_NAME], address, itself=False)
        except Invalid:
            return None
