"""Companies and organisations: their numbers, what the trade register (Handelsregister) says of them, and fetching that."""

from sluis.identity.register.answers import Answer, Folder, Register, unavailable
from sluis.identity.register.company import (
    KVK,
    PERSON,
    Company,
    Held,
    Officer,
    RegisteredName,
    birthday,
    person_urn,
    read_urn,
    urn_of,
)
from sluis.identity.register.kvk import normal, read_company
from sluis.identity.register.online import Online

__all__ = [
    "KVK",
    "PERSON",
    "Answer",
    "Company",
    "Folder",
    "Held",
    "Officer",
    "Online",
    "Register",
    "RegisteredName",
    "birthday",
    "normal",
    "person_urn",
    "read_company",
    "read_urn",
    "unavailable",
    "urn_of",
]
