"""The ledger of a node: append records, publish and prove them, let peers witness them, read them back."""

import asyncio
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Pseudonymiser, Rereading
from sluis.kernel import Clock, Conflict, Invalid, Refused, Text, milliseconds, new_span_id, new_trace_id
from sluis.ledger import audit, sql, witness
from sluis.ledger.following import Following
from sluis.ledger.model import Destruction, Epoch, Position, Processing, Record, Search
from sluis.ledger.notes import log_key, signed_checkpoint
from sluis.ledger.reading import Log, no_record
from sluis.ledger.rules import kind_of
from sluis.ledger.verifier import LOG, Checkpoint, Key, Rejected, open_checkpoint
from sluis.ledger.witness import Cosigned, Peer
from sluis.ledger.writing import Along, OwnAct, Records
from sluis.store import Store, migrate, unkept, write_durably

_EPOCH = re.compile(r"[1-9][0-9]{0,8}")
_OWN = frozenset({"destruction", "epoch"})
_OWN_MARKS = [f'"kind":"{kind}"'.encode() for kind in _OWN]
_MOST_DESTROYED = 10_000  # records in one act: it must not keep other writers waiting


class Ledger:
    """One log, open for writing. Made by `open_ledger`; its methods may be called from any task or thread.

    Attributes:
        log: reads it: tiles, proofs, records.
        following: whoever makes something of it as it grows.
    """

    def __init__(
        self, store: Store, keys: KeyStore, records: Records, clock: Clock, memory: Path | None, lookups: int
    ) -> None:
        self.log, self.following = Log(store), Following(store)
        self._store, self._keys, self._records, self._clock, self._memory = (
            store,
            keys,
            records,
            clock,
            memory,
        )
        self._pseudonyms = Pseudonymiser(keys)
        self._rereading = Rereading(self._pseudonyms, lookups)
        self._publishing = threading.Lock()
        self._witnessed: dict[str, int] = {}

    # Writing

    def append(
        self, records: Sequence[Record], along: Callable[[Connection], object] | None = None
    ) -> "asyncio.Future[Position]":
        """Keep records, all of them or none, in one group commit. What happens meanwhile need not wait for it.

        Args:
            records: in their order; what this ledger already holds with the same content is not added again.
            along: a change elsewhere in the database that stands or falls with the records. It runs on the writer's
                thread and must be quick; what it raises refuses both, and comes back here.

        Returns:
            A future of where the last one stands, once all are durable.

        The future raises:
            Unkept: they could not be kept; nothing may leave.
            Conflict: one has the key of an earlier record and other content.
            Invalid: one is malformed.
        """
        payload = records if along is None else Along(records, along)
        return self._store.submit(self._records, payload, max(len(records), 1))

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        """The pseudonym under which a data subject stands in records of the year of `moment`.

        Args:
            kind: type of the key (`BSN`, or a URI).
            value: the key.
            moment: aware UTC.
        """
        return self._pseudonyms.of(kind, value, moment)

    async def destroy(self, stretches: Sequence[tuple[int, int]], ground: str) -> Position:
        """Destroy records for good, and record that it happened. The tree stays whole.

        Args:
            stretches: first and last index of each, together at most 10,000 records.
            ground: why they must go: an entry of the selection list, an article.

        Returns:
            Where the record of the destruction stands.

        Raises:
            NotFound: the log does not go that far.
            Refused: one of them is a record of the ledger about itself.
            Invalid: no or too many records.
            Unkept: it could not be recorded; nothing was destroyed.
        """
        for first, last in stretches:
            if not 0 <= first <= last < self._records.size:
                raise no_record(last)
        if not 1 <= sum(last - first + 1 for first, last in stretches) <= _MOST_DESTROYED:
            raise _wrong_number()
        await asyncio.to_thread(self._refuse_own, stretches)
        now = milliseconds(self._clock())
        act = Destruction(new_trace_id(), new_span_id(), tuple(stretches), ground, now)
        position: Position = await self._store.submit(self._records, OwnAct([act]))
        return position

    def _refuse_own(self, stretches: Sequence[tuple[int, int]]) -> None:
        for first, last in stretches:
            for index, body in self.log.bodies(first, last + 1):
                if any(mark in body for mark in _OWN_MARKS) and kind_of(body) in _OWN:
                    raise _own_record(index)

    # Publishing and proving

    @property
    def origin(self) -> str:
        """The name of the log, in the epoch it is in."""
        return self._records.origin

    @property
    def key(self) -> Key:
        """The key that its checkpoints are verified with."""
        return log_key(self.origin, self._keys)

    async def checkpoint(self) -> str:
        """Sign and publish a checkpoint over all that is committed; the newest one, when nothing was added since.

        Raises:
            Unkept: it could not be kept, and so was not published.
        """
        return await asyncio.to_thread(self.publish)

    def publish(self) -> str:
        """`checkpoint` for a thread without an event loop."""
        return self._keep(self._signed(), [])

    async def cosign(self, peers: Sequence[Peer]) -> list[Cosigned]:
        """Sign a checkpoint over all that is committed, have peers witness it, all at once, and publish it with
        their cosignatures. What nobody cosigns is published all the same. Peers that signed already are not asked.

        Returns:
            How it went with each that was asked. `ahead` means: this node has lost records, see `begin_epoch`.

        Raises:
            Unkept: the checkpoint could not be kept.
        """
        note = await asyncio.to_thread(self._signed)
        size = Checkpoint.parse(note).size

        def proof(old: int) -> list[bytes]:
            return self.log.consistency(old, size)

        missing = [peer for peer in peers if f"\n— {peer.key.name} " not in note]
        known = [min(self._witnessed.get(peer.key.name, 0), size) for peer in missing]
        answers = await asyncio.gather(
            *[witness.ask(peer, note, size, old, proof) for peer, old in zip(missing, known, strict=True)]
        )
        self._witnessed.update({one.witness: size for one in answers if one.outcome == "cosigned"})
        await asyncio.to_thread(self._keep, note, [one.line for one in answers if one.outcome == "cosigned"])
        return answers

    def _signed(self) -> str:
        size, newest = self._records.size, self.log.checkpoint()
        if newest is not None and Checkpoint.parse(newest).size == size:
            return newest
        return signed_checkpoint(self.origin, size, self.log.root(size), self._keys)

    def _keep(self, note: str, cosignatures: Sequence[str]) -> str:
        """Publish a checkpoint, unless a newer one was published meanwhile; gives the newest."""
        with self._publishing:
            newest = self.log.checkpoint()
            if newest is not None:
                sizes = Checkpoint.parse(newest).size, Checkpoint.parse(note).size
                if sizes[0] > sizes[1]:
                    return newest
                note = newest if sizes[0] == sizes[1] else note
            note += "".join(line for line in cosignatures if line not in note)
            if note != newest:
                self._write(note)
            return note

    def _write(self, note: str) -> None:
        # The file outside the database comes first: it is what shows that the database was put back.
        if self._memory is not None:
            try:
                write_durably(self._memory, note.encode())
            except OSError as problem:
                raise unkept(problem) from problem
        values = {"checkpoint": note, "number": self._records.epoch}
        self._store.write_blocking(lambda connection: _publish(connection, values))
        self._records.witnesses = cosigners(note)

    async def prove(self, index: int) -> str:
        """The receipt of a record (`.tlog-proof`, c2sp.org/tlog-proof@v1): it verifies offline.

        The extra data is the record's salt: with it, who has the record's canonical JSON can make the entry.

        Raises:
            NotFound: there is no such record.
        """
        newest = await asyncio.to_thread(self.log.checkpoint)
        if newest is None or Checkpoint.parse(newest).size <= index < self._records.size:
            newest = await self.checkpoint()
        return await asyncio.to_thread(receipt, self.log, newest, index)

    async def verify(
        self, seen: Sequence[str] = (), progress: audit.Progress | None = None
    ) -> audit.Verification:
        """Check the whole log from the inside; see `audit.verify`."""
        return await asyncio.to_thread(
            audit.verify, self._store, self._keys.public, self._seen(seen), progress
        )

    def _seen(self, seen: Sequence[str]) -> list[str]:
        remembered = [self._memory.read_text()] if self._memory is not None and self._memory.exists() else []
        return [*seen, *remembered]

    # Epochs

    def begin_epoch(self, seen: Sequence[str]) -> Position | None:
        """Go on under a new origin, when somebody holds a checkpoint that this log no longer agrees with.

        That is so after the node was put back from a backup. Signing on under the old origin would be a fork.

        Args:
            seen: notes of checkpoints of this log, of any epoch, that witnesses or the node's own file hold.

        Returns:
            Where the record of the new epoch stands; None when nothing was lost.
        """
        lost = [(number, note) for note in seen if (number := self._lost_in(note)) is not None]
        if not lost:
            return None
        number, note = max(lost)
        base = base_origin(self.origin)
        now, found = milliseconds(self._clock()), self._records.size
        act = Epoch(new_trace_id(), new_span_id(), number + 1, f"{base}/epoch-{number + 1}", note, found, now)
        position: Position = self._store.submit_blocking(self._records, OwnAct([act]))
        self._witnessed.clear()
        return position

    def _lost_in(self, note: str) -> int | None:
        """The number of the epoch of a checkpoint that the log does not agree with; None when it does."""
        origin = note.partition("\n")[0]
        number = epoch_number(origin)
        if base_origin(origin) != base_origin(self.origin) or number < self._records.epoch:
            return None
        try:
            checkpoint = open_checkpoint(note, Key(origin, LOG, self._keys.public))
        except Rejected:  # not signed with this log's key: it says nothing
            return None
        if number == self._records.epoch and checkpoint.size <= self._records.size:
            return None if self.log.root(checkpoint.size) == checkpoint.root else number
        return number

    # Reading

    async def processing_of(self, search: Search, *, withheld: bool) -> list[Processing]:
        """Processing records, newest first.

        Args:
            search: what to look for; see `Search`.
            withheld: also those that are withheld from the subject now. Never for the subject.

        Raises:
            Invalid: the search names no trace, activity or subject.
        """
        now = None if withheld else milliseconds(self._clock())
        return await asyncio.to_thread(self.log.processing, search, now)

    def subjects(self, kind: str, value: str) -> tuple[str, ...]:
        """All pseudonyms that a subject may stand under, for looking them up, at a limited pace.

        Raises:
            Refused: it goes too fast.
        """
        return self._rereading.all_of(kind, value)


