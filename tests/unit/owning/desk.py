"""The desk of an owner of data: its pages in a portal without sockets, over a real source, log and counts. Persons are fictitious."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.browser import Browser
from tests.unit.disclose.owner import ACTIVITY, ASKER, NOW, OWNER, Owner, disclosure
from tests.unit.ledger.examples import opened

from sluis.disclose import open_use
from sluis.grounds import Activity, Disclosure, Purpose
from sluis.kernel import Acting, Oin, PeerId, Period, Place, Text
from sluis.owning import (
    NAVIGATION,
    Covered,
    Holding,
    Holdings,
    Sources,
    SourceSettings,
    open_history,
    page_routes,
)
from sluis.policy import STANDARD, DecisionPoint, Policies, rulings_of
from sluis.sources import Source, open_source
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal

PREVIEWS = "https://owner.example/verwerkingen/controle"
ASKER_NAME = "Gemeente Voorbeeld (fictief)"


class Group:
    """Contracts as a test says they are."""

    def __init__(self, *disclosures: str, waiting: int = 0) -> None:
        self.disclosures, self.number = disclosures, waiting

    async def covering(self) -> Sequence[Covered]:
        return [Covered("$1$1$abc", self.disclosures, 1_760_000_000, 1_860_000_000)]

    def purposes(self, peer: PeerId) -> Sequence[Purpose]:
        return [self]  # type: ignore[list-item]

    def covers(self, activity: str, disclosure: str, digest: str) -> bool:
        return disclosure in self.disclosures

    async def waiting(self) -> int:
        return self.number


class Desk:
    """The pages of an owner, for whom a test signs in.

    Args:
        path: for its files.
        store, ledger: of its log.
        disclosures: that it has.
        group: its contracts, where it is in a group.
        own: its own policies.
        secrecy: columns that say whether data are secret.
        source: in the place of its database.
        activity: for previews; None where there are none.
        more: for the owner.
    """

    def __init__(
        self,
        path: Path,
        store: Any,
        ledger: Any,
        *disclosures: Disclosure,
        group: Group | None = None,
        own: Mapping[str, str] | None = None,
        secrecy: tuple[tuple[str, str], ...] = (),
        source: Source | None = None,
        activity: str | None = PREVIEWS,
        **more: Any,
    ) -> None:
        self.now = NOW
        self.owner = owner = Owner(
            path, *disclosures, peer=OWNER, contracts=group is not None, log=ledger, source=source, **more
        )
        checks = Activity(
            PREVIEWS, Text("Controle van verstrekkingen", "Checking disclosures"), Text("Nagaan wat ontvangers zien.", "Checking."),
            Oin(OWNER), "public-task", (disclosure().articles[0],), Period(NOW.date()),
        )  # fmt: skip
        grounds = owner.grounds
        grounds = type(grounds)(grounds.datasets, (*grounds.activities, checks), grounds.disclosures)
        policies = Policies({**STANDARD, **(own or {})}, rulings_of(grounds, "own", group is not None), contracts=group is not None)  # fmt: skip
        clock = lambda: self.now  # noqa: E731
        self.point = owner.discloser._point = DecisionPoint(policies, "own", ledger, clock)
        known = {one.name for one in grounds.datasets} | {ACTIVITY, PREVIEWS}
        places = {("disclosures", one.id): Place(f"disclosures/{one.id}.toml", 3) for one in disclosures}
        holding = Holding(
            OWNER,
            "own",
            grounds,
            places,
            activity,
            secrecy,
            path,
            {"db": SourceSettings("sqlite", 30.0, 10_000, 8)},
        )
        self.sources = {"db": source or open_source(f"sqlite:///{path / 'people.sqlite'}")}
        names = {ASKER: ASKER_NAME, OWNER: "Eigen organisatie (fictief)"}
        self.holdings = Holdings(
            holding, open_use(store, ledger, OWNER, known), Sources(self.sources, clock), open_history(store, disclosures, clock),
            owner.discloser, self.point, ledger, group, lambda peer: names.get(peer, str.__str__(peer)), clock,
        )  # fmt: skip
        house = House("Eigen organisatie (fictief)", True, NAVIGATION)
        self.app = make_portal(page_routes(self.holdings, Gate(self.point)), self, house, b"s" * 32)

    def browser(self, who: str = "data-owner", language: str = "nl") -> Browser:
        """Of an official with this role; `weak` signed in too weakly, `citizen` is none."""
        browser = Browser(self.app, language=language)
        if who:
            browser.cookies[COOKIE] = who
        return browser

    def later(self, **by: int) -> None:
        self.now += timedelta(**by)
        self.owner.now = self.now

    def by_cookie(self, secret: str) -> SignedIn | None:
        role, _, weak = secret.partition("-weak")
        audience: Any = "citizen" if role == "citizen" else "staff"
        roles = () if role == "citizen" else (role,)
        level: Any = "low" if weak or secret.endswith("-weak") else "substantial"
        return SignedIn(
            "s", Acting("p-olga"), audience, level, "acr", "medewerkers", 0, "Olga Onecht", roles=roles
        )

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


@contextmanager
def desk(path: Path, *disclosures: Disclosure, **more: Any) -> Iterator[Desk]:
    """A desk with a log of its own."""
    with opened(path) as (store, ledger):
        yield Desk(path, store, ledger, *disclosures, **more)
