"""The Merkle tree of RFC 6962 section 2.1, as it grows, and the proofs in it (sections 2.1.1 and 2.1.2).

Hashes stand in tiles of 256, one tile level for every eight tree levels (c2sp.org/tlog-tiles). A growing tree needs
only the tiles at its right edge; proofs fetch the tiles they need. Checking proofs is the work of `verifier`, which
shares no code with this module.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import msgspec

WIDTH = 256
_sha256 = hashlib.sha256
_NODE = _sha256(b"\x01")  # which the hash of each node begins with

EMPTY_ROOT = _sha256(b"").digest()


class Tile(msgspec.Struct, frozen=True):
    """A full tile: `hashes` are 256 hashes of 32 bytes, `root` is the hash above them."""

    level: int
    number: int
    hashes: bytes
    root: bytes


Fetch = Callable[[int, int, int], bytes]
"""Gives the hashes (32 bytes each, concatenated) of tile (level, number), at least the first `width` of them."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return _sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over one or more subtree hashes, which are full but for the last."""
    level = list(hashes)
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            node = _NODE.copy()  # a third quicker than to hash that byte again
            node.update(left + right)
            above.append(node.digest())
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


class Tree:
    """A tree that leaves are added to. `edges[level]` holds the hashes of the unfinished tile at that level."""

    def __init__(self, size: int = 0, edges: Iterable[Sequence[bytes]] = ()) -> None:
        self.size = size
        self.edges: list[list[bytes]] = [list(edge) for edge in edges] or [[]]

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Add leaf hashes; gives the tiles that this completes, lower levels first."""
        self.size += len(leaves)
        self.edges[0].extend(leaves)
        tiles: list[Tile] = []
        for level, edge in enumerate(self.edges):  # which grows underway: a new level is looked at too
            while len(edge) >= WIDTH:
                hashes = edge[:WIDTH]
                del edge[:WIDTH]
                if level + 1 == len(self.edges):
                    self.edges.append([])
                number = (self.size >> 8 * (level + 1)) - len(edge) // WIDTH - 1
                tiles.append(Tile(level, number, b"".join(hashes), root := subtree_root(hashes)))
                self.edges[level + 1].append(root)
        return tiles

    def root(self) -> bytes:
        """The hash of the whole tree."""
        below: list[bytes] = []
        for edge in self.edges:
            if edge or below:
                below = [subtree_root([*edge, *below])]
        return below[0] if below else EMPTY_ROOT


class TreeAt:
    """A tree of `size` leaves that reads its hashes from tiles.

    Args:
        size: number of leaves, at least 1.
        fetch: gives tiles; asked once for each tile.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        self.size, self._fetch = size, fetch
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        """The hash of the whole tree."""
        return self._hash(0, self.size) if self.size else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """The leaf hash at `index`."""
        return self._stored(0, index)

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of leaf `index`, lowest first (RFC 6962, 2.1.1)."""
        return self._path(index, 0, self.size)

    def consistency(self, size: int) -> list[bytes]:
        """The proof that the tree of the first `size` leaves is a part of this one (RFC 6962, 2.1.2)."""
        return [] if size in (0, self.size) else self._subproof(size, 0, self.size, True)

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._hash(middle, end)]
        return [*self._path(index, middle, end), self._hash(start, middle)]

    def _subproof(self, size: int, start: int, end: int, whole: bool) -> list[bytes]:
        if size == end:
            return [] if whole else [self._hash(start, end)]
        middle = start + _split(end - start)
        if size <= middle:
            return [*self._subproof(size, start, middle, whole), self._hash(middle, end)]
        return [*self._subproof(size, middle, end, False), self._hash(start, middle)]

    def _hash(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            return self._stored(width.bit_length() - 1, start // width)
        middle = start + _split(width)
        return node_hash(self._hash(start, middle), self._hash(middle, end))

    def _stored(self, height: int, number: int) -> bytes:
        """The hash of the `number`th full subtree of 2^height leaves."""
        level, within = divmod(height, 8)
        span = 1 << within
        tile, place = divmod(number * span, WIDTH)
        hashes = self._tile(level, tile)[32 * place : 32 * (place + span)]
        return subtree_root([hashes[at : at + 32] for at in range(0, len(hashes), 32)])

    def _tile(self, level: int, number: int) -> bytes:
        if (level, number) not in self._tiles:
            self._tiles[level, number] = self._fetch(level, number, self._width(level, number))
        return self._tiles[level, number]

    def _width(self, level: int, number: int) -> int:
        return min(WIDTH, (self.size >> 8 * level) - number * WIDTH)


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << (width - 1).bit_length() - 1
