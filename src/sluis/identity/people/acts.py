"""Acts that a portal asks for, on behalf of whoever is signed in there.

Who may act alone has done it at once. Of directors who are jointly authorised the first has asked; the act waits until
another of them signs exactly the same, refuses it, or the first takes it back. Both authorities are looked at again at the
moment of the second signature. Each step is a record in the ledger under the number of the act, and each act is done once.
"""

from collections.abc import Awaitable, Callable

import msgspec

from sluis.identity.people import rules
from sluis.identity.people.keeping import Keeping
from sluis.identity.people.model import Act, ActState, AskedAct, Denied, FactsOf, Vouched
from sluis.identity.people.saying import act_record, cannot_sign, not_there, refused
from sluis.identity.people.states import act_state_at, next_act_state
from sluis.identity.register import urn_of
from sluis.kernel import Acting, Clock, Conflict, Invalid, Text, new_trace_id

ACT_LASTS = 7 * 86_400
"""Seconds that an act waits for its second signature."""

KEPT = 30 * 86_400
"""Seconds that the outcome of an act that waited can be asked for; the ledger has it for longer."""

MOST_ACTS = 200
"""That wait for one company."""

LONGEST_TITLE = 300
_LONGEST_NAME = 500


class Asking(msgspec.Struct, frozen=True):
    """Who asks for an act: a portal (its `client_id` and title), and what it says in words that is to be done."""

    client: str
    portal: str
    title: str


class Acts:
    """The acts of this node. Every method that changes one is durable, with its record, when it returns.

    Args:
        keeping: where they are.
        clock: aware UTC.
        facts: all that is known of whoever acts.
        ready: reads the companies concerned again.
    """

    def __init__(
        self, keeping: Keeping, clock: Clock, facts: FactsOf, ready: Callable[[Acting], Awaitable[None]]
    ) -> None:
        self._keeping, self._clock, self._facts, self._ready = keeping, clock, facts, ready

    async def ask(self, acting: Acting, act: Act, asking: Asking, vouched: Vouched | None = None) -> AskedAct:
        """Do an act, or have it wait for the second signature. Who asks again for one of theirs that waits, gets that one.

        Args:
            acting: who does it.
            act: for whom they act.
            asking: where.
            vouched: what the way of signing in said about representation.

        Raises:
            Refused: this person may not do it.
            Invalid: the act cannot be.
            Conflict: too many wait (`too-many-acts`).
            Unkept: it cannot be recorded, and so is not done.
        """
        _check(act, asking)
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            moment = self._clock()
            found = rules.may_represent(acting, act, moment, self._facts(acting, vouched))
            if isinstance(found, Denied):
                raise refused(found)
            now, company = int(moment.timestamp()), _company(act)
            waiting = [one for one in self._keeping.acts_of(company) if self.state(one) == "waiting"]
            same = [
                one
                for one in waiting
                if (one.act, one.person, one.client) == (act, acting.person, asking.client)
            ]
            if same and found.needs_second:
                return same[0]
            made = AskedAct(
                new_trace_id(),
                act,
                asking.title,
                acting.person,
                asking.client,
                asking.portal,
                now,
                now + ACT_LASTS,
            )
            if found.needs_second:
                if len(waiting) >= MOST_ACTS:
                    raise _too_many()
                return await self._keep("act.ask", acting.person, made)
            done = msgspec.structs.replace(made, state="done", kind=found.kind, closed=now)
            await self._keeping.change([], [act_record("act.done", acting.person, done, now, found)])
            return done

    async def sign(self, person: str, number: str) -> AskedAct:
        """Sign, as another director, what a first one asked for; with that it is done.

        Args:
            person: pseudonym.
            number: of the act.

        Raises `NotFound` for an act of a company of which they are no director; `Refused`: (`cannot-sign`) for the same
        person, however they signed in, or one of both may not any more; `Conflict` when it does not wait; `Unkept`.
        """
        one = self._of_mine(person, number)
        acting = Acting(person, one.act.entity, one.act.intermediary)
        await self._ready(acting)
        async with self._keeping.one_at_a_time:
            one, moment = self._of_mine(person, number), self._clock()
            after, facts = next_act_state(self.state(one), "sign"), self._facts(acting, signed=one.signature)
            found = rules.may_represent(acting, one.act, moment, facts)
            if isinstance(found, Denied):
                raise refused(found)
            if (
                person == one.person
                or found.needs_second
                or not rules.may_sign(person, one.act, moment, facts)
            ):
                raise cannot_sign()
            now = int(moment.timestamp())
            done = msgspec.structs.replace(one, state=after, kind=found.kind, other=person, closed=now)
            await self._keeping.change([done], [act_record("act.done", person, done, now, found)])
            return done

    async def refuse(self, person: str, number: str) -> AskedAct:
        """Refuse, as another director, to sign. Raises as `sign`."""
        await self._ready(Acting(person, _company(self._of_mine(person, number).act)))
        async with self._keeping.one_at_a_time:
            one = self._of_mine(person, number)
            if person == one.person:
                raise cannot_sign()
            return await self._close("act.refuse", person, one, next_act_state(self.state(one), "refuse"))

    async def withdraw(self, person: str, number: str) -> AskedAct:
        """Take back what one asked for. Raises `NotFound` for an act of another; `Conflict`, `Unkept`."""
        async with self._keeping.one_at_a_time:
            one = self._keeping.act(number)
            if one is None or one.person != person:
                raise not_there()
            return await self._close("act.withdraw", person, one, next_act_state(self.state(one), "withdraw"))

    # Reading

    def get(self, client: str, number: str) -> AskedAct:
        """An act that a portal asked for. Raises `NotFound`, also for one of another portal."""
        one = self._keeping.act(number)
        if one is None or one.client != client:
            raise not_there()
        return one

    async def of(self, person: str) -> list[AskedAct]:
        """Those that somebody asked for and those that they may sign, newest first; after reading again what is too old."""
        for company in self._companies(person):
            await self._ready(Acting(person, company))
        found = {one.id: one for urn in self._companies(person) for one in self._keeping.acts_of(urn)}
        found |= {one.id: one for one in self._keeping.acts() if one.person == person}
        return sorted(found.values(), key=lambda one: (-one.at, one.id))

    def state(self, one: AskedAct) -> ActState:
        """How it stands now."""
        return act_state_at(one, int(self._clock().timestamp()))

    async def tidy(self) -> None:
        """Forget acts whose outcome nobody asks for any more. Raises `Unkept`."""
        before = int(self._clock().timestamp()) - KEPT
        gone = [one for one in self._keeping.acts() if (one.closed or one.until) < before]
        if gone:
            await self._keeping.change([], [], gone)

    def _companies(self, person: str) -> list[str]:
        """Of which somebody is a director who may sign, with their establishments."""
        found, moment = list[str](), self._clock()
        for office in self._keeping.offices_of(person):
            held, acting = self._keeping.company(office.company), Acting(person, office.company)
            if held is not None and rules.is_side(acting, moment, self._facts(acting)):
                found += [office.company, *(urn_of(place.number) for place in held.company.establishments)]
        return found

    def _of_mine(self, person: str, number: str) -> AskedAct:
        one = self._keeping.act(number)
        if one is None or _company(one.act) not in self._companies(person):
            raise not_there()
        return one

    async def _close(self, action: str, person: str, one: AskedAct, after: ActState) -> AskedAct:
        other = "" if person == one.person else person
        now = int(self._clock().timestamp())
        closed = msgspec.structs.replace(one, state=after, other=other, closed=now)
        return await self._keep(action, person, closed)

    async def _keep(self, action: str, person: str, one: AskedAct) -> AskedAct:
        now = int(self._clock().timestamp())
        await self._keeping.change([one], [act_record(action, person, one, now)])
        return one


