"""Hostile logs, notes and searches: what checks or serves them neither breaks, hangs nor fills its memory."""

import os
import pwd
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.unit.ledger.examples import clock, fill, opened
from tests.unit.web.conftest import ABOUT, Caller, calling

from sluis.crypto import FileKeyStore
from sluis.ledger import Ledger, Verification, Witness, log_routes, reading_routes, verify
from sluis.ledger.notes import log_key, signed_checkpoint
from sluis.ledger.verifier import LOG, Key, check_log, from_directory
from sluis.ledger.witness import request_body
from sluis.statement import parse, shape
from sluis.store import open_store
from sluis.web import Access, Person, make_api

ME = pwd.getpwuid(os.getuid()).pw_name
LOCAL: dict[str, Any] = {"sluis.local": {"uid": os.getuid()}}
HUGE = 9_999_999_999_999_999_999  # as much as a checkpoint can say, and more than a database can hold


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path) as (_, ledger):
        yield ledger


@pytest.fixture
def hostile(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "hostile")


@pytest.fixture
def call(ledger: Ledger, hostile: FileKeyStore, tmp_path: Path) -> Caller:
    keys = FileKeyStore(tmp_path / "keys")

    async def allowed(_request: Any, _traced: bool) -> Literal["all"]:
        return "all"

    witness = Witness(ledger._store, keys, "witness.example", {"evil.example/1": hostile.public}.get, clock)
    routes = [*reading_routes(ledger, allowed), *log_routes(ledger, witness)]
    return calling(make_api(routes, Access([], {ME: Person(ME, ME)}.get), ABOUT))


@pytest.mark.parametrize("served", [b"", b"x" * 100_000])
@pytest.mark.parametrize("size", [10**6, HUGE])
def test_a_log_that_claims_more_than_it_serves_is_given_up(
    hostile: FileKeyStore, size: int, served: bytes
) -> None:
    note = signed_checkpoint("evil.example/1", size, bytes(32), hostile)
    report = check_log(
        lambda path: note.encode() if path == "checkpoint" else served, log_key("evil.example/1", hostile)
    )
    assert 1 < len(report.faults) < 2_000


@pytest.mark.parametrize("note", [b"", b"\xff", b"\n\n", b"a\n" * 100_000, "x\n1\n=\n\n— x ==\n".encode()])
def test_a_checkpoint_of_any_bytes_is_rejected(tmp_path: Path, note: bytes) -> None:
    (tmp_path / "checkpoint").write_bytes(note)
    with pytest.raises(Exception, match=r"\.$"):
        check_log(from_directory(tmp_path), Key("x", LOG, bytes(32)))


@pytest.mark.parametrize("size", [2**63, HUGE])
async def test_a_checkpoint_larger_than_any_log_is_not_cosigned(
    call: Caller, ledger: Ledger, hostile: FileKeyStore, size: int
) -> None:
    note = signed_checkpoint("evil.example/1", size, bytes(32), hostile)
    reply = await call("POST", "/v1/log/add-checkpoint", request_body(0, [], note))
    assert reply.status in (400, 403, 422)
    assert fill_works(ledger)


def fill_works(ledger: Ledger) -> bool:
    fill(ledger, 1)
    return True


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"old -1\n\n", b"old " + b"9" * 5000 + b"\n\nx", "old ²\n\nx".encode(), b"old 0\n" * 10_000,
     b"old 0\n\n" + b"evil.example/1\n" * 3000, b"old 0\n\nevil.example/1\n0\n\n\n\xe2\x80\x94 evil.example/1 AAAA\n"],
)  # fmt: skip
async def test_a_request_of_any_bytes_is_not_cosigned(call: Caller, body: bytes) -> None:
    assert (await call("POST", "/v1/log/add-checkpoint", body)).status in (400, 403, 404, 422)


@pytest.mark.parametrize(
    "path",
    ["tile/0/x999/x999/x999/x999/x999/999", "tile/63/x999/x999/x999/x999/x999/999", "tile/entries/x999/x999/x999/x999/x999/999",
     "tile/0/x001/x999/x999/x999/x999/999.p/255", "tile/0/../../checkpoint", "tile/0/%2e%2e/%2e%2e/keys", "tile/64/000", "tile/-1/000",
     "tile/²/000", "tile/0/٠٠٠", "tile/0/000.p/256", "tile/0/000.p/0", "tile/entries/000%00", "witnessed/../checkpoint"],
)  # fmt: skip
async def test_a_path_that_is_no_tile_is_not_found(call: Caller, path: str) -> None:
    assert (await call("GET", f"/v1/log/{path}")).status == 404


