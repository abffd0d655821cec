"""Making tokens, and judging them: at the inway that must believe them, and at the outway that got one. Pure.

FSC Core 2.0.0, Access token. The order of the checks is that of its codes: what is no token of ours is INVALID, one
of ours that has ended is EXPIRED, and only of a good one it is asked what it is for.
"""

from collections.abc import Collection, Mapping

import msgspec
from cryptography import x509

from sluis.crypto import Identity, read_json
from sluis.crypto.jose import (
    algorithm_for,
    certificate_thumbprint,
    read_jws,
    sign_jws,
    thumbprint_in,
    verify_jws,
)
from sluis.gateway.contracts.model import Grant
from sluis.gateway.faults import inway_fault, outway_fault
from sluis.gateway.forward import read_url
from sluis.gateway.tokens.model import LONGEST, SECONDS, SKEW, Actor, Claims, Confirmation, Token
from sluis.kernel import Invalid, PeerId, Text, encode

_CLAIMS = msgspec.json.Decoder(Claims)


def issue(
    grant: Grant,
    identity: Identity,
    group: str,
    aud: str,
    client_thumbprint: str,
    now: int,
    seconds: int = SECONDS,
) -> str:
    """A token for a connection grant, signed with the key of this node's certificate.

    Whether the grant is in force, and whether the one who asks may have it, is for the caller to see first.

    Args:
        grant: a connection, delegated or not.
        identity: of this node, who offers the service.
        group: the group.
        aud: the address of the inway: scheme, host and port.
        client_thumbprint: SHA-256 of the client certificate, base64url.
        now: seconds since the epoch.
        seconds: how long it is good.

    Raises:
        Invalid: the key in the certificate is of a kind that FSC does not know.
    """
    assert grant.outway is not None
    claims = Claims(
        gth=grant.hash,
        gid=group,
        sub=str.__str__(grant.outway.peer_id),
        iss=str.__str__(identity.peer.id),
        svc=grant.service_name,
        aud=aud,
        exp=now + seconds,
        nbf=now,
        cnf=Confirmation(client_thumbprint),
        act=None if grant.delegator is None else Actor(str.__str__(grant.delegator)),
        pdi=None if grant.service_delegator is None else str.__str__(grant.service_delegator),
        prp=grant.properties,
        add={},
    )
    certificate = identity.certificate
    header = {"typ": "JWT", "x5t#S256": certificate_thumbprint(certificate)}
    return sign_jws(identity.key, algorithm_for(certificate), header, encode(claims))


def check(
    token: str,
    keys: Mapping[str, x509.Certificate],
    own: PeerId,
    addresses: Collection[str],
    client_thumbprint: str,
    now: float,
) -> Claims:
    """What a token says, after all that makes it one of ours and good for who shows it now.

    Args:
        token: compact JWS.
        keys: the certificates that this peer's Manager signs with, by thumbprint.
        own: this peer.
        addresses: those of this inway.
        client_thumbprint: of the certificate on the connection.
        now: seconds since the epoch.

    Raises:
        FscProblem: ERROR_CODE_ACCESS_TOKEN_INVALID, then ERROR_CODE_ACCESS_TOKEN_EXPIRED.
    """
    claims = _verified(token, keys)
    if claims.iss != str.__str__(own):
        raise invalid(_NOT_OURS)
    if claims.nbf > now + SKEW:
        raise invalid(_TOO_EARLY)
    if claims.aud not in addresses:
        raise invalid(_ELSEWHERE)
    check_again(claims, client_thumbprint, now)
    return claims


def check_again(claims: Claims, client_thumbprint: str, now: float) -> None:
    """What must hold at every request of a token that was checked before. Raises as `check`."""
    if claims.cnf.thumbprint != client_thumbprint:
        raise invalid(_FOREIGN)
    if claims.exp <= now:
        raise inway_fault("ERROR_CODE_ACCESS_TOKEN_EXPIRED", _ENDED)


def read_token(token: str, grant: Grant, group: str, thumbprints: Collection[str]) -> Token:
    """A token as its provider gave it to this node's outway, held against what was asked for.

    Its signature is the provider's own affair: it came from the provider's Manager, and goes back to its inway.

    Args:
        token: compact JWS.
        grant: that it was asked for.
        group: the group.
        thumbprints: of the certificates that this outway shows.

    Raises:
        FscProblem: ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN; ERROR_CODE_TOKEN_REFUSED when it is of no use.
    """
    try:
        claims = _CLAIMS.decode(read_jws(token, LONGEST).payload)
        inway, path = read_url(claims.aud, grant.service_peer, (claims.cnf.thumbprint,))
    except (Invalid, msgspec.MsgspecError):
        raise _useless(grant, _UNREADABLE) from None
    if claims.gid != group:
        raise outway_fault(
            "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN", _OTHER_GROUP, peer=str.__str__(grant.service_peer)
        )
    if claims.gth != grant.hash or claims.cnf.thumbprint not in thumbprints:
        raise _useless(grant, _NOT_ASKED)
    if not inway.tls or path:
        raise _useless(grant, _NO_INWAY)
    return Token(f"Bearer {token}", claims, inway)


def _verified(token: str, keys: Mapping[str, x509.Certificate]) -> Claims:
    try:
        jws = read_jws(token, LONGEST)
        certificate = keys.get(thumbprint_in(jws.header))
        if certificate is None or not verify_jws(jws, certificate):
            raise invalid(_NOT_OURS)
        read_json(jws.payload)  # a claim that stands there twice would mean what its reader likes
        return _CLAIMS.decode(jws.payload)
    except (Invalid, msgspec.MsgspecError):
        raise invalid(_UNREADABLE) from None


def invalid(why: Text) -> Exception:
    """A token that gives no access."""
    return inway_fault("ERROR_CODE_ACCESS_TOKEN_INVALID", why)


def _useless(grant: Grant, why: Text) -> Exception:
    return outway_fault("ERROR_CODE_TOKEN_REFUSED", why, peer=str.__str__(grant.service_peer))


_UNREADABLE = Text("Het token is niet te lezen.", "The token cannot be read.")
_NOT_OURS = Text("Het token is niet door deze organisatie getekend.", "The token was not signed by this organisation.")  # fmt: skip
_TOO_EARLY = Text("Het token geldt nog niet.", "The token is not good yet.")
_ELSEWHERE = Text("Het token is voor een andere inway.", "The token is for another inway.")
_FOREIGN = Text("Het token hoort bij een ander certificaat.", "The token belongs to another certificate.")
_ENDED = Text("Het token is verlopen.", "The token has ended.")
_OTHER_GROUP = Text("Het token is van een andere groep.", "The token is of another group.")
_NOT_ASKED = Text("Het token is niet wat is aangevraagd.", "The token is not what was asked for.")
_NO_INWAY = Text("Het adres van de inway in het token is onbruikbaar.", "The inway's address in the token is of no use.")  # fmt: skip
