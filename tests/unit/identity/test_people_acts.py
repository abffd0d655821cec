"""Acts that portals ask for: done at once, or by two; each step on record, each act once."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Request
from tests.browser import Browser
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    CARLA,
    COMPANY,
    KVK,
    NAMES,
    OTHER_COMPANY,
    acting,
    director,
    function,
)
from tests.unit.identity.people_node import Node, act, opened
from tests.unit.identity.test_people_kvk import insolvent
from tests.unit.identity.test_people_pages import World

from sluis.identity.people import Caller, act_routes, signing_routes
from sluis.identity.people.acts import KEPT, MOST_ACTS, Asking
from sluis.identity.people.http import ACTS
from sluis.identity.people.model import ACT_TRANSITIONS, AskedAct
from sluis.identity.people.states import act_state_at, next_act_state
from sluis.kernel import Conflict, Invalid, NotFound, Refused, Text, Unidentified
from sluis.web import House, SignedIn, make_portal

PORTAL = Asking("loket", "Fictief Loket", "Vraag een vergunning voor een fictief terras aan")
TWIN = "e" * 43


def two(node: Node) -> None:
    node.register.put(
        director(ANNE, "gb"), director(BRAM, "gb"), function("overigeFunctionaris", CARLA, "03")
    )


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    with opened(tmp_path) as one:
        two(one)
        await one.know(ANNE, BRAM, CARLA)
        await one.people.read(KVK)
        yield one


async def asked(node: Node, who: str = ANNE, **more: Any) -> AskedAct:
    return await node.people.acts.ask(acting(who), act(**more), PORTAL)


def steps(node: Node, one: AskedAct) -> list[tuple[str, str]]:
    return [(found.action, found.actor) for _, found in node.ledger.log.arrangements(one.id)]


# By two


async def test_an_act_of_two_waits_until_another_director_signs_it_and_then_is_done(node: Node) -> None:
    one = await asked(node, amount=500, document="ab" * 32)
    assert node.people.acts.state(one) == "waiting"
    node.again()
    done = await node.people.acts.sign(BRAM, one.id)
    assert (done.state, done.kind, done.other) == ("done", "director", BRAM)
    assert node.people.acts.get("loket", one.id) == done
    assert steps(node, one) == [("act.ask", ANNE), ("act.done", BRAM)]
    (_, record) = node.ledger.log.arrangements(one.id)[1]
    assert record.body["signed_with"] == [ANNE]
    assert record.body["digest"] == act(amount=500, document="ab" * 32).digest
    with pytest.raises(Conflict):
        await node.people.acts.sign(BRAM, one.id)


async def test_who_may_act_alone_has_done_it_at_once(node: Node) -> None:
    node.register.put(director(ANNE))
    await node.people.read(KVK)
    one = await asked(node)
    assert one.state == "done"
    assert steps(node, one) == [("act.done", ANNE)]
    assert await node.people.acts.of(ANNE) == []


async def test_who_may_not_act_asks_for_nothing(node: Node) -> None:
    with pytest.raises(Refused) as problem:
        await asked(node, CARLA)
    assert problem.value.rule == "office-without-authority"


async def test_one_person_does_not_sign_twice_however_they_signed_in(node: Node) -> None:
    await node.people.recognise(TWIN, NAMES[ANNE])
    one = await asked(node)
    for who in (ANNE, TWIN):
        with pytest.raises(Refused) as problem:
            await node.people.acts.sign(who, one.id)
        assert problem.value.rule == "cannot-sign"


@pytest.mark.parametrize("who", [CARLA, "d" * 43])
async def test_who_is_no_director_learns_nothing_and_signs_nothing(node: Node, who: str) -> None:
    one = await asked(node)
    for step in (node.people.acts.sign, node.people.acts.refuse, node.people.acts.withdraw):
        with pytest.raises(NotFound):
            await step(who, one.id)
    assert await node.people.acts.of(who) == []


async def test_a_signature_of_who_is_no_director_any_more_does_not_count(node: Node) -> None:
    one = await asked(node)
    node.register.put(director(BRAM, "gb"), director(CARLA, "gb"))
    await node.people.read(KVK)
    with pytest.raises(Refused):
        await node.people.acts.sign(BRAM, one.id)


async def test_a_company_that_went_bankrupt_does_nothing_any_more(node: Node) -> None:
    one = await asked(node)
    node.register.put(director(ANNE, "gb"), director(BRAM, "gb"), about=insolvent("FAIL"))
    await node.people.read(KVK)
    with pytest.raises(Refused) as problem:
        await node.people.acts.sign(BRAM, one.id)
    assert problem.value.rule == "company-bankrupt"


async def test_another_director_refuses_and_the_first_takes_back(node: Node) -> None:
    one, other = await asked(node), await asked(node, amount=1)
    with pytest.raises(Refused):
        await node.people.acts.refuse(ANNE, one.id)
    assert (await node.people.acts.refuse(BRAM, one.id)).state == "refused"
    with pytest.raises(NotFound):
        await node.people.acts.withdraw(BRAM, other.id)
    assert (await node.people.acts.withdraw(ANNE, other.id)).state == "withdrawn"
    assert steps(node, one)[1:] == [("act.refuse", BRAM)]
    assert steps(node, other)[1:] == [("act.withdraw", ANNE)]
    for number in (one.id, other.id):
        with pytest.raises(Conflict):
            await node.people.acts.sign(BRAM, number)


async def test_an_act_that_nobody_signs_expires_and_is_forgotten_later(node: Node) -> None:
    one = await asked(node)
    node.later(days=7)
    assert node.people.acts.state(one) == "ended"
    with pytest.raises(Conflict):
        await node.people.acts.sign(BRAM, one.id)
    await node.people.tidy()
    assert node.people.acts.get("loket", one.id) == one
    node.later(seconds=KEPT + 1)
    await node.people.tidy()
    with pytest.raises(NotFound):
        node.people.acts.get("loket", one.id)


async def test_who_asks_again_gets_what_waits_already(node: Node) -> None:
    one = await asked(node)
    assert await asked(node) == one
    assert (await asked(node, amount=1)).id != one.id
    await node.people.acts.sign(BRAM, one.id)
    assert (await asked(node)).id != one.id


async def test_too_many_acts_do_not_wait(node: Node) -> None:
    for amount in range(MOST_ACTS):
        await asked(node, amount=amount)
    with pytest.raises(Conflict) as problem:
        await asked(node, amount=MOST_ACTS)
    assert problem.value.code == "too-many-acts"


async def test_an_act_that_is_not_described_right_is_refused(node: Node) -> None:
    for wrong in ({"service": ""}, {"action": "x" * 501}, {"document": "AB" * 32}, {"amount": -1}):
        with pytest.raises(Invalid):
            await asked(node, **wrong)


def test_every_event_of_an_act_leads_where_the_table_says_and_nowhere_else() -> None:
    for state in ("waiting", "done", "refused", "withdrawn", "ended"):
        for event in ("sign", "refuse", "withdraw", "end"):
            if (state, event) in ACT_TRANSITIONS:
                assert next_act_state(state, event) == ACT_TRANSITIONS[state, event]  # type: ignore[arg-type]
            else:
                with pytest.raises(Conflict):
                    next_act_state(state, event)  # type: ignore[arg-type]
    closed = AskedAct("0" * 32, act(), "t", ANNE, "c", "p", 0, 10, "refused")
    assert act_state_at(closed, 11) == "refused"


# In a browser, and for a portal


class Office(World):
    """A world in which a portal has tokens: of itself, and of whoever is signed in there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        two(self)
        self.callers: dict[str, Caller] = {"program": Caller("loket", "Fictief Loket"),
                                           "another": Caller("ander", "Ander Loket")}  # fmt: skip
        self.refusals: list[str] = []

        async def caller(request: Request[Any, Any, Any]) -> Caller:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.callers:
                raise Unidentified("token-invalid", *[_REASON] * 3)
            return self.callers[token]

        async def refused(refusal: Refused) -> None:
            self.refusals.append(refusal.rule)

        self.routes += [
            *signing_routes(self.people),
            *act_routes(self.people, caller, lambda person: None, "https://portal.example/acts", refused),
        ]
        self.app = make_portal(self.routes, self, House("Fictieve Dienst", True), b"s" * 32)

    async def signed_in(self, value: str, name: str) -> tuple[Browser, str]:
        browser, person = await self.director(value, NAMES[name])
        found = SignedIn(
            "s", acting(person), "company", "substantial", "acr", "eherkenning", 0, client="loket"
        )
        self.callers[value] = Caller("loket", "Fictief Loket", found)
        return browser, person

    async def ask(self, token: str, **changed: Any) -> Any:
        body = {"service": "permits", "action": "apply", "title": PORTAL.title, "amount": 125_000, **changed}
        headers = {
            "authorization": f"Bearer {token}",
            "accept": "application/json",
            "content-type": "application/json",
        }
        return await Browser(self.app).request("POST", ACTS, headers, json.dumps(body).encode())

    async def outcome(self, token: str, number: str) -> Any:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        return await Browser(self.app).request("GET", f"{ACTS}/{number}", headers)


