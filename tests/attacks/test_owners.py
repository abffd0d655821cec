"""A hostile owner: what it offers, answers and refuses with, and what the asking node makes of that."""

import asyncio
import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from tests.attacks.forging import Forger, endless
from tests.federation import ASKER, Federation
from tests.integration.test_asking import (
    BENEFIT,
    JOINED,
    ONE,
    PARTNER,
    RVIG,
    TAX,
    TWO,
    federation,
    records_of,
)

from sluis.crypto import FileKeyStore
from sluis.gateway import Card
from sluis.kernel import Problem, Upstream, decode, encode
from sluis.ledger import Processing

__all__ = ["federation"]

NAMES = "select p.bsn, p.naam from rvig.personen p where p.bsn = $bsn"
DEEP = b"[" * 100_000


@pytest.fixture
def rvig(federation: Federation) -> Forger:
    return Forger(federation, RVIG)


def people(*rows: tuple[str, ...], names: tuple[str, ...] = ("bsn", "naam")) -> pa.Table:
    return pa.table([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], list(names))


async def refused(federation: Federation, sql: str = NAMES, **more: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await asyncio.wait_for(federation.ask(sql, BENEFIT, bsn=ONE, **more), 10)
    return caught.value


async def test_a_problem_without_end_is_not_read_to_its_end(federation: Federation, rvig: Forger) -> None:
    rvig.answers["/v1/consultations"] = lambda *_: (500, endless(b"x" * 65_536))
    assert isinstance(await refused(federation), Upstream)


@pytest.mark.parametrize("path", ["/v1/offers", "/v1/node", "/v1/consultations"])
@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "body", [DEEP, b'{"status":403,"x":' + DEEP, b"\xff", b'{"status":403,"code":"\\ud800"}']
)
async def test_json_of_any_shape_is_a_problem_of_its_owner(
    federation: Federation, rvig: Forger, path: str, status: int, body: bytes
) -> None:
    rvig.answers[path] = lambda *_: (status, body)
    assert isinstance(await refused(federation), Problem)


@pytest.mark.parametrize(
    "table",
    [
        people((ONE,), names=("naam",)),
        people((ONE, ONE), names=("bsn", "bsn")),
        people((ONE, "x", "y"), names=("bsn", "naam", "more")),
        pa.table({"bsn": pa.array([[ONE]]), "naam": pa.array(["x"])}),
        pa.table({"bsn": pa.array([b"\xff"]), "naam": pa.array(["x"])}),
    ],
)
async def test_other_columns_than_were_asked_are_no_answer_and_on_record(
    federation: Federation, rvig: Forger, table: pa.Table
) -> None:
    rvig.consultation(table)
    assert (await refused(federation)).status == 502
    assert any(isinstance(one, Processing) for one in records_of(federation.store))


@pytest.mark.parametrize(
    "told",
    [
        {"case": "ZAAK-2026-2"}, {"disclosures": {}}, {"disclosures": {"personen": "d@1 sha256:0"}}, {"rows": 2},
        {"transaction_id": "0195e3a0-0000-7000-8000-000000000000"}, {"trace_id": "a" * 32}, {"owner": TAX}, {"asker": TAX},
        {"activity": "urn:other"}, {"subjects": 3}, {"subjects": -1}, {"commitment": "0" * 64}, {"owner": "x"},
    ],
)  # fmt: skip
async def test_a_receipt_for_something_else_is_no_receipt(
    federation: Federation, rvig: Forger, told: dict[str, Any]
) -> None:
    rvig.consultation(people((ONE, "Fictief")), **told)
    assert (await refused(federation)).status == 502


async def test_a_whole_answer_of_the_forger_is_taken(federation: Federation, rvig: Forger) -> None:
    rvig.consultation(people((ONE, "Fictief")))
    assert (await federation.ask(NAMES, BENEFIT, bsn=ONE)).table.num_rows == 1


