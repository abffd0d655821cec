"""Whether what was granted still stands, and what follows when it does not: its tokens are good no more, and its clients hear.

A grant rests on a session, and on the person still acting for whom they act. OpenID Connect Back-Channel Logout 1.0 for telling
clients; until one heard of it that is kept, also over a restart.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from sluis.identity.clients import Clients
from sluis.identity.provider.grants import Grants, SignedOut
from sluis.identity.provider.model import Grant
from sluis.identity.tokens import Tokens
from sluis.kernel import Acting, Problem, Refused
from sluis.web import SignedIn


class Present(Protocol):
    """The sessions, as far as the provider needs them."""

    def by_handle(self, handle: str) -> SignedIn | None:
        """The session of this handle; None when it is over."""


class Represents(Protocol):
    """Whether somebody may act for whom they act, as far as the provider needs to know."""

    async def read_again(self, acting: Acting) -> None:
        """Have what is too old of those concerned looked up again."""

    def refusal(self, session: str, acting: Acting) -> Refused | None:
        """Why somebody with a session (its handle) can do nothing for whom they act; None when they can."""

    async def turned_away(self, acting: Acting, client: str, refusal: Refused) -> None:
        """Put on record that a client got no code for that reason. Raises `Unkept`."""


class Endings:
    """What stands of the grants of one provider, and the end of the rest. For one event loop.

    Args:
        clients: those that are registered.
        tokens: makes what clients are told with.
        grants: what was granted.
        present: the sessions.
        representing: for whom they may act.
        counts: who was told.

    Attributes:
        to_tell: set when there is somebody to tell.
    """

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        grants: Grants,
        present: Present,
        representing: Represents,
        counts: Counter[tuple[str, str]],
    ) -> None:
        self._clients, self._tokens, self._grants = clients, tokens, grants
        self._present, self._representing, self._counts = present, representing, counts
        self.to_tell = asyncio.Event()
        self._missed = True  # sessions may have ended while this was not running
        self._tasks = set[asyncio.Task[None]]()
        self._changed = self._looking = False  # what representations rest on; whether that is being looked at

    @property
    def tells(self) -> bool:
        """Whether there is a client that is told of sign-outs."""
        return any(client.sign_out_call for client in self._clients.all)

    def good(self, jti: str) -> Grant | None:
        """The grant of a person's token, while it stands, their session is alive, and they may act for whom they do."""
        grant = self._grants.of(jti)
        if grant is None or not self._is_alive(grant.session):
            return None
        return grant if self._representing.refusal(grant.session, grant.acting) is None else None

    def ended(self, signed_in: SignedIn) -> None:
        """A session is over (`Sessions.on_end`): its tokens are good no more, and its clients are told."""
        task = asyncio.get_running_loop().create_task(self._end(signed_in.session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def look_again(self) -> None:
        """What representations rest on has changed (`People.on_change`): who acts for nobody any more is signed out of what
        they were signed in to for them. Changes that come while it looks are looked at together: anybody can make many."""
        self._changed = True
        if not self._looking:
            self._looking = True
            task = asyncio.get_running_loop().create_task(self._look())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def tidy(self) -> None:
        """Let go of what is over, and tell of sessions that ended while nobody looked. To be called every minute, and at
        start. Raises `Unkept`."""
        if self._missed:
            self._missed = False
            for session in await asyncio.to_thread(self._grants.sessions):
                if not self._is_alive(session):
                    await self._end(session)
        await self._end_who_act_for_nobody()
        await self._grants.sweep(self._is_alive)
        await self._clients.tidy()

    async def _look(self) -> None:
        try:
            while self._changed:
                self._changed = False
                await self._end_who_act_for_nobody()
        finally:
            self._looking = False

    async def _end_who_act_for_nobody(self) -> None:
        for session in await asyncio.to_thread(self._grants.sessions):
            signed_in = self._present.by_handle(session)
            if signed_in is not None and signed_in.acting.entity is not None:
                await self._representing.read_again(signed_in.acting)
                alive = self._is_alive(session)  # still
                if alive and self._representing.refusal(session, signed_in.acting) is not None:
                    await self._end(session)

    async def tell(self, send: Callable[[str, str], Awaitable[bool]]) -> int:
        """Tell clients of sign-outs (OpenID Connect Back-Channel Logout 1.0, 2.5); how many are still to be told.

        Args:
            send: posts a logout token (second) to an address (first); awaited; gives whether it was taken.
        """
        failed = set[str]()
        while found := [one for one in await asyncio.to_thread(self._grants.to_tell) if one.id not in failed]:
            taken = await asyncio.gather(*(self._tell(one, send) for one in found))
            failed |= {one.id for one, took in zip(found, taken, strict=True) if not took}
        return len(failed)

    async def _tell(self, one: SignedOut, send: Callable[[str, str], Awaitable[bool]]) -> bool:
        client = self._clients.get(one.client)
        if client is not None and client.sign_out_call is not None:
            token = self._tokens.logout(one.subject, client=client.id, session=one.session)
            taken = await send(client.sign_out_call, token)
            self._counts["sign-out", "told" if taken else "failed"] += 1
            if not taken:
                return False
        await self._grants.told(one.id)
        return True

    def _is_alive(self, session: str) -> bool:
        return self._present.by_handle(session) is not None

    async def _end(self, session: str) -> None:
        def told(grant: Grant) -> tuple[str, str] | None:
            client = self._clients.get(grant.asked.client)
            if client is None or client.sign_out_call is None:
                return None
            sector = client.sector
            return self._tokens.pairwise(sector, grant.acting), self._tokens.session_name(sector, session)

        try:
            await self._grants.end(session, told)
        except Problem:  # `tidy` comes back to it
            self._missed = True
            return
        self.to_tell.set()
