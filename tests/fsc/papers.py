"""Contracts for the peer of the tests: how they are built, who must sign, what is wrong with one, and in what state it is.

FSC Core 2.0.0 sections 3.2.1 (states), 4.2.1 (validation) and 4.2.3 (signatures).
"""

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.fsc.jcs import HASH_TYPES, NotIJson, canonical, content_hash, grant_hash

Json = dict[str, Any]
SKEW = 60
"""Seconds by which clocks may differ."""

_SERVICE = re.compile(r"[a-zA-Z0-9\-._]{1,100}")
_GROUP = re.compile(r"[a-zA-Z0-9./_-]{1,100}")
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
PUBLICATIONS = {"GRANT_TYPE_SERVICE_PUBLICATION", "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"}
CONNECTIONS = {"GRANT_TYPE_SERVICE_CONNECTION", "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"}
BY_THUMBPRINT = "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"
BY_DOMAIN = "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME"


class Refused(Exception):
    """What the standard says must be refused, with its code (section 4.4.5.3)."""

    def __init__(self, code: str, why: str, status: int = 422) -> None:
        super().__init__(why)
        self.code, self.status = code, status


def uuid7() -> str:
    """RFC 9562 section 5.7."""
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + uuid.uuid4().bytes[6:])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))


def content(group: str, *grants: Json, **members: Any) -> Json:
    """A contract that is good now and for an hour. `members` replace members of the content."""
    now = int(time.time())
    made = {
        "fsc_version": "2.0.0",
        "iv": uuid7(),
        "group_id": group,
        "validity": {"not_before": now - 5, "not_after": now + 3600},
        "grants": [{"data": grant} for grant in grants],
        "hash_algorithm": "HASH_ALGORITHM_SHA3_512",
        "created_at": now,
    }
    return {**made, **members}


def publication(
    directory: str, provider: str, name: str, *, delegator: str | None = None, **more: Any
) -> Json:
    """A ServicePublicationGrant, or with a delegator a DelegatedServicePublicationGrant."""
    made: Json = {
        "type": "GRANT_TYPE_SERVICE_PUBLICATION",
        "directory": {"peer_id": directory},
        "service": {"peer_id": provider, "name": name, "protocol": "PROTOCOL_TCP_HTTP_1.1"},
    }
    if delegator:
        made |= {"type": "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION", "delegator": {"peer_id": delegator}}
    return {**made, **more}


def connection(
    outway: str,
    thumbprint: str | None,
    provider: str,
    name: str,
    *,
    domain: str | None = None,
    publisher: str | None = None,
    delegator: str | None = None,
    **more: Any,
) -> Json:
    """A ServiceConnectionGrant, or with a delegator a DelegatedServiceConnectionGrant. `publisher` is the peer on whose
    behalf the service is offered; `domain` identifies the outway by a name instead of a key."""
    identification = (
        {"type": BY_DOMAIN, "domain_name": domain}
        if domain
        else {"type": BY_THUMBPRINT, "public_key_thumbprint": thumbprint}
    )
    service: Json = {"type": "SERVICE_TYPE_SERVICE", "peer_id": provider, "name": name}
    if publisher:
        service |= {"type": "SERVICE_TYPE_DELEGATED_SERVICE", "delegator": {"peer_id": publisher}}
    made: Json = {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "outway": {"peer_id": outway, "identification": identification},
        "service": service,
    }
    if delegator:
        made |= {"type": "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", "delegator": {"peer_id": delegator}}
    return {**made, **more}


def parties(found: Json) -> set[str]:
    """The peers in the grants, all of whom must accept (section 4.2.3)."""
    return {peer for grant in found["grants"] for peer in _parties(grant["data"])}


def _parties(data: Json) -> set[str]:
    places = (
        data.get("directory"),
        data["service"],
        data["service"].get("delegator"),
        data.get("outway"),
        data.get("delegator"),
    )
    return {place["peer_id"] for place in places if place}


@dataclass
class Contract:
    """A contract as a peer holds it: the content as it came, and who said what of it."""

    content: Json
    signatures: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"accept": {}, "reject": {}, "revoke": {}}
    )

    @property
    def hash(self) -> str:
        return content_hash(self.content)

    def state(self, now: float | None = None) -> str:
        """Section 3.2.1, in the order in which the worst wins."""
        now = time.time() if now is None else now
        if self.signatures["revoke"]:
            return "revoked"
        if self.signatures["reject"]:
            return "rejected"
        if now >= self.content["validity"]["not_after"] + 1:
            return "expired"
        if (
            parties(self.content) <= self.signatures["accept"].keys()
            and now >= self.content["validity"]["not_before"]
        ):
            return "valid"
        return "proposed"

    def grants(self) -> dict[str, Json]:
        """The data of every grant, by its hash."""
        return {grant_hash(self.content, grant): grant["data"] for grant in self.content["grants"]}


def check(
    found: Any, group: str, own: str, submitter: str, offered: set[str], now: float | None = None
) -> None:
    """Section 4.2.1: raise `Refused` at what this peer may not take in. `offered` are the services it offers."""
    now = time.time() if now is None else now
    try:
        _check(found, group, now)
        canonical(found)
        involved = parties(found)
    except (KeyError, TypeError, AttributeError, NotIJson) as error:
        raise Refused("ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED", f"not a contract: {error!r}") from error
    if submitter not in involved:
        raise Refused(
            "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT", "the submitting peer is not in the contract"
        )
    if own not in involved:
        raise Refused(
            "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT", "the receiving peer is not in the contract"
        )
    for grant in found["grants"]:
        _check_grant(grant["data"], own, offered)


def _check(found: Json, group: str, now: float) -> None:
    if found["fsc_version"] != "2.0.0":
        raise Refused("ERROR_CODE_UNKNOWN_FSC_VERSION", "this peer speaks 2.0.0")
    if found["hash_algorithm"] != "HASH_ALGORITHM_SHA3_512":
        raise Refused("ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH", "an unknown hash algorithm")
    if found["group_id"] != group or not _GROUP.fullmatch(found["group_id"]):
        raise Refused("ERROR_CODE_INCORRECT_GROUP_ID", "another group")
    if str(uuid.UUID(found["iv"])) != found["iv"].lower():
        raise TypeError("iv is no UUID")
    starts, ends = found["validity"]["not_before"], found["validity"]["not_after"]
    for moment in (starts, ends, found["created_at"]):
        if type(moment) is not int or moment < 0:
            raise TypeError("a moment is seconds since 1970")
    if found["created_at"] > now + SKEW or ends <= starts or ends <= now:
        raise TypeError("the dates cannot be")
    kinds = {grant["data"]["type"] for grant in found["grants"]}
    if not kinds or not kinds <= HASH_TYPES.keys():
        raise TypeError("no grants, or of an unknown type")
    if kinds & PUBLICATIONS and kinds & CONNECTIONS:
        raise Refused("ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED", "publication beside connection")


def _check_grant(data: Json, own: str, offered: set[str]) -> None:
    service = data["service"]
    wrong = Refused("ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED", "a grant is not as it must be")
    if not _SERVICE.fullmatch(service["name"]) or not isinstance(data.get("properties", {}), dict):
        raise wrong
    if data["type"] in PUBLICATIONS:
        return
    if service["peer_id"] == own and service["name"] not in offered:
        raise wrong
    identification = data["outway"]["identification"]
    if identification["type"] == BY_THUMBPRINT:
        if not _THUMBPRINT.fullmatch(identification["public_key_thumbprint"]):
            raise Refused("ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT", "no thumbprint of a key")
    elif identification["type"] != BY_DOMAIN or not identification["domain_name"]:
        raise wrong
