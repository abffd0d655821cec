"""Checking a log from the inside: every record against its leaf and against what it is found by (`stretch`), every
leaf and tile against the root, the root against the checkpoints that were signed, and every destroyed record against
the record that says so.

Everything is as in one snapshot. When there is much, other processes look too, because one interpreter uses one
processor only. Their snapshots are later ones; what they find counts when it is certain to be the same in this one.
What somebody outside can check without these records is in `verifier`.
"""

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import accumulate, pairwise

import msgspec
from sqlalchemy import Connection, text

from sluis.ledger import sql
from sluis.ledger.processes import shared
from sluis.ledger.reading import tiles_of
from sluis.ledger.stretch import Fault, Looked, Stretch, fetching, is_as_kept, look_at
from sluis.ledger.tree import WIDTH, subtree_root
from sluis.ledger.verifier import LOG, Checkpoint, Key, Range, Rejected, open_checkpoint
from sluis.store import Store


class Verification(msgspec.Struct, frozen=True):
    """What checking found. `destroyed` counts the records that were destroyed and accounted for; `checkpoints` the
    signed checkpoints that the log agrees with. Sound when there are no faults."""

    size: int
    root: bytes
    destroyed: int
    checkpoints: int
    faults: tuple[Fault, ...]


ALONE = 250_000
"""Up to so many records no other process helps: it needs a second to start."""

_ENOUGH = 10_000
"""After so many faults no more is looked at: one row far away makes a log claim more records than anybody can go through."""

_STRETCH = 8192  # records: whole tiles, and done in a tenth of a second

Progress = Callable[[int, int], None]
"""Told now and then how many records are done, of how many."""


def verify(
    store: Store, public: bytes, seen: Sequence[str] = (), progress: Progress | None = None
) -> Verification:
    """Check the log in a store, in one snapshot of it.

    Args:
        store: the node's database.
        public: the Ed25519 key that its checkpoints are signed with.
        seen: notes of checkpoints that somebody kept elsewhere.
        progress: told how far it is.

    Returns:
        What was found; each fault once, those of records first.

    Raises:
        Unkept: the database cannot be read, or a process that helped ended before it was done.
    """
    with store.read() as connection:
        audit = _Audit(connection)
        audit.expect(_signed(connection, public, seen, audit.faults))
        with closing(audit.looked_at(store)) as found:
            for stretch, tiles in found:
                for looked in tiles:
                    audit.add(looked)
                if progress is not None:
                    progress(stretch.end, audit.size)
                if len(audit.faults) >= _ENOUGH and stretch.end < audit.size:
                    return audit.break_off(stretch.end)
        return audit.finish()


def _signed(
    connection: Connection, public: bytes, seen: Sequence[str], faults: list[Fault]
) -> list[Checkpoint]:
    """The checkpoints that the log must agree with: its own, and those seen. Of an epoch that ended because records
    were lost, only what was still there when the next began."""
    epochs = connection.execute(text(sql.EPOCHS)).all()
    ends = {old.origin: new.since for old, new in pairwise(epochs)}
    signed = []
    for note in [*(row.checkpoint for row in epochs if row.checkpoint), *seen]:
        origin = note.partition("\n")[0] if isinstance(note, str) else ""
        try:
            checkpoint = open_checkpoint(note if origin else "", Key(origin, LOG, public))
        except Rejected:
            faults.append(Fault("checkpoint", 0))
            continue
        if checkpoint.size <= ends.get(origin, checkpoint.size):
            signed.append(checkpoint)
    return signed


