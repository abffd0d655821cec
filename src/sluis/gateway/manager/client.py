"""What this node asks of the Managers of others (FSC Core 2.0.0, Manager API).

Nothing is sent before the other end has shown the certificate of the peer that is meant, whatever address is known of
it. What it answers is hostile until it is proved otherwise: bounded, decoded strictly, and never followed elsewhere.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from sluis.gateway.contracts import Action
from sluis.gateway.forward import read_url
from sluis.gateway.peers import Peers
from sluis.gateway.streams import BECAUSE, FAILURES, Exchange, Streams, Why, why
from sluis.kernel import PeerId, Text, Upstream, decode

ADDRESS = "fsc-manager-address"
"""The header in which a Manager says where it is (Core 2.0.0)."""

_SECONDS = 10.0
_MOST_BYTES = 16 * 1024 * 1024  # of an answer: a page of contracts with properties
_ERROR_BYTES = 16 * 1024

T = TypeVar("T")


class Answered(Upstream):
    """The other Manager answered, and refused.

    Attributes:
        answer: the HTTP status.
        fsc_code: of the answer; empty when it has none.
    """

    def __init__(self, name: str, answer: int, fsc_code: str) -> None:
        self.answer, self.fsc_code = answer, fsc_code
        why = fsc_code or str(answer)
        super().__init__(
            "manager-refused",
            Text(f"De Manager van {name} weigerde.", f"The Manager of {name} refused."),
            Text(f"Zijn antwoord: {why}.", f"Its answer: {why}."),
            Text(
                "Kijk naar de code, en vraag het die organisatie.", "See the code, and ask that organisation."
            ),
            peer=name,
            retry=answer in (429, 503),
        )


class Listed(msgspec.Struct, frozen=True):
    """A contract as another Manager lists it: the content as it was written, and signatures by Peer ID."""

    content: msgspec.Raw
    signatures: dict[Action, dict[str, str]]


class Pagination(msgspec.Struct, frozen=True):
    next_cursor: str = ""


class ContractsPage(msgspec.Struct, frozen=True):
    contracts: list[Listed]
    pagination: Pagination = Pagination()


class PeerListed(msgspec.Struct, frozen=True):
    """A peer as a directory lists it."""

    id: str
    name: str
    manager_address: str


class PeersPage(msgspec.Struct, frozen=True):
    peers: list[PeerListed]
    pagination: Pagination = Pagination()


class Delegating(msgspec.Struct, frozen=True):
    peer_id: str
    peer_name: str = ""


class ServiceListed(msgspec.Struct, frozen=True):
    """A service as a directory lists it."""

    type: str
    peer: PeerListed
    name: str
    protocol: str
    delegator: Delegating | None = None
    properties: dict[str, Any] | None = None


class ServiceData(msgspec.Struct, frozen=True):
    data: ServiceListed


class ServicesPage(msgspec.Struct, frozen=True):
    services: list[ServiceData]
    pagination: Pagination = Pagination()


class PeerInfo(msgspec.Struct, frozen=True):
    """What a Manager says of its own peer."""

    peer_id: str
    peer_name: str
    fsc_version: str
    enabled_extensions: dict[str, str]


class TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str


class Managers:
    """The Managers of other peers.

    Args:
        peers: where they are.
        context: for TLS, with the certificate of this node.
        own_address: of this node's Manager.
        revoked: whether a certificate (DER) was revoked.
        seconds: how long an answer may take.
    """

    def __init__(
        self,
        peers: Peers,
        context: ssl.SSLContext,
        own_address: str,
        revoked: Callable[[bytes], bool] = lambda certificate: False,
        seconds: float = _SECONDS,
    ) -> None:
        self._peers, self._streams = peers, Streams(context, revoked=revoked)
        self._own_address, self._seconds = own_address, seconds

    async def jwks(self, peer: PeerId) -> bytes:
        """The keys that a peer signs with, as it shows them. Raises `Upstream`."""
        return await self._get(peer, "/v1/.well-known/jwks.json")

    async def info(self, peer: PeerId) -> PeerInfo:
        """What a Manager says of its peer. Raises `Upstream`."""
        return self._read(peer, await self._get(peer, "/v1/peer"), PeerInfo)

    async def announce(self, peer: PeerId) -> None:
        """Tell a peer where this node's Manager is. Raises `Upstream`."""
        await self._call(peer, "PUT", "/v1/announce", {ADDRESS: self._own_address}, b"")

    async def submit(self, peer: PeerId, content: bytes, accept: str) -> None:
        """Hand a peer a new contract.

        Args:
            peer: one of its parties.
            content: JSON, as it was hashed.
            accept: the signature of this node.

        Raises `Upstream`; `Answered` when the peer does not want it.
        """
        await self._call(peer, "POST", "/v1/contracts", self._json(), _signed(content, accept))

    async def sign(self, peer: PeerId, hash: str, action: Action, content: bytes, signature: str) -> None:
        """Hand a peer this node's signature under a contract that is known; arguments and problems as `submit`."""
        path = f"/v1/contracts/{quote(hash, safe='')}/{action}"
        await self._call(peer, "PUT", path, self._json(), _signed(content, signature))

    async def contracts(
        self, peer: PeerId, cursor: str = "", limit: int = 100, grant_hashes: Sequence[str] = ()
    ) -> ContractsPage:
        """The contracts with this node that a peer has: one page, or those with one of the grants. Raises `Upstream`."""
        if grant_hashes:
            query = {"grant_hash": ",".join(grant_hashes)}
        else:
            query = {"limit": str(limit), "sort_order": "SORT_ORDER_DESCENDING", "cursor": cursor}
        return self._read(peer, await self._get(peer, "/v1/contracts", query), ContractsPage)

    async def peers(self, directory: PeerId, **query: str) -> PeersPage:
        """One page of the peers that a directory lists. Raises `Upstream`."""
        return self._read(directory, await self._get(directory, "/v1/peers", query), PeersPage)

    async def services(self, directory: PeerId, **query: str) -> ServicesPage:
        """One page of the services that a directory lists. Raises `Upstream`."""
        return self._read(directory, await self._get(directory, "/v1/services", query), ServicesPage)

    async def logs(self, peer: PeerId, **query: str) -> bytes:
        """One page of the transaction records that a peer has with this node, JSON (Logging 1.0.0). Raises `Upstream`."""
        return await self._get(peer, "/v1/logs", query)

    async def token(self, peer: PeerId, own: PeerId, grant_hash: str, shows: tuple[str, ...] = ()) -> str:
        """A token for a service of a peer, bound to the certificate of this node that is shown.

        Args:
            peer: whose service it is.
            own: this node's Peer ID.
            grant_hash: of the connection grant.
            shows: which certificate, as in `Target`.

        Raises `Upstream`; `Answered` with the OAuth error as its code (RFC 6749 §5.2).
        """
        form = {"grant_type": "client_credentials", "scope": grant_hash, "client_id": str.__str__(own)}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        answer = await self._call(peer, "POST", "/v1/token", headers, urlencode(form).encode(), shows)
        read = self._read(peer, answer, TokenAnswer)
        if read.token_type.lower() != "bearer":
            raise self._not_understood(peer)
        return read.access_token

    def close(self) -> None:
        """Close every connection."""
        self._streams.close()

    def renew(self, context: ssl.SSLContext, before: str) -> None:
        """Connect with another certificate from now on; arguments as `Streams.renew`."""
        self._streams.renew(context, before)

    def remake(self, context: ssl.SSLContext, before: Mapping[str, ssl.SSLContext]) -> None:
        """Connect with contexts that were made anew; arguments as `Streams.remake`."""
        self._streams.remake(context, before)

    async def _get(self, peer: PeerId, path: str, query: Mapping[str, str] | None = None) -> bytes:
        asked = {name: value for name, value in (query or {}).items() if value}
        path = f"{path}?{urlencode(asked, safe='$,')}" if asked else path
        return await self._call(peer, "GET", path, {"accept": "application/json"}, b"")

    async def _call(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        shows: tuple[str, ...] = (),
    ) -> bytes:
        """The body of an answer that is not a refusal."""
        known = self._peers.known(peer)
        if known is None:
            raise self._unreached(peer, "peer-without-address", *_NO_ADDRESS)
        target, _ = read_url(known.address, peer, shows)
        try:
            async with Exchange(self._streams, target, self._seconds) as exchange:
                await exchange.send(method, path, headers, body)
                fine = 200 <= exchange.status < 300
                most, read = (_MOST_BYTES if fine else _ERROR_BYTES), bytearray()
                async for piece in exchange.body():
                    read += piece
                    if len(read) > most:
                        break
        except FAILURES as failure:
            code = why(failure)
            raise self._unreached(peer, code, BECAUSE[code], _NEXT[code]) from None
        if not fine:
            raise Answered(self._peers.name(peer), exchange.status, _error_code(bytes(read[:most])))
        if len(read) > most:
            raise self._not_understood(peer)
        return bytes(read)

    def _json(self) -> dict[str, str]:
        return {ADDRESS: self._own_address, "content-type": "application/json"}

    def _read(self, peer: PeerId, body: bytes, kind: type[T]) -> T:
        try:
            return decode(body, kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._not_understood(peer) from None

    def _unreached(self, peer: PeerId, code: str, because: Text, then: Text) -> Upstream:
        name = self._peers.name(peer)
        what = Text(f"De Manager van {name} is niet bereikt.", f"The Manager of {name} was not reached.")
        return Upstream(code, what, because, then, peer=name, retry=True)

    def _not_understood(self, peer: PeerId) -> Upstream:
        name = self._peers.name(peer)
        return Upstream(
            "manager-not-understood",
            Text(f"De Manager van {name} is niet te volgen.", f"The Manager of {name} cannot be understood."),
            Text("Zijn antwoord heeft niet de vorm van FSC.", "Its answer does not have the form of FSC."),
            Text("Meld het bij die organisatie.", "Tell that organisation."),
            peer=name,
            retry=True,
        )


def _signed(content: bytes, signature: str) -> bytes:
    """The body of a request with a signature. The content goes as it was hashed, byte for byte."""
    return b'{"content":' + content + b',"signature":' + msgspec.json.encode(signature) + b"}"


class _Error(msgspec.Struct):
    code: str = ""  # FSC
    error: str = ""  # RFC 6749


def _error_code(body: bytes) -> str:
    try:
        read = decode(body, _Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    code = (read.code or read.error)[:100]
    return code if code.isascii() and code.replace("_", "").isalnum() else ""


_LATER = Text("Het wordt later opnieuw geprobeerd.", "It is tried again later.")
_NEXT: dict[Why, Text] = {
    "wrong-peer": Text(
        "Vraag die organisatie haar adres bekend te maken.", "Ask that organisation to announce its address."
    ),
    "peer-not-trusted": Text(
        "Controleer certificaten en ankers aan beide kanten.", "Check certificates and anchors at both ends."
    ),
    "peer-too-slow": _LATER,
    "peer-unreachable": _LATER,
    "peer-broke-off": _LATER,
}
_NO_ADDRESS = (
    Text("Van deze organisatie is geen adres bekend.", "No address is known of this organisation."),
    Text("Kijk of ze in de directory staat.", "See whether it is in the directory."),
)
