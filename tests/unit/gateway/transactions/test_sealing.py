"""The transaction log becomes evidence: once sealed, no line of it changes unseen."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from sluis.crypto import FileKeyStore
from sluis.gateway.evidence import Evidence
from sluis.gateway.transactions import (
    INCOMING,
    OUTGOING,
    Crossing,
    TransactionLog,
    fits,
    new_transaction,
    open_sealing,
    open_transactions,
)
from sluis.kernel import PeerId, milliseconds, utc_now
from sluis.ledger import Crossings, Ledger, crossings, open_ledger, verify
from sluis.store import Store, open_store

CROSSING = Crossing("$1$3$grant", "personen", PeerId("00000001001001000001"), PeerId("00000001001001000002"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
def ledger(store: Store, tmp_path: Path) -> Ledger:
    return open_ledger(store, FileKeyStore(tmp_path / "keys"), "test/log", utc_now)


async def write(log: TransactionLog, count: int) -> None:
    passage = log.passage(INCOMING, CROSSING)
    await asyncio.gather(*[log.write([(new_transaction()[0], passage)]) for _ in range(count)])


def sealed(store: Store) -> list[Crossings]:
    return list(crossings(store))


async def test_sealing_twice_at_once_seals_every_line_once(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    await write(log, 5)
    await asyncio.gather(evidence.seal(), evidence.seal(), evidence.seal())
    assert [(one.first, one.last) for one in sealed(store)] == [(0, 4)]


async def test_every_line_is_in_one_seal_and_in_no_other(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    for count in (3, 5):
        await write(log, count)
        await evidence.seal()
    await evidence.seal()
    assert [(one.first, one.last) for one in sealed(store)] == [(0, 2), (3, 7)]
    assert all(fits(store, one.first, one.last, one.digest) for one in sealed(store))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gateway_transactions SET created_at = created_at + 1 WHERE number = 1",
        "UPDATE gateway_transactions SET transaction_id = zeroblob(16) WHERE number = 1",
        "DELETE FROM gateway_transactions WHERE number = 1",
        "UPDATE gateway_passages SET service_name = 'inkomens'",
    ],
)
async def test_a_line_that_was_changed_no_longer_fits_its_seal(
    store: Store, ledger: Ledger, change: str
) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    await write(log, 3)
    await evidence.seal()
    [seal] = sealed(store)
    store.write_blocking(lambda connection: connection.execute(text(change)) and None)
    assert not fits(store, seal.first, seal.last, seal.digest)


async def test_what_was_sealed_and_not_noted_is_sealed_again_as_the_same_record(
    store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, sealing = open_transactions(store, utc_now), open_sealing(store)
    await write(log, 2)
    seal = sealing.next()
    assert seal is not None

    async def broken(_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "done", broken)
        with pytest.raises(OSError):
            await Evidence(ledger, sealing, utc_now).seal()
    await Evidence(ledger, sealing, utc_now).seal()
    assert len(sealed(store)) == 1


async def test_a_log_with_seals_and_signatures_is_sound(store: Store, ledger: Ledger, tmp_path: Path) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    await write(log, 2)
    await evidence.seal()
    await ledger.checkpoint()
    found = await asyncio.to_thread(verify, store, FileKeyStore(tmp_path / "keys").public)
    assert (found.faults, found.size) == ((), 1)


async def test_how_long_lines_wait_for_their_seal_is_known(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    assert evidence.unsealed_since() is None
    before = milliseconds(utc_now())
    await write(log, 2)
    since = evidence.unsealed_since()
    assert since is not None
    assert before <= since <= milliseconds(utc_now())
    await evidence.seal()
    assert evidence.unsealed_since() is None


async def test_what_is_noted_beside_a_line_is_sealed_as_any_line(store: Store, ledger: Ledger) -> None:
    log, evidence, transaction = (
        open_transactions(store, utc_now),
        Evidence(ledger, open_sealing(store), utc_now),
        new_transaction()[0],
    )
    await log.write([(transaction, log.passage(OUTGOING, CROSSING))])
    await evidence.seal()
    await log.note(transaction, CROSSING.service_peer, "no-answer")
    await evidence.seal()
    line, note = sealed(store)
    assert (line.last, note.first, note.last) == (0, 1, 1)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE gateway_passages SET additional = NULL"))
    assert fits(store, line.first, line.last, line.digest)
    assert not fits(store, note.first, note.last, note.digest)


async def crossed(log: TransactionLog, evidence: Evidence, *, overlooked: bool) -> None:
    transaction, written = new_transaction()
    if overlooked:
        evidence.overlook(written)
    await log.write([(transaction, log.passage(INCOMING, CROSSING))])


async def test_being_witnessed_is_no_reason_to_be_witnessed_again(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    for _ in range(3):
        await crossed(log, evidence, overlooked=True)
        await evidence.seal_due()
    assert sealed(store) == []
    assert evidence.unsealed_since() is None


async def test_what_waited_is_sealed_with_the_next_of_something_else(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    await crossed(log, evidence, overlooked=True)
    await crossed(log, evidence, overlooked=False)
    await crossed(log, evidence, overlooked=True)
    await evidence.seal_due()
    assert [(one.first, one.last) for one in sealed(store)] == [(0, 2)]


async def test_no_line_waits_longer_than_an_hour(store: Store, ledger: Ledger) -> None:
    now = utc_now()
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), lambda: now)
    await crossed(log, evidence, overlooked=True)
    now += timedelta(minutes=59)
    await evidence.seal_due()
    assert sealed(store) == []
    now += timedelta(minutes=2)
    await evidence.seal_due()
    assert len(sealed(store)) == 1


async def test_no_more_than_a_thousand_lines_wait(store: Store, ledger: Ledger) -> None:
    log, evidence = open_transactions(store, utc_now), Evidence(ledger, open_sealing(store), utc_now)
    await asyncio.gather(*[crossed(log, evidence, overlooked=True) for _ in range(999)])
    assert evidence.unsealed_since() is None
    await crossed(log, evidence, overlooked=True)
    await evidence.seal_due()
    assert [(one.first, one.last) for one in sealed(store)] == [(0, 999)]
