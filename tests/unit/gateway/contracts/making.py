"""Contracts to test with. Peers are fictitious. Shares no code with the product: own hashes, own signatures."""

import base64
import hashlib
import json
import uuid
from copy import deepcopy
from typing import Any

NOW = 1_780_000_000
GROUP = "fsc-voorbeeld"
PROVIDER, CONSUMER, DIRECTORY = "00000000000000000001", "00000000000000000002", "00000000000000000003"
PRINCIPAL, OWNER = "00000000000000000004", "00000000000000000005"
STRANGER = "00000000000000000009"
THUMBPRINT = "3a56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c"


def by_key(thumbprint: str = THUMBPRINT) -> dict[str, Any]:
    kind = "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"
    return {"type": kind, "public_key_thumbprint": thumbprint}


def connection(service: str = "personen", **more: Any) -> dict[str, Any]:
    return {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": PROVIDER, "name": service},
        "outway": {"peer_id": CONSUMER, "identification": by_key()},
        **more,
    }


def delegated_connection() -> dict[str, Any]:
    return {
        **connection(),
        "type": "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION",
        "delegator": {"peer_id": PRINCIPAL},
    }


def of_another(grant: dict[str, Any]) -> dict[str, Any]:
    """The same connection to a service that is offered on another's behalf."""
    service = {**grant["service"], "type": "SERVICE_TYPE_DELEGATED_SERVICE", "delegator": {"peer_id": OWNER}}
    return {**grant, "service": service}


def publication(service: str = "personen") -> dict[str, Any]:
    return {
        "type": "GRANT_TYPE_SERVICE_PUBLICATION",
        "directory": {"peer_id": DIRECTORY},
        "service": {"peer_id": PROVIDER, "name": service, "protocol": "PROTOCOL_TCP_HTTP_1.1"},
    }


def delegated_publication() -> dict[str, Any]:
    return {
        **publication(),
        "type": "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION",
        "delegator": {"peer_id": PRINCIPAL},
    }


def content(*grants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = {
        "fsc_version": "2.0.0",
        "iv": str(uuid.uuid4()),
        "group_id": GROUP,
        "validity": {"not_before": NOW - 10, "not_after": NOW + 86_400},
        "grants": [{"data": grant} for grant in grants or (connection(),)],
        "hash_algorithm": "HASH_ALGORITHM_SHA3_512",
        "created_at": NOW,
    }
    return deepcopy({**made, **changes})


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def jcs(value: Any) -> str:
    """RFC 8785 for values without fractions."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{jcs(name)}:{jcs(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha3_512(text.encode()).digest()).decode().rstrip("=")


def hashes(value: dict[str, Any]) -> tuple[str, list[str]]:
    """The hash of a content, and those of its grants, by the text of the standard."""
    numbers = {
        "GRANT_TYPE_SERVICE_PUBLICATION": 2,
        "GRANT_TYPE_SERVICE_CONNECTION": 3,
        "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": 4,
        "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": 5,
    }
    of_content = f"$1$1${digest(jcs(value))}"
    data = [grant["data"] for grant in value["grants"]]
    return of_content, [f"$1${numbers[one['type']]}${digest(of_content + jcs(one))}" for one in data]
