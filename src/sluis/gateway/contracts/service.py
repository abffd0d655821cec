"""The contracts of one peer: keep what came or was made, find it again, and say what is in force.

What is given in here was read (`read_content`), checked (`check_content`) and verified (`check_signature`) before.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, Row, bindparam, text

from sluis.crypto import decode_base64url, encode_base64url
from sluis.gateway.contracts import sql
from sluis.gateway.contracts.keeping import EVERY_TYPE, Item, Judged, Keeper, Within, contracts, types_of
from sluis.gateway.contracts.model import (
    AcceptedWith,
    Content,
    Contract,
    Grant,
    GrantType,
    InForce,
    Kept,
    Signature,
)
from sluis.gateway.faults import manager_fault
from sluis.kernel import Clock, PeerId, Text
from sluis.store import Store, migrate

Order = Literal["SORT_ORDER_ASCENDING", "SORT_ORDER_DESCENDING"]

LARGEST_PAGE = 1000
"""Contracts (Core 2.0.0, OpenAPI, limit)."""

LARGEST_ANSWER = 8 * 2**20
"""Bytes of content on one page, unless the first contract is larger: whoever asks for many large ones gets more pages."""

_EDGE = 2**62  # beyond every time and number

Listener = Callable[[Kept, Signature], None]


def read_allowed(store: Store, own: PeerId, clock: Clock) -> Callable[[PeerId, str, int], list[Grant]]:
    """What `Contracts.allowed` gives, as the contracts are in the database now; for a process that keeps none. Blocks. Raises
    `Unkept`."""
    keeper = Keeper(own, clock)
    with store.read() as connection:
        keeper.load(connection)
    return keeper.register.allowed


class Contracts:
    """Made by `open_contracts`. Reading waits for the database: from a task, call it in a thread (`asyncio.to_thread`),
    but for `in_force`, `connections`, `allowed` and `publications`, which are answered from memory."""

    def __init__(self, store: Store, keeper: Keeper) -> None:
        self._store, self._keeper = store, keeper
        self._listeners: list[Listener] = []

    # Keeping

    async def receive(self, content: Content, signature: Signature, within: Within | None = None) -> bool:
        """Keep a contract that is proposed, with the accept signature that came with it; durable when this returns.

        Args:
            content: as it was read and checked.
            signature: as it was verified.
            within: what else must be in the same commit; called on the writer's thread, and only when the signature
                was not known. What it raises undoes all of it, and comes back here.

        Returns:
            Whether the content was not known before. The same once more changes nothing.

        Raises:
            FscProblem: another contract has its `iv`.
            Unkept: it could not be kept.
        """
        return (await self._keep(content, signature, within)).new_contract

    async def add_signature(
        self, content: Content, signature: Signature, within: Within | None = None
    ) -> bool:
        """Keep a signature; durable when this returns. A contract that was not known is kept with it: who proposed it
        may not have reached this peer.

        A later signature of the same peer for the same action takes the place of the earlier one, as when a
        certificate was renewed. One on a contract that is over is kept all the same, and does not bring it back.

        Args:
            content: as it was read and checked.
            signature: as it was verified.
            within: as in `receive`.

        Returns:
            Whether it now counts, and did not before.

        Raises:
            FscProblem: another contract has its `iv`.
            Unkept: it could not be kept.
        """
        return (await self._keep(content, signature, within)).new_signature

    async def _keep(self, content: Content, signature: Signature, within: Within | None) -> Kept:
        future = self._store.submit(self._keeper, Item(content, signature, within))
        future.add_done_callback(lambda done: self._tell(done, signature))
        # Who waits may be cancelled; listeners hear of what was kept all the same.
        kept: Kept = await asyncio.shield(future)
        return kept

    def on_change(self, listener: Listener) -> None:
        """Call `listener` after each new signature was kept, on the event loop that it was kept from. What must not be
        lost when the node stops at that moment belongs into `within`."""
        self._listeners.append(listener)

    def _tell(self, done: "asyncio.Future[Kept]", signature: Signature) -> None:
        if done.cancelled() or done.exception() or not done.result().new_signature:
            return
        for listener in self._listeners:
            listener(done.result(), signature)

    # In force

    def in_force(self, grant_hash: str, now: int) -> Grant | None:
        """The grant of this hash, when its contract is valid now.

        Args:
            grant_hash: as it is written here (`plain_hash`).
            now: seconds since the epoch.
        """
        return self._keeper.register.grant(grant_hash, now)

    def allowed(self, peer: PeerId, service: str, now: int) -> list[Grant]:
        """Grants by which the outway of `peer` may use a service of this peer, newest first; from memory."""
        return self._keeper.register.allowed(peer, service, now)

    def connections(self, peer: PeerId, service: str, now: int) -> list[Grant]:
        """Grants by which this peer may connect now to a service of `peer`; of the newest contract first."""
        return self._keeper.register.connections(peer, service, now)

    def publications(self, now: int) -> list[InForce]:
        """Publications that are in force: at a directory what it lists, elsewhere what this peer has published."""
        return self._keeper.register.publications(now)

    # Finding

    def get(self, content_hash: str) -> Contract | None:
        """The contract of this hash, whoever is in it."""
        with self._store.read() as connection:
            row = connection.execute(text(sql.BY_HASH), {"hash": content_hash}).one_or_none()
            return contracts(connection, [row])[0] if row is not None else None

    def knows(self, content_hash: str) -> bool:
        """Whether a contract of this hash is kept."""
        with self._store.read() as connection:
            return connection.execute(text(sql.IS_KNOWN), {"hash": content_hash}).one_or_none() is not None

    def page(
        self,
        peer: PeerId,
        cursor: str = "",
        limit: int = 100,
        order: Order = "SORT_ORDER_DESCENDING",
        grant_type: GrantType | None = None,
    ) -> tuple[list[Contract], str]:
        """Contracts in which `peer` occurs, in the order in which they were made; no more than `LARGEST_ANSWER` at once.

        Args:
            peer: who may see them.
            cursor: where the page before ended; empty for the first.
            limit: 1 to 1,000.
            order: oldest or newest first.
            grant_type: only contracts with such a grant.

        Returns:
            The contracts, and the cursor of the next page: empty when there is none.

        Raises:
            FscProblem: ERROR_CODE_MALFORMED_REQUEST for a cursor that was not given out here.
        """
        descending, limit = order == "SORT_ORDER_DESCENDING", max(1, min(limit, LARGEST_PAGE))
        edge = _EDGE if descending else -1
        created, number = _read_cursor(cursor) if cursor else (edge, edge)
        wanted = {
            "peer": str.__str__(peer), "created": created, "id": number, "limit": limit + 1,
            "types": types_of([grant_type]) if grant_type else EVERY_TYPE,
        }  # fmt: skip
        with self._store.read() as connection:
            rows = connection.execute(text(sql.page(descending)), wanted).all()
            fitting = _fitting(rows[:limit])
            found = _numbered(connection, fitting)
        more = len(rows) > len(fitting)
        return found, _cursor(fitting[-1].created, fitting[-1].id) if more else ""

    def every(self, peer: PeerId) -> Iterator[Contract]:
        """All contracts in which `peer` occurs, newest first; never more than `LARGEST_PAGE` of them in memory."""
        found, cursor = self.page(peer, limit=LARGEST_PAGE)
        yield from found
        while cursor:
            found, cursor = self.page(peer, cursor, LARGEST_PAGE)
            yield from found

    def by_grant_hashes(self, peer: PeerId, hashes: Sequence[str]) -> list[Contract]:
        """Contracts in which `peer` occurs with a grant of one of these hashes (at most 1,000), newest first; of those
        beyond `LARGEST_ANSWER` the oldest are left out."""
        with self._store.read() as connection:
            statement = text(sql.BY_GRANTS).bindparams(bindparam("hashes", expanding=True))
            wanted = {"peer": str.__str__(peer), "hashes": list(hashes[:LARGEST_PAGE])}
            return _numbered(connection, _fitting(connection.execute(statement, wanted).all()))

    def proposed(self, now: int, after: Contract | None = None, limit: int = 100) -> list[Contract]:
        """Contracts that someone never accepted and that are not over; the first to end first.

        Args:
            now: seconds since the epoch.
            after: the last of what was given before; None to begin.
            limit: at most so many.
        """
        return self._by_standing(sql.PROPOSED, now, _EDGE, after, limit)

    def ending(self, now: int, until: int, limit: int = LARGEST_PAGE) -> list[Contract]:
        """Contracts that all have accepted and that end from `now` to `until`; the first to end first."""
        return self._by_standing(sql.AGREED, now, until, None, limit)

    def to_sign_again(
        self, peer: PeerId, thumbprint: str, now: int, limit: int = LARGEST_PAGE
    ) -> list[Contract]:
        """Contracts that `peer` accepted with another certificate than that of `thumbprint`: when that one is over, nobody
        can verify the signature any more (Core 2.0.0, Certificate renewal). Blocks.

        Args:
            peer: who signed.
            thumbprint: SHA-256 of the certificate that stays, base64url.
            now: seconds since the epoch; what is over is left out.
            limit: at most so many.
        """
        wanted = {"peer": str.__str__(peer), "thumbprint": thumbprint, "now": now, "limit": limit}
        with self._store.read() as connection:
            return contracts(connection, connection.execute(text(sql.SIGNED_OTHERWISE), wanted).all())

    def counts(self, now: int) -> dict[str, int]:
        """How many contracts are `proposed`, `agreed`, `ended`, and `closed` (rejected or revoked). Blocks.

        Args:
            now: seconds since the epoch.
        """
        found = dict.fromkeys(("proposed", "agreed", "ended", "closed"), 0)
        names = {sql.PROPOSED: "proposed", sql.AGREED: "agreed", sql.CLOSED: "closed"}
        with self._store.read() as connection:
            for standing, ended, number in connection.execute(text(sql.COUNTS), {"now": now}):
                found["ended" if ended and standing != sql.CLOSED else names[standing]] += number
        return found

    # What recurs

    def certificates(self, now: int) -> list[AcceptedWith]:
        """What contracts that are not over were accepted with.

        Args:
            now: seconds since the epoch.
        """
        with self._store.read() as connection:
            found = connection.execute(text(sql.CERTIFICATES), {"now": now})
            return [AcceptedWith(PeerId(row.peer), row.thumbprint, row.until) for row in found]

    def judge(self, thumbprint: str, until: int) -> int:
        """From now on what was accepted with this certificate holds until then; durable when this returns. Blocks.

        Args:
            thumbprint: of the certificate.
            until: seconds since the epoch; zero for one that was revoked.

        Returns:
            How many contracts that are not over were accepted with it.

        Raises:
            Unkept: it could not be kept.
        """
        count: int = self._store.submit_blocking(self._keeper, Judged(thumbprint, until))
        return count

    async def forget(self, before: int) -> None:
        """Destroy the contracts that this peer never signed anything under and that were over before then.

        Args:
            before: seconds since the epoch.

        Raises:
            Unkept: they could not be destroyed now.
        """

        def work(connection: Connection) -> None:
            for statement in sql.FORGET:
                connection.execute(text(statement), {"before": before})

        await self._store.write(work)

    def _by_standing(
        self, standing: int, now: int, until: int, after: Contract | None, limit: int
    ) -> list[Contract]:
        place = (after.content.not_after, after.content.hash) if after else (-1, "")
        wanted = {
            "standing": standing, "now": now, "until": until, "not_after": place[0], "hash": place[1], "limit": limit,
        }  # fmt: skip
        with self._store.read() as connection:
            return contracts(connection, connection.execute(text(sql.BY_STANDING), wanted).all())


def open_contracts(store: Store, own: PeerId, clock: Clock) -> Contracts:
    """The contracts in a store, and what of them is in force in memory.

    Args:
        store: the node's database; this process becomes its writer.
        own: this peer.
        clock: the time.

    Raises:
        Conflict: the database is newer than the code, or another process writes it.
        Unkept: it cannot be reached or written.
    """
    migrate(store, "contracts", sql.MIGRATIONS)
    keeper = Keeper(own, clock)
    store.register(keeper)
    return Contracts(store, keeper)


def _fitting(rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """The first rows, of which the content goes into one answer; the first in any case."""
    sizes = accumulate(row.size for row in rows)
    return [row for row, size in zip(rows, sizes, strict=True) if size <= LARGEST_ANSWER] or rows[:1]


def _numbered(connection: Connection, rows: Sequence[Row[Any]]) -> list[Contract]:
    """The contracts of these rows, in their order."""
    numbers = [row.id for row in rows]
    statement = text(sql.NUMBERED).bindparams(bindparam("numbers", expanding=True, type_=BigInteger))
    found = {row.id: row for row in connection.execute(statement, {"numbers": numbers})}
    return contracts(connection, [found[number] for number in numbers if number in found])


def _cursor(created: int, number: int) -> str:
    return encode_base64url(f"{created}.{number}".encode())


def _bounded(digits: str) -> int:
    return max(-_EDGE, min(int(digits), _EDGE))


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        created, number = decode_base64url(cursor[:100]).decode("ascii").split(".")
        return _bounded(created), _bounded(number)
    except ValueError:
        raise manager_fault(
            "ERROR_CODE_MALFORMED_REQUEST",
            Text("De cursor is niet van deze lijst.", "The cursor is not of this list."),
            code="cursor-unknown",
        ) from None
