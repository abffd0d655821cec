"""Accepting terms: an organisation says yes to a version of the terms of something in a catalogue, before it uses that.

Whoever accepts has it on record first (an `Arrangement` in the ledger, in one commit with what is kept), then tells the owner over
the link until it acknowledges; acknowledged is durable there. Both sides keep which text it was, by its digest, so a change of the
terms is asked about again. Where an owner wrote that acceptance is required, questions of who did not accept are refused (`lacking`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Literal

from sqlalchemy import Connection, text

from sluis.catalogue import sql
from sluis.catalogue.model import Acceptance, Accepting, Acknowledged, Entry, Kind, Offered
from sluis.catalogue.rules import offered_terms
from sluis.catalogue.service import Catalogue
from sluis.crypto import Vault
from sluis.gateway import SERVICE, Link, headers_for, read_answer
from sluis.kernel import (
    Clock,
    Conflict,
    Invalid,
    NotFound,
    PeerId,
    Problem,
    Refused,
    Text,
    Trace,
    Upstream,
    decode,
    encode,
    milliseconds,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store, migrate, see_through

log = logging.getLogger("sluis.catalogue")

Side = Literal["given", "received"]

PATH = "/v1/catalogue/terms/acceptances"
SECONDS = 15.0
"""How long an owner may take to acknowledge."""

_FIRST, _LONGEST = 2.0, 300.0  # seconds between two tries
_LARGEST = 64 * 1024  # bytes of what an owner answers

Key = tuple[Side, PeerId, str, str]


class Accepted:
    """Which terms were accepted, by this organisation and by others, as it is kept. Belongs to one event loop. Making it blocks.

    Args:
        store: where it is kept.
        ledger: where it is put on record.
        vault: seals what is kept: it names who accepted.
        link: the way to owners.
        catalogue: of this node; None where there is none.
        own: this node.
        names: what peers are called.
        clock: aware UTC.
        reread: has the catalogue of a peer read again, when its terms turn out to be others.

    Raises:
        Invalid: the keys of this node do not open what is kept.
        Conflict, Unkept: as `store.migrate`.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        vault: Vault,
        link: Link,
        catalogue: Catalogue | None,
        own: PeerId,
        names: Mapping[PeerId, str],
        clock: Clock,
        reread: Callable[[PeerId], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._ledger, self._vault, self._link = store, ledger, vault, link
        self._catalogue = catalogue
        self._own, self._names, self._clock, self._reread = own, dict(names), clock, reread
        self._known: dict[Key, Acceptance] = {}
        self._needed: tuple[tuple[Entry, ...], dict[tuple[Kind, str], tuple[str, str]]] = ((), {})
        self._waits: dict[PeerId, tuple[float, float]] = {}
        self._one_at_a_time = asyncio.Lock()
        migrate(store, "catalogue.terms", sql.TERMS_MIGRATIONS)
        self._load()

    def _load(self) -> None:
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ACCEPTED)).all()
        for row in rows:
            key: Key = (row.side, PeerId(row.peer), row.iri, row.digest)
            self._known[key] = decode(self._vault.open(bytes(row.sealed), _place(key)), Acceptance)

    def every(self, side: Side) -> list[Acceptance]:
        """What was given or received, newest first. From memory."""
        found = [one for key, one in self._known.items() if key[0] == side]
        return sorted(found, key=lambda one: (-one.at, one.iri))

    def given(self, peer: PeerId, iri: str) -> list[Acceptance]:
        """What this organisation accepted for one thing of an owner, newest first."""
        return [one for one in self.every("given") if (one.peer, one.iri) == (peer, iri)]

    def name(self, peer: PeerId) -> str:
        """What an organisation is called."""
        return self._names.get(peer, str.__str__(peer))

    def peers(self) -> frozenset[PeerId]:
        """The organisations that are known by name."""
        return frozenset(self._names)

    def lacking(self, peer: PeerId, datasets: Collection[str]) -> Refused | None:
        """Why a peer may not use these datasets of this node yet: it did not accept their terms; None when it may. From memory."""
        for name in datasets:
            if not self._accepted(peer, "dataset", name):
                return _required(name)
        return None

    def accepted(self, peer: PeerId, service: str) -> bool:
        """Whether a peer may use a service behind the inway. The node itself is always reached: acceptance comes in there."""
        return service == SERVICE or self._accepted(peer, "service", service)

    async def accept(
        self, by: str, who: str, peer: PeerId, iri: str, title: Text, terms: Offered
    ) -> Acceptance:
        """Accept terms, durably and on record; the owner is told next.

        Args:
            by: who does it; a pseudonym of it goes on record.
            who: what that person is called, for the pages of this organisation.
            peer: whose terms they are.
            iri: of the entry.
            title: of the entry.
            terms: as they were read.

        Raises `Invalid` when the terms have no digest that fits; `Unkept`.
        """
        if not terms.digest:
            raise _no_digest()
        now = self._clock()
        async with self._one_at_a_time:
            there = self._known.get(("given", peer, iri, terms.digest))
            if there is not None and not there.trouble:
                return there
            made = Acceptance(
                peer,
                iri,
                title,
                terms.version,
                terms.digest,
                new_trace_id(),
                milliseconds(now),
                who=who or by,
            )
            actor = self._ledger.subject("urn:sluis:staff", by, now)
            await self._keep("given", made, "terms.accept", actor)
        if peer == self._own:  # what one organisation owns, it accepts in one step
            await self.receive(peer, Accepting(iri, made.version, made.digest, made.reference, made.at))
            await self._keep("given", _with(made, told=milliseconds(now)))
        self._waits.pop(peer, None)
        return made

    async def receive(self, peer: PeerId, said: Accepting) -> Acknowledged:
        """Another organisation accepts terms of this one. On record and durable when this returns; twice is once.

        Raises:
            NotFound: there is no such entry that others may know of, or it has no terms.
            Conflict: the terms are others by now.
            Unkept: it could not be kept.
        """
        entry, terms = self._entry(said.iri)
        async with self._one_at_a_time:
            there = self._known.get(("received", peer, said.iri, said.digest))
            if there is None:
                if terms.digest != said.digest:
                    raise _changed()
                now = milliseconds(self._clock())
                there = Acceptance(
                    peer, said.iri, entry.title, terms.version, said.digest, said.reference, said.at, told=now
                )
                await self._keep("received", there, "terms.accepted", f"urn:nld:oin:{peer!s}")
            assert there.told is not None
            return Acknowledged(there.reference, there.told)

    async def deliver(self) -> None:
        """Tell owners what they were not told yet. To be called often: who cannot be reached is tried less and less."""
        waiting = [one for one in self.every("given") if one.told is None and not one.trouble]
        for one in reversed(waiting):
            now = asyncio.get_running_loop().time()
            until, wait = self._waits.get(one.peer, (0.0, _FIRST))
            if now < until:
                continue
            try:
                done = await self._tell(one)
            except Problem as problem:
                if problem.code in ("terms-changed", "not-in-catalogue", "no-terms"):
                    await self._keep("given", _with(one, trouble=problem.code))
                    if self._reread is not None:
                        await self._reread(one.peer)
                    continue
                self._waits[one.peer] = (now + wait, min(wait * 2, _LONGEST))
                log.warning(
                    "%s does not know yet that terms were accepted: %s", self.name(one.peer), problem.code
                )
            else:
                self._waits.pop(one.peer, None)
                await self._keep("given", _with(one, told=done.received))

    async def _tell(self, one: Acceptance) -> Acknowledged:
        body = encode(Accepting(one.iri, one.version, one.digest, one.reference, one.at))
        headers = headers_for(Trace(one.reference, new_span_id())) | {"content-type": "application/json"}
        unfit = _unfit(self.name(one.peer))
        async with self._link.send(one.peer, "POST", PATH, headers, body, SECONDS) as answer:
            raw = await read_answer(answer, _LARGEST, unfit, fine=(200, 201))
        try:
            return decode(raw, Acknowledged)
        except ValueError:
            raise unfit from None

    def _accepted(self, peer: PeerId, kind: Kind, name: str) -> bool:
        if self._catalogue is None or not self._catalogue.requires:
            return True
        entries = self._catalogue.entries()
        if self._needed[0] is not entries:
            found = [
                (one, terms) for one in entries if (terms := offered_terms(one.terms)) and terms.required
            ]
            self._needed = entries, {(one.kind, one.name): (one.iri, terms.digest) for one, terms in found}
        needed = self._needed[1].get((kind, name))
        return needed is None or ("received", peer, *needed) in self._known

    def _entry(self, iri: str) -> tuple[Entry, Offered]:
        entries = self._catalogue.entries() if self._catalogue else ()
        entry = next((one for one in entries if one.iri == iri and one.published), None)
        terms = offered_terms(entry.terms) if entry else None
        if entry is None or terms is None:
            raise _no_terms()
        return entry, terms

    async def _keep(self, side: Side, one: Acceptance, action: str = "", actor: str = "") -> None:
        await see_through(self._kept((side, one.peer, one.iri, one.digest), one, action, actor))

    async def _kept(self, key: Key, one: Acceptance, action: str, actor: str) -> None:
        sealed = self._vault.seal(encode(one), _place(key))
        given = {"side": key[0], "peer": str.__str__(one.peer), "iri": one.iri, "digest": one.digest, "at": one.at,
                 "sealed": sealed}  # fmt: skip

        def work(connection: Connection) -> None:
            connection.execute(text(sql.KEEP_ACCEPTED), given)

        if action:
            body = {
                "version": one.version,
                "digest": one.digest,
                "owner" if key[0] == "given" else "by": str.__str__(one.peer),
            }
            moment = milliseconds(self._clock())
            record = Arrangement(one.reference, new_span_id(), action, actor, one.iri, moment, body=body)
            await self._ledger.append([record], along=work)
        else:
            await self._store.write(work)
        self._known[key] = one


