"""Mandates: given, accepted, declined, revoked.

Given by a person for themselves, or by the directors of a company; where they are jointly authorised, a mandate is proposed
until another of them signs its terms. The holder accepts: a company by one of its directors, a person who was named, or
whoever holds the code of an invitation. Either side ends it, at once. Each step is a record in the ledger under the number
of the mandate, so that what it was at any moment is provable afterwards.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from hmac import compare_digest

import msgspec

from sluis.identity.people import rules, states
from sluis.identity.people.keeping import Keeping
from sluis.identity.people.model import (
    MANDATES,
    Act,
    Allowed,
    Denied,
    FactsOf,
    Mandate,
    Signature,
    State,
    Terms,
)
from sluis.identity.people.reasons import REASONS
from sluis.identity.people.saying import cannot_sign, mandate_record, not_there, refused
from sluis.identity.register import read_urn
from sluis.kernel import Acting, Clock, Conflict, Text, Vestiging, new_trace_id
from sluis.ledger import Arrangement, Ledger

OFFER_LASTS = 30 * 86_400
"""Seconds in which an offer can be signed and accepted."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base32 as Crockford writes it: no I, L, O or U, so that nothing is misread; what is typed in their place is understood."""

_CODE, _GROUP = 20, 4
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})

MOST_MANDATES = 10_000
"""That one giver may have given and that are not over."""

MOST_OFFERED = 50
"""That one giver may have offered to one holder, who did not answer yet: anybody can offer to a company whose number they know."""

MOST_OVER = 1_000
"""That are over and of one giver are still known here; of all others the log tells."""


