"""The CloudEvents Subscriptions API 0.2, for peers that come through the inway and for this organisation's own systems; and the
two addresses that recipients need: the callback of the handshake, and the keys to verify with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, PathParameter

from sluis.crypto import Peer
from sluis.events.subscriptions.faults import unfit
from sluis.events.subscriptions.model import Subscription
from sluis.events.subscriptions.rules import SubscriptionRequest
from sluis.events.subscriptions.service import Subscriptions
from sluis.kernel import PeerId, Refused, Text
from sluis.policy import CHANGE_EVENTS, EVENTS, READ_EVENTS, Resource
from sluis.web import Gate, Person

LARGEST = 256 * 1024
"""Bytes of a document: what a subscription may have in it is far less."""

_TAGS = ["gebeurtenissen"]
_ID = Annotated[str, PathParameter()]

ALLOWED, ALLOWED_ONE = "GET,POST,OPTIONS", "GET,PUT,DELETE,OPTIONS"


class SubscriptionView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A subscription as its owner sees it. Of a credential only its kind is shown."""

    id: str
    sink: str
    protocol: str
    state: str
    because: str = ""
    rate: int | None = None
    source: str | None = None
    types: Sequence[str] = ()
    filters: Sequence[Mapping[str, Any]] = ()
    config: Mapping[str, str] = {}
    protocolsettings: Mapping[str, Any] = {}
    sinkcredential: Mapping[str, str] = {}


def view(one: Subscription) -> SubscriptionView:
    """What is shown of a subscription."""
    return SubscriptionView(
        one.id, one.sink, "HTTP", one.state, one.because, one.rate, one.source, one.types, one.filters, one.asked,
        {"headers": one.headers} if one.headers else {},
        {"credentialtype": "ACCESSTOKEN"} if one.credential else {},
    )  # fmt: skip


def routes(
    subscriptions: Subscriptions,
    gate: Gate,
    own: PeerId,
    refusal: Callable[[], Refused],
    person_label: Callable[[Person], str],
) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        subscriptions: keeps them.
        gate: asks which person may: who subscribes for this organisation hears all that it is told.
        own: this node's peer, whose the subscriptions of its own systems are.
        refusal: of a person who may not.
        person_label: this node's pseudonym of a person, for the record.
    """

    async def owner(caller: Peer | Person, action: str) -> PeerId:
        """Whose subscriptions these are. Raises `Refused`."""
        if isinstance(caller, Peer):
            return caller.id
        await gate.require(caller, action, Resource(EVENTS, str.__str__(own)), refusal())
        return own

    def actor(caller: Peer | Person) -> str:
        return str.__str__(caller.id) if isinstance(caller, Peer) else person_label(caller)

    @get("/subscriptions", summary="Uw abonnementen", tags=_TAGS, response_description="De oudste eerst.")
    async def listed(caller: Peer | Person) -> list[SubscriptionView]:
        return [view(one) for one in subscriptions.of(await owner(caller, READ_EVENTS))]

    @post("/subscriptions", summary="Neem een abonnement", tags=_TAGS, request_max_body_size=LARGEST,
          response_description="Het abonnement.")  # fmt: skip
    async def create(caller: Peer | Person, data: SubscriptionRequest) -> Response[SubscriptionView]:
        made = await subscriptions.create(await owner(caller, CHANGE_EVENTS), data, actor(caller))
        return Response(view(made), status_code=201, headers={"location": f"/v1/subscriptions/{made.id}"})

    @route("/subscriptions", http_method="OPTIONS", summary="Wat hier kan", tags=_TAGS, status_code=200,
           response_description="De methoden.")  # fmt: skip
    async def features(caller: Peer | Person) -> Response[None]:
        return Response(None, headers={"allow": ALLOWED})

    @get(
        "/subscriptions/{id:str}",
        summary="Eén abonnement",
        tags=_TAGS,
        response_description="Het abonnement.",
    )
    async def one(caller: Peer | Person, id: _ID) -> SubscriptionView:
        return view(subscriptions.get(await owner(caller, READ_EVENTS), id))

    @put("/subscriptions/{id:str}", summary="Verander een abonnement", tags=_TAGS,
         request_max_body_size=LARGEST, response_description="Het abonnement.")  # fmt: skip
    async def replace(caller: Peer | Person, id: _ID, data: SubscriptionRequest) -> SubscriptionView:
        if data.id is not None and data.id != id:
            raise unfit("/id", Text("het adres noemt een ander", "the address names another"))
        whose = await owner(caller, CHANGE_EVENTS)
        return view(await subscriptions.replace(whose, id, data, actor(caller)))

    @delete("/subscriptions/{id:str}", status_code=200, summary="Beëindig een abonnement", tags=_TAGS,
            response_description="Het is beëindigd.")  # fmt: skip
    async def end(caller: Peer | Person, id: _ID) -> None:
        await subscriptions.delete(await owner(caller, CHANGE_EVENTS), id, actor(caller))

    @route("/subscriptions/{id:str}", http_method="OPTIONS", summary="Wat met een abonnement kan", tags=_TAGS,
           status_code=200, response_description="De methoden.")  # fmt: skip
    async def features_of(caller: Peer | Person, id: _ID) -> Response[None]:
        return Response(None, headers={"allow": ALLOWED_ONE})

    # The framework answers OPTIONS itself for every path where nobody did before.
    return [features, listed, create, features_of, one, replace, end]


def open_routes(
    subscriptions: Subscriptions, keys: Callable[[], Mapping[str, Any]]
) -> list[HTTPRouteHandler]:
    """The routes that are for everyone.

    Args:
        subscriptions: as above.
        keys: the set of keys by which recipients verify what this node sends.
    """

    async def confirm(id: str, secret: str, rate: str | None) -> Response[None]:
        await subscriptions.confirm(id, secret, rate)
        return Response(None, status_code=204)

    @get("/events/permissions/{id:str}/{secret:str}", status_code=204, opt={"open": True}, tags=_TAGS,
         summary="Geef toestemming om te bezorgen", response_description="Gegeven.")  # fmt: skip
    async def permit(
        id: _ID, secret: _ID, rate: Annotated[str | None, HeaderParameter(name="WebHook-Allowed-Rate")] = None
    ) -> Response[None]:
        return await confirm(id, secret, rate)

    @post("/events/permissions/{id:str}/{secret:str}", status_code=204, opt={"open": True}, tags=_TAGS,
          summary="Geef toestemming om te bezorgen", response_description="Gegeven.")  # fmt: skip
    async def permit_too(
        id: _ID, secret: _ID, rate: Annotated[str | None, HeaderParameter(name="WebHook-Allowed-Rate")] = None
    ) -> Response[None]:
        return await confirm(id, secret, rate)

    @get("/events/keys", opt={"open": True}, tags=_TAGS, summary="Sleutels om gebeurtenissen mee te controleren",
         response_description="Een JSON Web Key Set.", media_type="application/jwk-set+json")  # fmt: skip
    async def published() -> Response[dict[str, Any]]:
        return Response(dict(keys()), headers={"cache-control": "public, max-age=3600"})

    return [permit, permit_too, published]
