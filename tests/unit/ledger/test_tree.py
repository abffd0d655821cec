"""The Merkle tree: RFC 6962 and tlog-tiles by their own examples, and proofs that hold for every size and index."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluis.ledger import verifier
from sluis.ledger.reading import tiles_of
from sluis.ledger.tree import EMPTY_ROOT, WIDTH, Tree, TreeAt, leaf_hash, node_hash, subtree_root
from sluis.ledger.verifier import Range, Rejected, check_consistency, check_inclusion

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "merkle.json").read_text())
LEAVES = [hashlib.sha256(b"leaf %d" % number).digest() for number in range(70_000)]


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + slow_root(leaves[:split]) + slow_root(leaves[split:])).digest()


class Grown:
    """A tree and its tiles."""

    def __init__(self, size: int, steps: list[int]) -> None:
        self.tree, self.tiles, at = Tree(), dict[tuple[int, int], bytes](), 0
        while at < size:
            step = steps[at % len(steps)] if steps else size
            for tile in self.tree.extend(LEAVES[at : min(size, at + step)]):
                self.tiles[tile.level, tile.number] = tile.hashes
            at = min(size, at + step)
        self.at = TreeAt(size, self.fetch)

    def fetch(self, level: int, number: int, width: int) -> bytes:
        return self.tiles.get((level, number)) or b"".join(self.tree.edges[level])


def test_hashes_are_those_of_rfc_6962() -> None:
    for entry, leaf in VECTORS["leaves"]:
        assert leaf_hash(bytes.fromhex(entry)).hex() == leaf == verifier.leaf_hash(bytes.fromhex(entry)).hex()
    leaves = [bytes.fromhex(leaf) for _, leaf in VECTORS["leaves"]]
    for size, root in enumerate(VECTORS["roots"]):
        tree = Tree()
        tree.extend(leaves[:size])
        assert tree.root().hex() == root
    assert node_hash(leaves[0], leaves[1]).hex() == VECTORS["roots"][2]


@given(st.integers(0, 1200), st.lists(st.integers(1, 600), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_every_tree_has_the_root_of_its_definition_however_it_grew(size: int, steps: list[int]) -> None:
    grown = Grown(size, steps)
    whole = Range()
    for leaf in LEAVES[:size]:
        whole.push(leaf)
    assert grown.tree.root() == grown.at.root() == slow_root(LEAVES[:size]) == whole.root()


@given(st.data(), st.integers(1, 1200))
@settings(deadline=None, max_examples=60)
def test_every_inclusion_is_proved_and_no_other(data: st.DataObject, size: int) -> None:
    grown, index = Grown(size, []), data.draw(st.integers(0, size - 1))
    proof, root = grown.at.inclusion(index), grown.tree.root()
    check_inclusion(index, size, LEAVES[index], proof, root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(Rejected):
            check_inclusion(index, size, LEAVES[other], proof, root)
    for broken in (proof[:-1], [*proof, bytes(32)], [bytes(32), *proof[1:]]):
        if broken != proof:
            with pytest.raises(Rejected):
                check_inclusion(index, size, LEAVES[index], broken, root)


@given(st.data(), st.integers(1, 1200))
@settings(deadline=None, max_examples=60)
def test_every_beginning_is_proved_and_no_other(data: st.DataObject, size: int) -> None:
    grown, old = Grown(size, []), data.draw(st.integers(0, size))
    proof, root, before = grown.at.consistency(old), grown.tree.root(), slow_root(LEAVES[:old])
    check_consistency(old, size, proof, before, root)
    forked = slow_root([bytes(32), *LEAVES[1:old]])
    if old > 0:
        with pytest.raises(Rejected):
            check_consistency(old, size, proof, forked, root)
    for broken in (proof[:-1], [*proof, bytes(32)]):
        if broken != proof:
            with pytest.raises(Rejected):
                check_consistency(old, size, broken, before, root)


@pytest.mark.parametrize(("old", "size"), [(-1, 3), (4, 3)])
def test_a_tree_cannot_shrink(old: int, size: int) -> None:
    with pytest.raises(Rejected):
        check_consistency(old, size, [], EMPTY_ROOT, EMPTY_ROOT)


def test_tiles_are_those_of_the_example_of_tlog_tiles() -> None:
    grown = Grown(70_000, [5000])
    counts = {level: sum(key[0] == level for key in grown.tiles) for level in range(3)}
    assert (counts, [len(edge) for edge in grown.tree.edges]) == ({0: 273, 1: 1, 2: 0}, [112, 17, 1])
    widths = [(level, width) for level, _, width in tiles_of(70_000) if level != "entries"]
    assert widths.count((0, 256)) == 273
    assert [one for one in widths if one[1] < 256] == [(0, 112), (1, 17), (2, 1)]


def test_a_full_tile_stands_in_the_one_above() -> None:
    grown = Grown(256, [100])
    assert len(grown.tiles[0, 0]) == 32 * WIDTH
    assert grown.tree.edges == [[], [subtree_root(LEAVES[:256])]]


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (999, 1, "tile/0/999.p/1"),
        (1000, 256, "tile/0/x001/000"),
    ],
)
def test_tile_paths_are_those_of_tlog_tiles(number: int, width: int, path: str) -> None:
    assert verifier.tile_path(0, number, width) == path