def open_ledger(
    store: Store,
    keys: KeyStore,
    origin: str,
    clock: Clock,
    *,
    memory: Path | None = None,
    seen: Sequence[str] = (),
    lookups: int = 600,
) -> Ledger:
    """Open the log of a node for writing. Begins a new epoch when the database turns out to be an older one.

    Args:
        store: the node's database.
        keys: signs checkpoints, makes pseudonyms.
        origin: name of the log, such as `sluis.example/log/<oin>`.
        clock: aware UTC.
        memory: file outside the database that holds the newest checkpoint, best on another disk.
        seen: notes of checkpoints of this log that witnesses hold.
        lookups: how many subjects may be looked up each minute.

    Raises:
        Conflict: another process writes this log, the database is newer than the code, or it holds another log.
        Unkept: the database cannot be written.
    """
    migrate(store, "ledger", sql.MIGRATIONS)
    records = Records(origin)
    store.register(records)
    if base_origin(records.origin) != origin:
        raise _other_log(records.origin)
    ledger = Ledger(store, keys, records, clock, memory, lookups)
    newest = ledger.log.checkpoint()
    records.witnesses = cosigners(newest) if newest else 0
    ledger.begin_epoch(ledger._seen(seen))
    return ledger


def receipt(log: Log, note: str, index: int) -> str:
    """The `.tlog-proof` of a record in the tree of a checkpoint. Raises `NotFound` when it is not in there."""
    stored = log.stored(index)
    proof = log.inclusion(index, Checkpoint.parse(note).size)
    extra = [] if stored.salt is None else [f"extra {b64encode(stored.salt).decode()}"]
    lines = [
        "c2sp.org/tlog-proof@v1",
        *extra,
        f"index {index}",
        *(b64encode(hash_).decode() for hash_ in proof),
    ]
    return "\n".join([*lines, "", note])


