"""Who looked at a person's data, over this node and others: put together from settings, with whom this node believes."""

from functools import partial
from pathlib import Path
from typing import Any

from sluis.config import Config
from sluis.crypto import Jwk, Keys, read_jwks
from sluis.grounds import Grounds
from sluis.identity.looked import ASSERTED, Asserting, Organisation, Trust, Trusted, WhoLooked, audience_of
from sluis.identity.tokens import Tokens
from sluis.kernel import Acting, Invalid, PeerId, Place, Text
from sluis.ledger import Ledger
from sluis.serve.elsewhere import Logs
from sluis.store import Store, open_once
from sluis.web import SignedIn


class Looking:
    """What this node does for who wants to know who looked at their data.

    Attributes:
        over: makes overviews.
        trusted: believes assertions of others' providers.
        logs: the way to the logs of others.
    """

    def __init__(self, over: WhoLooked, trusted: Trusted, tokens: Tokens, logs: Logs) -> None:
        self.over, self.trusted, self._tokens, self.logs = over, trusted, tokens, logs

    def keys(self) -> dict[str, Any]:
        """The key set of this node (RFC 7517)."""
        return self._tokens.jwks()

    def asserting(self, person: SignedIn, whom: tuple[str, str]) -> Asserting | None:
        """What makes assertions about whom somebody acts for; None when that is under a number that others are not told.

        Args:
            person: who is signed in, and how surely.
            whom: type and value of the number.
        """
        if whom[0] not in ASSERTED:
            return None
        return partial(self._assertion, person.acting, person.acr, person.at, whom)

    async def asserted(
        self, acting: Acting, acr: str, at: int, whom: tuple[str, str], peer: PeerId, purpose: str
    ) -> str:
        """What this node's sign-in provider says of somebody to one organisation, for one thing; empty for a number that others are
        not told.

        Args:
            acting: who acts, and for whom.
            acr, at: how they signed in, and when.
            whom: type and value of the number.
            peer: to whom.
            purpose: what for.

        Raises `Problem` when the key of that organisation cannot be had.
        """
        if whom[0] not in ASSERTED:
            return ""
        key = await self.logs.key(peer)
        return self._assertion(acting, acr, at, whom, audience_of(peer), key, purpose)

    def _assertion(
        self,
        acting: Acting,
        acr: str,
        at: int,
        whom: tuple[str, str],
        audience: str,
        reader: Jwk,
        purpose: str | None = None,
    ) -> str:
        kind, value = whom
        return self._tokens.assertion(
            acting,
            audience,
            acr=acr,
            at=at,
            identifier=(ASSERTED[kind], value),
            reader=reader,
            purpose=purpose,
        )


def looking_of(
    config: Config,
    grounds: Grounds,
    store: Store,
    tokens: Tokens | None,
    ledger: Ledger,
    logs: Logs,
) -> Looking | None:
    """These rooms, from a node's settings; None when nobody signs in here and nobody elsewhere is believed. Blocks.

    Raises `Problem`: an unreadable key set, or a full disk.
    """
    if tokens is None:
        return None
    trusts = [Trust(one.issuer, _key_set(one.keys), one.level) for one in config.trust.values()]
    over = WhoLooked(Organisation(config.node.oin, config.node.name), ledger, grounds, logs)
    return Looking(over, Trusted(config.node.oin, trusts, tokens, open_once(store)), tokens, logs)


def _key_set(file: Path) -> Keys:
    try:
        return read_jwks(file.read_bytes())
    except (OSError, Invalid):
        raise Invalid(
            "unreadable-key-set",
            Text("Dit knooppunt kan niet starten.", "This node cannot start."),
            Text("De sleutels van een inlogvoorziening onder [trust] zijn niet te lezen.",
                 "The keys of a sign-in provider under [trust] cannot be read."),
            Text("Zet er de JWKS neer die zij publiceert.", "Put there the JWKS that it publishes."),
            place=Place(str(file)),
        ) from None  # fmt: skip
