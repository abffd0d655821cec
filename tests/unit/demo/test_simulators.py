"""The simulators of DigiD and eHerkenning: plainly marked, as strict as a broker, and a node signs in with them."""

import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from tests.clocks import Clock
from tests.unit.identity.upstream.providers import NODE_KEY, OWN

from sluis.config import examine_node
from sluis.crypto import FileKeyStore, Keys
from sluis.identity.upstream import Completed, Method, Upstreams, open_upstreams
from sluis.identity.upstream.calls import Answer
from sluis.kernel import ACR, LEVELS, Bsn, Problem, Refused, Unidentified, is_simulator
from sluis.store import open_store
from sluis_demo.simulators import ALL, DIGID, EHERKENNING, STAFF, Client, Simulators, make_simulators
from sluis_demo.simulators.personas import OFFICIALS, citizens, entrepreneurs, officials, personas
from sluis_demo.simulators.settings import CLIENT, client_for, people_tables, sign_in_settings, sign_in_tables

ADDRESS, PORTAL = "https://localhost:8490", "https://localhost:8470"
BANNER = "SIMULATOR — verzonnen personen"
GOOD = {
    "client_id": CLIENT,
    "redirect_uri": f"{PORTAL}/sign-in/at/digid/return",
    "response_type": "code",
    "scope": "openid",
    "state": "s" * 43,
    "nonce": "n" * 43,
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
}


class Direct:
    """Calls of a node to the simulators, without sockets."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        told = await self.http.request(method, url, data=form, headers=dict(headers))
        return Answer(told.status_code, told.content, told.headers["content-type"].partition(";")[0])

    async def close(self) -> None:
        pass


class World:
    """A node, the simulators, and a browser between them."""

    def __init__(self, folder: Path, clock: Clock, secret: str | None, test: bool = True) -> None:
        self.store = open_store(folder / "node.db")
        (folder / "secret").write_text(secret or "")
        client = client_for(PORTAL, secret)
        if secret is None:
            client = Client(
                CLIENT, client.redirect_uris, client.sign_out_uris, keys=lambda: Keys((NODE_KEY,))
            )
        self.simulators: Simulators = make_simulators(ADDRESS, [client], clock)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.simulators), base_url=ADDRESS)
        tables = sign_in_tables(ADDRESS, folder / "secret" if secret else None, folder / "authority.pem")
        methods = [
            Method(name, **{**table, "secret_file": folder / "secret" if secret else None})
            for name, table in tables.items()
        ]
        staff = {persona.number: (name, roles) for name, (persona, roles) in OFFICIALS.items()}
        self.upstreams: Upstreams = open_upstreams(
            self.store,
            methods,
            portal=PORTAL,
            own=OWN,
            keys=FileKeyStore(folder / "keys"),
            clock=clock,
            test=test,
            officials={STAFF.kind: staff},
            calls=lambda method: Direct(self.http),
        )

    async def sign_in(
        self, kind: str, person: str, level: str, choice: int = 0, asked: Any = None, **form: str
    ) -> Completed:
        """Sign in as somebody, with these things filled in."""
        begun = await self.upstreams.begin(kind, "/", asked)
        shown = await self.http.get(begun.url)
        people = {one.name: one for one in (*officials(), *citizens(), *entrepreneurs())}
        filled = {"person": people[person].number, "level": level, "outcome": "signed-in", **form}
        shown = await self.http.post(action(shown), data=filled)
        if shown.status_code == 200:
            assert BANNER in shown.text
            shown = await self.http.post(action(shown), data={"choice": str(choice)})
        query = dict(parse_qsl(urlsplit(shown.headers["location"]).query))
        return await self.upstreams.complete(kind, query, {begun.cookie: begun.secret})


def action(shown: httpx.Response) -> str:
    found = re.findall(r'action="([^"]+)"', shown.text)
    return unescape(found[-1])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["a-secret", None], ids=["secret", "signed"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    made = World(tmp_path, clock, request.param)
    yield made
    await made.http.aclose()
    made.store.close()


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the simulators."""
    simulators = make_simulators(ADDRESS, [client_for(PORTAL, "a-secret")], clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(simulators), base_url=ADDRESS) as client:
        yield client


async def test_a_citizen_signs_in(world: World) -> None:
    found = (await world.sign_in("digid", "Sanne Proefstra", "Midden")).established
    assert (found.kind, found.value, found.level) == ("BSN", citizens()[0].number, "low")
    assert (found.name, found.entity) == ("Sanne Proefstra", None)


async def test_an_entrepreneur_signs_in_for_the_company_of_choice(world: World) -> None:
    one, other = [
        (await world.sign_in("eherkenning", "Fatima Voorbeeldbeek", "EH3", choice)).established
        for choice in (0, 1)
    ]
    assert (one.entity, other.entity) == ("urn:nl:kvk:99000002", "urn:nl:kvk:99000003")
    assert one.value == other.value  # one person, whoever they act for
    assert (one.kind, one.level, one.acr) == ("pseudonym", "substantial", ACR["substantial"])