class Mandates:
    """The mandates of this node. Every method that changes one is durable, with its record, when it returns.

    Args:
        keeping: where they are.
        ledger: where their history is.
        clock: aware UTC.
        facts: all that is known of whoever acts.
        ready: reads the companies concerned again.
    """

    def __init__(
        self,
        keeping: Keeping,
        ledger: Ledger,
        clock: Clock,
        facts: FactsOf,
        ready: Callable[[Acting], Awaitable[None]],
    ) -> None:
        self._keeping, self._ledger, self._clock, self._facts, self._ready = (
            keeping,
            ledger,
            clock,
            facts,
            ready,
        )

    # Reading

    def given(self, acting: Acting) -> list[Mandate]:
        """The mandates that whoever acts has given, for whom they act. Raises `Refused` when they only hold a mandate there."""
        self._check_side(acting)
        return self._keeping.given_by(rules.entity_of(acting))

    def held(self, acting: Acting) -> list[Mandate]:
        """The mandates of whom they act for, as a holder. Raises `Refused` as `given`."""
        self._check_side(acting)
        return self._keeping.held_by(rules.entity_of(acting))

    def get(self, number: str, acting: Acting) -> Mandate:
        """A mandate of either side. Raises `NotFound`, also for one between others; `Refused` as `given`."""
        self._check_side(acting)
        mandate = self._keeping.mandate(number)
        if mandate is None or rules.entity_of(acting) not in (mandate.terms.giver, mandate.holder):
            raise not_there()
        return mandate

    def state(self, mandate: Mandate) -> State:
        """How it stands now."""
        return states.state_at(mandate, self._now())

    async def history(self, number: str, acting: Acting) -> list[tuple[int, Arrangement]]:
        """All that ever happened to it, oldest first, each with the index by which the ledger proves it. Raises `NotFound`."""
        self.get(number, acting)
        return await asyncio.to_thread(self._ledger.log.arrangements, number)

    # Giving

    async def give(
        self, acting: Acting, terms: Terms, *, giver_name: str = "", holder_name: str = ""
    ) -> tuple[Mandate, str | None]:
        """Give a mandate.

        Args:
            acting: who gives it, for themselves or for the company that is the giver.
            terms: what it says. Without a holder, it is an invitation.
            giver_name: for people to read.
            holder_name: for people to read.

        Returns the mandate, which is proposed or offered; and the code of the invitation, which is shown once.

        Raises:
            Invalid: the terms say nothing, or too much.
            Refused: this person cannot give it.
            Conflict: this giver has given too many.
            Unkept: it could not be kept.
        """
        moment = self._clock()
        now = int(moment.timestamp())
        states.check_terms(terms, now)
        _check_parties(terms, acting)
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            found = self._may(acting, "give", terms, moment)
            given = self._keeping.given_by(terms.giver)
            standing = [one for one in given if self.state(one) in _UNDER_WAY]
            waiting = [
                one for one in standing if one.holder == terms.holder and self.state(one) in _UNANSWERED
            ]
            if len(standing) >= MOST_MANDATES:
                raise _too_many(MOST_MANDATES)
            if terms.holder and len(waiting) >= MOST_OFFERED:
                raise _too_many(MOST_OFFERED)
            code = None if terms.holder else new_code()
            mandate = Mandate(
                new_trace_id(),
                terms,
                "proposed" if found.needs_second else "offered",
                acting.person,
                now + OFFER_LASTS,
                code_digest(code) if code else "",
                terms.holder,
                giver_name,
                holder_name,
            )
            record = mandate_record("mandate.give", acting.person, mandate, now, found)
            await self._keeping.change([mandate], [record], _long_over(given, standing))
            return mandate, code

    async def sign(self, acting: Acting, number: str) -> Mandate:
        """Sign, as another director, a mandate that is proposed.

        Raises `NotFound`; `Refused` (`cannot-sign`) for the same person, however they signed in, and for who is no director;
        `Conflict` when it is not proposed; `Unkept`.
        """
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            mandate, moment = self.get(number, acting), self._clock()
            after = states.next_state(self.state(mandate), "sign")
            act, now = _act("give", mandate.terms, mandate.terms.giver), int(moment.timestamp())
            own = self._facts(acting)
            if rules.entity_of(acting) != act.entity or not rules.may_sign(acting.person, act, moment, own):
                raise cannot_sign()
            first, signature = (
                Acting(mandate.given_by, act.entity),
                Signature(act.digest, acting.person, now, now + 1),
            )
            found = rules.may_arrange(first, act, moment, self._facts(first, signed=signature))
            if isinstance(found, Denied):
                raise refused(found)
            if found.needs_second:
                raise cannot_sign()
            return await self._move("mandate.sign", acting.person, mandate, after, found)

    # At the other side

    def invited(self, code: str) -> Mandate:
        """The mandate of the invitation with this code, however its letters and spaces were typed. Raises `NotFound`."""
        found = self._keeping.invited(code_digest(code))
        if found is None:
            raise not_there()
        return found

    async def accept(self, acting: Acting, number: str, code: str = "") -> Mandate:
        """Accept a mandate that is offered, as its holder, or with the code of the invitation. Of directors who are jointly
        authorised the first one's word is kept; the mandate stays offered until another of them accepts it too.

        Raises `NotFound`, also for a wrong code; `Conflict` when it is not offered; `Refused`, also (`cannot-sign`) for who
        accepted it before; `Unkept`.
        """
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            mandate = self._offered_to(acting, number, code)
            after = states.next_state(self.state(mandate), "accept")
            holder = rules.entity_of(acting)
            if holder == mandate.terms.giver:
                raise not_there()
            found = self._may(
                acting, "accept", mandate.terms, self._clock(), self._first_word(mandate, holder)
            )
            taken = msgspec.structs.replace(mandate, holder=holder, invitation="")
            if not found.needs_second:
                return await self._move("mandate.accept", acting.person, taken, after, found)
            if mandate.accepted_by:
                raise cannot_sign()
            waiting = msgspec.structs.replace(taken, accepted_by=acting.person, accepted_at=self._now())
            return await self._move("mandate.accept-first", acting.person, waiting, "offered", found)

    async def decline(self, acting: Acting, number: str, code: str = "") -> Mandate:
        """Decline a mandate that is offered. Raises as `accept`."""
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            mandate = self._offered_to(acting, number, code)
            after = states.next_state(self.state(mandate), "decline")
            self._check_side(acting)
            return await self._move("mandate.decline", acting.person, mandate, after)

    # Either side

    async def revoke(self, acting: Acting, number: str) -> Mandate:
        """End a mandate: the giver revokes it, or the holder gives it back. When this returns, no decision of this node rests
        on it any more. One director of several will do, and a company that can no longer act can still do this.

        Raises `NotFound`, also for who is on neither side; `Conflict` when it is over; `Unkept`.
        """
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            mandate = self.get(number, acting)
            after = states.next_state(self.state(mandate), "revoke")
            return await self._move("mandate.revoke", acting.person, mandate, after)

    def _check_side(self, acting: Acting) -> None:
        if not rules.is_side(acting, self._clock(), self._facts(acting)):
            raise refused(Denied("not-yours-to-mandate", REASONS["not-yours-to-mandate"]))

    def _offered_to(self, acting: Acting, number: str, code: str) -> Mandate:
        mandate = self._keeping.mandate(number)
        if (
            mandate is not None
            and mandate.invitation
            and compare_digest(code_digest(code), mandate.invitation)
        ):
            return mandate
        if mandate is None or mandate.invitation or mandate.holder != rules.entity_of(acting):
            raise not_there()
        return mandate

    @staticmethod
    def _first_word(mandate: Mandate, holder: str) -> Signature | None:
        if not mandate.accepted_by:
            return None
        digest = _act("accept", mandate.terms, holder).digest
        return Signature(digest, mandate.accepted_by, mandate.accepted_at, mandate.offer_until)

    def _may(
        self, acting: Acting, action: str, terms: Terms, moment: datetime, signed: Signature | None = None
    ) -> Allowed:
        act = _act(action, terms, rules.entity_of(acting))
        found = rules.may_arrange(acting, act, moment, self._facts(acting, signed=signed))
        if isinstance(found, Denied):
            raise refused(found)
        return found

    async def _move(
        self, action: str, actor: str, mandate: Mandate, after: State, found: Allowed | None = None
    ) -> Mandate:
        # `active` and `ended` come with the time, and are not written down.
        moved = msgspec.structs.replace(mandate, state=after)
        await self._keep(action, actor, moved, found)
        return moved

    async def _keep(self, action: str, actor: str, mandate: Mandate, found: Allowed | None) -> None:
        await self._keeping.change([mandate], [mandate_record(action, actor, mandate, self._now(), found)])

    def _now(self) -> int:
        return int(self._clock().timestamp())


