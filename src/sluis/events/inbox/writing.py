"""What a commit of the inbox writes: on the writer's thread, in a savepoint together with the lines of the log."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, text

from sluis.crypto import KeyStore, Vault, encode_base64url
from sluis.events.cloudevent import CloudEvent, attributes
from sluis.events.inbox import sql
from sluis.events.inbox.model import Followed, Item, Key, Step
from sluis.events.queue import Addition, Outgoing, Queue
from sluis.events.subscriptions import Subscriptions
from sluis.kernel import PeerId, Trace

_OURS = frozenset({"sequence", "sequencetype", "traceparent"})
"""Of the way between two nodes; an own system gets its own."""


class Writing:
    """Writes what came in.

    Args:
        own: this organisation.
        keys: seal what waits, and tell streams apart.
        subscriptions: of this organisation's own systems.
        queue: where it waits for them.
    """

    def __init__(self, own: PeerId, keys: KeyStore, subscriptions: Subscriptions, queue: Queue) -> None:
        self._own, self._keys, self._subscriptions, self._queue = own, keys, subscriptions, queue
        self._vault = Vault(keys, "inbox-held")

    def write(
        self, connection: Connection, digests: Collection[bytes], day: int, steps: Sequence[Step], stands: Iterable[Followed]
    ) -> None:  # fmt: skip
        """Make it so.

        Args:
            connection: of the commit.
            digests: of what is new.
            day: today, as an ordinal.
            steps: what is handed over, and what waits.
            stands: where the subscriptions stand then.
        """
        if digests:
            connection.execute(text(sql.SEE), [{"digest": one, "day": day} for one in digests])
        additions = list[Addition]()
        for step in steps:
            additions += self._released(connection, step)
            self._hold(connection, step)
        rows = [row_of(one.key) | {"upto": one.upto} for one in stands]
        connection.execute(text(sql.STAND), rows)
        if additions:
            self._queue.add(connection, additions)

    def _hold(self, connection: Connection, step: Step) -> None:
        rows = []
        for number in step.hold:
            item = step.came[number]
            content = item and self._vault.seal(
                msgspec.msgpack.encode(item.came.event), _place(step.key, number)
            )
            rows.append(row_of(step.key) | {"sequence": number, "content": content})
        if rows:
            connection.execute(text(sql.HOLD), rows)

    def _released(self, connection: Connection, step: Step) -> list[Addition]:
        events = dict[int, CloudEvent | None]()
        for number, item in step.came.items():
            events[number] = None if item is None else item.came.event
        earlier = [number for number in step.release if number not in step.came]
        if earlier:
            values = row_of(step.key) | {"sequences": earlier}
            for row in connection.execute(_listed(sql.HELD, "sequences", BigInteger), values).all():
                events[row.sequence] = row.content and CloudEvent(
                    **msgspec.msgpack.decode(
                        self._vault.open(bytes(row.content), _place(step.key, row.sequence))
                    )
                )
            connection.execute(_listed(sql.RELEASE, "sequences", BigInteger), values)
        found = (events.get(number) for number in step.release)
        onward = (self._onward(one) for one in found if one is not None)
        return [one for one in onward if one[1]]  # what nobody wants would be kept, and never let go

    def _onward(self, event: CloudEvent) -> Addition:
        """An event, and the own subscriptions that want it."""
        wanted = self._subscriptions.matching(self._own, attributes(event))
        trace = Trace.parse(str(event.extensions.get("traceparent", ""))) or Trace.begin()
        stream = ""
        if event.subject is not None:
            stream = encode_base64url(
                self._keys.mac("inbox-stream", f"{event.source}\n{event.subject}".encode())
            )
        extensions = {name: value for name, value in event.extensions.items() if name not in _OURS}
        kept = msgspec.structs.replace(event, subject=None, extensions=extensions)
        notice = str(event.extensions.get("notice", ""))
        return kept, [Outgoing(one.id, stream, event.subject, notice, trace.trace_id) for one in wanted]


def seen(connection: Connection, items: Collection[Item]) -> set[bytes]:
    """The digests of those that came before."""
    if not items:
        return set()
    asked = {"digests": [one.digest for one in items]}
    return {bytes(row.digest) for row in connection.execute(_listed(sql.SEEN, "digests", LargeBinary), asked)}


def row_of(key: Key) -> dict[str, Any]:
    """How a subscription is named in every statement."""
    return {"source": str.__str__(key[0]), "subscription": key[1]}


def _place(key: Key, number: int) -> str:
    return f"{key[0]!s}/{key[1]}/{number}"


def _listed(statement: str, name: str, kind: Any) -> Any:
    return text(statement).bindparams(bindparam(name, expanding=True, type_=kind))
