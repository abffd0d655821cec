"""Contact persons of a company: whom to reach about what, and how they want that."""

import re
from collections.abc import Awaitable, Callable

import msgspec

from sluis.identity.people import rules
from sluis.identity.people.keeping import Keeping
from sluis.identity.people.model import Act, Allowed, Contact, Denied, Vouched
from sluis.identity.people.saying import contact_record, not_there, refused
from sluis.kernel import Acting, Clock, Conflict, Invalid, Text, new_trace_id

CONTACTS = "urn:sluis:service:contacts"
"""The service under which contact persons are read and changed; a mandate may be for it."""

MOST_CONTACTS = 200
"""Of one company."""

_LONGEST = 200
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}\.[^\s@.]{2,}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,24}")

May = Callable[[Acting, Act, Vouched | None], Awaitable[Allowed | Denied]]


class Contacts:
    """The contact persons of companies. Who is one of them gets no authority by it, and a company is bound to nothing: so of
    directors who are jointly authorised, one will do.

    Args:
        keeping: where they are.
        clock: aware UTC.
        may: whether somebody may do something for a company.
    """

    def __init__(self, keeping: Keeping, clock: Clock, may: May) -> None:
        self._keeping, self._clock, self._may = keeping, clock, may

    async def of(self, acting: Acting, vouched: Vouched | None = None) -> list[Contact]:
        """Those of the company for which somebody acts, by name. `vouched` is what the way of signing in said. Raises
        `Refused`."""
        await self._check(acting, "read", vouched)
        found = self._keeping.contacts_of(rules.entity_of(acting))
        return sorted(found, key=lambda one: (one.name, one.id))

    def about(self, entity: str, role: str) -> list[Contact]:
        """For this node itself: whom to reach at a company about something; all, when nobody has that role."""
        every = self._keeping.contacts_of(entity)
        return [one for one in every if role in one.roles] or every

    async def put(self, acting: Acting, contact: Contact, vouched: Vouched | None = None) -> Contact:
        """Add a contact person, or change the one of the same id; durable when this returns.

        Args:
            acting: for the company.
            contact: with an empty id for a new one.
            vouched: what the way of signing in said.

        Raises `Invalid`, `NotFound`, `Refused`, `Conflict` (there are too many), `Unkept`.
        """
        _check(contact)
        entity = rules.entity_of(acting)
        await self._check(acting, "edit", vouched)
        async with self._keeping.one_at_a_time:
            if contact.id:
                self._own(contact.id, entity)
            elif len(self._keeping.contacts_of(entity)) >= MOST_CONTACTS:
                raise _too_many()
            kept = msgspec.structs.replace(contact, id=contact.id or new_trace_id(), entity=entity)
            record = contact_record("contact.put", acting.person, kept.id, entity, self._now())
            await self._keeping.change([kept], [record])
            return kept

    async def remove(self, acting: Acting, number: str, vouched: Vouched | None = None) -> None:
        """Let go of a contact person; what was known of them is destroyed. Raises `NotFound`, `Refused`, `Unkept`."""
        entity = rules.entity_of(acting)
        await self._check(acting, "edit", vouched)
        async with self._keeping.one_at_a_time:
            gone = self._own(number, entity)
            record = contact_record("contact.remove", acting.person, number, entity, self._now())
            await self._keeping.change([], [record], [gone])

    def _own(self, number: str, entity: str) -> Contact:
        found = self._keeping.contact(number)
        if found is None or found.entity != entity:
            raise not_there()
        return found

    async def _check(self, acting: Acting, action: str, vouched: Vouched | None) -> None:
        act = Act(rules.entity_of(acting), acting.intermediary, CONTACTS, action)
        found = await self._may(acting, act, vouched)
        if isinstance(found, Denied):
            raise refused(found)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _check(contact: Contact) -> None:
    wrong = {
        "name": not 0 < len(contact.name) <= _LONGEST,
        "roles": len(contact.roles) > 20 or any(not 0 < len(role) <= _LONGEST for role in contact.roles),
        "email": bool(contact.email) and not _MAIL.fullmatch(contact.email),
        "phone": bool(contact.phone) and not _PHONE.fullmatch(contact.phone),
        "preferred": not getattr(contact, contact.preferred),
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise Invalid(
                "contact-details",
                Text("Deze contactgegevens kloppen niet.", "These contact details are wrong."),
                _WRONG[what],
                Text("Verbeter het en probeer het opnieuw.", "Correct it and try again."),
                field=what,
            )


_WRONG = {
    "name": Text(
        "Een naam is nodig, van hoogstens 200 tekens.", "A name is needed, of at most 200 characters."
    ),
    "roles": Text("Noem hoogstens twintig onderwerpen.", "Name at most twenty subjects."),
    "email": Text("Dit is geen e-mailadres.", "This is no email address."),
    "phone": Text("Dit is geen telefoonnummer.", "This is no telephone number."),
    "preferred": Text("Wat de voorkeur heeft, is niet ingevuld.", "What is preferred was not filled in."),
}


def _too_many() -> Conflict:
    return Conflict(
        "too-many-contacts",
        Text("Er zijn te veel contactpersonen.", "There are too many contact persons."),
        Text(f"Het zijn er hoogstens {MOST_CONTACTS}.", f"There are at most {MOST_CONTACTS}."),
        Text("Haal er een weg.", "Remove one."),
    )
