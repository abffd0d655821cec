"""Interests, at the source of the events: registered by recipients, sealed, and looked up for every event.

What is kept is HMAC-SHA256 of (kind, value) under a key of its own, `interest`, and the reference sealed. With that key
all citizen service numbers could be tried, so it stays in the key store. Every change is a line in the log about the
person, in the same commit.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, LargeBinary, bindparam, text

from sluis.crypto import KeyStore, Vault, canonical_texts, decode_base64url, encode_base64url
from sluis.events.interests import rules, sql
from sluis.events.interests.model import (
    NAMES,
    Bounds,
    Ended,
    Ending,
    InterestsView,
    InterestView,
    Registered,
    Registration,
    Whom,
)
from sluis.events.notices import Notices, Told
from sluis.events.records import about
from sluis.grounds import Purpose
from sluis.kernel import Clock, Invalid, PeerId, Text, Trace, milliseconds
from sluis.ledger import Ledger, Processing
from sluis.store import Store, migrate

_SECRET, _REFERENCES = "interest", "interest-references"
_PAGE = 1000
_MOST_AT_ONCE = 500  # persons in one look-up


Withdraw = Callable[[Connection, PeerId, str, Sequence[bytes]], None]
"""Takes back what is on its way to a recipient by a notice (its id) about some persons (their pseudonyms), in the transaction in
which their interests end."""


class Interests:
    """The interests of recipients at this node. Made by `open_interests`; for one event loop.

    Args:
        store: the node's database.
        ledger: where changes are recorded.
        keys: makes pseudonyms, and seals.
        notices: of this node.
        address: where a peer is, for the log.
        service: name of this node in its records.
        clock: aware UTC.
        bounds: of what is registered.
        contracts: whether peers come under contracts.

    Attributes:
        withdraw: called for interests that end.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        notices: Notices,
        address: Callable[[PeerId], str],
        service: str,
        clock: Clock,
        bounds: Bounds,
        contracts: bool,
    ) -> None:
        self._store, self._ledger, self._keys, self._notices = store, ledger, keys, notices
        self._address, self._service, self._clock = address, service, clock
        self._bounds, self._contracts = bounds, contracts
        self._vault = Vault(keys, _REFERENCES)
        self.withdraw: Withdraw = _nothing

    # For recipients

    async def register(
        self,
        peer: PeerId,
        wish: Registration,
        purpose: Purpose | None,
        trace: Trace,
        recording: Callable[[], object] = lambda: None,
    ) -> Registered:
        """Register interests, or renew those that are there.

        Args:
            peer: who registers, as its certificate proves.
            wish: for which notice, in whom.
            purpose: of the contract under which it came; None when that has none.
            trace: of the request.
            recording: called with the records; what else it writes shares their commit.

        Raises:
            Refused: the notice is not for this peer, or no contract covers it.
            Invalid: a person, reference or day is not right; then nothing was registered.
            Conflict: there would be too many.
            Unkept: nothing was registered.
        """
        told = await self._may(peer, wish.notice, purpose)
        now, subjects = self._clock(), [one.subject for one in wish.interests]
        rules.check_kept(told)
        rules.check_subjects(told, subjects, self._bounds.test)
        rules.check_references(wish.interests)
        rules.check_ends(wish.interests, now.date(), self._bounds)
        whose = _whose(peer, wish.notice)
        rows = [
            {
                "notice": whose,
                "pseudonym": digest,
                "reference": self._vault.seal(one.reference.encode(), _place(whose, digest)),
                "since": milliseconds(now),
                "last": one.until.toordinal(),
            }
            for one in wish.interests
            for digest in [self.digest(one.subject)]
        ]

        there: list[int] = []

        def keep(connection: Connection) -> None:
            known = {"notice": whose, "pseudonyms": [row["pseudonym"] for row in rows]}
            there.append(connection.execute(_many(sql.THERE), known).scalar_one())
            every = connection.execute(text(sql.COUNT), {"notice": whose}).scalar_one()
            rules.check_room(every, len(rows) - there[0], self._bounds)
            connection.execute(text(sql.KEEP), rows)

        lines = self._lines("register", told, subjects, trace, now)
        recorded = self._ledger.append(lines, keep)
        recording()
        await recorded
        return Registered(len(rows) - there[0], there[0])

    async def end(
        self,
        peer: PeerId,
        wish: Ending,
        purpose: Purpose | None,
        trace: Trace,
        recording: Callable[[], object] = lambda: None,
    ) -> Ended:
        """End interests; those that are not there are passed over. What is still on its way about these persons is withdrawn.
        Arguments and problems as `register`."""
        told = await self._may(peer, wish.notice, purpose)
        rules.check_subjects(told, wish.subjects, self._bounds.test)
        digests = [self.digest(one) for one in wish.subjects]
        whose = _whose(peer, wish.notice)
        values = {"notice": whose, "pseudonyms": digests}
        ended: list[int] = []

        def forget(connection: Connection) -> None:
            ended.append(connection.execute(_many(sql.END), values).rowcount)
            self.withdraw(connection, peer, wish.notice, digests)

        recorded = self._ledger.append(self._lines("end", told, wish.subjects, trace, self._clock()), forget)
        recording()
        await recorded
        return Ended(ended[0])

    async def registered(
        self, peer: PeerId, notice: str, purpose: Purpose | None, cursor: str = ""
    ) -> InterestsView:
        """A page of what a recipient registered for a notice, in no order that means anything.

        Args:
            peer: the recipient, as its certificate proves.
            notice: its id.
            purpose: of the contract under which it asks; None when that has none.
            cursor: of the page, as the one before gave it; empty for the first.

        Raises: as `register`, and `Invalid` for a cursor that is none.
        """
        await self._may(peer, notice, purpose)
        whose = _whose(peer, notice)
        values = {"notice": whose, "after": _cursor(cursor), "most": _PAGE}
        rows = await asyncio.to_thread(self._rows, text(sql.PAGE), values)
        views = tuple(
            InterestView(
                self._opened(whose, bytes(row.pseudonym), bytes(row.reference)),
                date.fromordinal(row.last),
                row.since,
            )
            for row in rows
        )
        more = encode_base64url(bytes(rows[-1].pseudonym)) if len(rows) == _PAGE else ""
        return InterestsView(views, more)

    # For publishing

    def digest(self, whom: Whom) -> bytes:
        """The pseudonym of a person here, 32 bytes: always the same, and nothing without the key."""
        return self._keys.mac(_SECRET, canonical_texts(str(whom.kind), str(whom.value)))

    def relevant(self, digests: Collection[bytes]) -> dict[tuple[str, bytes], str]:
        """Who has an interest in these persons today: the recipient's reference, by notice and pseudonym. What was registered for
        a notice that now is another recipient's, counts for nobody. Blocks."""
        wanted, found = sorted(set(digests)), dict[tuple[str, bytes], str]()
        for at in range(0, len(wanted), _MOST_AT_ONCE):
            some = wanted[at : at + _MOST_AT_ONCE]
            values = {"pseudonyms": some, "today": self._clock().date().toordinal()}
            for whose, pseudonym, reference in self._rows(_many(sql.RELEVANT), values):
                peer, _, notice = whose.partition(" ")
                if self._notices.of_id(notice, PeerId(peer)) is not None:
                    digest = bytes(pseudonym)
                    found[notice, digest] = self._opened(whose, digest, bytes(reference))
        return found

    # For the node

    async def sweep(self) -> None:
        """Let go of what is over. Raises `Unkept`."""
        values = {"today": self._clock().date().toordinal()}
        await self._store.write(lambda connection: connection.execute(text(sql.SWEEP), values) and None)

    # Inside

    async def _may(self, peer: PeerId, id: str, purpose: Purpose | None) -> Told:
        """The notice, when it is this peer's, under this contract. Raises `Refused`."""
        told = self._notices.of_id(id, peer)
        if told is None:
            raise rules.not_yours(id)
        notice, digest = told.notice, told.offered.digest
        covered = purpose is not None and purpose.tells(notice.activity, notice.id, digest)
        if self._contracts and not covered:
            raise rules.not_agreed(told)
        verdict = (await self._notices.verdicts([told]))[id]
        if verdict is not None:
            raise rules.not_permitted(told, verdict)
        return told

    def _lines(
        self,
        change: Literal["register", "end"],
        told: Told,
        subjects: Sequence[Whom],
        trace: Trace,
        now: datetime,
    ) -> list[Processing]:
        processor = self._address(told.notice.recipient)
        return [
            about(
                f"{NAMES[change]}: {told.event.title.nl}", told.notice, trace, now, service=self._service, processor=processor,
                subject=(one.kind, self._ledger.subject(one.kind, one.value, now)),
                more={"sluis.interest": {"change": change, "notice": told.notice.id}},
            )
            for one in subjects
        ]  # fmt: skip

    def _opened(self, whose: str, digest: bytes, sealed: bytes) -> str:
        return self._vault.open(sealed, _place(whose, digest)).decode()

    def _rows(self, statement: Any, values: dict[str, Any]) -> Sequence[Any]:
        with self._store.read() as connection:
            return connection.execute(statement, values).all()