class _Audit:
    def __init__(self, connection: Connection) -> None:
        self._fetch = fetching(connection)
        self.size = int(self._fetch(sql.SIZE)[0][0])
        self._runs = int(self._fetch(sql.RUNS)[0][0])
        self._whole, self._roots = Range(), list[bytes]()
        self._expected: dict[int, list[bytes]] = {}
        self._gone: list[int] = []
        self._accounted: list[tuple[int, int]] = []
        self._hidden = dict[int, Fault]()
        self.faults: list[Fault] = []

    def expect(self, checkpoints: Sequence[Checkpoint]) -> None:
        for checkpoint in checkpoints:
            self._expected.setdefault(checkpoint.size, []).append(checkpoint.root)

    def looked_at(self, store: Store) -> Generator[tuple[Stretch, list[Looked]]]:
        """Each stretch of the log, and what is found in it, in this snapshot."""
        if self.size <= ALONE:
            yield from ((stretch, look_at(self._fetch, stretch)) for stretch in self._stretches())
            return
        with closing(shared(store, self._stretches())) as elsewhere:
            for stretch, tiles in zip(self._stretches(), elsewhere, strict=True):
                yield stretch, tiles if self._is_here(stretch, tiles) else look_at(self._fetch, stretch)

    def _stretches(self) -> Iterator[Stretch]:
        """Leaves are wanted where a checkpoint was signed, and of the unfinished tile at the end."""
        wanted = sorted([*self._expected, self.size])
        for first in range(0, self.size, _STRETCH):
            end = min(first + _STRETCH, self.size)
            yield Stretch(first, end, self._runs, bisect_right(wanted, first) < bisect_right(wanted, end))

    def _is_here(self, stretch: Stretch, tiles: Sequence[Looked]) -> bool:
        """Whether a stretch reads the same in this snapshot as in a later one, in which `tiles` was found.

        Nothing happens to a record but that it is destroyed, and never is that undone. So a stretch that was in order
        later was so before, if the same records were gone.
        """
        gone = [index for looked in tiles for index in looked.gone]
        return not any(looked.faults or looked.hidden for looked in tiles) and (
            not gone or gone == [index for (index,) in self._fetch(sql.gone(stretch.first, stretch.end))]
        )

    def add(self, looked: Looked) -> None:
        """Take what was found in the next tile."""
        self.faults += looked.faults
        self._gone += looked.gone
        self._accounted += looked.accounted
        self._hide(looked.hidden)
        self._follow(looked)

    def break_off(self, end: int) -> Verification:
        """There is enough wrong before record `end`."""
        self._tell_hidden()
        self.faults.append(Fault("unchecked", end))
        return Verification(self.size, self._whole.root(), 0, 0, tuple(self.faults))

    def finish(self) -> Verification:
        if self._runs * sql.RUN > self.size:  # a run that is said to be there, and is not full, hides its own
            self._hide([self.size // sql.RUN * sql.RUN])
        self._tell_hidden()
        self._upper_tiles()
        self.faults += [Fault("unaccounted", index) for index in self._unaccounted()]
        for size, roots in self._expected.items():
            if size > self.size:
                self.faults.append(Fault("truncated", size))
            elif size == 0:
                self._compare(0, Range().root(), roots)
        unaccounted = sum(fault.kind == "unaccounted" for fault in self.faults)
        wrong = sum(fault.kind in ("forked", "truncated") for fault in self.faults)
        checkpoints = sum(map(len, self._expected.values())) - wrong
        destroyed = len(self._gone) - unaccounted
        return Verification(self.size, self._whole.root(), destroyed, checkpoints, tuple(self.faults))

    def _tell_hidden(self) -> None:
        altered = {fault.index for fault in self.faults}
        self.faults += [fault for index, fault in self._hidden.items() if index not in altered]

    def _hide(self, indexes: Iterable[int]) -> None:
        self._hidden.update({index: Fault("hidden", index) for index in indexes})

    def _unaccounted(self) -> Iterator[int]:
        """The records that were destroyed and are in no stretch that a record of a destruction names."""
        stretches = sorted(self._accounted)
        firsts = [first for first, _ in stretches]
        reached = list(accumulate((last for _, last in stretches), max))
        for index in self._gone:
            before = bisect_right(firsts, index)
            if not before or reached[before - 1] < index:
                yield index

    def _follow(self, looked: Looked) -> None:
        """Add a tile to the tree, and look at the sizes inside it that checkpoints were signed for."""
        first = (looked.end - 1) // WIDTH * WIDTH
        inside = [size for size in self._expected if first < size <= looked.end]
        part = Range(list(self._whole.nodes))
        if inside or looked.root is None:
            for size, leaf in enumerate(looked.leaves, first + 1):
                part.push(leaf)
                if size in inside:
                    self._compare(size, part.root(), self._expected[size])
        if looked.root is None:
            self._whole = part
        else:
            self._whole.push(looked.root, 8)
            self._roots.append(looked.root)

    def _compare(self, size: int, root: bytes, signed: list[bytes]) -> None:
        self.faults += [Fault("forked", size) for other in signed if other != root]

    def _upper_tiles(self) -> None:
        below = self._roots
        for level, number, width in tiles_of(self.size):
            if not isinstance(level, int) or level == 0 or width < WIDTH:
                continue
            if number == 0 and level > 1:
                below = [
                    subtree_root(below[at : at + WIDTH])
                    for at in range(0, len(below) // WIDTH * WIDTH, WIDTH)
                ]
            hashes = below[number * WIDTH : number * WIDTH + WIDTH]
            kept = self._fetch(sql.kept_tile(level, number))
            if not is_as_kept(hashes, subtree_root(hashes), kept):
                self.faults.append(Fault("tile", number * WIDTH ** (level + 1)))
        # What is in the place of a tile that is not full yet is taken for it.
        if self._fetch(sql.stray_tiles(self.size)):
            self.faults.append(Fault("tile", self.size // WIDTH * WIDTH))
