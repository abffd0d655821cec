"""What the Notificaties API keeps, on both engines: channels by one name, abonnementen with their secret sealed, and a message
that stands or falls with its deliveries."""

from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore
from sluis.events.notificaties import Application, Notificaties, Settings, open_notificaties
from sluis.events.notificaties.model import Notificatie
from sluis.events.queue import open_queue
from sluis.kernel import PeerId, utc_now
from sluis.ledger import open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import Store

ALL = frozenset({"notificaties.publiceren", "notificaties.consumeren"})
ZAKEN = Application("zaken", b"z" * 32, ALL, ("https://zaken.example/",))
ABONNEMENT = {
    "callbackUrl": "https://zaken.example/in",
    "auth": "Bearer geheim",
    "kanalen": [{"naam": "zaken"}],
}
MESSAGE = Notificatie(
    "zaken", "https://zaken.example/1", "zaak", "https://zaken.example/1", "create", "2026-11-22T10:00:00Z"
)


@pytest.fixture
def opened(store: Store, tmp_path: Path) -> tuple[Notificaties, Notificaties]:
    """The same API twice: as it is, and as it is found after a start."""
    keys = FileKeyStore(tmp_path / "keys")
    ledger = open_ledger(store, keys, "node.example/log", utc_now)
    queue = open_queue(store, keys, utc_now)
    point = DecisionPoint(Policies(STANDARD), "node", ledger, utc_now)
    settings = Settings(PeerId("00000099000000001000"), "node", "activiteit")
    first, again = (
        open_notificaties(settings, {"zaken": ZAKEN}, store, keys, ledger, queue, point, utc_now)
        for _ in range(2)
    )
    return first, again


async def test_all_of_it_is_kept(opened: tuple[Notificaties, Notificaties], store: Store) -> None:
    api, again = opened
    await api.create_kanaal(ZAKEN, {"naam": "zaken", "filters": ["zaaktype"]})
    made = await api.create(ZAKEN, ABONNEMENT)
    ended = await api.create(ZAKEN, ABONNEMENT)
    await api.change(
        ZAKEN, made.id, {"callbackUrl": "https://zaken.example/anders", "auth": "Bearer geheim"}, partial=True
    )
    await api.delete(ZAKEN, ended.id)
    again.load()
    assert (again.kanalen(), again.subscriptions()) == (api.kanalen(), api.subscriptions())
    assert again.subscriptions()[0].sink == "https://zaken.example/anders"
    assert await again.publish(ZAKEN, MESSAGE) == 1
