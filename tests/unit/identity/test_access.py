"""Who has access to what: the list, who may change it, and the pages of the person whose consent it is."""

import os
import pwd
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Browser
from tests.unit.grounds.examples import ACTIVITY_ID, RECIPIENT, activity, dataset, disclosure
from tests.unit.identity.people import established
from tests.unit.web.conftest import ABOUT, calling

from sluis.crypto import FileKeyStore
from sluis.grounds import Column, Grounds
from sluis.grounds.consents import open_consents
from sluis.identity.access import NAVIGATION, Accesses, Agreed, page_routes, routes
from sluis.identity.access.service import state_of, used_by
from sluis.identity.sessions import open_sessions
from sluis.kernel import Period, Text, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, Decision, Processing, open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import open_store
from sluis.web import COOKIE, Access, Gate, House, Person, SignedIn, make_api, make_portal

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY, LAST = NOW.date(), (NOW + timedelta(30)).date()
ANN, BOB = "999990019", "999990020"  # fictitious
ME = pwd.getpwuid(os.getuid()).pw_name
LOCAL: dict[str, Any] = {"sluis.local": {"uid": os.getuid()}}
LAW = disclosure(id="wet", dataset="wet")
CONSENT = disclosure(
    id="wens", ground="consent", columns={"bsn": "output", "jaar": "output", "inkomen": "output"}
)
GROUNDS = Grounds(
    (
        dataset(columns=(Column("bsn", "BIGINT"), Column("jaar", "BIGINT"), Column("inkomen", "BIGINT", title=Text("Bedrag", "Sum")))),
        dataset(name="wet"),
    ),
    (activity(),),
    (LAW, CONSENT),
)  # fmt: skip
CONTRACT = Agreed("$1$1$x", "gemeente", "sluis", ACTIVITY_ID, ("wet", "wens"), (), 0, 9)
SERVICE = Agreed("$1$1$y", "gemeente", "loon", None, (), (), 0, 9)


class World:
    """A node's access, by API and by page."""

    def __init__(self, home: Path) -> None:
        self.store, keys = open_store(home / "node.db"), FileKeyStore(home / "keys")
        self.ledger = open_ledger(self.store, keys, "test/access", lambda: NOW)
        self.consents = open_consents(self.store, self.ledger, keys, GROUNDS, lambda: NOW)
        self.agreed: list[Agreed] | None = [CONTRACT, SERVICE]
        self.accesses = Accesses(
            GROUNDS, self.consents, self.ledger.log, self._agreed, lambda _: "Gemeente (fictief)", lambda: NOW
        )
        self.roles: tuple[str, ...] = ("access-admin",)
        self.sessions = open_sessions(self.store, keys, lambda: NOW)
        house = House("Fictieve Dienst", True, NAVIGATION)
        self.browser = Browser(make_portal(page_routes(self.accesses, self.whose), self, house, b"s" * 32))

    async def _agreed(self) -> list[Agreed]:
        return self.agreed or []

    async def whose(self, person: SignedIn, action: str) -> tuple[str, str]:
        return self.sessions.subject(person.session)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str) -> SignedIn | None:
        return None

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        people = {ME: Person(ME, "official-1", self.roles)}
        point = DecisionPoint(Policies(STANDARD), "dienst", self.ledger, lambda: NOW)
        made = routes(self.accesses, Gate(point), RECIPIENT)
        reply = await calling(make_api(made, Access([], people.get), ABOUT))(
            method, path, body, extensions=LOCAL
        )
        return reply.status, reply.json

    async def give(self, bsn: str = ANN, **changed: Any) -> tuple[int, Any]:
        body = {
            "person": {"type": "BSN", "value": bsn}, "recipient": str.__str__(RECIPIENT), "activity": ACTIVITY_ID,
            "datasets": {"inkomen": []}, "until": LAST.isoformat(),
        }  # fmt: skip
        return await self.call("POST", "/v1/access/consents", {**body, **changed})

    async def sign_in(self, **changed: Any) -> None:
        secret, _ = await self.sessions.begin(established(at=int(NOW.timestamp()), **changed))
        self.browser.cookies[COOKIE] = secret


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


# ---- the API


async def test_an_official_writes_down_narrows_and_revokes(world: World) -> None:
    status, made = await world.give()
    assert (status, made["datasets"]) == (201, {"inkomen": ["jaar", "inkomen"]})
    path = f"/v1/access/consents/{made['id']}"
    status, left = await world.call("PATCH", path, {"datasets": {"inkomen": ["jaar"]}})
    assert (status, left["datasets"]) == (200, {"inkomen": ["jaar"]})
    status, ended = await world.call("POST", f"{path}/revocations")
    assert status == 201
    assert ended["revoked"]
    assert (await world.call("GET", "/v1/access/consents"))[1] == []
    actors = {one.actor for _, one in world.ledger.log.arrangements(made["id"])}
    assert actors == {"official-1"}


