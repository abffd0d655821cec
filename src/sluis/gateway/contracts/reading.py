"""From what a peer sent to `Content`: strict JSON, the shapes of FSC Core 2.0.0, bounds, and hashes.

Whether a contract may be taken at all, `rules` says. Members that are not known are left where they stand: they count
in the hashes, and go along when the content is sent on. A member that is known elsewhere and means nothing where it
stands (a delegator of a grant that is not delegated) is refused, because another reader may take it for something.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sluis.crypto import canonical, read_json
from sluis.gateway.contracts.hashes import ALGORITHM, check_version, content_hash, grant_hash
from sluis.gateway.contracts.model import Content, Grant, OutwayId, Protocol
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.kernel import Invalid, PeerId, Text, convert, decode

MAX_CONTENT = 2 * 2**20
"""Bytes of a contract's content."""

MAX_BODY = MAX_CONTENT + 128 * 1024
"""Bytes of a request that carries a content and a signature."""

MAX_PROPERTIES = 2**20
"""Bytes of the properties of one grant, canonical (Core 2.0.0, Properties: 1 MB is recommended)."""

MAX_GRANTS = 100

LATEST = 253_402_300_799
"""Seconds since the epoch: the end of the year 9999, the last moment that a date can be written of."""

Moment = Annotated[int, Meta(ge=0, le=LATEST)]
"""Seconds since the epoch, as a peer may write them."""

_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

_PeerNumber = Annotated[str, Meta(pattern=r"\A[0-9]{20}\Z")]
_ServiceName = Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9._-]{1,100}\Z")]
_DomainName = Annotated[str, Meta(pattern=rf"\A(?i:{_LABEL}(\.{_LABEL})*)\Z", max_length=253)]
_Uuid = Annotated[str, Meta(pattern=r"\A(?i:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})\Z")]


class _Peer(msgspec.Struct):
    peer_id: _PeerNumber


class _Published(msgspec.Struct):
    peer_id: _PeerNumber
    name: _ServiceName
    protocol: Protocol


class _Service(msgspec.Struct):
    type: Literal["SERVICE_TYPE_SERVICE", "SERVICE_TYPE_DELEGATED_SERVICE"]
    peer_id: _PeerNumber
    name: _ServiceName
    delegator: _Peer | UnsetType = UNSET


class _Identification(msgspec.Struct):
    type: Literal[
        "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME"
    ]
    public_key_thumbprint: str | UnsetType = UNSET
    domain_name: _DomainName | UnsetType = UNSET


class _Outway(msgspec.Struct):
    peer_id: _PeerNumber
    identification: _Identification


class _Any(msgspec.Struct, tag_field="type", kw_only=True):
    properties: dict[str, Any] | UnsetType = UNSET
    delegator: _Peer | UnsetType = UNSET


class _Publication(_Any, tag="GRANT_TYPE_SERVICE_PUBLICATION"):
    directory: _Peer
    service: _Published


class _DelegatedPublication(_Any, tag="GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"):
    directory: _Peer
    service: _Published


class _Connection(_Any, tag="GRANT_TYPE_SERVICE_CONNECTION"):
    outway: _Outway
    service: _Service


class _DelegatedConnection(_Any, tag="GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"):
    outway: _Outway
    service: _Service


_Data = _Publication | _DelegatedPublication | _Connection | _DelegatedConnection


class _Grant(msgspec.Struct):
    data: _Data


class _Validity(msgspec.Struct):
    not_before: Moment
    not_after: Moment


class _Content(msgspec.Struct):
    iv: _Uuid
    group_id: Annotated[str, Meta(max_length=255)]
    validity: _Validity
    grants: Annotated[list[_Grant], Meta(min_length=1, max_length=MAX_GRANTS)]
    created_at: Moment


class _Body(msgspec.Struct):
    signature: str
    content: msgspec.Raw = msgspec.Raw()
    contract_content: msgspec.Raw = msgspec.Raw()


class Submission(msgspec.Struct, frozen=True):
    """A content and a signature on it, as a peer sends them. The signature was not looked at."""

    content: Content
    signature: str


def read_submission(body: bytes) -> Submission:
    """What a peer sends to submit or sign a contract.

    Args:
        body: of the request; the content stands in `content`, or in `contract_content` as before 2.0.0.

    Raises:
        FscProblem: as `read_content`.
    """
    if len(body) > MAX_BODY:
        raise _too_large(MAX_BODY)
    _strict(body)
    try:
        read = decode(body, _Body)
    except (msgspec.DecodeError, RecursionError):
        raise _malformed("signature") from None
    given = [bytes(raw) for raw in (read.content, read.contract_content) if bytes(raw)]
    if len(given) != 1:
        raise _malformed("content")
    return Submission(read_content(given[0]), read.signature)


