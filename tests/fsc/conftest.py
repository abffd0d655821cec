"""What the tests of FSC start with: a group with its trust anchor, and peers in it. Every name is fictitious."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fsc.authority import Authority
from tests.fsc.peer import Peer, echo

OINS = [f"0000000100000000{number:04d}" for number in range(1, 10)]
NAMES = [
    "Gemeente Fictiestad",
    "Waterschap Verzonnen",
    "Provincie Nergens",
    "Dienst Bestaat Niet",
    "Omgevingsdienst Schijn",
]

Make = Callable[..., Peer]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The trust anchor of the group."""
    return Authority(tmp_path_factory.mktemp("anchor"))


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An anchor this group does not know."""
    return Authority(tmp_path_factory.mktemp("foreign"), "Vreemd anker")


@pytest.fixture
def make_peer(authority: Authority) -> Iterator[Make]:
    """Make a peer that listens until the test ends."""
    with ExitStack() as stack:
        made = 0

        def make(**more: str) -> Peer:
            nonlocal made
            made += 1
            peer = Peer(authority, OINS[made], NAMES[made - 1], **more)  # type: ignore[arg-type]
            peer.services["echo"] = echo
            return stack.enter_context(peer)

        yield make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for what the product keeps."""
    return tmp_path
