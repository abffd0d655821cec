"""People and organisations, who may act for whom, and on what that rests: the trade register, mandates, guardians."""

from sluis.identity.people.company import (
    PERSON,
    Company,
    Establishment,
    Held,
    RegisteredName,
    person_urn,
    read_urn,
    urn_of,
)
from sluis.identity.people.contacts import CONTACTS, Contacts
from sluis.identity.people.guardians import Guardians
from sluis.identity.people.mandates import Mandates, acceptance
from sluis.identity.people.model import (
    ANY,
    MANDATES,
    Act,
    Allowed,
    Contact,
    Denied,
    Evidence,
    Facts,
    Guardianship,
    Kind,
    Mandate,
    Signature,
    State,
    Terms,
    Vouched,
)
from sluis.identity.people.pages import NAVIGATION, routes
from sluis.identity.people.register import Answer, Folder, Register
from sluis.identity.people.rules import may_represent
from sluis.identity.people.saying import refused
from sluis.identity.people.service import Choice, People, open_people

__all__ = [
    "ANY",
    "CONTACTS",
    "MANDATES",
    "NAVIGATION",
    "PERSON",
    "Act",
    "Allowed",
    "Answer",
    "Choice",
    "Company",
    "Contact",
    "Contacts",
    "Denied",
    "Establishment",
    "Evidence",
    "Facts",
    "Folder",
    "Guardians",
    "Guardianship",
    "Held",
    "Kind",
    "Mandate",
    "Mandates",
    "People",
    "Register",
    "RegisteredName",
    "Signature",
    "State",
    "Terms",
    "Vouched",
    "acceptance",
    "may_represent",
    "open_people",
    "person_urn",
    "read_urn",
    "refused",
    "routes",
    "urn_of",
]
