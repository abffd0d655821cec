"""Consents: people give, narrow, see and revoke them. What they open is looked up in memory at every question; every
change is durable, together with its record in the log, before anybody is told of it.
"""

import asyncio
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, canonical_texts, encode_base64url
from sluis.grounds.consents import rules, sql
from sluis.grounds.consents.model import Consent, Narrowing, Request, Terms
from sluis.grounds.consents.records import Change, changed, forgotten
from sluis.grounds.model import Grounds
from sluis.kernel import (
    Clock,
    Conflict,
    NotFound,
    PeerId,
    Text,
    decode,
    encode,
    milliseconds,
    new_trace_id,
)
from sluis.ledger import Ledger
from sluis.store import Store, migrate, see_through

KEPT = timedelta(days=5 * 366)
"""After the last day of a consent, unless a setting says otherwise. The controller shows that there was consent (AVG article
7(1)) for as long as somebody can claim damages over what was seen under it: five years after they knew (BW 3:310(1))."""

MOST_STANDING = 100
"""Consents of one person to one recipient for one activity: every question about that person looks through them."""

_NAMED = "consent"
_BSN = 9  # digits; a source that keeps them as numbers loses the zeros in front

Whom = tuple[str, str]
"""A person: type of the key (`BSN`, or a URI), and the key."""

_Opened = dict[tuple[str, PeerId, str], tuple[Consent, ...]]
"""Per pseudonym, recipient and activity."""


class Consents:
    """The consents of people at this node. Made by `open_consents`; for one event loop.

    Args:
        store: the node's database.
        ledger: where changes are recorded.
        keys: makes the pseudonyms.
        grounds: as loaded and checked; says what is asked for.
        clock: aware UTC.
        kept: how long a consent is kept after its last day.
    """

    def __init__(
        self, store: Store, ledger: Ledger, keys: KeyStore, grounds: Grounds, clock: Clock, kept: timedelta
    ) -> None:
        self._store, self._ledger, self._keys, self._clock, self._kept = store, ledger, keys, clock, kept
        self._requests = rules.requests_of(grounds)
        self._changing, self._changes = asyncio.Lock(), 0
        self._opened: _Opened = {}
        for consent in self._read(sql.STANDING, today=clock().date().toordinal()):
            self._take(consent)

    # What they open

    def opens(
        self, whom: Whom, recipient: PeerId, activity: str, dataset: str, columns: Collection[str]
    ) -> bool:
        """Whether a person's consents, as they are now, open these columns of a dataset; from memory.

        Args:
            whom: the person.
            recipient: who asks.
            activity: URI of its processing activity.
            dataset: that it asks about.
            columns: that the question uses, the key of the person left out.
        """
        standing = self._opened.get((self._pseudonym(whom), recipient, activity), ())
        return rules.opens(standing, dataset, columns, self._clock().date())

    def changed(self) -> int:
        """How often a consent was narrowed or taken back since this node started: what rested on one may rest on nothing."""
        return self._changes

    def requests(self) -> tuple[Request, ...]:
        """What people may consent to here."""
        return self._requests

    # Giving and taking

    async def give(self, whom: Whom, terms: Terms, by: str) -> Consent:
        """Record a consent.

        Args:
            whom: the person who gives it.
            terms: to what.
            by: who recorded it, as this node knows them: the person, or an official at a desk.

        Raises:
            NotFound: nobody asks for consent to this.
            Invalid: it opens nothing, or a column that is not asked for, or its period is impossible.
            Conflict: the same person gave too many that stand.
            Unkept: nothing was recorded.
        """
        async with self._changing:
            now = self._clock()
            datasets, since = rules.agreed(terms, whom[0], self._requests, now.date())
            consent = Consent(
                new_trace_id(), self._pseudonym(whom), whom[0], terms.recipient, terms.activity, datasets, since,
                terms.until, milliseconds(now),
            )  # fmt: skip
            standing = self._opened.get((consent.subject, consent.recipient, consent.activity), ())
            if len([one for one in standing if one.until >= now.date()]) >= MOST_STANDING:
                raise _too_many()
            return await see_through(self._keep("give", consent, by))

    async def narrow(self, id: str, change: Narrowing, by: str, whom: Whom | None = None) -> Consent:
        """Leave less of a consent.

        Args:
            id: of the consent.
            change: what is left of it.
            by: who recorded it.
            whom: the person whose it must be; None for an official.

        Raises:
            NotFound: there is no such consent, or it is another's.
            Conflict: it was revoked.
            Invalid: the change opens more, or leaves nothing.
            Unkept: nothing was changed.
        """
        async with self._changing:
            consent = await self._one(id, whom)
            if consent.revoked is not None:
                raise _revoked()
            left = rules.narrowed(consent, change, self._clock().date())
            return consent if left == consent else await see_through(self._keep("narrow", left, by))

    async def revoke(self, id: str, by: str, whom: Whom | None = None) -> Consent:
        """Take a consent back: from the next question on it opens nothing. Once more changes nothing.

        Raises as `narrow`, but for `Conflict` and `Invalid`.
        """
        async with self._changing:
            consent = await self._one(id, whom)
            if consent.revoked is not None:
                self._take(consent)
                return consent
            ended = msgspec.structs.replace(consent, revoked=milliseconds(self._clock()))
            return await see_through(self._keep("revoke", ended, by))

    async def tidy(self) -> None:
        """Forget consents that ended too long ago. That this was done is a record; what was given and taken stays in the log,
        under the pseudonym. To be called every hour. Raises `Unkept`."""
        now = self._clock()
        before = now.date() - self._kept
        async with self._changing:
            self._opened = {
                key: left
                for key, standing in self._opened.items()
                if (left := tuple(one for one in standing if one.until >= now.date()))
            }
            gone = await self._store.write(lambda connection: self._forget(connection, before))
            if gone:
                await self._ledger.append([forgotten(gone, before, now)])

    @staticmethod
    def _forget(connection: Connection, before: date) -> int:
        return connection.execute(text(sql.FORGET), {"before": before.toordinal()}).rowcount

    # Seeing

    def of(self, whom: Whom) -> list[Consent]:
        """The consents of one person, newest first, also those that ended. Blocks."""
        return self._read(sql.OF_SUBJECT, subject=self._pseudonym(whom))

    def every(self, recipient: PeerId | None = None, activity: str | None = None) -> list[Consent]:
        """Consents that hold now or will, newest first; of one recipient or activity, where these are named."""
        today = self._clock().date()
        found = [
            one
            for standing in self._opened.values()
            for one in standing
            if one.until >= today and recipient in (None, one.recipient) and activity in (None, one.activity)
        ]
        return sorted(found, key=lambda one: (one.given, one.id), reverse=True)

    def in_force(self, one: Request) -> int:
        """How many consents open something to the recipient of a disclosure today."""
        today = self._clock().date()
        return sum(
            one.dataset in each.datasets and rules.in_force(each, today)
            for each in self.every(one.recipient, one.activity)
        )

    # Inside

    def _pseudonym(self, whom: Whom) -> str:
        kind, value = whom
        told = value.zfill(_BSN) if kind == "BSN" else value
        return encode_base64url(self._keys.mac(_NAMED, canonical_texts(str(kind), str(told))))

    async def _one(self, id: str, whom: Whom | None) -> Consent:
        found = await asyncio.to_thread(self._read, sql.ONE, id=id)
        if not found or (whom is not None and found[0].subject != self._pseudonym(whom)):
            raise _unknown()
        return found[0]

    def _read(self, statement: str, **values: Any) -> list[Consent]:
        with self._store.read() as connection:
            rows = connection.execute(text(statement), values).all()
        return [decode(bytes(body), Consent) for (body,) in rows]

    async def _keep(self, change: Change, consent: Consent, by: str) -> Consent:
        """The consent and the record of its change, in one commit; then in memory."""
        values = {
            "id": consent.id,
            "subject": consent.subject,
            "consent": encode(consent),
            "given": consent.given,
            "ended": rules.last_day(consent).toordinal(),
        }

        def keep(connection: Connection) -> None:
            connection.execute(text(sql.KEEP), values)

        await self._ledger.append([changed(change, consent, by, self._clock())], along=keep)
        self._take(consent)
        self._changes += change != "give"
        return consent

    def _take(self, consent: Consent) -> None:
        key = (consent.subject, consent.recipient, consent.activity)
        others = tuple(one for one in self._opened.get(key, ()) if one.id != consent.id)
        standing = (*others, consent) if consent.revoked is None else others
        if standing:
            self._opened[key] = standing
        else:
            self._opened.pop(key, None)