@pytest.mark.parametrize(
    "body",
    [{"startTime": 10**30}, {"endTime": -(10**30)}, {"startTime": 2**63}, {"subject": "x" * 1_000_000},
     {"subject": "\x00"}, {"subject_type": "\x00" * 100}, {"traceId": "0" * 32}],
)  # fmt: skip
async def test_a_search_of_any_size_is_answered_or_refused(call: Caller, body: dict[str, Any]) -> None:
    names = {"subject": "dpl.core.data_subject_id", "subject_type": "dpl.core.data_subject_id_type"}
    asked = {names.get(name, name): value for name, value in body.items()}
    asked |= {"dpl.core.processing_activity_id": "urn:x"}
    assert (await call("POST", "/v1/processing-activities", asked, extensions=LOCAL)).status in (200, 400)


CHANGES = {
    "text in the place of a leaf": "UPDATE ledger_records SET leaf = 'x' WHERE idx = 3",
    "a number in the place of a leaf": "UPDATE ledger_records SET leaf = 99999999999 WHERE idx = 3",
    "a number in the place of a record": "UPDATE ledger_records SET salted = 99999999999 WHERE idx = 3",
    "text in the place of a record": "UPDATE ledger_records SET salted = 'x' WHERE idx = 3",
    "a number in the place of an entry": "UPDATE ledger_records SET salted = NULL, entry = 99999999999 WHERE idx = 3",
    "a false destruction": """UPDATE ledger_records SET salted = CAST('0123456789abcdef{"kind":"destruction"' AS BLOB)
        WHERE idx = 3""",
    "a destruction of nothing": """UPDATE ledger_records SET salted = CAST('0123456789abcdef[{"kind":"destruction"}]' AS BLOB)
        WHERE idx = 3""",
    "a number in the place of a tile": "UPDATE ledger_tiles SET hashes = 99999999999, root = 99999999999",
    "a checkpoint that is a number": "UPDATE ledger_epochs SET checkpoint = 5",
    "a checkpoint of bytes": "UPDATE ledger_epochs SET checkpoint = x'ff00'",
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_whatever_was_put_in_the_database_is_a_fault(tmp_path: Path, case: str) -> None:
    with opened(tmp_path) as (_, ledger):
        fill(ledger, 300)
        ledger.publish()
    with sqlite3.connect(tmp_path / "node.db") as connection:
        connection.execute(CHANGES[case])
    connection.close()
    assert checked(tmp_path).faults


def test_a_destruction_that_was_written_in_afterwards_accounts_for_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        fill(ledger, 10)
        ledger.publish()
    forged = """0123456789abcdef{"kind":"destruction","trace_id":"a","span_id":"b","stretches":[[5,5]],"ground":"c",
        "timestamp":1,"status":"Ok"}"""
    with sqlite3.connect(tmp_path / "node.db") as connection:
        connection.execute("UPDATE ledger_records SET salted = CAST(? AS BLOB) WHERE idx = 3", (forged,))
        [salted] = connection.execute("SELECT salted FROM ledger_records WHERE idx = 5").fetchone()
        entry = sha256(salted).digest()
        connection.execute("UPDATE ledger_records SET entry = ?, salted = NULL WHERE idx = 5", (entry,))
    connection.close()
    assert {("altered", 3), ("unaccounted", 5)} <= {(one.kind, one.index) for one in checked(tmp_path).faults}


def checked(directory: Path) -> Verification:
    store = open_store(directory / "node.db")
    try:
        return verify(store, FileKeyStore(directory / "keys").public)
    finally:
        store.close()


def test_no_number_of_a_person_stays_in_the_form_of_a_question() -> None:
    sql = "select p999990019.naam as \"k999990019\" from rvig.personen as p999990019 where p999990019.bsn = '999990019'"
    told = shape(parse(f"{sql} and p999990019.naam <> $n999990019"))
    assert "99999" not in told
