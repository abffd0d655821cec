"""Fictitious companies and what the trade register would answer of them. All persons and numbers are made up."""

from datetime import UTC, date, datetime
from xml.sax.saxutils import escape

from sluis.identity.people.model import Facts, Office
from sluis.identity.register import (
    Answer,
    Company,
    Held,
    Officer,
    RegisteredName,
    normal,
    read_company,
    unavailable,
    urn_of,
)
from sluis.kernel import Acting, Kvk, NotFound

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())

KVK, OTHER, BROKER = Kvk("90000010"), Kvk("90000011"), Kvk("90000012")
COMPANY, OTHER_COMPANY, INTERMEDIARY = urn_of(KVK), urn_of(OTHER), urn_of(BROKER)

ANNE, BRAM, CARLA = "a" * 43, "b" * 43, "c" * 43
"""Pseudonyms."""

NAMES = {
    ANNE: RegisteredName("Anne", "", "Fictief", date(1980, 5, 1)),
    BRAM: RegisteredName("Bram", "van der", "Verzonnen", date(1975, 2, 3)),
    CARLA: RegisteredName("Carla", "", "Bedacht-Fictief", date(1990, 12, 31)),
}


def key_of(name: RegisteredName) -> str:
    """In the place of a keyed hash: the parts, so that a test can read them."""
    return "|".join(normal(name))


def person(name: RegisteredName, more: str = "") -> str:
    """`natuurlijkPersoon`, without its own element."""
    prefix = f"<voorvoegselGeslachtsnaam>{name.prefix}</voorvoegselGeslachtsnaam>" if name.prefix else ""
    return (
        f"{more}{prefix}<geslachtsnaam>{escape(name.surname)}</geslachtsnaam><voornamen>{name.given}</voornamen>"
        f"<geboortedatum>{name.born:%Y%m%d}</geboortedatum>"
    )


def director(
    who: str, kind: str = "azb", with_others: str = "N", code: str = "02", more: str = "", about: str = ""
) -> str:
    """A `heeft` with a `bestuursfunctie`."""
    return function(
        "bestuursfunctie", who, code,
        f"<bevoegdheid><soort><code>{kind}</code></soort><isBevoegdMetAnderePersonen><code>{with_others}</code>"
        f"</isBevoegdMetAnderePersonen></bevoegdheid>{more}", about,
    )  # fmt: skip


def function(element: str, who: str, code: str, more: str = "", about: str = "") -> str:
    """A `heeft` with some function of a natural person; `about` goes with the person, `more` with the function."""
    return (
        f"<heeft><{element}><door><natuurlijkPersoon>{person(NAMES[who], about)}</natuurlijkPersoon></door>"
        f"<functie><code>{code}</code></functie>{more}</{element}></heeft>"
    )


def registration(
    *functions: str, kvk: str = KVK, owner: str = "rechtspersoon", about: str = "", activity: str = "", form: str = "BV",
    name: str = "Fictieve Fietsen B.V.", envelope: bool = True,
) -> bytes:  # fmt: skip
    """An answer of HR-Dataservice; `about` goes with the owner, `activity` with the registration."""
    answer = (
        '<ophalenInschrijvingResponse peilmoment="20261122080000000" '
        'xmlns="http://schemas.kvk.nl/schemas/hrip/dataservice/2015/02"><product>'
        '<maatschappelijkeActiviteit xmlns="http://schemas.kvk.nl/schemas/hrip/catalogus/2015/02">'
        f"{activity}<kvkNummer>{kvk}</kvkNummer><naam>{escape(name)}</naam><heeftAlsEigenaar><{owner}>"
        f"<persoonRechtsvorm>{form}</persoonRechtsvorm>{about}{''.join(functions)}</{owner}></heeftAlsEigenaar>"
        "</maatschappelijkeActiviteit></product></ophalenInschrijvingResponse>"
    )
    if envelope:
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        answer = f'<s:Envelope xmlns:s="{soap}"><s:Header/><s:Body>{answer}</s:Body></s:Envelope>'
    return answer.encode()


def read(answer: bytes, kvk: Kvk = KVK) -> Company:
    return read_company(answer, kvk, TODAY, key_of)


def officers(*functions: str, **more: str) -> list[Officer]:
    return [*read(registration(*functions, **more)).officers]  # type: ignore[arg-type]


def held(answer: bytes, kvk: Kvk = KVK, at: int = SECONDS - 60) -> Held:
    return Held(read(answer, kvk), at, "0" * 64)


def facts(*companies: Held, people: tuple[str, ...] = (ANNE, BRAM, CARLA), **more: object) -> Facts:
    """What follows from companies, for people who are recognised in them."""
    offices = tuple(
        Office(who, urn_of(one.company.kvk), officer)
        for one in companies
        for officer in one.company.officers
        for who in people
        if officer.key == key_of(NAMES[who])
    )
    given = {
        "companies": {urn_of(one.company.kvk): one for one in companies},
        "offices": offices,
        "oldest": SECONDS - 86_400,
    }
    return Facts(**{**given, **more})  # type: ignore[arg-type]


def acting(who: str, entity: str | None = COMPANY, intermediary: str | None = None) -> Acting:
    return Acting(who, entity, intermediary)


class FakeRegister:
    """A trade register in memory, that counts how often it is asked."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.at = NOW
        self.asked = 0
        self.away = False

    def put(self, *functions: str, kvk: Kvk = KVK, **more: str) -> None:
        self.answers[kvk] = registration(*functions, kvk=kvk, **more)  # type: ignore[arg-type]

    async def company(self, kvk: Kvk) -> Answer:
        self.asked += 1
        if self.away:
            raise unavailable()
        if kvk not in self.answers:
            raise NotFound("unknown-company", unavailable().what, unavailable().why, unavailable().next)
        return Answer(self.answers[kvk], self.at)
