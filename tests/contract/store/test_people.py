"""What is known of people is kept the same in both store engines."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.identity.companies import (
    ANNE,
    CARLA,
    COMPANY,
    KVK,
    NAMES,
    NOW,
    FakeRegister,
    acting,
    director,
)
from tests.unit.identity.people_node import act, terms

from sluis.crypto import FileKeyStore
from sluis.identity.people import People, open_people
from sluis.identity.people.model import Allowed
from sluis.ledger import open_ledger
from sluis.store import Store, open_store


@pytest.fixture
def register() -> FakeRegister:
    made = FakeRegister()
    made.put(director(ANNE))
    return made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as made:
        yield made


def opened(store: Store, folder: Path, register: FakeRegister) -> People:
    keys = FileKeyStore(folder / "keys")
    ledger = open_ledger(store, keys, "node.example/log", lambda: NOW)
    return open_people(store, ledger, keys, lambda: NOW, register=register)


async def test_what_was_given_and_revoked_is_so_after_opening_again(
    store: Store, url: str, tmp_path: Path, register: FakeRegister
) -> None:
    people = opened(store, tmp_path, register)
    await people.recognise(ANNE, NAMES[ANNE])
    kept, gone = [(await people.mandates.give(acting(ANNE), terms()))[0] for _ in range(2)]
    for one in (kept, gone):
        await people.mandates.accept(acting(CARLA, None), one.id)
    await people.mandates.revoke(acting(ANNE), gone.id)
    store.close()
    with closing(open_store(url)) as again:
        people = opened(again, tmp_path, register)
        assert {one.id: one.state for one in people.mandates.given(acting(ANNE))} == {
            kept.id: "accepted",
            gone.id: "revoked",
        }
        found = people.decide(acting(CARLA), act())
        assert isinstance(found, Allowed)
        assert found.evidence[0].reference == kept.urn
        history = await people.mandates.history(gone.id, acting(ANNE))
        assert [one.action for _, one in history] == ["mandate.give", "mandate.accept", "mandate.revoke"]
        assert (await people.read(KVK)).company.kvk == COMPANY.removeprefix("urn:nl:kvk:")
