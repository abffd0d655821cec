"""Keeping contracts and signatures durably, and the register of what is in force in step with it.

A lane in the store's group commit: one durable commit for each signature, shared with whatever else is written then.
The register changes after the commit, in the order of the commits, before anyone is told. After a failure it is read
anew, with everything else that `apply` builds on.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from sluis.gateway.allowance import Allowance
from sluis.gateway.contracts import sql
from sluis.gateway.contracts.hashes import HASH_TYPES
from sluis.gateway.contracts.model import Content, Contract, Grant, GrantType, Kept, Signature
from sluis.gateway.contracts.register import Register
from sluis.gateway.contracts.rules import all_accepted, counts_instead, holds_until, not_a_party, signers
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.kernel import Clock, PeerId, Text, decode, encode
from sluis.store import Commit

Within = Callable[[Connection, Kept], None]
"""What else belongs to the same commit, such as who must be told; only when the signature is new."""

MOST_OPEN, MOST_OPEN_BYTES = 1000, 64 * 2**20
"""What one peer may have brought here that this one signed nothing under: contracts, and bytes of their content."""

RENEWALS = 20_000
"""Signatures that one peer may put in the place of earlier ones, at once and each day: each is a record of the ledger."""

EVERY_TYPE = sum(1 << number for number in HASH_TYPES.values())


class Item(msgspec.Struct, frozen=True):
    """A signature to keep, with the content that it is on."""

    content: Content
    signature: Signature
    within: Within | None = None


class Judged(msgspec.Struct, frozen=True):
    """What a certificate that contracts were accepted with is found to be: valid until then, in seconds since the epoch."""

    thumbprint: str
    until: int


class Keeper:
    """The lane.

    Args:
        own: this peer.
        clock: the time.

    Attributes:
        register: what is in force; another object after a failure, so ask for it each time.
    """

    def __init__(self, own: PeerId, clock: Clock) -> None:
        self._own, self._clock = own, clock
        self.register = Register(own)
        self._last = 0
        self._changed: list[Contract] = []
        self._renewing = Allowance(RENEWALS, RENEWALS / 86_400)

    def load(self, connection: Connection) -> None:
        register, now = Register(self._own), self._now()
        for row in connection.execute(text(sql.AGREED_NOT_OVER), {"now": now}):
            register.add(row.hash, row.created, row.not_before, min(row.not_after, row.until), _grants(row))
        self._last = connection.execute(text(sql.LAST)).scalar_one()
        self.register, self._changed = register, []

    def prepare(self, payloads: Sequence[Item | Judged]) -> Sequence[Item | Judged]:
        return payloads

    def is_brief(self, batch: Sequence[Item | Judged]) -> bool:
        return False

    def apply(self, commit: Commit, batch: Sequence[Item | Judged]) -> list[Kept | int | Exception]:
        return [self._one(commit.connection, item) for item in batch]

    def committed(self, _connection: Connection) -> bool:
        changed, self._changed = self._changed, []
        for contract in changed:
            if _standing(contract) == sql.AGREED:
                self.register.add_content(contract.content, holds_until(contract))
            else:
                self.register.remove(contract.content.hash)
        self.register.forget_ended(self._now())
        return False

    def tidy(self, connection: Connection) -> None:
        pass

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _one(self, connection: Connection, item: Item | Judged) -> Kept | int | Exception:
        savepoint = connection.begin_nested()
        try:
            done = self._judge(connection, item) if isinstance(item, Judged) else self._keep(connection, item)
            savepoint.commit()
        except Exception as problem:
            if isinstance(problem, DBAPIError | OSError) and not isinstance(problem, IntegrityError):
                raise  # the database itself fails: nothing of this batch is kept
            savepoint.rollback()
            return problem
        self._changed += [done.contract] if isinstance(done, Kept) else done
        return done if isinstance(done, Kept) else len(done)

    def _keep(self, connection: Connection, item: Item) -> Kept:
        if item.signature.peer not in signers(item.content):  # a stranger's would close a contract too
            raise not_a_party(item.signature.peer)
        found = connection.execute(text(sql.BY_HASH), {"hash": item.content.hash}).one_or_none()
        if found is None:
            number = self._add(connection, item)
            contract = Contract(item.content, submitter=item.signature.peer)
        else:
            number, contract = found.id, contracts(connection, [found])[0]
        known = contract.signed(item.signature.action).get(item.signature.peer)
        if not counts_instead(item.signature, known):
            return Kept(contract, False, False)
        if known is not None and known.peer != self._own and self._renewing.wait(known.peer, 1, self._now()):
            raise manager_fault("ERROR_CODE_TOO_MANY_REQUESTS", _RENEWED_TOO_OFTEN)
        others = tuple(one for one in contract.signatures if one is not known)
        now_signed = msgspec.structs.replace(contract, signatures=(*others, item.signature))
        kept = Kept(now_signed, found is None, True)
        self._sign(connection, number, kept.contract, item.signature)
        if item.within:
            item.within(connection, kept)
        return kept

    def _judge(self, connection: Connection, item: Judged) -> list[Contract]:
        connection.execute(text(sql.JUDGE), {"thumbprint": item.thumbprint, "until": item.until})
        wanted = {"thumbprint": item.thumbprint, "now": self._now()}
        return contracts(connection, connection.execute(text(sql.ACCEPTED_WITH), wanted).all())

    def _add(self, connection: Connection, item: Item) -> int:
        content = item.content
        other = connection.execute(text(sql.SAME_IV), {"iv": content.iv}).scalar_one_or_none()
        if other is not None:
            raise _same_iv(content.iv, other)
        self._last += 1
        number, types = self._last, types_of(grant.type for grant in content.grants)
        connection.execute(text(sql.ADD), {
            "id": number, "hash": content.hash, "iv": content.iv, "group_id": content.group_id,
            "created": content.created_at, "not_before": content.not_before, "not_after": content.not_after,
            "types": types, "standing": sql.PROPOSED, "content": content.json, "grants": encode(content.grants),
            "submitter": str.__str__(item.signature.peer),
        })  # fmt: skip
        connection.execute(text(sql.ADD_PARTY), [
            {"peer": str.__str__(peer), "created": content.created_at, "contract": number, "types": types}
            for peer in sorted(content.parties)
        ])  # fmt: skip
        connection.execute(
            text(sql.ADD_GRANT), [{"hash": grant.hash, "contract": number} for grant in content.grants]
        )
        if item.signature.peer != self._own:
            self._note_open(connection, number, item)
        return number

    def _note_open(self, connection: Connection, number: int, item: Item) -> None:
        peer, size = str.__str__(item.signature.peer), len(item.content.json)
        count, bytes = connection.execute(text(sql.OPEN), {"peer": peer}).one()
        if count >= MOST_OPEN or bytes + size > MOST_OPEN_BYTES:
            raise _too_many_open(item.signature.peer)
        values = {"id": number, "peer": peer, "size": size, "not_after": item.content.not_after}
        connection.execute(text(sql.ADD_OPEN), values)

    def _sign(self, connection: Connection, number: int, contract: Contract, signature: Signature) -> None:
        connection.execute(text(sql.SIGN), {
            "contract": number, "peer": str.__str__(signature.peer), "action": signature.action,
            "signed": signature.signed_at, "thumbprint": signature.thumbprint, "until": signature.until,
            "jws": signature.jws,
        })  # fmt: skip
        if signature.peer == self._own:
            connection.execute(text(sql.DECIDED), {"id": number})
        connection.execute(text(sql.SET_STANDING), {"standing": _standing(contract), "id": number})


def contracts(connection: Connection, rows: Sequence[Row[Any]]) -> list[Contract]:
    """Contracts with their signatures, from rows of `CONTRACT_COLUMNS`."""
    signatures: dict[int, list[Signature]] = {row.id: [] for row in rows}
    if rows:
        statement = text(sql.SIGNATURES).bindparams(bindparam("contracts", expanding=True))
        for number, peer, *signed in connection.execute(statement, {"contracts": list(signatures)}):
            signatures[number].append(Signature(_peer(peer), *signed))
    return [
        Contract(_content(row), tuple(signatures[row.id]), _peer(row.submitter) if row.submitter else None)
        for row in rows
    ]


def types_of(types: Iterable[GrantType]) -> int:
    """Grant types as bits."""
    found = 0
    for one in types:
        found |= 1 << HASH_TYPES[one]
    return found


def _content(row: Row[Any]) -> Content:
    return Content(
        row.content, row.hash, row.iv, row.group_id, row.not_before, row.not_after, row.created, _grants(row)
    )


@lru_cache(maxsize=4096)
def _peer(peer: str) -> PeerId:
    """The same few peers stand in all contracts, and each is checked when it is made."""
    return PeerId(peer)


def _grants(row: Row[Any]) -> tuple[Grant, ...]:
    return decode(row.grants, tuple[Grant, ...])


def _standing(contract: Contract) -> int:
    if contract.signed("reject") or contract.signed("revoke"):
        return sql.CLOSED
    return sql.AGREED if all_accepted(contract) else sql.PROPOSED


def _same_iv(iv: str, other: str) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_CONTRACT_INVALID",
        Text(
            f"iv {iv} is al van een ander contract: {other}.",
            f"iv {iv} is another contract's already: {other}.",
        ),
        code="contract-iv-taken",
    )


_RENEWED_TOO_OFTEN = Text(
    "Uw organisatie verving vandaag al te veel handtekeningen.",
    "Your organisation replaced too many signatures today already.",
)


def _too_many_open(peer: PeerId) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_TOO_MANY_OPEN_CONTRACTS",
        Text(
            f"Hier wachten al te veel contracten van {str.__str__(peer)} op een beslissing.",
            f"Too many contracts of {str.__str__(peer)} wait for a decision here already.",
        ),
    )
