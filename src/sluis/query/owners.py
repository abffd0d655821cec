"""What the asking node knows of each owner: what it offers, and with which keys it signs and opens seals.

Kept for a while, because every question needs it; asked again when it is old, or when an owner says that a
disclosure has changed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

import msgspec

from sluis.gateway import Link, headers_for, read_answer
from sluis.grounds import Offer
from sluis.kernel import Clock, PeerId, Problem, Text, Trace, Upstream, decode

OFFERS_LIVE = 300.0
"""Seconds for which offers are believed; a changed one is refused by its owner at once, whatever we believe."""

SIGHT, UNREACHED = 1.0, 30.0
"""Seconds that owners get to say what they open, when a page waits for that; and for which one that did not is left alone."""

MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes of offers or card that an owner may send."""


class Keys(Protocol):
    """What an owner's signed card says, as far as asking needs it."""

    @property
    def peer(self) -> PeerId: ...
    @property
    def url(self) -> str: ...
    @property
    def verification_key(self) -> bytes: ...


class Owner(msgspec.Struct, frozen=True):
    """An organisation that can be asked: the name before the dot, its Peer ID, and its name for people."""

    alias: str
    peer: PeerId
    name: str


class Sight(msgspec.Struct, frozen=True):
    """What is open for one activity.

    Args:
        owners: everybody who can be asked.
        offers: those for this activity that are in force.
        silent: who did not say what they open, by alias, and why.
    """

    owners: tuple[Owner, ...]
    offers: tuple[Offer, ...]
    silent: Mapping[str, Problem] = {}

    @property
    def names(self) -> dict[str, str]:
        """Name per alias."""
        return {one.alias: one.name for one in self.owners}


class Known(msgspec.Struct, frozen=True):
    """An owner's offers and card, and until when (seconds of the clock) they are believed."""

    offers: tuple[Offer, ...]
    card: str
    keys: Keys
    until: float


async def read_json(link: Link, owner: Owner, path: str, seconds: float) -> bytes:
    """The body of a GET at an owner. Raises the problem it answered, `Upstream` when it is none."""
    async with link.send(owner.peer, "GET", path, headers_for(Trace.begin()), b"", seconds) as answer:
        return await read_answer(answer, MAX_DOCUMENT, unusable(owner))


def unusable(owner: Owner) -> Upstream:
    """An owner answered with something that is no answer."""
    return Upstream(
        "owner-unusable",
        Text(f"{owner.name} gaf geen bruikbaar antwoord.", f"{owner.name} gave no usable answer."),
        Text("Het antwoord heeft niet de afgesproken vorm.", "The answer does not have the agreed form."),
        Text(
            "Probeer het later opnieuw, of meld het bij de bronhouder.", "Try again later, or tell the owner."
        ),
        peer=owner.name,
        retry=True,
    )


def _slow(owner: Owner) -> Upstream:
    """An owner has not answered yet, and a page does not wait for it."""
    return Upstream(
        "owner-slow",
        Text(f"{owner.name} zei nog niet wat er open is.", f"{owner.name} has not said yet what is open."),
        Text("Er kwam op tijd geen antwoord.", "No answer came in time."),
        Text("Probeer het over een minuut opnieuw.", "Try again in a minute."),
        peer=owner.name,
        retry=True,
    )


def unsaid(what: Text, names: Sequence[str]) -> Upstream:
    """Why something cannot be done with what was ticked: these owners do not say what is open, so nobody knows whether it is.

    Args:
        what: was not done.
        names: of the owners.
    """
    silent = ", ".join(names)
    return Upstream(
        "owner-silent",
        what,
        Text(f"{silent} zegt nu niet wat er open is.", f"{silent} does not say now what is open."),
        Text(
            "Wat u invulde, blijft hier staan. Probeer het over een minuut opnieuw.",
            "What you filled in stays here. Try again in a minute.",
        ),
        peer=silent,
        retry=True,
    )


