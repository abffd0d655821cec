"""Guardians: a curator, and parents of a minor, as an official of this organisation found them in a judgment or the BRP."""

from datetime import date

import msgspec

from sluis.identity.people.company import birthday
from sluis.identity.people.keeping import Keeping
from sluis.identity.people.model import Guardianship
from sluis.identity.people.saying import guardian_record, not_there
from sluis.kernel import Clock, Conflict, Invalid, Text, beginning, new_trace_id

ADULT = 18


class Guardians:
    """The guardianships of this node. What changes one is durable, with its record in the ledger, when it returns."""

    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self._keeping, self._clock = keeping, clock

    async def curator(
        self,
        official: str,
        guardian: str,
        ward: str,
        *,
        evidence: str,
        until: int | None = None,
        ward_name: str = "",
    ) -> Guardianship:
        """Let a curator act for their ward from now on.

        Args:
            official: pseudonym of who found this out.
            guardian: pseudonym.
            ward: pseudonym.
            evidence: reference of the judgment.
            until: seconds since the epoch, when the judgment names an end.
            ward_name: for the guardian's own pages.

        Raises `Invalid` when both are the same person; `Unkept`.
        """
        made = Guardianship(
            new_trace_id(), "curator", guardian, ward, self._now(), until, evidence, ward_name
        )
        return await self._appoint(official, made)

    async def parent(
        self, official: str, guardian: str, ward: str, born: date, *, evidence: str, ward_name: str = ""
    ) -> Guardianship:
        """Let a parent act for a child until it is eighteen.

        Args:
            official: pseudonym of who found this out.
            guardian: pseudonym.
            ward: pseudonym of the child.
            born: when; not kept.
            evidence: reference of the extract.
            ward_name: for the parent's own pages.

        Raises `Invalid` when both are the same person; `Conflict` (`ward-of-age`) when the child is eighteen; `Unkept`.
        """
        until = beginning(birthday(born, ADULT))
        if until <= self._now():
            raise _of_age()
        made = Guardianship(new_trace_id(), "parent", guardian, ward, self._now(), until, evidence, ward_name)
        return await self._appoint(official, made)

    async def end(self, official: str, number: str) -> Guardianship:
        """End a guardianship at once. Raises `NotFound`, `Unkept`."""
        async with self._keeping.one_at_a_time:
            one, now = self._keeping.guardianship(number), self._now()
            if one is None or (one.until is not None and one.until <= now):
                raise not_there()
            ended = msgspec.structs.replace(one, until=now)
            await self._keeping.change([ended], [guardian_record("guardian.end", official, ended, now)])
            return ended

    def of(self, guardian: str) -> list[Guardianship]:
        """Those of a person, also those that are over."""
        return self._keeping.guarded_by(guardian)

    async def _appoint(self, official: str, made: Guardianship) -> Guardianship:
        if made.guardian == made.ward:
            raise _same_person()
        await self._keeping.change([made], [guardian_record("guardian.appoint", official, made, self._now())])
        return made

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _of_age() -> Conflict:
    return Conflict(
        "ward-of-age",
        Text(
            "Een ouder kan niet meer voor deze persoon handelen.",
            "A parent can no longer act for this person.",
        ),
        Text("Het kind is achttien jaar of ouder.", "The child is eighteen or older."),
        Text("De persoon kan zelf een machtiging geven.", "The person can give a mandate."),
    )


def _same_person() -> Invalid:
    return Invalid(
        "own-guardian",
        Text("Niemand vertegenwoordigt zichzelf.", "Nobody is their own guardian."),
        Text("Twee keer dezelfde persoon is genoemd.", "The same person was named twice."),
        Text("Noem twee personen.", "Name two persons."),
    )
