"""Where answers of the trade register come from."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from sluis.identity.register.kvk import LARGEST
from sluis.kernel import Kvk, Text, Upstream


class Answer(msgspec.Struct, frozen=True):
    """What the register answered, and when (aware UTC)."""

    body: bytes
    at: datetime


class Register(Protocol):
    """A way to ask the trade register. Guarantee: what it gives came from the register, unchanged, at the time it says."""

    async def company(self, kvk: Kvk) -> Answer:
        """The registration of a company.

        Raises:
            NotFound: there is none.
            Upstream: the register cannot be reached.
        """


class Folder:
    """Answers that lie in a folder, as some other program fetched them: `NUMBER.xml`, or `NUMBER.json`. When it did, the
    file says.

    Args:
        directory: where they lie.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def company(self, kvk: Kvk) -> Answer:
        """The newest file of this number. Raises `Upstream` when there is none."""
        return await asyncio.to_thread(self._read, str.__str__(kvk))

    def _read(self, number: str) -> Answer:
        found = list[tuple[float, Path]]()
        for path in (self._directory / f"{number}{suffix}" for suffix in (".xml", ".json")):
            if path.is_file():
                found.append((path.stat().st_mtime, path))
        try:
            changed, path = max(found)
            with path.open("rb") as file:
                return Answer(file.read(LARGEST + 1), datetime.fromtimestamp(changed, UTC))
        except (ValueError, OSError) as failure:
            raise unavailable() from failure


def unavailable() -> Upstream:
    """The problem of a register that gives nothing."""
    return Upstream(
        "register-unavailable",
        Text("Het handelsregister is nu niet te raadplegen.", "The trade register cannot be consulted now."),
        Text("Er is geen antwoord over dit bedrijf.", "There is no answer about this company."),
        Text("Probeer het later opnieuw.", "Try again later."),
        retry=True,
    )
