"""Proofs of the log as drawings: where the boxes and lines of an SVG stand, and the same in sentences. Pure.

Inclusion after RFC 9162 section 2.1.3.2, consistency after 2.1.4.2. What is drawn is what is computed here from the proof, so
that a proof that does not hold is seen at the top: there the hash that comes out stands beside the one that was signed.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from sluis.kernel import Text

BoxKind = Literal["leaf", "path", "given", "root", "signed", "witness", "false"]

WIDTH = 360
_BOX, _HIGH, _STEP = 108, 36, 64
_LEFT, _MIDDLE, _RIGHT = 62, 180, 298


class Box(msgspec.Struct, frozen=True):
    """A box around two lines of text; `x` and `y` are of its middle and its top."""

    x: int
    y: int
    wide: int
    kind: BoxKind
    title: Text
    told: str = ""

    @property
    def left(self) -> int:
        """Its left edge."""
        return self.x - self.wide // 2


class Line(msgspec.Struct, frozen=True):
    """A line from the bottom of one box to the top of another."""

    x1: int
    y1: int
    x2: int
    y2: int


class Drawing(msgspec.Struct, frozen=True):
    """A drawing, what it says in sentences, and whether the proof holds."""

    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    told: tuple[Text, ...]
    holds: bool


class Step(msgspec.Struct, frozen=True):
    """One hash of a proof on the way up: on which side it comes, and what it makes."""

    given: bytes
    left: bool
    made: bytes
    both: bool = True
    """Of a consistency proof: whether it is part of the earlier tree too."""
    old: bytes = b""


def climb(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> list[Step]:
    """The way from a leaf to the root, lowest first; as long as the proof has hashes (RFC 6962 §2.1.1).

    Args:
        index: of the leaf, from 0.
        size: of the tree, in leaves.
        leaf: its hash, 32 bytes.
        proof: hashes of the inclusion proof, 32 bytes each, lowest first.
    """
    steps, first, last, made = [], index, size - 1, leaf
    for given in proof:
        left = bool(first & 1 or first == last)
        made = _node(given, made) if left else _node(made, given)
        steps.append(Step(given, left, made))
        if left:
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return steps


def follow(size1: int, size2: int, proof: Sequence[bytes], root1: bytes) -> tuple[bytes, list[Step]]:
    """What both trees share, and the way from there to either root (RFC 6962 §2.1.2).

    Args:
        size1, size2: of the earlier and the later tree, in leaves.
        proof: hashes of the consistency proof, 32 bytes each.
        root1: of the earlier tree.
    """
    rest = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    if not rest:
        return root1, []
    first, last = size1 - 1, size2 - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = rest[0]
    steps = []
    for given in rest[1:]:
        both = bool(first & 1 or first == last)
        if both:
            old, new = _node(given, old), _node(given, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = _node(new, given)
        first, last = first >> 1, last >> 1
        steps.append(Step(given, both, new, both, old))
    return rest[0], steps


def inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], signed: bytes, signers: Sequence[str]
) -> Drawing:
    """The way from a record to the root of a checkpoint.

    Args:
        index: of the record.
        size: of the tree.
        leaf: hash of the record.
        proof: as `Log.inclusion` gives it.
        signed: the root in the checkpoint.
        signers: the log first, then the witnesses that cosigned.
    """
    steps = climb(index, size, leaf, proof)
    root = steps[-1].made if steps else leaf
    holds = root == signed
    boxes, lines, top = _signed(size, signed, holds, signers)
    boxes.append(
        Box(_MIDDLE, top, _BOX, "root" if holds else "false", Text("berekend", "computed"), short(root))
    )
    lines.append(Line(_MIDDLE, top - _STEP + _HIGH, _MIDDLE, top))
    told = [
        Text(f"Regel {index} heeft de hash {short(leaf)}.", f"Record {index} has the hash {short(leaf)}.")
    ]
    for number, step in enumerate(reversed(steps)):
        y = top + (number + 1) * _STEP
        below = leaf if number == len(steps) - 1 else steps[len(steps) - 2 - number].made
        side = _LEFT if step.left else _RIGHT
        name = (
            Text(f"regel {index}", f"record {index}")
            if number == len(steps) - 1
            else Text("berekend", "computed")
        )
        boxes.append(
            Box(_MIDDLE, y, _BOX, "leaf" if number == len(steps) - 1 else "path", name, short(below))
        )
        boxes.append(Box(side, y, _BOX, "given", Text("uit het bewijs", "from the proof"), short(step.given)))
        lines += [Line(_MIDDLE, y - _STEP + _HIGH, _MIDDLE, y), Line(_MIDDLE, y - _STEP + _HIGH, side, y)]
    for number, step in enumerate(steps, 1):
        told.append(
            Text(
                f"Stap {number}: met {short(step.given)} {'ervoor' if step.left else 'erachter'} wordt dat {short(step.made)}.",
                f"Step {number}: with {short(step.given)} {'before' if step.left else 'after'} it, that becomes {short(step.made)}.",
            )
        )
    told.append(_verdict(holds, root, signed))
    return Drawing(top + len(steps) * _STEP + _HIGH + 8, tuple(boxes), tuple(lines), tuple(told), holds)


def consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes, signers: Sequence[str]
) -> Drawing:
    """That an earlier checkpoint is the beginning of a later one (RFC 6962 §2.1.2): one start, and from there the way to both roots.

    Args:
        old_size, size: of both trees, in leaves.
        proof: hashes of the consistency proof, 32 bytes each, as they stand in it.
        old_root, root: that were signed.
        signers: names of who signed the later one.
    """
    shared, steps = follow(old_size, size, proof, old_root)
    made_old = steps[-1].old if steps else shared
    made = steps[-1].made if steps else shared
    holds = made_old == old_root and made == root and (bool(steps) or old_size == size)
    boxes = [
        Box(_LEFT, 0, _BOX, "signed" if made_old == old_root else "false",
            Text(f"eerst: {old_size}", f"earlier: {old_size}"), short(old_root)),
        Box(_RIGHT, 0, _BOX, "signed" if made == root else "false",
            Text(f"nu: {size}", f"now: {size}"), short(root)),
    ]  # fmt: skip
    lines: list[Line] = []
    old_at = new_at = _HIGH
    rows = list(reversed(steps))
    for number, step in enumerate(rows):
        y, below = (number + 1) * _STEP, steps[len(steps) - 2 - number] if number < len(steps) - 1 else None
        new = below.made if below else shared
        boxes.append(
            Box(_MIDDLE, y, _BOX, "given", Text("uit het bewijs", "from the proof"), short(step.given))
        )
        lines += [Line(_RIGHT, new_at, _MIDDLE, y), Line(_RIGHT, new_at, _RIGHT, y)]
        boxes.append(
            Box(_RIGHT, y, _BOX, "path" if below else "leaf", _SHARED if below is None else _MADE, short(new))
        )
        new_at = y + _HIGH
        if step.both:
            older = below.old if below else shared
            boxes.append(
                Box(
                    _LEFT,
                    y,
                    _BOX,
                    "path" if below else "leaf",
                    _SHARED if below is None else _MADE,
                    short(older),
                )
            )
            lines += [Line(_LEFT, y - _STEP + _HIGH, _MIDDLE, y), Line(_LEFT, old_at, _LEFT, y)]
            old_at = y + _HIGH
        elif below is None:
            boxes.append(Box(_LEFT, y, _BOX, "leaf", _SHARED, short(shared)))
            lines.append(Line(_LEFT, old_at, _LEFT, y))
    told = [
        Text(f"Beide bomen delen het begin {short(shared)}.", f"Both trees share the beginning {short(shared)}."),
        *(_consistent(number, step) for number, step in enumerate(steps, 1)),
        _verdict(made_old == old_root, made_old, old_root),
        _verdict(made == root, made, root),
        Text(f"Ondertekend door: {', '.join(signers)}.", f"Signed by: {', '.join(signers)}."),
    ]  # fmt: skip
    return Drawing(len(steps) * _STEP + _HIGH + 8, tuple(boxes), tuple(lines), tuple(told), holds)


def short(hash_: bytes) -> str:
    """The first digits of a hash, as people compare it."""
    return f"{hash_.hex()[:10]}…"


_SHARED = Text("gedeeld begin", "shared start")
_MADE = Text("berekend", "computed")


def _signed(size: int, root: bytes, holds: bool, signers: Sequence[str]) -> tuple[list[Box], list[Line], int]:
    """Who signed, the checkpoint below them; and where the drawing goes on."""
    boxes, lines, y = list[Box](), list[Line](), 0
    for number, name in enumerate(reversed(signers)):
        log = number == len(signers) - 1
        title = (
            Text("dit logboek tekende", "this log signed")
            if log
            else Text("getuige tekende mee", "a witness cosigned")
        )
        boxes.append(Box(_MIDDLE, y, WIDTH - 16, "signed" if log else "witness", title, name[:52]))
        lines.append(Line(_MIDDLE, y + _HIGH, _MIDDLE, y + _HIGH + 10))
        y += _HIGH + 10
    title = Text(f"checkpoint: {size} regels", f"checkpoint: {size} records")
    boxes.append(Box(_MIDDLE, y, 200, "signed" if holds else "false", title, short(root)))
    return boxes, lines, y + _STEP


def _consistent(number: int, step: Step) -> Text:
    if step.both:
        return Text(
            f"Stap {number}: {short(step.given)} hoort bij beide; nu {short(step.old)} en {short(step.made)}.",
            f"Step {number}: {short(step.given)} is part of both; now {short(step.old)} and {short(step.made)}.",
        )
    return Text(
        f"Stap {number}: {short(step.given)} kwam er later bij; de nieuwe boom wordt {short(step.made)}.",
        f"Step {number}: {short(step.given)} came later; the new tree becomes {short(step.made)}.",
    )


def _verdict(holds: bool, made: bytes, signed: bytes) -> Text:
    if holds:
        return Text(
            f"Dat is de ondertekende wortel {short(signed)}: het bewijs klopt.",
            f"That is the signed root {short(signed)}: the proof holds.",
        )
    return Text(
        f"Er komt {short(made)} uit, en ondertekend is {short(signed)}: het bewijs klopt niet.",
        f"It comes to {short(made)}, and {short(signed)} was signed: the proof does not hold.",
    )


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
