"""The pages of a catalogue in a portal without sockets, over what a test says is offered here and elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.browser import Browser
from tests.unit.catalogue.examples import FULL, GROUNDS, OF, OWN, RECIPIENT, SERVICE, whole

from sluis.catalogue import NAVIGATION, Catalogue, Description, Finder, Found, Harvest, Of, Whole, page_routes
from sluis.catalogue.codes import THEMES
from sluis.catalogue.model import Wording
from sluis.grounds import Grounds
from sluis.kernel import Acting, PeerId, Text
from sluis.web import COOKIE, Entry, House, SignedIn, make_portal

CLOSED = Entry("/eigen", Text("Eigen zaken", "Own affairs"))
"""A page for who signed in."""

PEER = "Gemeente Elders (fictief)"


def found(number: int = 1, **more: Any) -> Found:
    """Something of another organisation."""
    name = f"ding-{number:03}"
    given: dict[str, Any] = {
        "kind": "dataset",
        "iri": f"https://elders.voorbeeld.nl/v1/catalogue/datasets/{name}",
        "title": Text(f"Vergunning {number:03}", f"Permit {number:03}"),
        "description": Text("Wie wat mag bouwen", "Who may build what"),
        "words": Wording(("bouwen",)),
        "themes": tuple(THEMES)[number % 3 : number % 3 + 1],
        "access_rights": "restricted",
        "columns": ("kenmerk", "adres"),
    }
    return Found(**{**given, **more})


class Others:
    """What is kept of catalogues of others."""

    def __init__(
        self, *entries: Found, trouble: str = "", peer: PeerId = RECIPIENT, name: str = PEER
    ) -> None:
        from tests.unit.catalogue.examples import NOW

        self.changes = 0
        self.harvests = [Harvest(peer, name, NOW, NOW, trouble, entries, len(entries))]

    def found(self) -> list[Harvest]:
        return self.harvests

    def entry(self, peer: str, iri: str) -> tuple[Harvest, Found] | None:
        for harvest in self.harvests:
            for one in harvest.entries:
                if (str.__str__(harvest.peer), one.iri) == (peer, iri):
                    return harvest, one
        return None


class Shelf:
    """A portal with the pages of this room, and nobody who can sign in but by a cookie that a test brings."""

    def __init__(
        self,
        folder: Path,
        *said: Description,
        others: Others | None = None,
        grounds: Grounds = GROUNDS,
        services: Sequence[str] = (SERVICE, "api"),
        of: Of = OF,
        what: Whole | None = None,
        without: bool = False,
    ) -> None:
        catalogue = Catalogue(what or whole(), said or FULL, grounds, lambda: services, SERVICE, of, folder)
        shown, harvester = None if without else catalogue, others
        routes = page_routes(shown, harvester, Finder(shown, harvester))  # type: ignore[arg-type]
        self.app = make_portal(routes, self, House(of.name, True, (*NAVIGATION, CLOSED)), b"s" * 32)

    def browser(self, language: str = "nl", audience: str | None = None) -> Browser:
        browser = Browser(self.app, language=language)
        if audience:
            browser.cookies[COOKIE] = audience
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience: Any = secret
        return SignedIn("s", Acting("p"), audience, "low", "acr", "digid", 0, "Fictieve Burger")

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


__all__ = ["OWN", "PEER", "RECIPIENT", "Others", "Shelf", "found"]
