"""Guardians, as officials write them down and as guardian and ward see them; over the socket and in a browser."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Browser, tied
from tests.unit.identity.people import established
from tests.unit.identity.people_node import act
from tests.unit.identity.test_people_pages import World
from tests.unit.web.conftest import ABOUT, calling

from sluis.crypto import FileKeyStore
from sluis.identity.people import desk_routes, routes
from sluis.identity.people.model import Allowed
from sluis.identity.register import person_urn
from sluis.identity.sessions import person_of
from sluis.kernel import Acting, Invalid, PeerId, Text
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.web import Access, Gate, House, Person, make_api, make_portal

ME = pwd.getpwuid(os.getuid()).pw_name
LOCAL: dict[str, Any] = {"sluis.local": {"uid": os.getuid()}}
OWN = PeerId("00000001001000001000")
GUARDIAN, WARD = "999990019", "999990020"  # fictitious, and no numbers of the BRP
FILLED = {
    "kind": "administrator", "guardian": GUARDIAN, "guardian_name": "Fictieve Bewindvoerder", "ward": WARD,
    "ward_name": "Fictieve Ander", "evidence": "C/10/000000 FT RK 26-1", "service.permits": "1",
}  # fmt: skip
ASKED = {
    "kind": "curator", "guardian": GUARDIAN, "guardian_name": "Fictieve Curator", "ward": WARD,
    "ward_name": "Fictieve Ander", "evidence": "C/10/000000 FT RK 26-1",
}  # fmt: skip


class Desk(World):
    """A world with the pages of officials."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keys = FileKeyStore(folder / "keys")

        def whom(bsn: str) -> str:
            if len(bsn) != 9:
                raise Invalid(
                    "invalid-bsn", *[Text("Dit nummer klopt niet.", "This number is not right.")] * 3
                )
            return person_of(keys, "BSN", bsn)

        gate = Gate(DecisionPoint(Policies(STANDARD), "dienst", self.ledger, self.clock))
        self.whom, self.roles, self.gate = whom, ("people-admin",), gate
        self.routes += desk_routes(self.people, gate, OWN, whom)
        self.app = make_portal(self.routes, self, House("Fictieve Dienst", True), b"s" * 32)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        access = Access([], {ME: Person(ME, "official-1", self.roles)}.get)
        api = make_api(routes(self.people, self.gate, OWN, self.whom), access, ABOUT)
        reply = await calling(api)(method, path, body, extensions=LOCAL)
        return reply.status, reply.json

    async def official(self, *roles: str) -> Browser:
        self.who = established(audience="staff", kind="staff", value="jansen", level=None, roles=roles)
        browser = Browser(self.app)
        await browser.get("/way")
        return browser

    async def citizen(self, bsn: str) -> Browser:
        browser, _ = await self.enter(bsn)
        return browser

    def may(self, service: str = "permits") -> bool:
        ward = self.whom(WARD)
        who = Acting(self.whom(GUARDIAN), person_urn(ward))
        return isinstance(self.people.decide(who, act(person_urn(ward), service=service)), Allowed)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


async def test_an_official_writes_down_an_administrator_and_ends_it(desk: Desk) -> None:
    official = await desk.official("people-admin")
    form = (await official.get("/guardians")).form("/guardians")
    done = await official.send(form, **FILLED)
    assert (done.status, done.headers["location"]) == (303, "/guardians")
    assert desk.may()
    assert not desk.may("subsidies")
    listed = await official.get("/guardians")
    for told in ("Fictieve Bewindvoerder", "Fictieve Ander", "C/10/000000 FT RK 26-1", "permits-nl"):
        assert told in listed.text
    assert GUARDIAN not in listed.text
    assert WARD not in listed.text
    await official.send(listed.form("/guardians/end"))
    assert not desk.may()


async def test_the_ward_sees_who_acts_for_them_and_the_guardian_for_whom(desk: Desk) -> None:
    official = await desk.official("people-admin")
    await official.send((await official.get("/guardians")).form("/guardians"), **FILLED)
    ward = (await (await desk.citizen(WARD)).get("/mandates")).text
    assert "Wie volgens de wet voor u handelt" in ward
    assert "Fictieve Bewindvoerder" in ward
    assert "C/10/000000 FT RK 26-1" in ward
    guardian = (await (await desk.citizen(GUARDIAN)).get("/mandates")).text
    assert "Voor wie u volgens de wet handelt" in guardian
    assert "Fictieve Ander" in guardian
    stranger = (await (await desk.citizen("999990021")).get("/mandates")).text
    assert "volgens de wet" not in stranger
    assert [one.name for one in desk.people.entities_for(desk.whom(GUARDIAN))] == ["", "Fictieve Ander"]