def open_consents(
    store: Store, ledger: Ledger, keys: KeyStore, grounds: Grounds, clock: Clock, kept: timedelta = KEPT
) -> Consents:
    """The consents in a database; arguments as `Consents`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "consents", sql.MIGRATIONS)
    return Consents(store, ledger, keys, grounds, clock, kept)


def _unknown() -> NotFound:
    return NotFound(
        "unknown-consent",
        Text("Deze toestemming is er niet.", "There is no such consent."),
        Text("Geen toestemming heeft dit nummer.", "No consent has this number."),
        Text("Neem het nummer over uit het overzicht.", "Copy the number from the list."),
    )


def _too_many() -> Conflict:
    return Conflict(
        "too-many-consents",
        Text("Deze toestemming is niet vastgelegd.", "This consent was not recorded."),
        Text(
            f"Voor deze organisatie en dit doel zijn er al {MOST_STANDING} van deze persoon.",
            f"For this organisation and purpose there are {MOST_STANDING} of this person already.",
        ),
        Text("Trek toestemmingen in die niet meer nodig zijn.", "Revoke consents that are no longer needed."),
    )


def _revoked() -> Conflict:
    return Conflict(
        "consent-revoked",
        Text("Deze toestemming is al ingetrokken.", "This consent was revoked already."),
        Text("Wat is ingetrokken, kan niet meer veranderen.", "What was revoked cannot change any more."),
        Text("Geef een nieuwe toestemming.", "Give a new consent."),
    )