async def test_a_chain_mandate_names_company_and_intermediary(world: World) -> None:
    found = (await world.sign_in("eherkenning", "Kees Denksma", "EH3", 1)).established
    assert (found.entity, found.intermediary) == ("urn:nl:kvk:99000001", "urn:nl:kvk:99900001")


async def test_a_mandate_may_be_for_one_establishment_or_for_some_services(world: World) -> None:
    found = (await world.sign_in("eherkenning", "Marloes Fictiehuizen", "EH3", 1)).established
    assert found.entity == "urn:nl:vestiging:990000000061"
    found = (await world.sign_in("eherkenning", "Sanne Proefstra", "EH3")).established
    assert found.services == ("urn:sluis:voorbeeld:vergunningen",)


async def test_an_official_signs_in_with_the_roles_of_the_settings(world: World) -> None:
    found = (await world.sign_in("medewerkers", "Bram Bedacht", "Wachtwoord en app")).established
    assert (found.audience, found.kind, found.value) == ("staff", "staff", "bram")
    assert found.roles == tuple(people_tables()["bram"]["roles"]) == ("medewerker", "privacy-officer")


async def test_who_is_not_among_the_staff_is_not_signed_in(world: World) -> None:
    with pytest.raises(Refused) as refused:
        await world.sign_in("medewerkers", "Oscar Oudgediend", "Dienstpas")
    assert refused.value.code == "unknown-official"


async def test_a_parent_may_sign_in_for_a_child(world: World) -> None:
    found = (await world.sign_in("digid", "Sanne Proefstra", "Midden", 1)).established
    assert found.entity is not None
    assert found.entity.startswith("urn:sluis:person:")
    assert found.entity_name == "Noor Proefstra"


@pytest.mark.parametrize("simulator", ALL, ids=lambda one: one.kind)
async def test_every_level_can_be_reached_and_is_told(tmp_path: Path, clock: Clock, simulator: Any) -> None:
    world = World(tmp_path, clock, "a-secret")
    who = {
        "digid": "Aylin Papierhof",
        "eherkenning": "Niels Testdijk",
        "medewerkers": "Fenna Fictief",
    }[simulator.kind]
    found = [
        (await world.sign_in(simulator.kind, who, grade.name)).established.level for grade in simulator.grades
    ]
    expected = {
        "digid": list(LEVELS),
        "eherkenning": ["low", "low", "substantial", "high"],
        "medewerkers": ["low", "substantial", "high"],
    }
    assert found == expected[simulator.kind]
    world.store.close()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("unavailable", "sign-in-refused-there"),
        ("lower-level", "level-too-low"),
        ("no-level", "unknown-level"),
        ("wrong-nonce", "sign-in-not-believed"),
    ],
)
async def test_what_goes_wrong_there_is_seen_here(
    tmp_path: Path, clock: Clock, outcome: str, code: str
) -> None:
    world = World(tmp_path, clock, "a-secret")
    with pytest.raises(Problem) as told:
        await world.sign_in("digid", "Aylin Papierhof", "Hoog", asked="substantial", outcome=outcome)
    assert told.value.code == code
    world.store.close()


@pytest.mark.parametrize("step", [1, 2])
async def test_who_cancels_is_not_signed_in(world: World, step: int) -> None:
    begun = await world.upstreams.begin("digid", "/", None)
    shown = await world.http.get(begun.url)
    if step == 2:
        shown = await world.http.post(action(shown), data={"person": citizens()[0].number, "level": "Hoog"})
    shown = await world.http.post(action(shown), data={"cancel": "yes", "choice": "0"})
    query = dict(parse_qsl(urlsplit(shown.headers["location"]).query))
    with pytest.raises(Unidentified):
        await world.upstreams.complete("digid", query, {begun.cookie: begun.secret})


async def test_signing_out_comes_back_to_the_node_and_nowhere_else(world: World) -> None:
    completed = await world.sign_in("digid", "Aylin Papierhof", "Hoog")
    url = await world.upstreams.farewell(completed.established, "s")
    assert url is not None
    shown = await world.http.get(url)
    assert shown.headers["location"].startswith(f"{PORTAL}/sign-out?state=")
    elsewhere = await world.http.get(url.replace("localhost%3A8470", "kwaad.nl"))
    assert "location" not in elsewhere.headers
    assert "uitgelogd" in elsewhere.text


async def test_keys_may_change(world: World, clock: Clock) -> None:
    await world.sign_in("digid", "Aylin Papierhof", "Hoog")
    world.simulators.providers["digid"].rotate()
    clock.later(minutes=1)
    await world.sign_in("digid", "Aylin Papierhof", "Hoog")