@pytest.mark.parametrize(
    ("wrong", "told", "field"),
    [
        ({"kind": ""}, "Kies curator, bewindvoerder of ouder", "kind"),
        ({"evidence": " "}, "Noem de uitspraak of het uittreksel", "evidence"),
        ({"guardian_name": " "}, "Een naam is nodig", "guardian_name"),
        ({"ward_name": ""}, "Een naam is nodig", "ward_name"),
        ({"guardian": "12"}, "Dit nummer klopt niet", "guardian"),
        ({"ward": "12"}, "Dit nummer klopt niet", "ward"),
        ({"ward": GUARDIAN}, "Niemand vertegenwoordigt zichzelf", "ward"),
        ({"kind": "parent"}, "geboortedatum van het kind", "born"),
        ({"kind": "parent", "born": "2001-01-01"}, "achttien jaar of ouder", "born"),
        ({"until": "morgen"}, "Een datum ontbreekt, of klopt niet", "until"),
        ({"until": "2026-01-01"}, "De einddatum is voorbij", "until"),
        ({"service.anders": "1"}, "Het kent deze: permits, subsidies", "services"),
    ],
)
async def test_what_was_filled_in_wrong_is_told_at_its_field_and_stays_but_for_the_numbers(
    desk: Desk, wrong: dict[str, str], told: str, field: str
) -> None:
    official = await desk.official("people-admin")
    shown = await official.send((await official.get("/guardians")).form("/guardians"), **{**FILLED, **wrong})
    assert (shown.status, tied(shown.text)) == (422, field)
    assert told in shown.text
    assert FILLED["ward_name" if field == "guardian_name" else "guardian_name"] in shown.text
    assert GUARDIAN not in shown.text


async def test_the_last_day_that_there_is_may_be_an_end(desk: Desk) -> None:
    official = await desk.official("people-admin")
    form = (await official.get("/guardians")).form("/guardians")
    assert (await official.send(form, **{**FILLED, "until": "9999-12-31"})).status == 303


@pytest.mark.parametrize(
    ("roles", "look", "change"),
    [((), 403, 403), (("privacy-officer",), 200, 403), (("people-admin",), 200, 303)],
)
async def test_who_may_look_and_who_may_change(
    desk: Desk, roles: tuple[str, ...], look: int, change: int
) -> None:
    admin = await desk.official("people-admin")
    form = (await admin.get("/guardians")).form("/guardians")
    official = await desk.official(*roles)
    shown = await official.get("/guardians")
    assert shown.status == look
    form.fields.update((await official.get("/sessions")).forms[0].fields)  # a token of this session
    assert (await official.send(form, **FILLED)).status == change


async def test_people_who_are_no_officials_have_other_pages(desk: Desk) -> None:
    assert (await (await desk.citizen(WARD)).get("/guardians")).status == 403


# Over the socket


async def test_an_official_does_the_same_over_the_socket_without_a_number_in_any_answer(desk: Desk) -> None:
    status, made = await desk.call("POST", "/v1/people/guardians", ASKED)
    assert (status, made["kind"], made["holds"]) == (201, "curator", True)
    assert desk.may("subsidies")
    assert await desk.call("GET", "/v1/people/guardians") == (200, [made])
    assert not any(one in str(made) for one in (GUARDIAN, WARD, desk.whom(WARD), desk.whom(GUARDIAN)))
    status, ended = await desk.call("POST", f"/v1/people/guardians/{made['id']}/endings")
    assert (status, ended["holds"]) == (201, False)
    assert not desk.may()
    actors = {one.actor for _, one in desk.ledger.log.arrangements(made["id"])}
    assert actors == {"official-1"}
    status, services = await desk.call("GET", "/v1/people/services")
    assert [one["id"] for one in services] == [
        "permits",
        "subsidies",
        "urn:sluis:service:contacts",
        "urn:sluis:service:own-data",
    ]


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"ward": "12"}, 400, "invalid-bsn"),
        ({"services": ["anders"]}, 400, "unknown-service"),
        ({"kind": "mentor"}, 400, None),
        ({"until": "2026-01-01"}, 400, "guardianship-unreadable"),
        ({"evidence": ""}, 400, "guardianship-unreadable"),
    ],
)
async def test_what_cannot_be_written_down_is_refused(
    desk: Desk, wrong: dict[str, Any], status: int, code: str | None
) -> None:
    found, told = await desk.call("POST", "/v1/people/guardians", {**ASKED, **wrong})
    assert (found, code in (None, told["code"])) == (status, True)


@pytest.mark.parametrize(
    ("roles", "look", "change"),
    [((), 403, 403), (("access-admin",), 403, 403), (("privacy-officer",), 200, 403)],
)
async def test_over_the_socket_the_same_roles_may(
    desk: Desk, roles: tuple[str, ...], look: int, change: int
) -> None:
    desk.roles = roles
    assert (await desk.call("GET", "/v1/people/guardians"))[0] == look
    assert (await desk.call("POST", "/v1/people/guardians", ASKED))[0] == change