def open_interests(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    notices: Notices,
    address: Callable[[PeerId], str],
    service: str,
    clock: Clock,
    bounds: Bounds,
    contracts: bool,
) -> Interests:
    """The interests in a database; arguments as `Interests`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "interests", sql.MIGRATIONS)
    return Interests(store, ledger, keys, notices, address, service, clock, bounds, contracts)


def _nothing(connection: Connection, recipient: PeerId, notice: str, pseudonyms: Sequence[bytes]) -> None:
    """Nothing is on its way."""


def _many(statement: str) -> Any:
    return text(statement).bindparams(bindparam("pseudonyms", expanding=True, type_=LargeBinary))


def _whose(recipient: PeerId, notice: str) -> str:
    """Under which name interests are kept: files change, and a notice may become another organisation's."""
    return f"{recipient!s} {notice}"


def _place(whose: str, digest: bytes) -> str:
    return f"{whose}:{digest.hex()}"


def _cursor(cursor: str) -> bytes:
    try:
        return decode_base64url(cursor) if cursor else b""
    except ValueError:
        raise Invalid(
            "unknown-cursor",
            Text("Deze cursor is er niet.", "There is no such cursor."),
            Text("Een cursor komt uit de vorige bladzijde.", "A cursor comes from the page before."),
            Text("Begin opnieuw zonder cursor.", "Begin again without a cursor."),
        ) from None
