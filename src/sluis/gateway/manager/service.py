"""The Manager of a peer (FSC Core 2.0.0): proposes, takes and signs contracts, tells the others, and gives tokens.

Whatever this node signs is kept together with the letters that tell the other parties, in one commit. What others sign
is verified first, whether they pushed it or it was found at a third party.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import uuid_utils
from cryptography import x509
from sqlalchemy import Connection

from sluis.crypto import Identity, canonical
from sluis.crypto.jose import Chain, certificate_thumbprint, jwks
from sluis.gateway.contracts import (
    ALGORITHM,
    VERSION,
    Action,
    Content,
    Contract,
    Contracts,
    Grant,
    InForce,
    Kept,
    Signature,
    certificate_named,
    check_content,
    check_own_act,
    check_signature,
    read_content,
)
from sluis.gateway.contracts import sign as signature_of
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.gateway.manager.delivery import Delivery, Kind, Letter
from sluis.gateway.peers import Certificates, Group
from sluis.kernel import Clock, Invalid, NotFound, PeerId, Text, Upstream

log = logging.getLogger("sluis.manager")

_TOGETHER = 100  # contracts signed again in one go


class Trust(msgspec.Struct, frozen=True):
    """What makes a certificate one of the group.

    Args:
        anchors: its roots.
        lists: the revocation lists as they are now.
    """

    anchors: tuple[x509.Certificate, ...]
    lists: Callable[[], Sequence[x509.CertificateRevocationList]] = tuple


class Manager:
    """The contracts of this peer, and its dealings with other Managers about them.

    Attributes:
        own: this peer.
        group: the rules it holds to.
        contracts: those of this peer.

    Args:
        identity: of this node: what it signs with.
        group: as above.
        contracts: as above.
        certificates: those of everyone who signs.
        delivery: the way to the other parties.
        trust: the group's roots, and which certificates were revoked.
        offers: the names of the services that this peer offers.
        clock: aware UTC.
    """

    def __init__(
        self,
        identity: Identity,
        group: Group,
        contracts: Contracts,
        certificates: Certificates,
        delivery: Delivery,
        trust: Trust,
        offers: Callable[[], Collection[str]],
        clock: Clock,
    ) -> None:
        self.own, self.group, self.contracts = identity.peer, group, contracts
        self._certificates, self._delivery, self._trust = certificates, delivery, trust
        self.offers, self._clock = offers, clock
        self._identity, self._chains = identity, dict[str, Chain]()

    # What this peer does itself

    async def propose(self, grants: Sequence[Mapping[str, Any]], not_before: int, not_after: int) -> Contract:
        """Make a contract, accept it, and offer it to every other party.

        Args:
            grants: the members `data` of the grants, as FSC writes them.
            not_before: seconds since the epoch.
            not_after: seconds since the epoch.

        Raises `FscProblem` when it breaks a rule, `Unkept`.
        """
        now = self._now()
        value = {
            "fsc_version": VERSION,
            "iv": str(uuid_utils.uuid7()),
            "group_id": self.group.id,
            "validity": {"not_before": not_before, "not_after": not_after},
            "grants": [{"data": dict(grant)} for grant in grants],
            "hash_algorithm": ALGORITHM,
            "created_at": now,
        }
        content = read_content(canonical(value))
        check_content(content, self.own.id, self.own.id, self.group.id, now)
        return await self._put(content, "accept", "contract", now)

    async def act(self, content_hash: str, action: Action) -> Contract:
        """Accept, reject or revoke a contract, and tell every other party.

        Raises `NotFound`, `Refused` (no party), `Conflict` (its state does not allow it), `Unkept`.
        """
        return await self.sign(await asyncio.to_thread(self.contract, content_hash), action)

    async def sign(self, contract: Contract, action: Action) -> Contract:
        """The same for a contract as it is known now."""
        now = self._now()
        check_own_act(contract, self.own.id, action, now)
        before = contract.signed(action).get(self.own.id)
        return await self._put(
            contract.content, action, action, max(now, before.signed_at + 1 if before else 0)
        )

    def contract(self, content_hash: str) -> Contract:
        """The contract with this hash. Blocks. Raises `NotFound`."""
        found = self.contracts.get(content_hash)
        if found is None:
            raise _no_contract()
        return found

    async def _put(self, content: Content, action: Action, kind: Kind, signed_at: int) -> Contract:
        jws = signature_of(self._identity, content.hash, action, signed_at)
        thumbprint = certificate_thumbprint(self._identity.certificate)
        ends = int(self._identity.certificate.not_valid_after_utc.timestamp())
        signature = Signature(self.own.id, action, jws, signed_at, thumbprint, ends)
        kept: list[Kept] = []
        others = sorted(content.parties - {self.own.id})

        def tell(connection: Connection, now_kept: Kept) -> None:
            kept.append(now_kept)
            for peer in others:
                self._delivery.put(connection, peer, Letter(kind, content.hash, jws), content.not_after)

        self._delivery.remember(content.hash, content.json)
        await self.contracts.add_signature(content, signature, tell)
        self._delivery.wake(others)
        return kept[-1].contract if kept else await asyncio.to_thread(self.contract, content.hash)

    # What others do

    async def take(
        self, signer: PeerId, content: Content, action: Action, jws: str, *, proposes: bool = False
    ) -> bool:
        """Take a signature of a peer, and with it the contract when it is not known here.

        Args:
            signer: who must have signed: who sent it, or under whose name another lists it.
            content: what it is on.
            action: what it does.
            jws: the signature.
            proposes: whether the signer offers the contract. Who accepts what another offers may be quicker than that
                other; then the same is asked of the contract, and it waits.

        Returns: whether it was news; durable when this returns.

        Raises `FscProblem` (which rule it breaks), `Unkept`.
        """
        new = proposes or (
            action == "accept" and not await asyncio.to_thread(self.contracts.knows, content.hash)
        )
        offers, now = self.offers().__contains__ if new else None, self._now()
        check_content(
            content, self.own.id, signer, self.group.id, now, proposes=proposes, new=new, offers=offers
        )
        chain = await self._chain(signer, certificate_named(jws))
        signature = check_signature(
            jws, content, action, signer, chain, self._trust.anchors, self._clock(), self._trust.lists()
        )
        if proposes:
            return await self.contracts.receive(content, signature)
        return await self.contracts.add_signature(content, signature)

    async def give(self, peer: PeerId, contract: Contract, letters: Sequence[Letter]) -> None:
        """Have letters about a contract delivered to a party that lacks them, unless something about it waits for that
        party already. Raises `Unkept`."""
        await self._delivery.give(peer, letters, contract.content.not_after)

    async def _chain(self, peer: PeerId, thumbprint: str) -> Chain:
        if thumbprint in self._chains:
            return self._chains[thumbprint]
        try:
            return await self._certificates.chain(peer, thumbprint)
        except (Upstream, Invalid) as problem:
            log.info("the keys of %s are not there: %s", str.__str__(peer), problem.code)
            raise _no_keys(peer, thumbprint) from None

    # Certificates

    @property
    def lists(self) -> Sequence[x509.CertificateRevocationList]:
        """The revocation lists as they are now."""
        return self._trust.lists()

    def judge(self) -> None:
        """Hold every certificate that contracts were accepted with against the group's anchors and revocation lists as they
        are now. What hangs on one that is not valid any more is not in force until its peer signs again with another
        (Core 2.0.0, Certificate renewal). Blocks.

        Raises `Unkept`.
        """
        now = self._now()
        for one in self.contracts.certificates(now):
            until = self._certificates.until(one.thumbprint)
            if until == one.until or max(until, one.until) < now:
                continue  # as before; or it had ended, and that was known beforehand
            count, peer = self.contracts.judge(one.thumbprint, until), str.__str__(one.peer)
            if until:
                log.warning("certificate %s of %s is valid: %d contracts", one.thumbprint, peer, count)
            else:
                log.warning(_NOT_VALID, one.thumbprint, peer, count)

    @property
    def identity(self) -> Identity:
        """What this peer signs with now."""
        return self._identity

    async def adopt(self, identity: Identity) -> None:
        """Sign with this certificate from now on, and show it beside those before it. Raises `Unkept`."""
        await self._certificates.keep_chain(identity.chain)
        kept = await asyncio.to_thread(self._certificates.of, self.own.id)
        self._chains = {certificate_thumbprint(chain[0]): chain for chain in (*kept, identity.chain)}
        self._identity = identity

    async def sign_again(self) -> int:
        """Sign anew what was accepted with an earlier certificate, and tell the others: when that one ends, nobody can
        verify the signature any more. Gives how many contracts. Raises `Unkept`."""
        thumbprint, count = certificate_thumbprint(self._identity.certificate), 0
        while found := await asyncio.to_thread(
            self.contracts.to_sign_again, self.own.id, thumbprint, self._now(), _TOGETHER
        ):
            acts = [self._sign_again(contract) for contract in found]
            await asyncio.gather(*acts)
            count += len(found)
        return count

    async def _sign_again(self, contract: Contract) -> None:
        before = contract.signed("accept")[self.own.id]
        await self._put(contract.content, "accept", "accept", max(self._now(), before.signed_at + 1))

    def jwks(self) -> dict[str, Any]:
        """The certificates that this peer signs with, and those that it signed with, as long as they are valid."""
        now = self._clock()
        return jwks(chain for chain in self._chains.values() if chain[0].not_valid_after_utc > now)

    def keys(self) -> dict[str, x509.Certificate]:
        """The same by thumbprint, for whoever checks what this peer signed."""
        return {thumbprint: chain[0] for thumbprint, chain in self._chains.items()}

    def certificates_of(self, peer: PeerId) -> list[x509.Certificate]:
        """The certificates that a peer signed with, as far as they are known here and valid now. Blocks."""
        return [chain[0] for chain in self._certificates.of(peer)]

    def published(self) -> list[Grant]:
        """The publications that this peer, as a directory, lists now."""
        found: list[InForce] = self.contracts.publications(self._now())
        return [one.grant for one in found if one.grant.directory == self.own.id]

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _no_contract() -> NotFound:
    return NotFound(
        "unknown-contract",
        Text("Dit contract is hier niet bekend.", "This contract is not known here."),
        Text("Geen contract heeft deze hash.", "No contract has this hash."),
        Text("Neem de hash over uit `sluis fsc contracts`.", "Take the hash from `sluis fsc contracts`."),
    )


_NOT_VALID = (
    "certificate %s of %s is not valid any more: %d contracts are not in force until it signs them again"
)


def _no_keys(peer: PeerId, thumbprint: str) -> FscProblem:
    # Not what was found at that address: who names one must not learn from this node what listens there.
    id = str.__str__(peer)
    return manager_fault(
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
        Text(
            f"Certificaat {thumbprint} was niet op te halen bij het adres dat {id} bekendmaakte.",
            f"Certificate {thumbprint} could not be fetched from the address that {id} announced.",
        ),
        code="signer-keys-not-found",
        peer=id,
    )