@pytest.mark.parametrize(("roles", "looks", "acts"), [
    ((), 403, 403), (("fsc-admin",), 403, 403), (("privacy-officer",), 200, 403), (("access-admin",), 200, 201),
])  # fmt: skip
async def test_only_who_has_the_role_looks_or_acts(
    world: World, roles: tuple[str, ...], looks: int, acts: int
) -> None:
    made = (await world.give())[1]
    world.roles = roles
    path = f"/v1/access/consents/{made['id']}"
    assert [(await world.call("GET", one))[0] for one in ("/v1/access", "/v1/access/consents")] == [looks] * 2
    assert (await world.give(BOB))[0] == acts
    assert (await world.call("PATCH", path, {}))[0] == (200 if acts == 201 else 403)
    assert (await world.call("POST", f"{path}/revocations"))[0] == acts


async def test_no_answer_holds_whose_consent_it_is(world: World) -> None:
    told = [(await world.give())[1], (await world.call("GET", "/v1/access/consents"))[1]]
    assert ANN not in str(told)
    assert "subject" not in str(told)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"recipient": "x"}, 400), ({"datasets": {}}, 400), ({"activity": "urn:other"}, 404), ({"until": "x"}, 400),
        ({"person": {"type": "BSN", "value": ""}}, 400), ({"more": 1}, 400),
    ],
)  # fmt: skip
async def test_what_cannot_be_consented_to_is_refused(
    world: World, changed: dict[str, Any], status: int
) -> None:
    assert (await world.give(**changed))[0] == status


async def test_the_list_joins_disclosure_contract_consents_and_last_use(world: World) -> None:
    await world.give()
    trace = new_trace_id()
    used = {"adl.core.policies": {"disclosure": {"id": "wet", "version": 1, "digest": "x"}}}
    await world.ledger.append(
        [
            Decision(trace, new_span_id(), "adl.access_evaluation", 5_000, "Unset", attributes=used),
            Processing(trace, new_span_id(), "-", "Ok", 5_000, 5_001, attributes={ACTIVITY: ACTIVITY_ID}),
        ]
    )
    found = (await world.call("GET", "/v1/access"))[1]
    law, consent = found["disclosures"]
    assert (law["state"], law["contracts"], law["last_used"]) == ("open", ["$1$1$x"], 5_000)
    assert "consents" not in law
    assert (consent["state"], consent["consents"]) == ("open", 1)
    assert "last_used" not in consent
    assert [(one["service"], one["contract"]) for one in found["services"]] == [("loon", "$1$1$y")]


async def test_without_a_contract_in_force_nothing_is_open(world: World) -> None:
    world.agreed = []
    found = (await world.call("GET", "/v1/access"))[1]
    assert [one["state"] for one in found["disclosures"]] == ["contract-missing"] * 2
    world.accesses._agreed = None  # a node in no group needs none
    found = (await world.call("GET", "/v1/access"))[1]
    assert [one["state"] for one in found["disclosures"]] == ["open", "consent-missing"]


@pytest.mark.parametrize(
    ("changed", "known", "agreed", "consents", "state"),
    [
        ({}, True, True, None, "open"), ({}, True, True, 2, "open"), ({}, True, True, 0, "consent-missing"),
        ({}, True, False, 2, "contract-missing"), ({}, False, True, None, "not-today"),
        ({"valid": Period(date(2027, 1, 1))}, True, True, None, "not-today"),
        ({"valid": Period(date(2020, 1, 1), date(2026, 5, 31))}, True, False, 0, "not-today"),
    ],
)  # fmt: skip
def test_the_state_of_a_disclosure(
    changed: dict[str, Any], known: bool, agreed: bool, consents: int | None, state: str
) -> None:
    found = state_of(disclosure(**changed), activity() if known else None, TODAY, agreed, consents)
    assert found == state


@pytest.mark.parametrize(
    "policies", [None, {}, {"uwv.x": "sha256:0"}, {"disclosure": "x"}, {"disclosure": {}}]
)
def test_a_decision_that_names_no_disclosure_used_none(policies: Any) -> None:
    attributes = {} if policies is None else {"adl.core.policies": policies}
    decision = Decision("a" * 32, "b" * 16, "adl.access_evaluation", 0, "Unset", attributes=attributes)
    assert used_by([decision]) == set()


