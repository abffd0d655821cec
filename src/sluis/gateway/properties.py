"""What stands in a grant's `properties` besides the purpose (`grounds.purpose`): who agreed on it outside FSC, and where to
go when the service cannot be reached.

An external contract reference (FSC External Contract Reference 1.0.0, consultation version) names a contract on paper by
which somebody delegated: whoever signs must first have seen that contract. An alternative is ours: the service that a
provider names for when its own cannot be reached. Both sides signed either, so both know it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec

from sluis.kernel import Invalid, PeerId, convert, plain

EXTERNAL_CONNECTION: Final = "delegation.connection.external_contract_reference"
"""In connection grants."""

EXTERNAL_PUBLICATION: Final = "delegation.publication.external_contract_reference"
"""In publication grants."""

ALTERNATIVE: Final = "sluis.alternative"
"""In connection grants, and in publications to tell who wants to connect."""

EXTERNAL: Final = (EXTERNAL_CONNECTION, EXTERNAL_PUBLICATION)

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
_T = TypeVar("_T")


class ExternalContract(msgspec.Struct, frozen=True):
    """A contract outside FSC by which somebody delegated.

    Args:
        reference: where it is, or what it is called.
        delegator_id: who delegated.
        delegator_name: what they are called.
    """

    reference: _Words
    delegator_id: _Words
    delegator_name: _Words


class Alternative(msgspec.Struct, frozen=True):
    """The service to use instead: of which peer, and its name there."""

    peer_id: PeerId
    service: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$(?!\n)")]


def external_contract(properties: Mapping[str, Any] | None) -> ExternalContract | None:
    """The external contract that properties refer to; None when they refer to none, or nobody can read to which."""
    for name in EXTERNAL:
        if properties and name in properties:
            return _read(properties[name], ExternalContract)
    return None


def refers_to_external(properties: Mapping[str, Any] | None) -> bool:
    """Whether properties refer to an external contract, readably or not."""
    return any(name in (properties or {}) for name in EXTERNAL)


def logged(properties: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of properties belongs in each line of the transaction log, as it was signed."""
    return {name: properties[name] for name in EXTERNAL if properties and name in properties}


def alternative_of(properties: Mapping[str, Any] | None) -> Alternative | None:
    """The service to use instead; None when properties name none that can be read."""
    return _read(properties[ALTERNATIVE], Alternative) if properties and ALTERNATIVE in properties else None


def properties_of(
    own: Mapping[str, Any], external: tuple[str, ExternalContract] | None, alternative: Alternative | None
) -> dict[str, Any]:
    """The properties of a grant.

    Args:
        own: those that were declared as they are.
        external: an external contract, and the name that it stands under in a grant of this type.
        alternative: the service to use instead.
    """
    made = dict(own)
    if external is not None:
        made[external[0]] = plain(external[1])
    if alternative is not None:
        made[ALTERNATIVE] = plain(alternative)
    return made


def _read(value: Any, kind: type[_T]) -> _T | None:
    try:
        return convert(value, kind)
    except (msgspec.ValidationError, Invalid):
        return None
