"""Consents are kept the same in both store engines."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tests.unit.grounds.examples import ACTIVITY_ID, RECIPIENT
from tests.unit.grounds.test_consents import ANN, BOB, GROUNDS, NOW, TODAY, terms

from sluis.crypto import FileKeyStore
from sluis.grounds.consents import Consents, Narrowing, open_consents
from sluis.ledger import open_ledger
from sluis.store import Store, open_store


def opened(store: Store, folder: Path) -> Consents:
    keys = FileKeyStore(folder / "keys")
    ledger = open_ledger(store, keys, "node.example/log", lambda: NOW)
    return open_consents(store, ledger, keys, GROUNDS, lambda: NOW)


async def test_what_was_given_narrowed_and_revoked_is_so_after_opening_again(
    url: str, tmp_path: Path
) -> None:
    with closing(open_store(url)) as store:
        consents = opened(store, tmp_path)
        kept, gone = [await consents.give(whom, terms(), "p") for whom in (ANN, BOB)]
        left = await consents.narrow(kept.id, Narrowing({"inkomen": ("jaar",)}, TODAY + timedelta(3)), "p")
        ended = await consents.revoke(gone.id, "p")
    with closing(open_store(url)) as store:
        consents = opened(store, tmp_path)
        opens = [
            consents.opens(whom, RECIPIENT, ACTIVITY_ID, "inkomen", {column})
            for whom in (ANN, BOB)
            for column in ("jaar", "inkomen")
        ]
        assert opens == [True, False, False, False]
        assert (consents.of(ANN), consents.of(BOB)) == ([left], [ended])
        assert consents.every() == [left]
