"""What events carry, and the handles of recipients, as they are kept: sealed. The last events stay in memory, since each is read once
for every subscription."""

import threading
from collections.abc import Collection

import msgspec
from sqlalchemy import Connection

from sluis.crypto import KeyStore, Vault
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import rows, sql
from sluis.events.queue.model import Outgoing

_REMEMBERED = 2048  # events


class Contents:
    """Seals and opens. Safe to use from many threads.

    Args:
        keys: seal what an event carries, and the recipients' handles.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._content, self._handles = Vault(keys, "events-content"), Vault(keys, "events-subject")
        self._known: dict[int, CloudEvent] = {}
        self._remembering = threading.Lock()

    def packed(self, number: int, event: CloudEvent) -> tuple[bytes, int]:
        """An event as it is kept under its number at this node, and whether (1) it is sealed: one without data is not."""
        content = msgspec.msgpack.encode(event)
        if event.data is None:
            return content, 0
        return self._content.seal(content, str(number)), 1

    def sealed(self, one: Outgoing, number: int) -> bytes | None:
        """By which handle the recipient of a delivery knows whom event `number` is about, as it is kept; None where there is none."""
        if not one.subject:
            return None
        return self._handles.seal(one.subject.encode(), _place(one.subscription, number))

    def subject(self, subscription: str, number: int, sealed: bytes | None) -> str | None:
        """That handle again. Raises `Invalid` when the keys of this node do not open it."""
        if not sealed:
            return None
        return self._handles.open(bytes(sealed), _place(subscription, number)).decode() or None

    def events(self, connection: Connection, numbers: Collection[int]) -> dict[int, CloudEvent]:
        """Events by their number at this node. Blocks. Raises `Invalid` when the keys of this node do not open them."""
        found = {number: event for number in numbers if (event := self._known.get(number)) is not None}
        if len(found) < len(numbers):
            missing = {"numbers": [number for number in numbers if number not in found]}
            for row in connection.execute(rows.listed(sql.KEPT, "numbers"), missing):
                found[row.number] = self._unpacked(row.number, bytes(row.content), row.sealed)
                self.remember(row.number, found[row.number])
        return found

    def remember(self, number: int, event: CloudEvent) -> None:
        """Keep an event in memory, in the place of the one that came first."""
        with self._remembering:
            self._known[number] = event
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]

    def _unpacked(self, number: int, content: bytes, sealed: int) -> CloudEvent:
        return CloudEvent(
            **msgspec.msgpack.decode(self._content.open(content, str(number)) if sealed else content)
        )


def _place(subscription: str, number: int) -> str:
    return f"{subscription}/{number}"
