"""The pages of oversight in a portal without sockets, over a log that a test fills; and people by a cookie."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.browser import Browser

from sluis.crypto import FileKeyStore
from sluis.grounds import Activity, Article, Closed, Column, Dataset, Disclosure, Grounds, Subject
from sluis.kernel import Acting, Oin, PeerId, Period, Text, Trace
from sluis.ledger import (
    ACTIVITY,
    PROCESSOR,
    SUBJECT,
    SUBJECT_TYPE,
    Anchors,
    Decision,
    Processing,
    open_ledger,
)
from sluis.oversight import NAVIGATION, Agreement, Given, Organisation, Oversight, Through, page_routes
from sluis.policy import (
    STANDARD,
    DecisionPoint,
    Occasion,
    Policies,
    asking,
    consultation,
    open_versions,
    person,
    rulings_of,
)
from sluis.store import open_store
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal

OWN, PEER = PeerId("00000001000000000001"), PeerId("00000001000000000002")
NAMES = {OWN: "Dienst Voorbeeld (fictief)", PEER: "Gemeente Elders (fictief)"}
NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)  # a Friday
BWB = "BWBR0015703"
AID, TREES = "https://elders.example/verwerkingen/bijstand", "https://voorbeeld.example/verwerkingen/bomen"


def activity(id: str = AID, **more: Any) -> Activity:
    given: dict[str, Any] = {
        "name": Text("Bijstand vaststellen", "Decide on assistance"),
        "purpose": Text("Vaststellen of iemand recht heeft.", "Decide whether somebody is entitled."),
        "controller": Oin(PEER),
        "ground": "public-task",
        "articles": (Article("Participatiewet", "64, lid 1", BWB), Article("Verordening (fictief)", "1")),
        "valid": Period(date(2026, 1, 1)),
        "subjects": Text("aanvragers", "applicants"),
        "retention": "P5Y",
    }
    return Activity(id=id, **{**given, **more})


INCOME = Dataset(
    "inkomen", Text("Inkomen", "Income"), "main", "INKOMEN",
    (
        Column("bsn", "VARCHAR", sensitivity="identifying"),
        Column("bedrag", "BIGINT", title=Text("Bedrag", "Amount")),
        Column("ziekte", "VARCHAR", sensitivity="special"),
    ),
    subject=Subject("bsn", "BSN"),
)  # fmt: skip
OPENS = Disclosure(
    "inkomen-bijstand", 2, "inkomen", PEER, AID, {"bsn": "join", "bedrag": "output", "ziekte": "output"},
    (Article("Participatiewet", "64", BWB),), "public-task", Oin(OWN), Period(date(2026, 1, 1)),
    masks={"bedrag": "bedrag / 100"}, closed=(Closed(("gewijzigd",), Text("Niet nodig.", "Not needed.")),),
)  # fmt: skip
MINE = activity(
    TREES,
    name=Text("Bomen beheren", "Look after trees"),
    controller=Oin(OWN),
    articles=(Article("Wet natuur", "2", "BWBR0037552"),),
)
GROUNDS = Grounds((INCOME,), (activity(), MINE), (OPENS,))


class Room:
    """A node's oversight with its portal; use it in a `with`."""

    def __init__(self, folder: Path, grounds: Grounds = GROUNDS, names: dict[PeerId, str] = NAMES) -> None:
        self.now, self.folder, self.given = NOW, folder, list[Given]()
        self.store = open_store(folder / "node.sqlite")
        keys = FileKeyStore(folder / "keys")
        self.ledger = open_ledger(self.store, keys, "voorbeeld.example/log", self.clock)
        rulings = rulings_of(grounds, "voorbeeld", False)
        policies = Policies(own=dict(STANDARD), rulings=rulings)
        versions = open_versions(self.store)
        versions.keep(policies, NOW)
        self.point = DecisionPoint(policies, "voorbeeld", self.ledger, self.clock)

        async def agreed() -> Sequence[Agreement]:
            return [Agreement("a" * 20, AID, ("inkomen-bijstand",))]

        self.oversight = Oversight(
            Organisation(OWN, NAMES[OWN], (Text("Met mTLS.", "With mTLS."),)), grounds,
            lambda peer: names.get(peer, str.__str__(peer)), agreed, self.store, self.ledger, versions,
            Anchors(folder / "anchors", [], self.clock), folder, self.clock,
            lambda activity, since, until: [Through(OWN, "inkomen-bijstand", 3, 4, 1)] if activity == AID else [],
            lambda since, until: [one for one in self.given if since <= one.day < until],
        )  # fmt: skip
        house = House(NAMES[OWN], True, NAVIGATION)
        self.app = make_portal(page_routes(self.oversight, Gate(self.point)), self, house, b"s" * 32)

    def __enter__(self) -> "Room":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()

    def clock(self) -> datetime:
        return self.now

    def browser(self, roles: str = "privacy-officer", language: str = "nl") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = roles
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        name = "<b>Bram</b> Bedacht"
        if secret == "citizen":
            return SignedIn("s", Acting("c"), "citizen", "substantial", "acr", "digid", 0, name)
        roles = tuple(secret.split("+"))
        return SignedIn(
            "s", Acting("officer"), "staff", "substantial", "acr", "medewerkers", 0, name, roles=roles
        )

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    # The log

    def consulted(
        self, who: str, moment: datetime, subjects: Iterable[str] = (), dataset: str = "voorbeeld.inkomen"
    ) -> list[Decision | Processing]:
        """What an owner writes of a question of another organisation."""
        trace = Trace.begin()
        evaluation = consultation(
            PEER, who, "urn:loa", AID, dataset, level="substantial", context={"case": "Z-1"}
        )
        decided = self.point.decide(evaluation, moment)
        record = self.point.record(evaluation, decided, Occasion(trace, moment, transaction_id="t"))
        at = int(moment.timestamp() * 1000)
        lines = [
            Processing(
                trace.trace_id, trace.child().span_id, "Raadpleging", "Ok", at, at + 5,
                attributes={ACTIVITY: AID, SUBJECT: one, SUBJECT_TYPE: "BSN", PROCESSOR: "https://elders.example"},
            )
            for one in subjects
        ]  # fmt: skip
        return [record, *lines]

    def asked(self, who: str, moment: datetime) -> list[Decision | Processing]:
        """What a node writes of a question of its own official."""
        trace = Trace.begin()
        evaluation = asking(person(Acting(who), "local", audience="staff"), TREES, {"case": "Z-2"})
        occasion = Occasion(trace, moment, began=True, policies={"offers": {"rdw.voertuigen": "sha256:0"}})
        return [self.point.record(evaluation, self.point.decide(evaluation, moment), occasion)]

    async def write(self, records: Iterable[Decision | Processing]) -> None:
        await self.ledger.append(list(records))
        await self.ledger.checkpoint()

    def month(self) -> list[Decision | Processing]:
        """Thirty usual days, and a last one on which much is not usual."""
        made: list[Decision | Processing] = []
        for back in range(30, 0, -1):
            day = NOW - timedelta(days=back)
            if day.weekday() < 5:
                for number in range(6):
                    made += self.consulted("rustig", day + timedelta(minutes=number), [f"p-{back}-{number}"])
        for number in range(80):
            made += self.consulted("druk", NOW - timedelta(minutes=number), ["bekend"])
        for number in range(12):
            made += self.consulted("fout", NOW - timedelta(seconds=number), dataset="voorbeeld.geheim")
        for number in range(7):
            made += self.asked("nacht", NOW - timedelta(hours=9, minutes=number))
        return made


async def filled(room: Room) -> Room:
    """With a month in its log, summed up; and on the last day an answer about many."""
    days = [NOW.date() - timedelta(days=back) for back in range(30)]
    room.given = [Given(day, str.__str__(PEER), AID, 400 if day == days[0] else 3) for day in days]
    await room.write(room.month())
    await room.oversight.catch_up()
    return room


__all__ = [
    "AID",
    "BWB",
    "GROUNDS",
    "INCOME",
    "MINE",
    "NAMES",
    "NOW",
    "OPENS",
    "OWN",
    "PEER",
    "TREES",
    "Room",
    "activity",
    "filled",
]
