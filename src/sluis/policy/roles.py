"""How the roles of staff are called by people, and what somebody is told who misses one. Their names in settings and policies are
for whoever writes those; `docs/reference/policy.md` has both beside each other.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sluis.kernel import Text

ROLES: Mapping[str, Text] = MappingProxyType(
    {
        "medewerker": Text("medewerker", "member of staff"),
        "data-owner": Text("gegevensbeheerder", "data owner"),
        "privacy-officer": Text("privacyfunctionaris", "privacy officer"),
        "auditor": Text("auditor", "auditor"),
        "access-admin": Text("beheerder van toegang", "access administrator"),
        "people-admin": Text("beheerder van vertegenwoordiging", "representation administrator"),
        "fsc-admin": Text("beheerder van het knooppunt", "node administrator"),
        "fsc-readonly": Text("meekijker bij het beheer", "observer of operations"),
        "event-admin": Text("beheerder van gebeurtenissen", "event administrator"),
        "contract-requester": Text("aanvrager van contracten", "requester of contracts"),
        "decision-client": Text("vrager bij het beslispunt", "client of the decision point"),
        "event-publisher": Text("melder van gebeurtenissen", "publisher of events"),
        "finance": Text("financieel medewerker", "finance officer"),
        "developer": Text("ontwikkelaar", "developer"),
    }
)
"""By the name in settings and policies."""

REQUESTERS = ("contract-requester", "fsc-admin")
"""Roles that request a contract, as the standard policies have it; others are told whom to ask."""

ASK_FOR_ROLE = Text(
    "Vraag de rol aan bij wie het knooppunt van uw organisatie beheert, of vraag een collega die haar al heeft.",
    "Request the role from whoever runs the node of your organisation, or ask a colleague who has it already.",
)
"""Whom to ask, for who misses a role."""


def role_words(role: str) -> Text:
    """What people call a role; an organisation's own is called what it is named."""
    return ROLES.get(role, Text(role, role))


def one_of(roles: Iterable[str]) -> Text:
    """Several roles, of which one is enough: `a, b of c`."""
    words = [role_words(one) for one in roles]
    return Text(_joined([one.nl for one in words], "of"), _joined([one.en for one in words], "or"))


def takes_role(*roles: str, looks: Iterable[str] = ()) -> Text:
    """Why somebody is refused who misses a role.

    Args:
        roles: one of these may do it.
        looks: one of these may look as well; none where that makes no difference.
    """
    does, sees = one_of(roles), one_of(looks)
    which = (
        Text("een van deze rollen", "one of these roles") if len(roles) > 1 else Text("deze rol", "this role")
    )
    why = Text(f"Dat mag wie {which.nl} heeft: {does.nl}.", f"Who has {which.en} may: {does.en}.")
    if not sees.nl:
        return why
    return Text(f"{why.nl} Bekijken mag ook: {sees.nl}.", f"{why.en} May look as well: {sees.en}.")


def _joined(words: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