_UNANSWERED: frozenset[State] = frozenset({"proposed", "offered"})
_UNDER_WAY: frozenset[State] = _UNANSWERED | {"accepted", "active"}


def _long_over(given: list[Mandate], standing: list[Mandate]) -> list[Mandate]:
    """Those of one giver that are over and make room for younger ones."""
    over = [one for one in given if one not in standing]
    return sorted(over, key=lambda one: one.offer_until)[: max(len(over) - MOST_OVER, 0)]


def _act(action: str, terms: Terms, entity: str) -> Act:
    return Act(entity, None, MANDATES, action, None, terms.digest)


def _check_parties(terms: Terms, acting: Acting) -> None:
    """Raises `Invalid` for a holder that is nobody, `Refused` for a giver that is not who acts; an establishment is part of a
    company and gives or holds nothing itself."""
    parties = [read_urn(urn) for urn in (terms.giver, terms.holder) if urn]
    if any(isinstance(one, Vestiging) for one in parties):
        raise states.bad_terms("parties")
    if rules.entity_of(acting) != terms.giver or acting.intermediary is not None:
        raise refused(Denied("no-representation", REASONS["no-representation"]))


def new_code() -> str:
    """The code of an invitation: 20 characters in groups of four, 100 random bits.

    It can be read out and typed over, and not be found by trying. Say a million invitations are open, on a node that would take
    a million tries a second for the thirty days that an invitation lasts: that is 2^41 tries of which each finds one of 2^20
    out of 2^100 codes, one chance in 2^39 (5 * 10^11). In fact a person waits after five wrong codes (`web.Tries`).
    """
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))
    return "-".join(letters[at : at + _GROUP] for at in range(0, _CODE, _GROUP))


def code_digest(code: str) -> str:
    """SHA-256 (hex) of a code, however it was typed: what is kept of it."""
    return hashlib.sha256(code.upper().translate(_MEANT).encode()).hexdigest()


def _too_many(most: int) -> Conflict:
    return Conflict(
        "too-many-mandates",
        Text("Er zijn te veel machtigingen gegeven.", "Too many mandates were given."),
        Text(f"Het zijn er hoogstens {most} tegelijk.", f"There are at most {most} at once."),
        Text("Trek machtigingen in die niet meer nodig zijn.", "Revoke mandates that are no longer needed."),
    )
