"""Passkeys of staff as the operator sees and revokes them, over HTTP on the node's own socket.

For who lost a device and cannot sign in, or has left. It takes who may look at access, or change it (role `access-admin`). A
name stands in the body and never in an address.
"""

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.passkeys.model import Passkey, State
from sluis.identity.passkeys.records import trace_of
from sluis.identity.passkeys.service import Passkeys
from sluis.identity.sessions import Sessions
from sluis.kernel import Level, NotFound, PeerId, Refused, Text
from sluis.policy import ACCESS, ASK_FOR_ROLE, CHANGE_ACCESS, READ_ACCESS, Resource, takes_role
from sluis.web import Gate, Person

_TAGS = ["passkeys"]


class Whose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of whom, and which.

    Attributes:
        person: name in the settings.
        passkey: the one that is meant; absent for all of them.
    """

    person: str
    passkey: str | None = None


class PasskeyView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A passkey, without what identifies the device. Times in seconds since the epoch.

    Attributes:
        passkey: by what it is known here and in the log (`urn:sluis:passkey:…`).
        name: as its owner calls it.
        state: whether it works.
        level: that its owner had when it was made.
        travels: whether it may be copied to other devices of its owner.
        made: when.
        confirmed: when its owner last signed in in another way.
        used: when it last signed in; absent: never.
    """

    passkey: str
    name: str
    state: State
    level: Level
    travels: bool
    made: int
    confirmed: int
    used: int | None = None


def desk_routes(passkeys: Passkeys, sessions: Sessions, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes of the operator.

    Args:
        passkeys: of this node's staff.
        sessions: end where a passkey is revoked.
        gate: asks who may.
        own: this node.
    """

    async def may(person: Person, action: str) -> None:
        await gate.require(person, action, Resource(ACCESS, str.__str__(own)), _not_yours())

    @post(
        "/passkeys/searches",
        status_code=200,
        summary="Passkeys van een medewerker",
        tags=_TAGS,
        response_description="Oudste eerst, ook die niet meer werken.",
    )
    async def search(person: Person, data: Whose) -> list[PasskeyView]:
        await may(person, READ_ACCESS)
        return [_view(one) for one in _found(passkeys, data)]

    @post(
        "/passkeys/revocations",
        status_code=201,
        summary="Trek passkeys van een medewerker in, en beëindig diens sessies",
        tags=_TAGS,
        response_description="De passkeys zoals zij nu zijn.",
    )
    async def revoke(person: Person, data: Whose) -> list[PasskeyView]:
        await may(person, CHANGE_ACCESS)
        owner = passkeys.owner(data.person)
        for one in _found(passkeys, data):
            await passkeys.revoke(owner, one.id, by=passkeys.owner(person.person))
        await sessions.end_all(owner)  # whoever has the device may be signed in with it
        return [_view(one) for one in _found(passkeys, data)]

    return [search, revoke]


def _found(passkeys: Passkeys, data: Whose) -> list[Passkey]:
    kept = passkeys.of(passkeys.owner(data.person))
    found = [one for one in kept if data.passkey in (None, trace_of(one.id))]
    if not found:
        raise _none()
    return found


def _view(one: Passkey) -> PasskeyView:
    return PasskeyView(
        trace_of(one.id), one.name, one.state, one.level, one.travels, one.made, one.confirmed, one.used
    )


def _none() -> NotFound:
    return NotFound(
        "no-passkeys",
        Text("Deze passkey is er niet.", "There is no such passkey."),
        Text(
            "Deze medewerker maakte er geen, of niet deze.",
            "This member of staff made none, or not this one.",
        ),
        Text(
            "Geef de naam onder `people` in node.toml, en het nummer uit de lijst.",
            "Give the name under `people` in node.toml, and the number out of the list.",
        ),
    )


def _not_yours() -> Refused:
    return Refused(
        "passkeys-not-yours",
        Text("U mag niets doen met passkeys van anderen.", "You may do nothing about passkeys of others."),
        takes_role("access-admin"),
        ASK_FOR_ROLE,
    )
