"""What an attacker tries on the decision point, on consents and on who looked; each named after the rule that holds."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.unit.disclose.owner import ANN as ANNE
from tests.unit.disclose.owner import BOB, NOBODY, PERSONS, disclosure
from tests.unit.disclose.test_consent import Given, consent
from tests.unit.grounds.test_consents import ANN, Kept, terms
from tests.unit.ledger.examples import clock, opened

from sluis.grounds import Grounds
from sluis.kernel import Invalid, PeerId, Problem, decode, encode
from sluis.ledger import Decision, Found, decisions
from sluis.policy import DecisionPoint, policies_of
from sluis.policy.calls import EVALUATION, EVALUATIONS, SEARCH_RESOURCE
from sluis.policy.files import Own
from sluis.policy.service import Call
from sluis.serve.elsewhere import Logs
from sluis.statement import KeyList

BSN = "999990019"  # fictitious
READ, THING = {"name": "read"}, {"type": "page", "id": "p"}
ITEM: dict[str, Any] = {"action": READ, "resource": THING}


class Point:
    """A decision point with a log of its own."""

    def __init__(self, folder: Path) -> None:
        self._open = opened(folder)
        self.store, self.ledger = self._open.__enter__()
        own = Own({"a.cedar": '@id("all") permit (principal, action == Action::"read", resource);'})
        self.point = DecisionPoint(policies_of(own, Grounds(), "own", False), "own", self.ledger, clock)

    async def ask(self, event: Any, **request: Any) -> Any:
        return await self.point.call(Call(event, request, None, "a-program"))

    def records(self) -> list[Decision]:
        return list(decisions(self.store, 0))

    def close(self) -> None:
        self._open.__exit__(None, None, None)


@pytest.fixture
def point(tmp_path: Path) -> Iterator[Point]:
    made = Point(tmp_path)
    yield made
    made.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.stores[-1].close()


# Citizen service numbers stay out of the log, however a request is put together


NUMBERED: list[dict[str, Any]] = [
    {"subject": {"type": "BSN"}, "evaluations": [{"subject": {"id": BSN}, **ITEM}]},
    {"subject": {"id": BSN}, "evaluations": [{"subject": {"type": "BSN"}, **ITEM}]},
    {"subject": {"type": "BSN", "id": BSN}, "evaluations": [{"subject": {"properties": {}}, **ITEM}]},
    {"resource": {"type": "urn:nl-eid-gdi:1.0:id:BSN"}, "subject": THING,
     "evaluations": [{"action": READ, "resource": {"id": BSN}}]},
    {"evaluations": [{"subject": {"type": "BSN", "id": int(BSN)}, **ITEM}]},
    {"evaluations": [{"subject": {"type": "BSN", "id": [BSN]}, **ITEM}]},
    {"subject": {"type": "BSN"}, "evaluations": [{"subject": {"id": int(BSN)}, **ITEM}]},
    {"subject": {"id": BSN}, "evaluations": [{"subject": {"type": "page"}, **ITEM}, {"subject": {"type": "BSN"}, **ITEM}]},
]  # fmt: skip


@pytest.mark.parametrize("request_", NUMBERED, ids=range(len(NUMBERED)))
async def test_no_way_to_write_a_batch_puts_a_number_in_the_log(point: Point, request_: Any) -> None:
    await point.ask(EVALUATIONS, **request_)
    (record,) = point.records()
    assert BSN.encode() not in encode(record)


async def test_a_number_from_the_defaults_is_the_same_person_as_one_written_out(point: Point) -> None:
    person = {"type": "BSN", "id": BSN}
    await point.ask(EVALUATION, subject=person, **ITEM)
    await point.ask(EVALUATIONS, subject={"type": "BSN"}, evaluations=[{"subject": {"id": BSN}, **ITEM}])
    one, other = (record.body["adl.core.request"] for record in point.records())
    assert other["evaluations"][0]["subject"]["id"] == one["subject"]["id"]


async def test_a_number_in_a_search_stays_out_of_the_log(point: Point) -> None:
    await point.ask(
        SEARCH_RESOURCE, subject={"type": "BSN", "id": BSN}, action=READ, resource={"type": "page"}
    )
    assert BSN.encode() not in encode(point.records()[0])


# A consent that is taken back is closed, whatever becomes of who takes it back


async def test_who_leaves_while_a_consent_is_revoked_has_revoked_it(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "p")
    append, reached, on = kept.ledger.append, asyncio.Event(), asyncio.Event()

    async def slowly(records: Any, along: Any) -> Any:
        await append(records, along)
        reached.set()
        await on.wait()

    kept.consents._ledger.append = slowly  # type: ignore[method-assign,assignment]
    revoking = asyncio.ensure_future(kept.consents.revoke(made.id, "p", ANN))
    await reached.wait()
    revoking.cancel()
    await asyncio.sleep(0)
    on.set()
    with pytest.raises(asyncio.CancelledError):
        await revoking
    assert kept.consents.of(ANN)[0].revoked is not None
    assert not kept.opens(ANN, "inkomen")


async def test_what_is_revoked_in_the_database_is_so_in_memory_when_revoked_again(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "p")
    append = kept.ledger.append

    async def failing(records: Any, along: Any) -> Any:
        await append(records, along)
        raise OSError

    kept.consents._ledger.append = failing  # type: ignore[method-assign,assignment]
    with pytest.raises(OSError):
        await kept.consents.revoke(made.id, "p", ANN)
    kept.consents._ledger.append = append  # type: ignore[method-assign]
    await kept.consents.revoke(made.id, "p", ANN)
    assert not kept.opens(ANN, "inkomen")


# What other organisations write in their logs is hostile input


HOSTILE = [
    "https://[x",
    "https://[::1",
    "//[",
    "http://a]b/",
    "https://\x00",
    "https://x:99999999",
    "\ud7ff",
    "",
    "x" * 100_000,
]


@pytest.mark.parametrize("address", HOSTILE, ids=range(len(HOSTILE)))
def test_an_address_that_is_none_is_nobodys(address: str, tmp_path: Path) -> None:
    node = SimpleNamespace(
        oin=PeerId("00000003000000000001"), name="Eigen (fictief)", url="https://own.example"
    )
    config: Any = SimpleNamespace(node=node, peers={})
    known = SimpleNamespace(known=lambda peer: None)
    membership: Any = SimpleNamespace(running=SimpleNamespace(peers=known))
    owners: Any = SimpleNamespace(by_alias={})
    logs = Logs(config, None, owners, membership, clock)  # type: ignore[arg-type]
    assert logs.organisation(address) is None


@pytest.mark.parametrize(
    "raw", [b'{"processingActivities":["\xff"]}', b"[" * 200_000, b"\xff", b'"\xff"'], ids=range(4)
)
def test_what_is_no_json_is_told_in_one_way(raw: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(raw, Found)


# A name in another case is the same name to DuckDB, which gives both the value that it finds last


DEEP = "SELECT p.name AS name FROM persons AS p WHERE " + "(NOT " * 8 + "{}" + ")" * 8
SPELLINGS = ["sluis_{}", "SLUIS_{}", "sluis_{}".title(), "slu\u0130s_{}", "\u017fluis_{}"]


@pytest.fixture(params=["files", "sqlite"])
def make_either(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue({"files": "make_files", "sqlite": "make"}[request.param])


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_who_consents_cannot_come_from_the_asker_in_any_spelling(
    make_either: Any, spelling: str
) -> None:
    owner, name = (
        make_either(disclosure(ground="consent"), consents=Given()),
        spelling.format("consented_persons"),
    )
    keys = {one: KeyList("VARCHAR", [BOB]) for one in (name, "k")}
    with pytest.raises(Invalid):
        await owner.ask(f"{DEEP.format(f'p.bsn = ANY(${name})')} AND p.bsn = ANY($k)", keys=keys)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_the_day_of_the_owner_cannot_come_from_the_asker_in_any_spelling(
    make_either: Any, spelling: str
) -> None:
    owner = make_either(disclosure(rows="CURRENT_DATE < DATE '2020-01-01'", subject_required=False))
    name = spelling.format("own_day")
    with pytest.raises(Invalid):
        await owner.ask(
            DEEP.format(f"${name} = DATE '2019-01-01'"), parameters={name: "2019-01-01"}, types={name: "DATE"}
        )


async def test_two_parameters_cannot_be_one_to_a_source(make_either: Any) -> None:
    owner, keys = (
        make_either(disclosure()),
        {"k": KeyList("VARCHAR", [ANN[1]]), "K": KeyList("VARCHAR", [BOB])},
    )
    with pytest.raises(Invalid):
        await owner.ask(
            "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k) AND p.bsn = ANY($K)", keys=keys
        )


CONSENT_QUESTIONS = [
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT count(*) AS n FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k) AND (p.age > 0 OR p.age IS NULL OR true)",
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k) AND EXISTS (SELECT 1 FROM persons AS q WHERE q.bsn = p.bsn)",
    "SELECT p.name AS name FROM (SELECT q.name AS name FROM persons AS q WHERE q.bsn = ANY($k)) AS p",
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k) UNION ALL SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT p.name AS name, q.name AS other FROM persons AS p LEFT JOIN persons AS q ON q.bsn = p.bsn WHERE p.bsn = ANY($k)",
]  # fmt: skip


@pytest.mark.parametrize("sql", CONSENT_QUESTIONS, ids=range(len(CONSENT_QUESTIONS)))
async def test_who_does_not_consent_is_as_absent_to_either_engine(make_either: Any, sql: str) -> None:
    every = tuple(column.name for column in PERSONS.columns if column.name != "bsn")
    owner = make_either(disclosure(ground="consent"), consents=Given(consent(ANNE, every)))
    found = []
    for other in (BOB, NOBODY):
        try:
            answered = await owner.ask(sql, [ANNE, other])
            found.append((sorted(answered.rows, key=repr), answered.closing.receipt.subjects))
        except Problem as problem:
            found.append((problem.code, 0))
    assert found[0] == found[1]
    assert "Bob" not in repr(found)
