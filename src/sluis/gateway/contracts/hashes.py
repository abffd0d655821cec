"""The names of contracts and grants: hashes over their JSON (FSC Core 2.0.0, The content hash; Grant hash).

A hash reads `$1$T$…`: 1 for SHA3-512, T for what was hashed, and the digest in base64url without padding. What is
hashed is the canonical form (JCS, RFC 8785) of the JSON as it was received, unknown members included.
"""

import hashlib
import re
from typing import Any

from sluis.crypto import canonical, encode_base64url, plain_base64url
from sluis.gateway.contracts.model import GrantType
from sluis.gateway.faults import manager_fault
from sluis.kernel import Text

ALGORITHM = "HASH_ALGORITHM_SHA3_512"
"""The only one there is; 1 in a hash."""

VERSION = "2.0.0"
"""The version of FSC whose hashes these are. A contract says its own; another version hashes otherwise."""

HASH_TYPES: dict[GrantType, int] = {
    "GRANT_TYPE_SERVICE_PUBLICATION": 2,
    "GRANT_TYPE_SERVICE_CONNECTION": 3,
    "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": 4,
    "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": 5,
}
"""Type mappings, Hash types. Not the numbers of the grant types, which the standard counts apart."""

_CONTRACT = 1
_HASH = re.compile(r"\$1\$[1-5]\$[A-Za-z0-9_-]{86}")


def content_hash(content: Any, version: str = VERSION) -> str:
    """The hash of a contract's content.

    Args:
        content: the parsed member `content`.
        version: its `fsc_version`.

    Raises:
        FscProblem: ERROR_CODE_UNKNOWN_FSC_VERSION.
    """
    check_version(version)
    return _hash(_CONTRACT, canonical(content))


def grant_hash(content: str, data: Any, grant_type: GrantType, version: str = VERSION) -> str:
    """The hash of one grant: over the content hash as it is written, followed by the canonical grant.

    Args:
        content: the content hash, `$1$1$…`.
        data: the parsed member `data` of the grant.
        grant_type: its type.
        version: the `fsc_version` of the contract.

    Raises:
        FscProblem: ERROR_CODE_UNKNOWN_FSC_VERSION.
    """
    check_version(version)
    return _hash(HASH_TYPES[grant_type], content.encode() + canonical(data))


def check_version(version: Any) -> None:
    """Raises `FscProblem` (ERROR_CODE_UNKNOWN_FSC_VERSION) for another version than the one that is spoken here."""
    if version != VERSION:
        raise manager_fault(
            "ERROR_CODE_UNKNOWN_FSC_VERSION",
            Text(f"fsc_version hoort hier {VERSION} te zijn.", f"fsc_version should be {VERSION} here."),
        )


def plain_hash(text: str) -> str:
    """A hash as it is written here: `%24` read as `$`, and standard base64 with padding, which old peers write, as
    base64url without. Whether it is a hash, `is_hash` says."""
    return plain_base64url(text.replace("%24", "$"))


def is_hash(text: str) -> bool:
    """Whether this has the form of a content or grant hash."""
    return _HASH.fullmatch(text) is not None


def _hash(kind: int, message: bytes) -> str:
    return f"$1${kind}${encode_base64url(hashlib.sha3_512(message).digest())}"