async def test_production_refuses_simulators_in_settings_and_when_a_token_comes(
    tmp_path: Path, clock: Clock
) -> None:
    world = World(tmp_path, clock, "a-secret", test=False)
    with pytest.raises(Refused) as refused:
        await world.upstreams.begin("digid", "/", None)
    assert refused.value.rule == "simulator"
    settings = tmp_path / "node.toml"
    for environment, expected in (("production", 3), ("test", 0)):
        settings.write_text(
            '[node]\noin = "00000001000000000001"\nname = "Fictieve Dienst"\nalias = "dienst"\n'
            f'url = "https://localhost"\nenvironment = "{environment}"\n[portal]\naddress = "{PORTAL}"\n'
            + sign_in_settings(ADDRESS, tmp_path / "secret", tmp_path / "secret")
        )
        told = [one for one in examine_node(settings, {}) if one.code == "simulator-in-production"]
        assert len(told) == expected
    world.store.close()


def test_issuers_are_those_of_simulators() -> None:
    for provider in make_simulators(ADDRESS, []).providers.values():
        assert is_simulator(provider.issuer)


async def test_every_page_says_that_nobody_in_it_exists(http: httpx.AsyncClient) -> None:
    pages = [
        await http.get("/sluis-simulator/digid/authorize", params=GOOD),
        await http.get("/sluis-simulator/digid/authorize"),
        await http.get("/sluis-simulator/digid/sign-out"),
        await http.get("/sluis-simulator/niets/authorize"),
    ]
    for shown in pages:
        assert BANNER in shown.text
        assert "SIMULATOR — invented people" in shown.text
        assert "<script" not in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]


async def test_pages_are_there_in_english_too(http: httpx.AsyncClient) -> None:
    shown = await http.get("/sluis-simulator/digid/authorize", params={**GOOD, "ui_locales": "en"})
    assert "it simulates DigiD" in shown.text
    shown = await http.post(action(shown), data={"language": "nl"})
    assert "het doet DigiD na" in shown.text


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "x"},
        {"redirect_uri": f"{PORTAL}/sign-in/at/digid/return/"},
        {"response_type": "token"},
        {"scope": "profile"},
        {"code_challenge_method": "plain"},
        {"state": "short"},
        {"nonce": ""},
    ],
    ids=str,
)
async def test_a_request_that_is_not_right_is_answered_to_nobody(
    http: httpx.AsyncClient, changed: dict[str, str]
) -> None:
    shown = await http.get("/sluis-simulator/digid/authorize", params=GOOD | changed)
    assert shown.status_code == 400
    assert "location" not in shown.headers


async def test_a_level_below_what_was_asked_for_cannot_be_chosen(http: httpx.AsyncClient) -> None:
    wanted = GOOD | {"acr_values": DIGID.grades[2].acr}
    shown = await http.get("/sluis-simulator/digid/authorize", params=wanted)
    assert shown.text.count("lager dan gevraagd") == 2
    shown = await http.post(action(shown), data={"person": citizens()[0].number, "level": "Midden"})
    assert (shown.status_code, "hoog genoeg" in shown.text) == (200, True)


async def test_a_code_is_good_once_for_who_asked_and_can_prove_it(http: httpx.AsyncClient) -> None:
    async def code() -> str:
        shown = await http.get("/sluis-simulator/digid/authorize", params=GOOD)
        filled = {"person": citizens()[2].number, "level": "Hoog"}
        shown = await http.post(action(shown), data=filled)
        return dict(parse_qsl(urlsplit(shown.headers["location"]).query))["code"]

    async def redeem(code: str, secret: str = "a-secret") -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": GOOD["redirect_uri"],
            "code_verifier": "v",
        }
        told = await http.post("/sluis-simulator/digid/token", data=form, auth=(CLIENT, secret))
        return str(told.json()["error"])

    assert await redeem(await code()) == "invalid_grant"  # another verifier than the challenge is of
    assert await redeem(await code(), "wrong") == "invalid_client"
    assert await redeem("x") == "invalid_grant"
    told = await http.get("/sluis-simulator/digid/userinfo", headers={"authorization": "Bearer x"})
    assert (told.status_code, told.json()["error"]) == (401, "invalid_token")


def test_everybody_in_the_simulators_is_invented() -> None:
    for simulator in (DIGID, EHERKENNING):
        for persona in personas(simulator):
            assert Bsn.accepts(persona.number)
            assert persona.number.startswith("9999")
            for choice in persona.choices:
                for company in filter(None, (choice.company, choice.through)):
                    assert company.name.startswith("Fictie")
                    assert company.kvk.startswith("99")
    for persona in personas(STAFF):
        assert persona.number.endswith(".example")