# ---- the pages


async def test_a_person_gives_sees_narrows_and_takes_back(world: World) -> None:
    await world.sign_in()
    shown = await world.browser.get("/consents")
    assert "Bedrag" in shown.text
    assert "Recht vaststellen." in shown.text
    form = shown.form("/consents/give", disclosure="wens")
    await world.browser.send(form, until=LAST.isoformat(), **{"column.inkomen": "1"})
    (consent,) = world.consents.of(("BSN", ANN))
    assert consent.datasets == {"inkomen": ("inkomen",)}

    shown = await world.browser.get("/consents")
    assert "Gemeente (fictief)" in shown.text
    narrow = shown.form("/consents/narrow", consent=consent.id)
    await world.browser.send(narrow, until=TODAY.isoformat(), **{"column.inkomen.inkomen": "1"})
    assert world.consents.of(("BSN", ANN))[0].until == TODAY
    await world.browser.send(shown.form("/consents/revoke", consent=consent.id))
    assert world.consents.of(("BSN", ANN))[0].revoked
    assert "Ingetrokken op" in (await world.browser.get("/consents")).text


async def test_a_person_leaves_less_data_than_they_gave_and_never_more(world: World) -> None:
    consent = (await world.give(datasets={"inkomen": ["inkomen", "jaar"]}))[1]["id"]
    await world.sign_in()
    shown = await world.browser.get("/consents")
    form = shown.form("/consents/narrow", consent=consent)
    assert 'name="column.inkomen.jaar" value="1" checked' in shown.text
    await world.browser.send(form, until=LAST.isoformat(), **{"column.inkomen.jaar": "1"})
    assert world.consents.of(("BSN", ANN))[0].datasets == {"inkomen": ("jaar",)}
    for chosen in ({}, {"column.inkomen.inkomen": "1"}, {"column.wet.jaar": "1"}, {"column.x": "1"}):
        assert (await world.browser.send(form, until=LAST.isoformat(), **chosen)).status == 400
    assert world.consents.of(("BSN", ANN))[0].datasets == {"inkomen": ("jaar",)}


async def test_what_was_given_whole_is_not_asked_for_any_more(world: World) -> None:
    await world.give(datasets={"inkomen": ["inkomen"]})
    await world.sign_in()
    form = (await world.browser.get("/consents")).form("/consents/give", disclosure="wens")
    await world.browser.send(form, until=LAST.isoformat(), **{"column.jaar": "1", "column.inkomen": "1"})
    shown = await world.browser.get("/consents")
    assert [one.action for one in shown.forms].count("/consents/give") == 0
    assert f"{LAST.day} " in shown.text


async def test_the_consent_of_somebody_else_is_not_there(world: World) -> None:
    theirs = (await world.give(BOB))[1]["id"]
    mine = (await world.give(ANN))[1]["id"]
    await world.sign_in()
    shown = await world.browser.get("/consents")
    assert theirs not in shown.text
    form = shown.form("/consents/revoke", consent=mine)
    form.fields["consent"] = theirs
    assert (await world.browser.send(form)).status == 404
    assert world.consents.of(("BSN", BOB))[0].revoked is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"until": LAST.isoformat()}, 400), ({"until": "x", "column.inkomen": "1"}, 400),
        ({"until": LAST.isoformat(), "column.vermogen": "1"}, 400),
        ({"until": LAST.isoformat(), "column.inkomen": "1", "disclosure": "wet"}, 404),
    ],
)  # fmt: skip
async def test_what_is_not_asked_cannot_be_given(world: World, fields: dict[str, str], status: int) -> None:
    await world.sign_in()
    form = (await world.browser.get("/consents")).form("/consents/give", disclosure="wens")
    assert (await world.browser.send(form, **fields)).status == status
    assert world.consents.of(("BSN", ANN)) == []


async def test_nothing_happens_without_the_forms_own_token(world: World) -> None:
    made = (await world.give())[1]["id"]
    await world.sign_in()
    form = (await world.browser.get("/consents")).form("/consents/revoke", consent=made)
    del form.fields["csrf"]
    assert (await world.browser.send(form)).status == 403
    assert world.consents.of(("BSN", ANN))[0].revoked is None


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"level": "low", "acr": "x"}, 303), ({"audience": "staff", "kind": "staff"}, 403)],
)
async def test_the_page_is_for_a_resident_who_signed_in_surely_enough(
    world: World, changed: dict[str, Any], status: int
) -> None:
    assert (await world.browser.get("/consents")).status == 303
    await world.sign_in(**changed)
    assert (await world.browser.get("/consents")).status == status