async def test_people_whom_nobody_asked_about_are_no_answer(federation: Federation, rvig: Forger) -> None:
    rvig.consultation(people((TWO, "Fictief")))
    assert (await refused(federation)).status == 502


async def test_an_owner_cannot_make_others_be_asked_about_people_of_its_choice(
    federation: Federation, rvig: Forger
) -> None:
    rvig.consultation(people(("Fictief", TWO), names=("naam", "bsn")))
    await refused(federation, JOINED)
    assert all(TWO not in str(sent) for peer, sent in rvig.asked if peer == TAX)


async def test_whom_a_failed_consultation_was_about_is_on_record(
    federation: Federation, rvig: Forger
) -> None:
    rvig.answers["/v1/consultations"] = lambda *_: (200, b"no answer")
    await refused(federation)
    [line] = [one for one in records_of(federation.store) if "dpl.core.data_subject_id" in one.attributes]
    assert line.status == "Error"


@pytest.mark.parametrize(
    "seals",
    [None, b"", b"[[", DEEP, b"{}", b'{"00000009900000000002":{}}', b'{"00000009900000000002":{"question":"q"}}',
     b'{"00000009900000000002":{"question":"q","maker":"x"}}',
     b'{"00000009900000000002":{"question":"q","maker":"00000009900000000001","key":"AAAA","signature":"a.b.c"}}'],
)  # fmt: skip
async def test_seals_that_open_nothing_are_a_problem_of_an_owner(
    federation: Federation, rvig: Forger, seals: bytes | None
) -> None:
    table = pa.table([pa.array(["x"]), pa.array([ONE])], ["sealed__partner", "naam"])
    rvig.consultation(table, seals)
    await refused(federation, PARTNER)


async def test_an_owner_with_a_new_key_is_known_again_at_the_next_question(federation: Federation) -> None:
    party = federation.parties[RVIG]
    await federation.ask(NAMES, BENEFIT, bsn=ONE)
    keys = FileKeyStore(party.keys._directory.with_name("renewed"))
    card = msgspec.structs.replace(decode(party.card, Card), verification_key=keys.public)
    party.card, party.discloser._keys = encode(card).decode(), keys
    assert (await refused(federation)).code == "answer-broken"
    assert (await federation.ask(NAMES, BENEFIT, bsn=ONE)).table.num_rows == 1


@pytest.mark.parametrize("changed", [{"owner": TAX}, {"alias": "bd"}, {"dataset": "inkomen"}])
async def test_an_offer_is_of_who_makes_it(
    federation: Federation, rvig: Forger, changed: dict[str, Any]
) -> None:
    [offer] = federation.parties[RVIG].discloser.offers(ASKER)
    rvig.answers["/v1/offers"] = lambda *_: (200, encode([msgspec.structs.replace(offer, **changed)]))
    known = await federation.asker._owners.known("rvig")
    assert [one.alias for one in known.offers] == ([] if "owner" in changed else ["rvig"])
    answer = await federation.ask("select i.bedrag from bd.inkomen i where i.bsn = $bsn", BENEFIT, bsn=ONE)
    assert [one.owner for one in answer.consulted] == ["bd"]


@pytest.mark.parametrize(
    "hostile",
    [{"name": 'a"; select'}, {"name": "x" * 5_000}, {"name": "\x1b[2J"}, {"type": "VARCHAR) FROM x; --"}, {"type": "STRUCT(a INT)"}],
)  # fmt: skip
async def test_an_offer_names_what_can_stand_in_a_question(
    federation: Federation, rvig: Forger, hostile: dict[str, str]
) -> None:
    [offer] = json.loads(encode(list(federation.parties[RVIG].discloser.offers(ASKER))))
    offer["columns"].append({"name": "more", "type": "VARCHAR"} | hostile)
    rvig.answers["/v1/offers"] = lambda *_: (200, json.dumps([offer]).encode())
    assert (await refused(federation)).code == "owner-unusable"
