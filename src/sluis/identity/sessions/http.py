"""What every way of signing in ends with: a session, its secret in the browser, and on to where somebody was going.

OWASP ASVS 5.0, 7.2.4: whoever was there before, the secret is a new one.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Request, Response

from sluis.identity.people import Choice
from sluis.identity.sessions.model import Established
from sluis.identity.sessions.service import Sessions
from sluis.web import SignedIn, hand_out, held_secret, local_path, redirect

log = logging.getLogger("sluis.identity")

Finish = Callable[[Established, Request[Any, Any, Any], str], Awaitable[Response[Any]]]
"""What every way of signing in ends with, as `SigningIn.finish`: who signed in, their last request, and the local path to go
on to."""

Choices = Callable[[SignedIn], Awaitable[Sequence[Choice]]]
"""For whom somebody may act, themselves among them where that makes sense. Of one there is nothing to choose, and of none
it is clear already."""


class SigningIn:
    """The end of every way of signing in.

    Args:
        sessions: where they are begun.
        choices: for whom somebody may act.
    """

    def __init__(self, sessions: Sessions, choices: Choices) -> None:
        self._sessions, self._choices = sessions, choices

    async def finish(
        self, established: Established, request: Request[Any, Any, Any], onward: str = "/"
    ) -> Response[Any]:
        """Begin a session, and go on.

        Args:
            established: what the way of signing in found out.
            request: its last request, from the browser of that person.
            onward: the local path that was being gone to, as the way was given it (`next`).

        Returns a redirect with the cookie. Raises `Unkept`.
        """
        secret, signed_in = await self._sessions.begin(established, replaces=held_secret(request))
        target = local_path(onward)
        log.info("signed in with %s at level %s", established.method, established.level or "-")
        choices = [] if established.entity is not None else await self._choices(signed_in)
        if len(choices) > 1:
            return hand_out(redirect("/choose", next=target), secret)
        for only in (one for one in choices if one.entity is not None):
            secret, _ = await self._sessions.act_for(
                signed_in.session, only.entity, only.name, only.intermediary
            )
        return hand_out(redirect(target), secret)

    async def choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        """For whom somebody may act."""
        return await self._choices(signed_in)
