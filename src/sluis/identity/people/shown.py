"""What several pages of this room show and read alike: numbers, amounts, states, the choice of services."""

from datetime import date, timedelta
from typing import Any

from sluis.identity.people.model import ANY
from sluis.identity.register import PERSON
from sluis.kernel import Text
from sluis.web import Form

SERVICE = "service."
"""Before the id of a service, in the names of ticks."""

GUARDIAN_KINDS = {
    "curator": Text("curator", "curator"),
    "administrator": Text("bewindvoerder", "administrator"),
    "parent": Text("ouder met gezag", "parent with authority"),
}


def chosen_services(form: Form) -> tuple[str, ...]:
    """The services that were ticked; with all of them, only that."""
    chosen = tuple(name.removeprefix(SERVICE) for name in form if name.startswith(SERVICE))
    return (ANY,) if ANY in chosen else chosen


def day_after(last: date) -> date:
    """The first day after a period with this last day. It begins everywhere in the world: of the last days that there are, it
    is none."""
    return min(last, date.max - timedelta(days=2)) + timedelta(days=1)


def number_of(urn: str) -> str:
    """A URN as people know it: the number. Nobody is shown a pseudonym."""
    return "" if urn.startswith(PERSON) else urn.rpartition(":")[2]


TOLD: dict[str, Any] = {
    "number": number_of,
    "kinds": GUARDIAN_KINDS,
    "states": {
        "proposed": Text("wacht op een tweede handtekening", "waits for a second signature"),
        "offered": Text("aangeboden", "offered"),
        "accepted": Text("aanvaard, nog niet ingegaan", "accepted, not begun yet"),
        "active": Text("geldt nu", "in force now"),
        "declined": Text("afgewezen", "declined"),
        "revoked": Text("ingetrokken", "revoked"),
        "ended": Text("afgelopen", "ended"),
    },
    "act_states": {
        "waiting": Text("wacht op een tweede handtekening", "waits for a second signature"),
        "done": Text("gedaan", "done"),
        "refused": Text("geweigerd", "refused"),
        "withdrawn": Text("teruggenomen", "taken back"),
        "ended": Text("verlopen", "expired"),
    },
    "actions": {
        "mandate.give": Text("Gegeven", "Given"),
        "mandate.sign": Text("Meegetekend", "Signed with another"),
        "mandate.accept-first": Text(
            "Aanvaard door de eerste van twee bestuurders", "Accepted by the first of two directors"
        ),
        "mandate.accept": Text("Aanvaard", "Accepted"),
        "mandate.decline": Text("Afgewezen", "Declined"),
        "mandate.revoke": Text("Ingetrokken", "Revoked"),
    },
}
"""What templates of this room say of states and numbers."""
