"""Ways of signing in that are well-formed and cannot work, or may not."""

from collections.abc import Iterator

from sluis.config.model import Config
from sluis.grounds import Fault, Keys, meant
from sluis.kernel import Text, is_simulator


def sign_in_faults(config: Config) -> Iterator[Fault]:
    """Of `[signin]`, and of people who sign in with it."""
    for table, issuers in (("signin", config.signin), ("trust", config.trust)):
        for name, one in issuers.items():
            if not config.node.test and is_simulator(one.issuer):
                yield _simulator(table, name)
    for name, way in config.signin.items():
        if config.portal.address is None:
            yield no_pages(("signin", name))
        if way.audience == "staff" and (told := sorted(way.claims.keys() - {"person", "name"})):
            yield _staff_claim(name, told[0])
    for name, person in config.people.items():
        if person.signin is None:
            continue
        method = person.signin.partition(":")[0]
        if method not in config.signin or config.signin[method].audience != "staff":
            yield _no_way_for_staff(name, method, config)


def _simulator(table: str, name: str) -> Fault:
    return Fault(
        (table, name, "issuer"),
        "simulator-in-production",
        Text("Dit knooppunt werkt met echte mensen; een simulator mag hier niet.",
             "This node works with real people; a simulator may not be used here."),
        Text("Het adres van `issuer` is van een simulator: die verzint wie er inlogt.",
             "The address of `issuer` is of a simulator, which invents who signs in."),
        Text("Noem de echte inlogdienst, of zet `environment = \"test\"` onder `[node]`.",
             "Name the real sign-in service, or set `environment = \"test\"` under `[node]`."),
    )  # fmt: skip


def no_pages(where: Keys) -> Fault:
    """A way of signing in, in these tables, at a node without pages."""
    return Fault(
        where,
        "sign-in-without-pages",
        Text("Er is een manier om in te loggen, maar er zijn geen pagina's.",
             "There is a way of signing in, but there are no pages."),
        Text("Zonder `portal.address` heeft dit knooppunt geen pagina's.",
             "Without `portal.address` this node has no pages."),
        Text("Vul `address` in onder `[portal]`.", "Fill in `address` under `[portal]`."),
    )  # fmt: skip


def _staff_claim(name: str, claim: str) -> Fault:
    return Fault(
        ("signin", name, "claims", claim),
        "claim-not-for-staff",
        Text(f"`{claim}` wordt van medewerkers niet gelezen.", f"`{claim}` is not read of staff."),
        Text("Een medewerker handelt voor deze organisatie, met de rollen onder `[people]`.",
             "An official acts for this organisation, with the roles under `[people]`."),
        Text("Laat deze claim weg.", "Leave this claim out."),
    )  # fmt: skip


def _no_way_for_staff(name: str, method: str, config: Config) -> Fault:
    known = [one for one, way in config.signin.items() if way.audience == "staff"]
    return Fault(
        ("people", name, "signin"),
        "unknown-sign-in",
        Text(f"`{method}` is geen manier van inloggen voor medewerkers.",
             f"`{method}` is no way of signing in for staff."),
        Text("Voor de dubbele punt hoort een naam onder `[signin]` met `audience = \"staff\"`.",
             "Before the colon stands a name under `[signin]` with `audience = \"staff\"`."),
        meant(method, known),
    )  # fmt: skip