class Owners:
    """The book of owners.

    Args:
        owners: who can be asked.
        link: how a request reaches them.
        card_of: checks a signed card against the group's authorities and gives its keys; raises a Problem.
        clock: the node's clock.
        seconds: how long an owner may take.
    """

    def __init__(
        self,
        owners: Sequence[Owner],
        link: Link,
        card_of: Callable[[str], Keys],
        clock: Clock,
        seconds: float,
    ) -> None:
        self.by_alias = {owner.alias: owner for owner in owners}
        self._link, self._card_of, self._clock, self._seconds = link, card_of, clock, seconds
        self._known: dict[str, Known] = {}
        self._asking: dict[str, asyncio.Task[Known]] = {}
        self._unreached: dict[str, tuple[float, Problem]] = {}  # when an owner was last found not to answer

    @property
    def names(self) -> Mapping[str, str]:
        """Name per alias."""
        return {alias: owner.name for alias, owner in self.by_alias.items()}

    def forget_all(self) -> None:
        """Ask every owner again next time."""
        self._known.clear()

    def forget(self, alias: str) -> None:
        """Ask this owner again next time: it may sign with another key than it did."""
        self._known.pop(alias, None)

    def kept(self, alias: str) -> Known | None:
        """What is known of an owner without asking it; None when that is nothing, or too old to believe."""
        kept = self._known.get(alias)
        return kept if kept is not None and kept.until > self._clock().timestamp() else None

    async def known(self, alias: str) -> Known:
        """An owner's offers and keys. Raises `Upstream` when it cannot be reached or is not who it should be.

        Questions that come at once share one request.
        """
        kept = self.kept(alias)
        if kept is not None:
            return kept
        task = self._asking.get(alias)
        if task is None:
            task = asyncio.create_task(self._ask(self.by_alias[alias]))
            self._asking[alias] = task
            task.add_done_callback(lambda _: self._asking.pop(alias, None))
        return await asyncio.shield(task)

    async def hear(self, aliases: Iterable[str], seconds: float | None = None) -> dict[str, Problem]:
        """Have these owners say what they open, all at once.

        Args:
            aliases: of the owners; one of whom that is known already is not asked.
            seconds: for which they are waited for; None: as long as an owner may take.

        Returns:
            who did not say so in time, and why. They are asked on, so that it may be known a next time.
        """
        asked = {
            alias: asyncio.create_task(self._heard(alias)) for alias in aliases if self.kept(alias) is None
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=seconds)
        found = {
            alias: task.result() if task.done() else _slow(self.by_alias[alias])
            for alias, task in asked.items()
        }
        return {alias: problem for alias, problem in found.items() if problem is not None}

    async def sight(self, activity: str, day: date) -> Sight:
        """What owners open for an activity on a day, as far as they told soon enough."""
        now, late = self._clock().timestamp(), {}
        for alias, (failed, problem) in list(self._unreached.items()):
            if now - failed < UNREACHED and self.kept(alias) is None:
                late[alias] = problem
        late |= await self.hear([alias for alias in self.by_alias if alias not in late], SIGHT)
        return self.seen(activity, day, late)

    def seen(self, activity: str, day: date, silent: Mapping[str, Problem]) -> Sight:
        """What is known to be open for an activity on a day; nobody is asked."""
        known = [one for alias in self.by_alias if (one := self.kept(alias)) is not None]
        return Sight(
            tuple(self.by_alias.values()),
            tuple(
                offer
                for one in known
                for offer in one.offers
                if offer.disclosure.activity == activity
                and offer.disclosure.standing is None
                and offer.disclosure.valid.holds(day)
            ),
            silent,
        )

    async def _heard(self, alias: str) -> Problem | None:
        """Why an owner does not say what it opens; None when it did."""
        try:
            await self.known(alias)
        except Problem as problem:
            self._unreached[alias] = self._clock().timestamp(), problem
            return problem
        return None

    async def _ask(self, owner: Owner) -> Known:
        offers, card = await asyncio.gather(
            read_json(self._link, owner, "/v1/offers", self._seconds),
            read_json(self._link, owner, "/v1/node", self._seconds),
        )
        try:
            jws = decode(card, dict[str, str])["card"]
            found = tuple(offer for offer in decode(offers, list[Offer]) if offer.owner == owner.peer)
        except (msgspec.MsgspecError, KeyError, Problem) as error:
            raise unusable(owner) from error
        keys = self._card_of(jws)
        if keys.peer != owner.peer:
            raise unusable(owner)
        offers_here = tuple(msgspec.structs.replace(offer, alias=owner.alias) for offer in found)
        known = Known(offers_here, jws, keys, self._clock().timestamp() + OFFERS_LIVE)
        self._known[owner.alias] = known
        return known
