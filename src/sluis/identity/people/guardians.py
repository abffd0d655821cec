"""Guardians: curators, administrators (bewindvoerders), and parents of minors, as an official of this organisation found them:
in a judgment and the register of curatorships and administrations (Centraal Curatele- en bewindregister), or in the BRP."""

from datetime import date

import msgspec

from sluis.identity.people.keeping import Keeping
from sluis.identity.people.model import ANY, GuardianKind, Guardianship
from sluis.identity.people.rules import ADULT
from sluis.identity.people.saying import guardian_record, not_there
from sluis.identity.register import birthday
from sluis.kernel import Clock, Conflict, Invalid, Text, beginning, new_trace_id

MOST_SERVICES, LONGEST = 100, 200
MOST_GUARDIANS = 20
"""Over one ward at once."""


class Appointment(msgspec.Struct, frozen=True):
    """What an official writes down.

    Args:
        kind: of guardian.
        guardian, ward: pseudonyms.
        evidence: reference of the judgment, or of the extract of the BRP.
        services: for which an administrator acts; a curator and a parent act for everything.
        until: seconds since the epoch, when a judgment names an end.
        born: of the child of a parent; not kept.
        guardian_name, ward_name: for their own pages.
        number: the BSN of the ward.
    """

    kind: GuardianKind
    guardian: str
    ward: str
    evidence: str
    services: tuple[str, ...] = (ANY,)
    until: int | None = None
    born: date | None = None
    guardian_name: str = ""
    ward_name: str = ""
    number: str = ""

    def __repr__(self) -> str:
        return "Appointment(•)"


class Guardians:
    """The guardianships of this node. What changes one is durable, with its record in the ledger, when it returns."""

    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self._keeping, self._clock = keeping, clock

    async def appoint(self, official: str, what: Appointment) -> Guardianship:
        """Let a guardian act for their ward from now on; a parent until the child is eighteen.

        Args:
            official: who found this out.
            what: they found.

        Raises `Invalid` (`guardianship-unreadable`, `own-guardian`); `Conflict` (`ward-of-age`, `guardian-there`: this
        guardian acts for this ward already, `too-many-guardians`); `Unkept`.
        """
        _check(what)
        now, until = self._now(), what.until
        if what.born is not None and what.born > self._clock().date():
            raise _unreadable("unborn")
        if what.kind == "parent" and what.born is not None:
            until = beginning(birthday(what.born, ADULT))
            if until <= now:
                raise _of_age()
        elif until is not None and until <= now:
            raise _unreadable("until")
        made = Guardianship(
            new_trace_id(), what.kind, what.guardian, what.ward, now, until, what.evidence.strip(), what.services,
            what.ward_name.strip(), what.guardian_name.strip(), what.number,
        )  # fmt: skip
        async with self._keeping.one_at_a_time:
            acts = [one for one in self._keeping.guardians_of(what.ward) if self.holds(one)]
            if any((one.kind, one.guardian) == (what.kind, what.guardian) for one in acts):
                raise _there()
            if len(acts) >= MOST_GUARDIANS:
                raise _too_many()
            await self._keeping.change([made], [guardian_record("guardian.appoint", official, made, now)])
            return made

    async def end(self, official: str, number: str) -> Guardianship:
        """End a guardianship at once. Raises `NotFound`, `Unkept`."""
        async with self._keeping.one_at_a_time:
            one, now = self._keeping.guardianship(number), self._now()
            if one is None or not self.holds(one):
                raise not_there()
            ended = msgspec.structs.replace(one, until=now)
            await self._keeping.change([ended], [guardian_record("guardian.end", official, ended, now)])
            return ended

    def holds(self, one: Guardianship) -> bool:
        """Whether it is in force now."""
        return one.until is None or self._now() < one.until

    def every(self) -> list[Guardianship]:
        """All that are kept, newest first."""
        return _newest(self._keeping.guardianships())

    def of(self, guardian: str) -> list[Guardianship]:
        """Those of a guardian, also those that are over, newest first."""
        return _newest(self._keeping.guarded_by(guardian))

    def over(self, ward: str) -> list[Guardianship]:
        """Those over a ward, also those that are over, newest first."""
        return _newest(self._keeping.guardians_of(ward))

    async def number(self, guardian: str, ward: str) -> str | None:
        """The BSN of a ward, for whoever acts for them now and wants to see what is about them; None when it was not written down.
        That it was asked for, is on record first. Raises `Unkept`.

        Args:
            guardian, ward: pseudonyms.
        """
        found = [one for one in self.of(guardian) if one.ward == ward and self.holds(one) and one.number]
        if not found:
            return None
        await self._keeping.change([], [guardian_record("guardian.read", guardian, found[0], self._now())])
        return found[0].number

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _newest(found: list[Guardianship]) -> list[Guardianship]:
    return sorted(found, key=lambda one: (-one.since, one.id))


