"""Who gets a token (FSC Core 2.0.0, Access token; OAuth 2.0 client credentials, RFC 6749 §4.4 and §5.2). Pure."""

from collections.abc import Callable
from typing import Literal

from cryptography import x509

from sluis.gateway.contracts import Grant, fits_outway, is_hash, plain_hash
from sluis.kernel import PeerId, Repeated, read_fields

Error = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
]

_LONGEST = 1024  # characters of a field


class Refusal(Exception):
    """No token; in the words of RFC 6749."""

    def __init__(self, error: Error, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


def granted(
    body: bytes,
    client: PeerId,
    certificate: x509.Certificate,
    own: PeerId,
    in_force: Callable[[str], Grant | None],
    offers: Callable[[str], bool],
) -> Grant:
    """The grant that a token may be given for.

    Args:
        body: the form of the request.
        client: who asks, by its certificate.
        certificate: the one it asks with; the token is bound to it.
        own: this peer.
        in_force: the grant with a hash, when its contract is valid now.
        offers: whether an inway of this peer has a service of that name.

    Raises `Refusal`.
    """
    form = _form(body)
    if form.get("grant_type") != "client_credentials":
        raise Refusal("unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("client_id") != client:
        raise Refusal("invalid_client", "client_id is not the Peer ID in the client certificate")
    scope = plain_hash(form.get("scope", ""))
    if not is_hash(scope):
        raise Refusal("invalid_scope", "scope must be the hash of a grant, and of nothing else")
    grant = in_force(scope)
    if grant is None or client not in grant.parties:  # others do not learn whether it is there
        raise Refusal("invalid_grant", "no valid contract has a grant with this hash")
    if grant.outway is None:
        raise Refusal("invalid_scope", "this grant is no connection")
    if grant.outway.peer_id != client:
        raise Refusal("invalid_client", "the outway in the grant is of another peer")
    if grant.service_peer != own:
        raise Refusal("invalid_grant", "the service in the grant is of another peer: ask its Manager")
    if not offers(grant.service_name):
        raise Refusal("invalid_grant", "no inway of this peer offers the service now")
    if not fits_outway(grant.outway, certificate):
        raise Refusal("unauthorized_client", "the client certificate is not that of the outway in the grant")
    return grant


def _form(body: bytes) -> dict[str, str]:
    try:
        form = read_fields(body.decode("ascii"), 20, strict=True)
    except Repeated:
        raise Refusal("invalid_request", "a field stands in the form twice") from None
    except ValueError:
        raise Refusal("invalid_request", "the body is no form") from None
    for name in ("grant_type", "scope", "client_id"):
        if not 0 < len(form.get(name, "")) <= _LONGEST:
            raise Refusal("invalid_request", f"{name} is missing")
    return form
