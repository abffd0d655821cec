"""Contracts in a browser: who sees them, what they say, and that nothing changes before somebody confirmed it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.gateway.contracts.making import CONSUMER, PROVIDER, connection, publication
from tests.unit.gateway.pages.world import ACTIVITY, EVIL, OTHER, OWN, TITLE, World, world_in

from sluis.gateway.contracts import Action
from sluis.gateway.pages.contracts import path_of
from sluis.gateway.pages.requesting import standing, wanted_in
from sluis.grounds import Opened
from sluis.kernel import PeerId, Text, Upstream

FOR_US = {**connection("loon"), "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": CONSUMER, "name": "loon"},
          "outway": {"peer_id": PROVIDER, "identification": connection()["outway"]["identification"]}}  # fmt: skip
PURPOSE = {
    "sluis.purpose": {
        "activity": ACTIVITY,
        "disclosures": [{"id": "inkomen", "digest": f"sha256:{'a' * 64}"}],
    }
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as one:
        yield one


async def state(world: World, hash: str) -> str:
    return (await world.operator.contract(hash)).state


async def test_contracts_are_for_the_staff_whom_a_role_gives_them(world: World) -> None:
    one = await world.agree(FOR_US)
    where = path_of(one.hash)
    for roles, page in product_of_rights(where):
        shown = await world.browser(*roles).get(page)
        may = {"fsc-admin", "fsc-readonly", "data-owner", "contract-requester"}
        if page.endswith("/accept"):
            may = {"fsc-admin", "data-owner"}
        elif page.endswith("/new"):
            may = {"fsc-admin", "contract-requester"}
        assert shown.status == (200 if may & {*roles} else 403), (roles, page)
    for audience in ("citizen", "company"):
        assert (await world.browser("fsc-admin", audience=audience).get("/contracts")).status == 403
    for method, path, handler in world.app.routes:
        if path.startswith(("/contracts", "/peers", "/map", "/traffic", "/certificates", "/doctor")):
            assert handler.opt["audience"] == ("staff",), (method, path)


def product_of_rights(where: str) -> list[tuple[tuple[str, ...], str]]:
    roles = ((), ("lezer",), ("fsc-readonly",), ("fsc-admin",), ("data-owner",), ("contract-requester",))
    return [
        (one, page) for one in roles for page in ("/contracts", where, f"{where}/accept", "/contracts/new")
    ]


async def test_the_list_tells_what_waits_for_whom_and_leads_there(world: World) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    ours = await world.agree(FOR_US)
    theirs = await world.agree(connection("personen"), by=(OWN,))
    valid = await world.agree({**connection("sluis"), "properties": PURPOSE}, by=(OWN, OTHER))
    await world.agree(publication("dicht"), by=(OTHER,))  # of others: not this node's
    over = await world.agree(connection("oud"), by=(OWN, OTHER))
    await world.membership.contracts.add_signature(over, world.signature(OTHER, "revoke"))
    browser = world.browser("fsc-readonly")
    shown = await browser.get("/contracts")
    assert "1 voorstel wacht op ons" in shown.text
    assert "(4)" in shown.text
    assert TITLE.nl in shown.text
    for section, one in {"us": ours, "them": theirs, "valid": valid, "ended": over}.items():
        part = await browser.get(f"/contracts?section={section}")
        for each in (ours, theirs, valid, over):
            assert (path_of(each.hash) in part.text) == (each is one), section
    assert "Dienst en doel" in (await browser.get("/contracts?as=csv")).text
    assert (await browser.get("/contracts?section=x&sort=y&page=z&with=%27")).status == 200
    english = await world.browser("fsc-admin", language="en").get("/contracts")
    assert "1 proposal waits for us" in english.text


async def test_time_alone_moves_a_contract_in_the_list(world: World) -> None:
    now = world.now()
    later = {"not_before": now + 100, "not_after": now + 86_400}
    one = await world.agree(connection("straks"), by=(OWN, OTHER), validity=later)
    browser, where = world.browser("fsc-admin"), path_of(one.hash)
    assert "getekend, begint nog" in (await browser.get("/contracts?section=valid")).text
    world.clock.later(200)
    began = await browser.get("/contracts?section=valid")
    assert where in began.text
    assert "begint nog" not in began.text
    world.clock.later(90_000)
    assert where not in (await browser.get("/contracts?section=valid")).text
    assert where in (await browser.get("/contracts?section=ended")).text


async def test_what_a_contract_opens_stands_with_the_law_to_read(world: World) -> None:
    one = await world.agree({**connection("sluis"), "properties": PURPOSE}, by=(OWN, OTHER))
    shown = await world.browser("fsc-readonly").get(path_of(one.hash))
    assert 'href="https://wetten.overheid.nl/jci1.3:c:BWBR0015703&amp;artikel=53a"' in shown.text


async def test_a_contract_says_in_words_who_may_do_what_and_who_signed(world: World) -> None:
    await world.know(OTHER, EVIL)
    one = await world.agree({**connection("sluis"), "properties": PURPOSE}, by=(OWN, OTHER))
    shown = await world.browser("fsc-readonly").get(path_of(one.hash))
    assert "mag de dienst" in shown.text
    assert TITLE.nl in shown.text
    assert "tekende" in shown.text
    assert one.hash in shown.text
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;alert" in shown.text
    listed = await world.browser("fsc-readonly").get("/contracts")
    assert "<script>alert" not in listed.text
    assert (await world.browser("fsc-readonly").get("/contracts/$1$1$weg")).status == 404
    assert (await world.browser("fsc-admin").get(f"{path_of(one.hash)}/eat")).status == 404


@pytest.mark.parametrize(("action", "result"), [("accept", "valid"), ("reject", "rejected")])
async def test_a_proposal_is_decided_after_the_page_asked_and_once(
    world: World, action: Action, result: str
) -> None:
    one = await world.agree(FOR_US)
    where, browser = f"{path_of(one.hash)}/{action}", world.browser("data-owner")
    asked = await browser.get(where)
    assert await state(world, one.hash) == "proposed"
    form = asked.form(where)
    if action == "reject":
        nothing = await browser.send(form, reason=" ")
        assert nothing.status == 400
        assert 'aria-invalid="true"' in nothing.text
        assert await state(world, one.hash) == "proposed"
    first = await browser.send(form, reason="Geen grondslag meer")
    assert (first.status, first.headers["location"]) == (303, f"{path_of(one.hash)}?done={action}")
    assert await state(world, one.hash) == result
    signatures = world.membership.contracts.get(one.hash).signatures  # type: ignore[union-attr]
    again = await browser.send(form, reason="Nog eens")
    assert again.status == 303
    assert world.membership.contracts.get(one.hash).signatures == signatures  # type: ignore[union-attr]
    after = await browser.get(path_of(one.hash))
    assert ("Geen grondslag meer" in after.text) == (action == "reject")


async def test_what_changed_since_it_was_read_is_asked_anew(world: World) -> None:
    one = await world.agree(connection("personen"), by=(OWN,))
    where, browser = f"{path_of(one.hash)}/revoke", world.browser("fsc-admin")
    form = (await browser.get(where)).form(where)
    await world.membership.contracts.add_signature(one, world.signature(OTHER))
    shown = await browser.send(form, reason="Niet nodig")
    assert shown.status == 409
    assert "Niet nodig" in shown.text
    assert await state(world, one.hash) == "valid"
    assert (await browser.send(shown.form(where), reason="Niet nodig")).status == 303
    assert await state(world, one.hash) == "revoked"


async def test_nothing_is_decided_without_the_forms_token_or_the_role(world: World) -> None:
    one = await world.agree(FOR_US)
    where = f"{path_of(one.hash)}/accept"
    form = (await world.browser("fsc-admin").get(where)).form(where)
    assert (await world.browser("fsc-admin").post(where, {"seen": form.fields["seen"]})).status == 403
    reader = world.browser("fsc-readonly")
    assert (await reader.send(form)).status == 403
    assert (await world.browser("data-owner").get(f"{path_of(one.hash)}/revoke")).status == 403
    assert await state(world, one.hash) == "proposed"


async def test_only_what_somebody_may_do_is_offered_to_them(world: World) -> None:
    waiting, ours = await world.agree(FOR_US), await world.agree(connection("personen"), by=(OWN,))
    buttons = {
        "fsc-admin": (True, True, True),
        "data-owner": (True, False, False),
        "contract-requester": (False, False, True),
        "fsc-readonly": (False, False, False),
    }
    for role, (decides, revokes, requests) in buttons.items():
        browser = world.browser(role)
        proposal = (await browser.get(path_of(waiting.hash))).text
        assert ("/accept" in proposal) is ("/reject" in proposal) is decides, role
        assert ("Beslissen doet" in proposal) is not decides, role
        assert ("/revoke" in (await browser.get(path_of(ours.hash))).text) is revokes, role
        every = (await browser.get("/contracts")).text
        assert ("/contracts/new" in every) is requests, role
        assert ("Bekijk en beslis" in every) is decides, role


async def test_a_contract_for_a_service_is_requested_once(world: World) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    browser = world.browser("contract-requester")
    whom = await browser.get("/contracts/new")
    assert f"peer={PROVIDER}" in whom.text
    asked = await browser.get(f"/contracts/new?peer={PROVIDER}&service=personen")
    assert "Stel het contract voor" in asked.text
    assert world.membership.contracts.page(OWN)[0] == []
    form = asked.form("/contracts/new")
    first = await browser.send(form)
    assert first.headers["location"].endswith("?done=made")
    again = await browser.send(form)
    assert again.headers["location"].endswith("?done=there")
    assert len(world.membership.contracts.page(OWN)[0]) == 1
    assert (
        "Er is al een contract hiervoor"
        in (await browser.get(f"/contracts/new?peer={PROVIDER}&service=personen")).text
    )


async def test_an_owner_that_does_not_answer_does_not_keep_the_page(world: World) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    browser = world.browser("fsc-admin")
    world.offered["bron"] = Upstream(
        "peer-unreachable", *[Text(word, word) for word in ("Weg.", "Stil.", "Wacht.")]
    )
    shown = await browser.get(f"/contracts/new?peer={PROVIDER}")
    assert "Nog geen antwoord" in shown.text
    assert "Stil." in shown.text
    form = (await browser.get(f"/contracts/new?peer={PROVIDER}&activity={ACTIVITY}")).form("/contracts/new")
    tried = await browser.send(form)
    assert tried.status == 502
    assert "Stil." in tried.text
    world.offered["bron"] = Opened()
    nothing = await browser.send(form)
    assert nothing.status == 404
    assert world.membership.contracts.page(OWN)[0] == []


@pytest.mark.parametrize("service", ["sluis", "a b", EVIL, "", "x" * 101])
async def test_what_is_no_service_to_request_is_not_proposed(world: World, service: str) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    browser = world.browser("fsc-admin")
    token = (
        (await browser.get(f"/contracts/new?peer={PROVIDER}&service=personen"))
        .form("/contracts/new")
        .fields["csrf"]
    )
    shown = await browser.post("/contracts/new", {"csrf": token, "peer": PROVIDER, "service": service})
    assert shown.status in (303, 400)
    assert shown.status == 400 or shown.headers["location"] == "/contracts/new" or service == "x" * 101
    assert "<script>alert" not in shown.text


def test_what_an_address_names_and_cannot_be_counts_as_not_named() -> None:
    assert wanted_in({"peer": "<b>", "service": "s" * 200}).peer is None
    assert wanted_in({"peer": PROVIDER, "activity": ACTIVITY}).data
    assert not wanted_in({"peer": PROVIDER, "activity": ACTIVITY, "service": "anders"}).data
    assert standing([], wanted_in({"peer": PROVIDER, "service": "x"})) is None
    assert wanted_in({"peer": PROVIDER}).peer == PeerId(PROVIDER)
