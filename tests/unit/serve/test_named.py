"""What others say that they have is read once for everybody who asks what is known about them, until something changes."""

import asyncio
from types import SimpleNamespace
from typing import Any

from sluis.kernel import PeerId, Text
from sluis.serve.rights import _Named

PEER = PeerId("00000001826002785000")


class Harvester:
    def __init__(self) -> None:
        self.changes, self.read = 0, 0

    def found(self) -> list[Any]:
        self.read += 1
        entry = SimpleNamespace(
            iri=f"https://x/{self.changes}", title=Text(f"{self.changes}", ""), kind="dataset"
        )
        return [SimpleNamespace(peer=PEER, entries=(entry,))]


async def test_it_is_read_again_when_something_changed_alone() -> None:
    harvester = Harvester()
    named = _Named(None, harvester)  # type: ignore[arg-type]
    for changes in (0, 1):
        harvester.changes = changes
        for found in await asyncio.gather(*(named() for _ in range(20))):
            assert [title.nl for _, title in found[str.__str__(PEER)]] == [f"{changes}"]
        assert harvester.read == changes + 1