def _company(act: Act) -> str:
    """Whose directors do an act: who it is for, or the intermediary."""
    return act.entity if act.intermediary is None else act.intermediary


def _check(act: Act, asking: Asking) -> None:
    texts = (act.service, act.action)
    right = all(0 < len(one) <= _LONGEST_NAME for one in texts) and 0 < len(asking.title) <= LONGEST_TITLE
    if not right or (
        act.document and (len(act.document) != 64 or set(act.document) - set("0123456789abcdef"))
    ):
        raise Invalid(
            "act-unreadable",
            Text("Deze handeling is niet goed beschreven.", "This act is not described right."),
            Text(f"Nodig zijn een dienst, een handeling en een omschrijving van hoogstens {LONGEST_TITLE} tekens; van een "
                 "document de SHA-256 in kleine hexadecimale cijfers.",
                 f"A service, an action and a title of at most {LONGEST_TITLE} characters are needed; of a document its "
                 "SHA-256 in lowercase hexadecimal digits."),
            Text("Verbeter het verzoek.", "Correct the request."),
        )  # fmt: skip


def _too_many() -> Conflict:
    return Conflict(
        "too-many-acts",
        Text("Er wachten te veel handelingen.", "Too many acts wait."),
        Text(f"Het zijn er hoogstens {MOST_ACTS} tegelijk.", f"There are at most {MOST_ACTS} at once."),
        Text(
            "Laat een bestuurder tekenen of weigeren wat er wacht.",
            "Have a director sign or refuse what waits.",
        ),
    )
