"""Messages over the node's API, for a program of whoever got them, with a token that was given for that: the history, and how
somebody wants to hear, in general and about a case.

Whose messages these are, follows from the token: of the person, or of whom they act for.
"""

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.handlers import HTTPRouteHandler

from sluis.contact.model import Kind, Language, Preference
from sluis.contact.parties import Doing, Party
from sluis.contact.saying import not_for_this, not_yours, too_weak
from sluis.contact.service import EVER, MOST_CASES, Contact
from sluis.contact.views import Entry, Moment
from sluis.identity.provider import MESSAGES
from sluis.kernel import reaches
from sluis.web import SignedIn

_TAGS = ["berichten"]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How somebody wants to hear.

    Args:
        kinds: by what, most wanted first; empty: as the organisation does it.
        language: absent: as the organisation does it.
        twice: whether an e-mail of which nobody knows if it left may go again; absent: it may.
    """

    kinds: tuple[Kind, ...] = ()
    language: Language | None = None
    twice: bool | None = None

    def __repr__(self) -> str:
        return "Wanted(•)"


class OfCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How somebody wants to hear about one case: what is absent, is as in general.

    Args:
        case: its reference, as it stands with messages.
        wanted: how.
    """

    case: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    wanted: Wanted

    def __repr__(self) -> str:
        return "OfCase(•)"


class Preferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody wants to hear: in general, and about cases for which they want it otherwise."""

    general: Wanted = Wanted()
    cases: Annotated[tuple[OfCase, ...], msgspec.Meta(max_length=MOST_CASES)] = ()

    def __repr__(self) -> str:
        return "Preferences(•)"


def api_routes(contact: Contact) -> list[HTTPRouteHandler]:
    """The routes of this room on the API behind the portal. `contact`: of this node."""

    async def whose(caller: object, doing: Doing, *scopes: str) -> Party:
        if not isinstance(caller, SignedIn):
            raise not_yours()
        if scopes and not {*scopes} & {*caller.scope}:
            raise not_for_this(scopes[0])
        if not reaches(caller.level, "substantial"):
            raise too_weak()
        return await contact.parties.of(caller, doing)

    @get(
        "/messages",
        summary="Berichten aan de betrokkene of het bedrijf zelf",
        tags=_TAGS,
        response_description="Nieuwste eerst, met hoe elk bericht zijn weg vond.",
    )
    async def messages(caller: object, until: Moment = EVER) -> list[Entry]:
        """Ten hoogste 200, en wat van dezelfde seconde is als het laatste. `until` geeft wat er voor dat moment was (seconden sinds
        1970): de `at` van het laatste."""
        return await contact.history(await whose(caller, "read"), until)

    @get(
        "/messages/preferences",
        summary="Hoe de betrokkene of het bedrijf wil horen",
        tags=_TAGS,
        response_description="In het algemeen, en per zaak.",
    )
    async def preferences(caller: object) -> Preferences:
        return _view((await contact.known(await whose(caller, "edit", MESSAGES))).preferences)

    @put(
        "/messages/preferences",
        summary="Kies hoe de betrokkene of het bedrijf wil horen",
        tags=_TAGS,
        response_description="Zoals het nu geldt: wat er niet bij staat, geldt niet meer.",
    )
    async def prefer(caller: object, data: Preferences) -> Preferences:
        party = await whose(caller, "edit", MESSAGES)
        await contact.prefer_all(party, _preferences(data))
        return _view((await contact.known(party)).preferences)

    return [messages, preferences, prefer]


def _preferences(data: Preferences) -> list[Preference]:
    every = [("", data.general), *((one.case, one.wanted) for one in data.cases)]
    return [Preference(one.kinds, one.language, one.twice, case) for case, one in every]


def _view(known: tuple[Preference, ...]) -> Preferences:
    found = {one.case: Wanted(one.kinds, one.language, one.twice) for one in known}
    general = found.pop("", Wanted())
    return Preferences(general, tuple(OfCase(case, one) for case, one in sorted(found.items())))