_REASON = Text("Niemand.", "Nobody.")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


async def test_a_portal_asks_the_second_director_signs_and_the_portal_and_the_first_see_it(
    office: Office,
) -> None:
    first, _ = await office.signed_in("one", ANNE)
    second, _ = await office.signed_in("other", BRAM)
    shown = await office.ask("one")
    assert (shown.status, shown.json["state"], shown.json["needs_second"]) == (201, "waiting", True)
    assert shown.json["sign_at"] == "https://portal.example/acts"
    number = shown.json["id"]
    listed = (await first.get("/acts")).text
    assert "Wacht op een ander" in listed
    assert 'action="/acts/sign"' not in listed
    page = await second.get("/acts")
    for told in (
        PORTAL.title,
        "Fictieve Fietsen B.V.",
        "90000010",
        "permits-nl",
        "€ 1.250,00",
        "Fictief Loket",
    ):
        assert told in page.text
    done = await second.send(page.form("/acts/sign"))
    assert (done.status, done.headers["location"]) == (303, "/acts")
    assert (await office.outcome("program", number)).json["state"] == "done"
    assert "gedaan" in (await first.get("/acts")).text
    assert "door een medebestuurder" in (await first.get("/acts")).text
    assert (await office.outcome("another", number)).status == 404


async def test_a_second_director_refuses_with_a_button_and_the_first_takes_back(office: Office) -> None:
    first, _ = await office.signed_in("one", ANNE)
    second, _ = await office.signed_in("other", BRAM)
    number = (await office.ask("one")).json["id"]
    await second.send((await second.get("/acts")).form("/acts/refuse"))
    assert (await office.outcome("one", number)).json["state"] == "refused"
    assert "geweigerd" in (await first.get("/acts")).text
    number = (await office.ask("one", amount=1)).json["id"]
    await first.send((await first.get("/acts")).form("/acts/withdraw"))
    assert (await office.outcome("program", number)).json["state"] == "withdrawn"


