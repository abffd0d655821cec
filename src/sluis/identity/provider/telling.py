"""Telling portals that somebody signed out (OpenID Connect Back-Channel Logout 1.0, 2.5): at once, and again until they
have it."""

import asyncio
import ssl
from contextlib import suppress
from functools import partial

from sluis.identity.provider.ending import Endings
from sluis.kernel import Unkept
from sluis.web import EVERYWHERE, Outgoing, Unreached

_AGAIN = 60.0  # seconds
_PATIENCE = 10.0  # seconds for one portal, all of it


async def tell_of_sign_outs(endings: Endings, context: ssl.SSLContext) -> None:
    """Tell of every sign-out, until this is cancelled. Only addresses that the settings name are called.

    Args:
        endings: know whom to tell.
        context: whose certificates are trusted.
    """
    async with Outgoing(context, EVERYWHERE, plain=True) as web:
        while True:
            endings.to_tell.clear()
            with suppress(Unkept):  # what was told and not noted is told again
                await endings.tell(partial(_post, web))
            with suppress(TimeoutError):
                await asyncio.wait_for(endings.to_tell.wait(), _AGAIN)


async def _post(web: Outgoing, address: str, token: str) -> bool:
    """Only how the answer begins is looked at: what else comes could be without end."""
    try:
        answer = await web.call("POST", address, {"logout_token": token}, seconds=_PATIENCE, most=0)
    except Unreached:
        return False
    return 200 <= answer.status < 300