def cosigners(note: str) -> int:
    """How many have cosigned a checkpoint; only cosignatures that were checked are ever kept under it."""
    origin = note.partition("\n")[0]
    lines = note.rpartition("\n\n")[2].splitlines()
    return sum(line.startswith("— ") and not line.startswith(f"— {origin} ") for line in lines)


def base_origin(origin: str) -> str:
    """The origin of the first epoch of a log."""
    base, slash, number = origin.rpartition("/epoch-")
    return base if slash and _EPOCH.fullmatch(number) else origin


def epoch_number(origin: str) -> int:
    """The number of the epoch that an origin names; 1 when it names none."""
    return 1 if base_origin(origin) == origin else int(origin.rpartition("-")[2])


def _publish(connection: Connection, values: dict[str, object]) -> None:
    connection.execute(text(sql.PUBLISH), values)


def _other_log(origin: str) -> Conflict:
    return Conflict(
        "other-log",
        Text("In deze database staat een ander logboek.", "This database holds another log."),
        Text(f"Het heet {origin}.", f"It is named {origin}."),
        Text("Geef het knooppunt zijn eigen database.", "Give the node the database that belongs to it."),
    )


def _own_record(index: int) -> Refused:
    return Refused(
        "own-record",
        Text(f"Regel {index} kan niet worden vernietigd.", f"Record {index} cannot be destroyed."),
        Text(
            "Hij legt vast wat er met het logboek zelf is gedaan.",
            "It records what was done to the log itself.",
        ),
        Text("Laat deze regel weg.", "Leave this record out."),
        rule="own-record",
    )


def _wrong_number() -> Invalid:
    return Invalid(
        "wrong-number-of-records",
        Text("Zoveel regels kunnen niet in één keer weg.", "That many records cannot go at once."),
        Text(
            f"Het moeten er minstens 1 en hoogstens {_MOST_DESTROYED} zijn.",
            f"There must be at least 1 and at most {_MOST_DESTROYED}.",
        ),
        Text("Doe het in delen.", "Do it in parts."),
    )
