"""What a node is told of its own data, and of the contracts under which others reach it."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from sluis.grounds import Grounds, Purpose
from sluis.kernel import PeerId, Place
from sluis.policy import Decided


class Covered(msgspec.Struct, frozen=True):
    """A contract in force that covers disclosures: its hash, their ids, and its period in seconds since the epoch."""

    contract: str
    disclosures: tuple[str, ...]
    since: int
    until: int


class Contracts(Protocol):
    """The contracts of this node, as `serve` fills them in."""

    def covering(self) -> Awaitable[Sequence[Covered]]:
        """Those in force under which others reach data here."""

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        """The purposes of those in force with a peer, from memory."""

    def waiting(self) -> Awaitable[int]:
        """How many ask for this organisation's signature."""


class SourceSettings(msgspec.Struct, frozen=True):
    """What the settings say of a source, without where it is: its kind, and what one question may cost."""

    kind: str
    seconds: float
    rows: int
    pool: int


class Holding(msgspec.Struct, frozen=True):
    """What the node is told of its own data.

    Args:
        own: this node.
        alias: its name before the dot.
        grounds: as loaded.
        places: per disclosure and dataset (folder, id) the file and line where it stands.
        activity: URI of the processing activity for previews; None where there are none.
        secrecy: (dataset, column) that say whether data are secret.
        directory: of the node.
        sources: by name.
    """

    own: PeerId
    alias: str
    grounds: Grounds
    places: Mapping[tuple[str, str], Place]
    activity: str | None
    secrecy: tuple[tuple[str, str], ...]
    directory: Path
    sources: Mapping[str, SourceSettings] = {}


class Ruled(msgspec.Struct, frozen=True):
    """What would be decided about a disclosure now, and by which policies: ids, with the place of those in files."""

    decided: Decided
    policies: tuple[tuple[str, Place | None], ...]