def read_content(json: bytes) -> Content:
    """A contract's content, with the hashes that follow from it.

    Args:
        json: the member `content` as it was received; kept as it is.

    Raises:
        FscProblem: ERROR_CODE_MALFORMED_REQUEST when it is not I-JSON or too large, ERROR_CODE_UNKNOWN_FSC_VERSION,
            ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH, ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT, or
            ERROR_CODE_CONTRACT_INVALID, which names the member at fault.
    """
    if len(json) > MAX_CONTENT:
        raise _too_large(MAX_CONTENT)
    value = _strict(json)
    if not isinstance(value, dict):
        raise _malformed("content")
    version: Any = value.get("fsc_version")
    check_version(version)
    if value.get("hash_algorithm") != ALGORITHM:
        raise manager_fault(
            "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH",
            Text(f"hash_algorithm hoort {ALGORITHM} te zijn.", f"hash_algorithm should be {ALGORITHM}."),
        )
    try:
        read = convert(value, _Content)
    except msgspec.ValidationError as failure:
        raise _wrong(_place(failure)) from None
    hashed = content_hash(value, version)
    return Content(
        json,
        hashed,
        read.iv.lower(),
        read.group_id,
        read.validity.not_before,
        read.validity.not_after,
        read.created_at,
        _grants(value, read, hashed),
    )


def _grants(value: dict[str, Any], read: _Content, hashed: str) -> tuple[Grant, ...]:
    found: dict[str, Grant] = {}
    for place, (grant, plain) in enumerate(zip(read.grants, value["grants"], strict=True)):
        made = _grant(grant.data, plain["data"], hashed, f"grants[{place}].data")
        if made.hash in found:  # the same twice has one name, and could not be told apart
            raise _wrong(f"grants[{place}]")
        found[made.hash] = made
    return tuple(found.values())


def _grant(data: _Data, plain: Any, hashed: str, place: str) -> Grant:
    _check_delegators(data, place)
    if data.properties is not UNSET and len(canonical(data.properties)) > MAX_PROPERTIES:
        raise _wrong(f"{place}.properties")
    kind = plain["type"]
    common = {
        "type": kind,
        "hash": grant_hash(hashed, plain, kind),
        "service_peer": PeerId(data.service.peer_id),
        "service_name": data.service.name,
        "delegator": _peer(data.delegator),
        "properties": None if data.properties is UNSET else data.properties,
    }
    if isinstance(data, _Connection | _DelegatedConnection):
        return Grant(
            outway=_outway(data.outway, f"{place}.outway.identification"),
            service_delegator=_peer(data.service.delegator),
            **common,
        )
    return Grant(directory=_peer(data.directory), protocol=data.service.protocol, **common)


def _check_delegators(data: _Data, place: str) -> None:
    """A delegator is there when, and only when, the type of the grant or the service says so."""
    delegated = isinstance(data, _DelegatedPublication | _DelegatedConnection)
    if delegated is (data.delegator is UNSET):
        raise _wrong(f"{place}.delegator")
    if isinstance(data, _Connection | _DelegatedConnection):
        on_behalf = data.service.type == "SERVICE_TYPE_DELEGATED_SERVICE"
        if on_behalf is (data.service.delegator is UNSET):
            raise _wrong(f"{place}.service.delegator")


def _outway(outway: _Outway, place: str) -> OutwayId:
    named, peer = outway.identification, PeerId(outway.peer_id)
    by_key = named.type == "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"
    thumbprint, domain_name = named.public_key_thumbprint, named.domain_name
    if by_key and not (isinstance(thumbprint, str) and _THUMBPRINT.fullmatch(thumbprint)):
        raise manager_fault(
            "ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT",
            Text("Een vingerafdruk van een sleutel heeft 64 cijfers en letters a tot f.",
                 "A public key thumbprint has 64 digits and letters a to f."),
        )  # fmt: skip
    if by_key is not (domain_name is UNSET) or by_key is (thumbprint is UNSET):
        raise _wrong(place)
    return OutwayId(peer, thumbprint or None, domain_name or None)


def _peer(given: _Peer | UnsetType) -> PeerId | None:
    return None if given is UNSET else PeerId(given.peer_id)


def _strict(json: bytes) -> Any:
    try:
        return read_json(json)
    except Invalid as problem:
        raise manager_fault("ERROR_CODE_MALFORMED_REQUEST", problem.why, code=problem.code) from None


_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def _place(failure: msgspec.ValidationError) -> str:
    """The member at fault; never what stood there."""
    where, missing = _FIELD.search(str(failure)), _MISSING.search(str(failure))
    return ".".join(part for part in (where and where[1], missing and missing[1]) if part) or "content"


def _wrong(place: str) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_CONTRACT_INVALID",
        Text(
            f"Het veld '{place}' ontbreekt, of past niet in FSC.",
            f"The field '{place}' is missing, or does not fit FSC.",
        ),
        code="contract-member-wrong",
    )


def _malformed(member: str) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_MALFORMED_REQUEST",
        Text(f"'{member}' ontbreekt, staat er dubbel, of heeft een andere vorm.",
             f"'{member}' is missing, stands there twice, or has another shape."),
    )  # fmt: skip


def _too_large(most: int) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_MALFORMED_REQUEST",
        Text(f"Het mag hoogstens {most} bytes zijn.", f"It may be {most} bytes at most."),
        code="contract-too-large",
    )
