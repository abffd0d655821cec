"""Who looked at my data, over two nodes of a group: a person at the portal of one sees what both did, and the other believes
nobody but a sign-in provider that its settings name."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.nodes import OWNER, Hosted, build, free_ports, local, until
from tests.integration.pair import ANN, BOB, Pair

from sluis.crypto import FileKeyStore
from sluis.identity.sessions import Established
from sluis.identity.tokens import open_tokens
from sluis.kernel import Acting, Problem, Trace, encode, new_transaction_id, utc_now
from sluis.rights import Confirmed, DataSubject, Placed, request_urn
from sluis.rights.model import About, Asked, Signed
from sluis.web import COOKIE

ISSUER = "https://localhost:8470"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"

PORTAL = """
[portal]
address = "{issuer}"
port = {port}
machine_port = {machine_port}
"""
TRUST = """
[trust.gemeente]
issuer = "{issuer}"
keys = "gemeente.jwks"
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    port, machine_port = free_ports(2)

    def settings(directory: Path) -> str:
        if directory.name == "owner":
            return TRUST.format(issuer=ISSUER)
        return PORTAL.format(issuer=ISSUER, port=port, machine_port=machine_port)

    made = Pair(tmp_path_factory.mktemp("looked"), settings)
    keys = made.asker / "keys"
    tokens = open_tokens(ISSUER, FileKeyStore(keys), keys / "tokens", utc_now)
    (made.owner / "gemeente.jwks").write_text(json.dumps(tokens.jwks()))
    made.start()
    assert made.ask(ANN)[0] == made.ask(BOB)[0] == 200
    yield made
    made.end()


def hosted(pair: Pair, directory: Path) -> Hosted:
    found = next(one for one in pair.running if one.directory == directory)
    assert isinstance(found, Hosted)
    return found


def at(node: Hosted, work: Any) -> Any:
    """Do something on the node's own loop."""
    return asyncio.run_coroutine_threadsafe(work, node._loop).result(20)


def overview(pair: Pair, **known: Any) -> tuple[int, Any]:
    """What somebody who is signed in at the asker gets."""
    answer = shown(pair, "/looked/overview", **known)
    return answer.status_code, answer.json()


def shown(pair: Pair, path: str, **known: Any) -> httpx.Response:
    """A page of the asker's portal, for who is signed in."""
    asker = hosted(pair, pair.asker)
    given: dict[str, Any] = {
        "method": "digid", "audience": "citizen", "kind": "BSN", "value": ANN, "level": "substantial",
        "acr": SUBSTANTIAL, "at": 0, "issuer": "https://digid.example",
    }  # fmt: skip
    identity = asker.node.parts.identity
    assert identity is not None
    secret, _ = at(asker, identity.sessions.begin(Established(**{**given, **known})))
    context = ssl.create_default_context(cafile=pair.group.authority.path)
    with httpx.Client(verify=context, headers={"cookie": f"{COOKIE}={secret}"}) as web:
        return web.get(f"https://localhost:{asker.node.config.portal.port}{path}")


def test_a_person_sees_what_both_organisations_did_and_why(pair: Pair) -> None:
    status, found = until(lambda: got if (got := overview(pair))[1].get("whole") else None)
    assert status == 200
    assert {one["organisation"] for one in found["looks"]} == {"gemeente (fictief)", "uwv (fictief)"}
    assert len({one["trace"] for one in found["looks"]}) == 1
    assert {one["articles"][0] for one in found["looks"]} == {"Participatiewet, art. 53a"}
    assert {one["purpose"]["nl"] for one in found["looks"]} == {"Recht vaststellen."}
    (own,) = [one for one in found["looks"] if one["organisation"] == "gemeente (fictief)"]
    assert own["other"] == "uwv (fictief)"
    assert own["data"] == [{"nl": "uwv.personen", "en": "uwv.personen"}]


def test_the_page_says_who_what_for_by_which_law_and_which_data(pair: Pair) -> None:
    page = shown(pair, "/looked")
    assert page.status_code == 200
    for told in (
        "gemeente (fictief)", "uwv (fictief)", ">Bijstand<", "Recht vaststellen.", "Participatiewet, art. 53a", "Raadpleging Personen",
    ):  # fmt: skip
        assert told in page.text
    assert ANN not in page.text
    assert "uwv.personen" not in page.text  # the owner says it in words
    assert "Niets gevonden" in shown(pair, "/looked?until=2000-01-01").text


def test_somebody_else_sees_none_of_it(pair: Pair) -> None:
    traces = [{one["trace"] for one in overview(pair, value=bsn)[1]["looks"]} for bsn in (ANN, BOB)]
    assert [len(one) for one in traces] == [1, 1]
    assert traces[0] != traces[1]
    assert overview(pair, value="999990032")[1]["looks"] == []


