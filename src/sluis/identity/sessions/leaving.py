"""Signing out: the session here, the one at the provider that somebody signed in with, and back to where it was asked.

OpenID Connect RP-Initiated Logout 1.0, on both sides: a portal may ask it of this node, and this node asks it of others. Where
a browser is to end waits meanwhile in memory, for that browser alone; after a restart it ends on the page of this node.
"""

from collections.abc import Awaitable, Callable, Sequence

from sluis.identity.sessions.model import Established
from sluis.identity.sessions.service import Sessions
from sluis.identity.waiting import Waiting
from sluis.kernel import Clock, utc_now
from sluis.web import SignedIn

Farewell = Callable[[Established, str], Awaitable[str | None]]
"""Where a browser goes to end the session at another provider as well, which sends it back to `/sign-out` with this `state`;
None when there is nothing to end."""

LASTS = 600
"""Seconds that a browser may be away."""


class Leaving:
    """The end of a session that somebody ends themselves.

    Args:
        sessions: of this node.
        farewells: of the ways of signing in that have sessions of their own elsewhere.
        clock: the time.
    """

    def __init__(
        self, sessions: Sessions, farewells: Sequence[Farewell] = (), clock: Clock = utc_now
    ) -> None:
        self._sessions, self._farewells = sessions, tuple(farewells)
        self._waiting: Waiting[str] = Waiting(LASTS, clock)

    def remember(self, signed_in: SignedIn, browser: str, after: str) -> str:
        """Have a browser end somewhere; gives the `state` that it comes back with.

        Args:
            signed_in: who is asked first, or signs out.
            browser: its secret.
            after: an address that was compared with what is registered.
        """
        return self._waiting.put(browser, after, signed_in.acting.person)

    def back(self, browser: str, state: str) -> str | None:
        """Where a browser that came back is to end: once. None: nowhere in particular."""
        return self._waiting.take(state, browser) or None

    async def end(self, signed_in: SignedIn, browser: str, after: str = "") -> str:
        """End a session, durably; gives where the browser goes now. Raises `Unkept`.

        Args:
            signed_in: whose session.
            browser: its secret.
            after: where it is to end; empty: on this node's own page.
        """
        established = self._sessions.established(signed_in.session)
        await self._sessions.end(signed_in.session)
        state = self.remember(signed_in, browser, after)
        for farewell in self._farewells:
            if elsewhere := await farewell(established, state):
                return elsewhere
        return self.back(browser, state) or "/sign-out"
