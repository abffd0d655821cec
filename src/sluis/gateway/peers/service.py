"""Who is in the group, as far as this node knows, and with which certificates they sign.

An address comes from the peer itself, or from the directory until the peer has said so itself. It is never trusted
further than to try it: whoever answers there must show the certificate of that peer before anything is sent.
Certificates come from the Manager of the peer that signed with them (`/.well-known/jwks.json`). They are held against
the group's anchors and revocation lists whenever they are used, not only when they came in.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from sluis.crypto import Peer, verify_chain
from sluis.crypto.jose import Chain, certificate_thumbprint, chains_of
from sluis.gateway.peers import sql
from sluis.gateway.peers.model import Group, Known
from sluis.gateway.peers.rules import in_pages, name_holds
from sluis.kernel import Clock, Invalid, PeerId, Refused, Text
from sluis.store import Store, migrate

Fetch = Callable[[PeerId], Awaitable[bytes]]
"""Gets a peer's JWKS from its Manager. Raises `Upstream`."""

LONGEST_JWKS = 256 * 1024
"""Bytes."""

_REST = 1.0  # seconds between two looks at the keys of one peer
_IN_MEMORY = 1024  # chains
_OTHERS = 64  # chains
_REMEMBERED = 1024  # peers at whom was looked just now