def _place(key: Key) -> str:
    side, peer, iri, digest = key
    return f"{side}|{peer!s}|{iri}|{digest}"


def _with(one: Acceptance, **more: Any) -> Acceptance:
    from msgspec.structs import replace

    return replace(one, **more)


def _required(name: str) -> Refused:
    return Refused(
        "terms-not-accepted",
        Text(f"De voorwaarden van `{name}` zijn niet aanvaard.", f"The terms of `{name}` were not accepted."),
        Text("De bronhouder geeft dit alleen aan wie haar voorwaarden aanvaardt, in de versie van nu.",
             "The owner gives this only to who accepts its terms, in the version of now."),
        Text("Laat wie dat bij u mag, ze aanvaarden: zoek de dataset in de catalogus van uw eigen portaal.",
             "Have who may do so at your organisation accept them: find the dataset in the catalogue of your own portal."),
        rule="terms-required",
    )  # fmt: skip


def _no_terms() -> NotFound:
    return NotFound(
        "no-terms",
        Text("Hier zijn geen voorwaarden te aanvaarden.", "There are no terms to accept here."),
        Text("Er staat niets op dit adres in de catalogus, of er zijn geen voorwaarden bij.",
             "Nothing stands at this address in the catalogue, or it has no terms."),
        Text("Lees de catalogus opnieuw.", "Read the catalogue again."),
    )  # fmt: skip


def _changed() -> Conflict:
    return Conflict(
        "terms-changed",
        Text("Deze voorwaarden gelden niet meer.", "These terms do not hold any more."),
        Text(
            "De bronhouder heeft ze gewijzigd nadat u ze las.", "The owner changed them after you read them."
        ),
        Text("Lees de nieuwe versie, en aanvaard die.", "Read the new version, and accept that."),
    )


def _no_digest() -> Invalid:
    return Invalid(
        "terms-unfit",
        Text("Deze voorwaarden zijn hier niet te aanvaarden.", "These terms cannot be accepted here."),
        Text("Het kenmerk dat de bronhouder erbij geeft, hoort niet bij de tekst.",
             "The digest that the owner gives with them does not fit the text."),
        Text("Meld het aan die organisatie.", "Tell that organisation."),
    )  # fmt: skip


def _unfit(name: str) -> Upstream:
    return Upstream(
        "unreadable-answer",
        Text(f"{name} antwoordt anders dan is afgesproken.", f"{name} answers otherwise than was agreed."),
        Text("Wat zij gaf, is niet te lezen.", "What it gave cannot be read."),
        Text("Het wordt later opnieuw geprobeerd.", "It is tried again later."),
        peer=name,
        retry=True,
    )