def _check(what: Appointment) -> None:
    every = what.services == (ANY,)
    wrong = {
        "evidence": not 3 <= len(what.evidence.strip()) <= LONGEST,
        "guardian_name": not 0 < len(what.guardian_name.strip()) <= LONGEST,
        "ward_name": not 0 < len(what.ward_name.strip()) <= LONGEST,
        "born": (what.kind == "parent") != (what.born is not None)
        or (what.born is not None and what.until is not None),
        "services": not 0 < len(what.services) <= MOST_SERVICES
        or not all(0 < len(one) <= LONGEST for one in what.services)
        or every == (what.kind == "administrator"),
    }
    for part, is_wrong in wrong.items():
        if is_wrong:
            raise _unreadable(part)
    if what.guardian == what.ward:
        raise _same_person()


_WRONG = {
    "evidence": Text(
        "Noem de uitspraak of het uittreksel waar dit op rust, in hoogstens 200 tekens.",
        "Name the judgment or the extract that this rests on, in at most 200 characters.",
    ),
    "guardian_name": Text("Een naam is nodig, van hoogstens 200 tekens.", "A name is needed, of at most 200 characters."),
    "ward_name": Text("Een naam is nodig, van hoogstens 200 tekens.", "A name is needed, of at most 200 characters."),
    "born": Text(
        "Bij een ouder hoort de geboortedatum van het kind, en geen einddatum; bij een ander niet.",
        "The date of birth of the child goes with a parent, and no end date; not with another.",
    ),
    "unborn": Text("De geboortedatum ligt in de toekomst.", "The date of birth is in the future."),
    "services": Text(
        "Kies voor een bewindvoerder de diensten waarvoor het bewind geldt; een curator en een ouder handelen voor alles.",
        "Choose for an administrator the services that the administration is for; a curator and a parent act for everything.",
    ),
    "until": Text("De einddatum is voorbij.", "The end date is past."),
}  # fmt: skip


def _unreadable(part: str) -> Invalid:
    return Invalid(
        "guardianship-unreadable",
        Text("Dit is niet vastgelegd.", "This was not written down."),
        _WRONG[part],
        Text("Verbeter het en probeer het opnieuw.", "Correct it and try again."),
        field=part,
    )


def _there() -> Conflict:
    return Conflict(
        "guardian-there",
        Text("Dit is al vastgelegd.", "This was written down already."),
        Text(
            "Deze persoon handelt al zo voor de ander.", "This person acts for the other like this already."
        ),
        Text("Beëindig eerst wat er staat.", "End first what is there."),
    )


def _too_many() -> Conflict:
    return Conflict(
        "too-many-guardians",
        Text("Er handelen te veel mensen voor deze persoon.", "Too many people act for this person."),
        Text(f"Het zijn er hoogstens {MOST_GUARDIANS}.", f"There are at most {MOST_GUARDIANS}."),
        Text("Beëindig wat niet meer klopt.", "End what is not right any more."),
    )


def _of_age() -> Conflict:
    return Conflict(
        "ward-of-age",
        Text(
            "Een ouder kan niet meer voor deze persoon handelen.",
            "A parent can no longer act for this person.",
        ),
        Text("Het kind is achttien jaar of ouder.", "The child is eighteen or older."),
        Text("De persoon kan zelf een machtiging geven.", "The person can give a mandate."),
        field="born",
    )


def _same_person() -> Invalid:
    return Invalid(
        "own-guardian",
        Text("Niemand vertegenwoordigt zichzelf.", "Nobody is their own guardian."),
        Text("Twee keer dezelfde persoon is genoemd.", "The same person was named twice."),
        Text("Noem twee personen.", "Name two persons."),
        field="ward",
    )
