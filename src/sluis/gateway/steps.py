"""What the doctor looks at, by the names that its steps have: the whole way to a service of another organisation, and what is well or not
at this node. Pages and commands call them alike."""

from collections.abc import Mapping
from types import MappingProxyType

from sluis.kernel import Text

WALKED = ("certificate", "directory", "address", "manager", "listed", "contract", "token", "inway", "service")
"""The way to a service, in its order."""

DOCTOR_STEPS: Mapping[str, Text] = MappingProxyType(
    {
        "certificate": Text("Eigen certificaat", "Own certificate"),
        "directory": Text("Directory", "Directory"),
        "address": Text("Adres van de organisatie", "Address of the organisation"),
        "manager": Text("Haar Manager", "Its Manager"),
        "listed": Text("Publicatie van de dienst", "Publication of the service"),
        "contract": Text("Contract", "Contract"),
        "token": Text("Token", "Token"),
        "inway": Text("Haar inway", "Its inway"),
        "service": Text("De dienst", "The service"),
        "late": Text("Op tijd klaar", "Done in time"),
        "answering": Text("Wie er antwoordt", "Who answers"),
        "signing": Text("Voorstellen", "Proposals"),
        "delivering": Text("Berichten aan anderen", "Messages to others"),
        "comparing": Text("Beide logboeken gelijk", "Both logs the same"),
        "sealing": Text("Verzegeling", "Sealing"),
        "database": Text("Database", "Database"),
        "disk": Text("Ruimte op schijf", "Room on disk"),
        "log": Text("Logboek", "Log"),
        "revoked": Text("Ingetrokken certificaten", "Revoked certificates"),
        "room": Text("Plaats voor bezorgingen", "Room for deliveries"),
        "waiting": Text("Wat wacht op bezorging", "What waits to be delivered"),
        "reading": Text("Wie zelf komt lezen", "Who comes to read"),
        "dead-letters": Text("Onbestelbaar", "Dead letters"),
        "addresses": Text("Adressen", "Addresses"),
        "suspended": Text("Abonnementen die stilstaan", "Subscriptions that stand still"),
        "listening": Text("Eigen systemen luisteren", "Own systems listen"),
        "inbox": Text("Wat anderen melden", "What others tell"),
        "laws": Text("Wetsartikelen", "Articles of law"),
    }
)
"""What steps are called."""
