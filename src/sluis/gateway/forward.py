"""What a data plane asks of the deciding side, and what it gets: the nouns that both planes share.

A plane brings a request as far as its head, asks the `Inway` or the `Outway`, and does what the answer says once its
line is durable. It is allowed nothing else: no decision, no other target, no request without an answer.
"""

from urllib.parse import urlsplit

import msgspec

from sluis.gateway.contracts import Grant
from sluis.kernel import Invalid, PeerId, Text

READING = frozenset({"GET", "HEAD"})
"""Methods that only read, as rules about services say it."""

OTHERWISE = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
"""Headers by which some services take a request for one with another method. On one that only reads they go no further:
who may read may not write by them."""

AUTHORIZATION = "fsc-authorization"
TRANSACTION = "fsc-transaction-id"
GRANT = "fsc-grant-hash"
INSTEAD = "sluis-alternative"
"""Headers, in lower case; all of FSC but the last, which tells who asked that another service answered (`Forward.instead`).
A request with one of FSC's twice says two things and is refused."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """The head of a request at the inway.

    Args:
        client_certificate: DER, as TLS verified it.
        method: HTTP method.
        path: the request target: path and query, as they were sent.
        authorization: of `Fsc-Authorization`; None when it is not there.
        transaction_id: of `Fsc-Transaction-Id`; None when it is not there.
    """

    client_certificate: bytes
    method: str
    path: str
    authorization: str | None = None
    transaction_id: str | None = None


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """The head of a request at the outway.

    Args:
        method: HTTP method.
        path: the request target: path and query, as they were sent.
        grant_hash: of `Fsc-Grant-Hash`; None when it is not there.
        transaction_id: of `Fsc-Transaction-Id`; None when it is not there.
    """

    method: str
    path: str
    grant_hash: str | None = None
    transaction_id: str | None = None


class Target(msgspec.Struct, frozen=True):
    """Where a request goes.

    Args:
        tls: whether over TLS.
        host: name or address; with TLS, the certificate there must bear it. Empty for the node itself.
        port: TCP port.
        authority: host and port as they stand in its URL, for `Host`.
        peer: who must prove to be there; None for a service of our own.
        shows: the client certificate to show there. To a service of our own that asks for one: the files with it. To a
            peer: the thumbprint (`x5t#S256`) of that of this node's certificates to which the token is bound; the
            present one when it is empty.
    """

    tls: bool
    host: str
    port: int
    authority: str
    peer: PeerId | None = None
    shows: tuple[str, ...] = ()


class Forward(msgspec.Struct, frozen=True, gc=False):
    """The request may pass, once its line is in the transaction log.

    Args:
        target: where to.
        path: the request target to send there.
        headers: to send, lower-case names; each replaces what the request had under that name.
        transaction_id: to give back to whoever asked, as `Fsc-Transaction-Id`.
        alternative: where to instead, when nothing answers at `target` and asking twice can do no harm.
        grant: under which it passes.
        instead: the Peer ID and service that this goes to in place of what was asked for, as `peer/service`; empty when it
            goes to what was asked for.
    """

    target: Target
    path: str
    headers: tuple[tuple[str, str], ...]
    transaction_id: str
    alternative: Target | None = None
    grant: Grant | None = None
    instead: str = ""


def read_url(url: str, peer: PeerId | None = None, shows: tuple[str, ...] = ()) -> tuple[Target, str]:
    """A base URL as a target, and its path without slash at the end.

    Args:
        url: http or https, without user, query or fragment.
        peer: who must prove to be there.
        shows: as in `Target`.

    Raises:
        Invalid: it is no such URL.
    """
    try:
        parts = urlsplit(url)
        tls, host, port = parts.scheme == "https", parts.hostname or "", parts.port
    except ValueError:
        raise _no_url(url) from None
    odd = parts.username or parts.password or parts.query or parts.fragment or any(one <= " " for one in url)
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or odd:
        raise _no_url(url)
    return Target(tls, host, port or (443 if tls else 80), parts.netloc, peer, shows), parts.path.rstrip("/")


def _no_url(url: str) -> Invalid:
    return Invalid(
        "no-url",
        Text("Dit is geen adres.", "This is no address."),
        Text(f"{url} is geen http- of https-adres.", f"{url} is no http or https address."),
        Text("Schrijf het als https://host:poort/pad.", "Write it as https://host:port/path."),
    )