async def test_what_a_portal_may_not_ask_is_refused_and_on_record(office: Office) -> None:
    await office.signed_in("one", ANNE)
    assert (await office.ask("nobody")).status == 401
    shown = await office.ask("program")
    assert (shown.status, shown.json["code"]) == (403, "act-without-person")
    found = office.callers["one"].person
    assert found is not None
    office.callers["stranger"] = Caller("loket", "Fictief Loket", SignedIn(
        "s", acting("f" * 43, OTHER_COMPANY), "company", "substantial", "acr", "eherkenning", 0))  # fmt: skip
    shown = await office.ask("stranger")
    assert (shown.status, shown.json["code"]) == (403, "may-not-represent")
    assert office.refusals == ["act-without-person", "register-unavailable"]
    assert (await office.ask("one", colour="red")).status == 400
    assert (await office.ask("one", title="")).status == 400


async def test_signing_asks_to_be_sure_who_it_is_and_refusing_does_not(office: Office) -> None:
    await office.signed_in("one", ANNE)
    await office.ask("one")
    second, person = await office.enter("other", COMPANY, level="low", acr="http://eidas.europa.eu/LoA/low")
    await office.people.recognise(person, NAMES[BRAM])
    page = await second.get("/acts")
    shown = await second.send(page.form("/acts/sign"))
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Funsent&level=substantial")
    assert (await second.send(page.form("/acts/refuse"))).status == 303


async def test_the_page_shows_no_pseudonym_and_speaks_both_languages(office: Office) -> None:
    _, person = await office.signed_in("one", ANNE)
    second, other = await office.signed_in("other", BRAM)
    await office.ask("one")
    dutch = (await second.get("/acts")).text
    second.language = "en"
    english = (await second.get("/acts")).text
    assert "Waits for you" in english
    assert not any(one in dutch + english for one in (person, other))
