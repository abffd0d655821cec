"""Witnesses: a checkpoint is cosigned only when it extends what was cosigned before, by every path of tlog-witness."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from tests.unit.ledger.examples import ORIGIN, clock, fill, opened, processing

from sluis.crypto import FileKeyStore
from sluis.ledger import Ledger, Peer, Witness
from sluis.ledger.notes import log_key, signed_checkpoint
from sluis.ledger.tree import EMPTY_ROOT
from sluis.ledger.verifier import Checkpoint, check_receipt, open_checkpoint
from sluis.ledger.witness import Answer, request_body
from sluis.store import open_store

NAME = "witness.example/00000099000000002000"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "log") as (_, ledger):
        yield ledger


@pytest.fixture
def witness(tmp_path: Path, ledger: Ledger) -> Iterator[Witness]:
    with opened(tmp_path / "witness") as (store, _):
        known = {ORIGIN: ledger.key.public}
        yield Witness(store, FileKeyStore(tmp_path / "witness" / "keys"), NAME, known.get, clock)


def body(ledger: Ledger, old: int, size: int, keys: Path | None = None) -> bytes:
    """A request for the tree of `size` leaves, with the proof from `old`."""
    note = checkpoint(ledger, size)
    return request_body(old, ledger.log.consistency(min(old, size), size), note)


def checkpoint(ledger: Ledger, size: int, root: bytes | None = None) -> str:
    return signed_checkpoint(ORIGIN, size, root or ledger.log.root(size), ledger._keys)


async def add(witness: Witness, ledger: Ledger, old: int, size: int) -> Answer:
    return await witness.add(body(ledger, old, size))


async def test_a_growing_log_is_cosigned_step_by_step(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 30)
    for old, size in ((0, 0), (0, 7), (7, 7), (7, 20), (20, 30)):
        answer = await add(witness, ledger, old, size)
        assert answer.status == 200, (old, size)
        note = checkpoint(ledger, size) + answer.body
        assert open_checkpoint(note, ledger.key, [witness.key], 1).size == size


async def test_another_old_size_is_told_the_known_one(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    assert await add(witness, ledger, 3, 10) == Answer(409, "0\n", "text/x.tlog.size")
    await add(witness, ledger, 0, 8)
    assert await add(witness, ledger, 0, 10) == Answer(409, "8\n", "text/x.tlog.size")
    assert await add(witness, ledger, 5, 6) == Answer(409, "8\n", "text/x.tlog.size")


async def test_an_old_size_above_the_checkpoint_is_a_bad_request(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    assert (await witness.add(request_body(10, [], checkpoint(ledger, 9)))).status == 400


async def test_an_unknown_log_is_not_found(witness: Witness, ledger: Ledger) -> None:
    note = signed_checkpoint("other.example/log", 0, EMPTY_ROOT, ledger._keys)
    assert (await witness.add(request_body(0, [], note))).status == 404


async def test_a_stranger_s_signature_is_forbidden(witness: Witness, tmp_path: Path) -> None:
    note = signed_checkpoint(ORIGIN, 0, EMPTY_ROOT, FileKeyStore(tmp_path / "stranger"))
    assert (await witness.add(request_body(0, [], note))).status == 403


async def test_a_false_proof_or_root_is_unprocessable(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    await add(witness, ledger, 0, 6)
    proof = ledger.log.consistency(6, 10)
    for wrong in (proof[:-1], [*proof, bytes(32)], [bytes(32), *proof[1:]], []):
        assert (await witness.add(request_body(6, wrong, checkpoint(ledger, 10)))).status == 422
    assert (await witness.add(request_body(6, proof, checkpoint(ledger, 10, bytes(32))))).status == 422
    assert (await witness.add(request_body(6, [], checkpoint(ledger, 6, bytes(32))))).status == 422
    assert (await add(witness, ledger, 6, 10)).status == 200


async def test_an_empty_tree_has_the_empty_root_and_needs_no_proof(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 2)
    assert (await witness.add(request_body(0, [], checkpoint(ledger, 0, bytes(32))))).status == 422
    assert (await witness.add(request_body(0, [bytes(32)], checkpoint(ledger, 2)))).status == 422


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"old 0", b"old 00\n\n%s", b"old -1\n\n%s", b"new 0\n\n%s", b"old x\n\n%s", b"old 0\nAAAA\n\n%s",
        b"old 0\n!\n\n%s", b"\xff\n\n%s", b"old 0\n" + 64 * (b64encode(bytes(32)) + b"\n") + b"\n%s", b"old +0\n\n%s",
    ],
)  # fmt: skip
async def test_a_malformed_request_is_a_bad_request(witness: Witness, ledger: Ledger, wrong: bytes) -> None:
    assert (await witness.add(wrong.replace(b"%s", checkpoint(ledger, 0).encode()))).status == 400


async def test_of_two_at_once_only_one_extends(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 20)
    await add(witness, ledger, 0, 5)
    answers = await asyncio.gather(*[add(witness, ledger, 5, size) for size in range(6, 21)])
    assert sorted(answer.status for answer in answers) == [200, *[409] * 14]


async def test_a_witness_remembers_after_opening_again(tmp_path: Path, ledger: Ledger) -> None:
    fill(ledger, 10)
    keys, known = FileKeyStore(tmp_path / "w"), {ORIGIN: ledger.key.public}
    for expected in (200, 409):
        store = open_store(tmp_path / "witness.db")
        from sluis.ledger import sql
        from sluis.store import migrate

        migrate(store, "ledger", sql.MIGRATIONS)
        assert (await add(Witness(store, keys, NAME, known.get, clock), ledger, 0, 10)).status == expected
        store.close()


async def test_monitors_get_the_newest_cosigned_checkpoint(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    digest = sha256(ORIGIN.encode()).hexdigest()
    assert await witness.newest(digest) is None
    for old, size in ((0, 4), (4, 10)):
        await add(witness, ledger, old, size)
    note = await witness.newest(digest)
    assert note is not None
    assert open_checkpoint(note, ledger.key, [witness.key], 1).size == 10


# Asking


def peer(witness: Witness, log: list[int] | None = None) -> Peer:
    async def send(request: bytes) -> tuple[int, bytes]:
        answer = await witness.add(request)
        if log is not None:
            log.append(answer.status)
        return answer.status, answer.body.encode()

    return Peer(witness.key, send)


async def test_cosignatures_are_gathered_and_published(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    statuses: list[int] = []
    (outcome,) = await ledger.cosign([peer(witness, statuses)])
    assert outcome.outcome == "cosigned"
    note = ledger.log.checkpoint()
    assert note is not None
    assert open_checkpoint(note, ledger.key, [witness.key], 1).size == 10
    assert (await ledger.append([processing("a")])).witnesses == 1
    await ledger.cosign([peer(witness, statuses)])
    assert await ledger.cosign([peer(witness, statuses)]) == []  # it signed this one already
    assert statuses == [200, 200]


async def test_a_receipt_verifies_offline_with_its_witnesses(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 500)
    await ledger.cosign([peer(witness)])
    for index in (0, 255, 256, 499):
        stored = ledger.log.stored(index)
        found, checkpoint = check_receipt(
            await ledger.prove(index), stored.entry, ledger.key, [witness.key], 1
        )
        assert (found, checkpoint.size) == (index, 500)


async def test_who_knows_another_size_is_asked_from_there(witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    await add(witness, ledger, 0, 4)
    statuses: list[int] = []
    (outcome,) = await ledger.cosign([peer(witness, statuses)])
    assert (outcome.outcome, statuses) == ("cosigned", [409, 200])


async def test_a_witness_that_saw_more_is_ahead(tmp_path: Path, witness: Witness, ledger: Ledger) -> None:
    fill(ledger, 10)
    await ledger.cosign([peer(witness)])
    (tmp_path / "older" / "keys").mkdir(parents=True)
    for name in ("signing.pem", "sealing.pem"):
        (tmp_path / "older" / "keys" / name).write_bytes((tmp_path / "log" / "keys" / name).read_bytes())
    with opened(tmp_path / "older") as (_, older):
        fill(older, 5)
        (outcome,) = await older.cosign([peer(witness)])
        assert (outcome.outcome, outcome.size) == ("ahead", 10)
        fill(older, 5)
        (outcome,) = await older.cosign([peer(witness)])
        assert outcome.outcome == "refused"


async def test_what_no_witness_signs_is_published_all_the_same(ledger: Ledger) -> None:
    fill(ledger, 3)

    async def down(_request: bytes) -> tuple[int, bytes]:
        raise ConnectionError

    async def lying(_request: bytes) -> tuple[int, bytes]:
        return 200, "— witness.example/00000099000000002000 AAAAAAAA\n".encode()

    async def confused(_request: bytes) -> tuple[int, bytes]:
        return 409, b"\xff"

    key = log_key("unused", ledger._keys)
    outcomes = await ledger.cosign([Peer(key, send) for send in (down, lying, confused)])
    assert [one.outcome for one in outcomes] == ["unreachable", "refused", "unreachable"]
    note = ledger.log.checkpoint()
    assert note is not None
    assert Checkpoint.parse(note).size == 3
    assert (await ledger.append([processing("a")])).witnesses == 0