class Peers:
    """The peers that this node knows. Made by `open_peers`; for one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.read() as connection:
            rows = connection.execute(text(sql.PEERS)).all()
        self._known = {row.id: Known(PeerId(row.id), row.name, row.address, bool(row.itself)) for row in rows}
        self._unheard: dict[str, str] = {}

    def known(self, peer: PeerId) -> Known | None:
        """What is known of a peer."""
        return self._known.get(str.__str__(peer))

    def name(self, peer: PeerId) -> str:
        """What a peer is called: as it says itself, else as the settings do (`name_unheard`), else by its Peer ID."""
        known, id = self.known(peer), str.__str__(peer)
        return known.name if known else self._unheard.get(id, id)

    def name_unheard(self, names: Mapping[PeerId, str]) -> None:
        """What the settings call peers, for as long as they were not heard of: one may be down from the start."""
        self._unheard = {str.__str__(peer): name for peer, name in names.items()}

    def every(self) -> list[Known]:
        """Everyone, by Peer ID."""
        return [self._known[id] for id in sorted(self._known)]

    def listed(self, ids: Collection[str]) -> list[Known]:
        """Those of them that are known."""
        return [self._known[id] for id in sorted(set(ids)) if id in self._known]

    def page(self, name: str, after: str, limit: int, descending: bool) -> tuple[list[Known], str]:
        """One page of everyone whose name contains `name`, and where the next begins (`rules.in_pages`)."""
        wanted = [id for id, known in self._known.items() if name_holds(known.name, name)]
        page, following = in_pages(wanted, after, limit, descending)
        return [self._known[id] for id in page], following

    async def heard(self, peer: Peer, address: str) -> bool:
        """A peer said, over a connection with its own certificate, where its Manager is.

        Args:
            peer: whose certificate it was.
            address: as `rules.manager_address` gave it.

        Returns: whether that was news. Raises `Unkept`.
        """
        return await self._keep(Known(peer.id, peer.name, address))

    async def told(self, known: Known, *, anew: bool = False) -> bool:
        """The directory said where a peer is. What the peer said itself goes before.

        Args:
            known: what it said.
            anew: what is known did not work, so try this.

        Returns: whether that was news. Raises `Unkept`.
        """
        before = self.known(known.id)
        if before is not None and before.itself and not anew:
            return False
        return await self._keep(Known(known.id, known.name, known.address, itself=False))

    async def _keep(self, known: Known) -> bool:
        before = self.known(known.id)
        if before == known:
            return False
        id = str.__str__(known.id)
        values = {"id": id, "name": known.name, "address": known.address, "itself": int(known.itself)}
        await self._store.write(lambda connection: connection.execute(text(sql.KEEP_PEER), values) and None)
        self._known[id] = known
        return before is None or before.address != known.address


class Certificates:
    """The certificates that peers sign with, by thumbprint.

    Args:
        store: keeps them, so that a signature can be checked when its maker is away.
        fetch: gets a peer's keys.
        anchors: the group's roots.
        lists: the revocation lists as they are now.
        clock: aware UTC.
    """

    def __init__(
        self,
        store: Store,
        fetch: Fetch,
        anchors: Sequence[x509.Certificate],
        lists: Callable[[], Sequence[x509.CertificateRevocationList]],
        clock: Clock,
    ) -> None:
        self._store, self._fetch, self._anchors, self._lists, self._clock = (
            store, fetch, tuple(anchors), lists, clock,
        )  # fmt: skip
        self._chains: dict[str, Chain] = {}
        self._of_others: dict[str, Chain] = {}
        self._looking: dict[PeerId, asyncio.Task[None]] = {}
        self._looked: dict[PeerId, float] = {}

    async def chain(self, peer: PeerId, thumbprint: str) -> Chain:
        """The certificate with this thumbprint and what leads from it to an anchor; empty when its Manager has none.

        It was a valid one of the group when it came. Whose it is, and whether it is valid now, must be looked at by
        whoever believes a signature (`contracts.check_signature`).

        Args:
            peer: at whose Manager to look, when it is not known here.
            thumbprint: `x5t#S256` of the signature.

        Raises `Upstream` (its Manager gave no answer), `Invalid` (no JWKS), `Unkept`.
        """
        chain = self._kept(thumbprint)
        if not chain:
            await self._look(peer)
            chain = self._kept(thumbprint) or self._of_others.get(thumbprint, ())
        return chain

    async def keep(self, peer: PeerId, jwks: bytes) -> None:
        """Keep the certificates of a JWKS that are valid in the group and are this peer's. Those of others are only
        remembered for a while, so that who signs with one can be told so: what leads from them to an anchor, their own
        peer must show.

        Raises `Invalid` when it is no JWKS, `Unkept`.
        """
        for thumbprint, chain in _chains(jwks).items():
            if self._kept(thumbprint):
                continue
            holder = self._holder(chain)
            if holder == peer:
                await self.keep_chain(chain)
            elif holder is not None:
                if len(self._of_others) >= _OTHERS:
                    del self._of_others[next(iter(self._of_others))]
                self._of_others[thumbprint] = chain

    async def keep_chain(self, chain: Chain) -> None:
        """Keep one certificate with what leads from it to an anchor, when it is valid in the group. Raises `Unkept`."""
        peer = self._holder(chain)
        if peer is not None:
            pem = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
            values = {"thumbprint": certificate_thumbprint(chain[0]), "peer": str.__str__(peer), "chain": pem}
            await self._store.write(
                lambda connection: connection.execute(text(sql.KEEP_CHAIN), values) and None
            )

    def of(self, peer: PeerId) -> list[Chain]:
        """The certificates of a peer that are kept and are valid now. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.CHAINS_OF), {"peer": str.__str__(peer)}).all()
        chains = [tuple(x509.load_pem_x509_certificates(row.chain.encode())) for row in rows]
        return [chain for chain in chains if self._holder(chain) == peer]

    def until(self, thumbprint: str) -> int:
        """Until when a certificate is valid in the group, in seconds since the epoch, as far as is known now; zero when it
        is not: it has ended, was revoked, leads to no anchor, or is not kept. Blocks."""
        chain = self._kept(thumbprint)
        return int(chain[0].not_valid_after_utc.timestamp()) if chain and self._holder(chain) else 0

    def _holder(self, chain: Chain) -> PeerId | None:
        """Whose certificate it is; None when it is not valid in the group."""
        try:
            return verify_chain(chain[0], chain[1:], self._anchors, self._clock(), self._lists()).id
        except (Refused, ValueError, x509.InvalidVersion):  # the last two: it parses, its parts do not
            return None

    def _kept(self, thumbprint: str) -> Chain:
        chain = self._chains.get(thumbprint, ())
        if not chain:
            with self._store.read() as connection:
                row = connection.execute(text(sql.CHAIN), {"thumbprint": thumbprint}).one_or_none()
            if row is None:
                return ()
            chain = tuple(x509.load_pem_x509_certificates(row.chain.encode()))
            if len(self._chains) >= _IN_MEMORY:
                del self._chains[next(iter(self._chains))]
            self._chains[thumbprint] = chain
        return chain

    async def _look(self, peer: PeerId) -> None:
        """Look at a peer's keys; who asks meanwhile waits for the same answer, and who asks just after gets none."""
        task = self._looking.get(peer)
        if task is None:
            now = asyncio.get_running_loop().time()
            if now - self._looked.get(peer, -_REST) < _REST:
                return
            task = self._looking[peer] = asyncio.create_task(self._look_once(peer))
            task.add_done_callback(lambda task: self._looked_at(peer, task))
        await asyncio.shield(task)

    def _looked_at(self, peer: PeerId, task: "asyncio.Task[None]") -> None:
        del self._looking[peer]
        if not task.cancelled():
            task.exception()  # of who waited; nobody may be left to take it

    async def _look_once(self, peer: PeerId) -> None:
        try:
            await self.keep(peer, await self._fetch(peer))
        finally:
            now = asyncio.get_running_loop().time()
            if len(self._looked) >= _REMEMBERED:  # peers that somebody made up may be among them
                self._looked = {peer: then for peer, then in self._looked.items() if now - then < _REST}
            self._looked[peer] = now


def hold_to(group: Group, context: ssl.SSLContext) -> ssl.SSLContext:
    """Have a context speak no older TLS than the group allows; gives it back."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if group.tls == "1.3" else ssl.TLSVersion.TLSv1_2
    return context


def open_peers(store: Store) -> Peers:
    """The peers of a store, the tables made when they are not there. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "fsc-peers", sql.MIGRATIONS)
    return Peers(store)


def _chains(jwks: bytes) -> dict[str, Chain]:
    if len(jwks) > LONGEST_JWKS:
        raise _no_jwks()
    try:
        return chains_of(msgspec.json.decode(jwks))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _no_jwks() from None


def _no_jwks() -> Invalid:
    return Invalid(
        "malformed-jwks",
        Text(
            "De sleutels van deze organisatie zijn niet te lezen.", "This organisation's keys cannot be read."
        ),
        Text("Haar Manager gaf iets anders dan een JWKS.", "Its Manager gave something else than a JWKS."),
        Text("Meld het bij die organisatie.", "Tell that organisation."),
    )