def test_a_level_that_is_too_low_sees_nothing(pair: Pair) -> None:
    assert overview(pair, level="low", acr="http://eidas.europa.eu/LoA/low")[0] in (303, 401)


def test_a_node_that_merely_says_who_the_person_is_reads_nothing(pair: Pair) -> None:
    """The asker's own node, with a contract and everything, but for an assertion."""
    asker = hosted(pair, pair.asker)
    (trace,) = {one["trace"] for one in overview(pair)[1]["looks"]}
    body = json.dumps({"traceId": trace, "dpl.core.data_subject_id": ANN}).encode()

    async def asked(headers: dict[str, str]) -> int:
        carried = {
            "content-type": "application/json", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
            "fsc-transaction-id": "018f3c4e-9a6b-7000-8000-000000000001", **headers,
        }  # fmt: skip
        link = asker.node.parts.link
        async with link.send(OWNER, "POST", "/v1/processing-activities", carried, body, 5) as answer:
            async for _ in answer.body:
                pass
            return answer.status

    assert at(asker, asked({})) == 403
    assert at(asker, asked({"authorization": f"Bearer {ANN}"})) == 401


def received(pair: Pair, whom: DataSubject) -> list[Confirmed | None]:
    """Of each request about somebody that came in at the owner: by what it was made sure whose it is."""
    owner = hosted(pair, pair.owner)
    found = at(owner, owner.node.parts.rights.every(whom))
    return [one.content.confirmed for one in found]


def placed(pair: Pair, whom: DataSubject) -> None:
    rights = hosted(pair, pair.asker).node.parts.rights
    signed = Signed(Acting("x" * 43), SUBSTANTIAL, "substantial", 1_700_000_000)
    asked = (str.__str__(OWNER), "correction", About("personen"), Asked(should="Anna"))
    at(hosted(pair, pair.asker), rights.place(signed, whom, *asked))


@pytest.mark.parametrize("whom", [DataSubject("BSN", "999990044"), DataSubject("urn:nl:kvk", "90000003")])
def test_what_somebody_asks_of_another_organisation_is_confirmed_by_where_they_signed_in(
    pair: Pair, whom: DataSubject
) -> None:
    placed(pair, whom)
    (confirmed,) = until(lambda: received(pair, whom))
    assert confirmed == Confirmed(ISSUER, "substantial", 1_700_000_000)


def test_what_no_provider_asserts_rests_on_the_word_of_who_passed_it_on(pair: Pair) -> None:
    """A node that merely says who it is; one that has an assertion for something else; and one about somebody else."""
    asker = hosted(pair, pair.asker)
    looking = asker.node.parts.looking
    assert looking is not None
    somebody = DataSubject("BSN", "999990056")

    def assertion(whom: DataSubject, purpose: str) -> str:
        made = looking.asserted(Acting("x" * 43), SUBSTANTIAL, 0, (whom.kind, whom.value), OWNER, purpose)
        return str(at(asker, made))

    async def send(receipt: str, asserted: str) -> int:
        placed = Placed(receipt, "correction", somebody, "high", 0, About(), Asked(should="x"), asserted)
        headers = {
            "content-type": "application/json",
            "fsc-transaction-id": new_transaction_id(),
            "traceparent": Trace.begin().traceparent,
        }
        async with asker.node.parts.link.send(
            OWNER, "POST", "/v1/requests-of-people", headers, encode(placed), 5
        ) as answer:
            async for _ in answer.body:
                pass
            return answer.status

    numbers = ("0000-0000-0001", "0000-0000-0002", "0000-0000-0003", "0000-0000-0004")
    used = assertion(somebody, request_urn(numbers[0]))
    assert [at(asker, send(number, used)) for number in numbers[:2]] == [200, 200]  # for one request alone
    assert at(asker, send(numbers[2], "")) == 200
    other = assertion(DataSubject("BSN", ANN), request_urn(numbers[3]))
    assert at(asker, send(numbers[3], other)) == 400
    found = received(pair, somebody)
    assert [one for one in found if one] == [Confirmed(ISSUER, "substantial", 0)]
    assert found.count(None) == 2


def test_a_key_set_that_is_not_there_keeps_a_node_from_starting(tmp_path: Path) -> None:
    made = Pair(tmp_path, lambda directory: TRUST.format(issuer=ISSUER))
    with pytest.raises(Problem) as caught:
        build(made.owner)
    assert caught.value.code == "unreadable-key-set"


def test_one_that_is_away_is_named(pair: Pair) -> None:
    owner = hosted(pair, pair.owner)
    owner.end()
    pair.running.remove(owner)
    _, found = overview(pair)
    assert [one["organisation"] for one in found["silent"]] == ["uwv (fictief)"]
    assert {one["organisation"] for one in found["looks"]} == {"gemeente (fictief)"}
    assert not found["whole"]
    assert local(pair.asker, "GET", "/v1/node")[0] == 200
