"""Letters by a print street: `REFERENCE.pdf` in a folder, and last of all `REFERENCE.json`, the manifest by which it knows that the
letter is there and whole. What it says back is a file beside it: `REFERENCE.returned` for a letter that came back, `REFERENCE.refused`
for one that it could not print.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from sluis.contact.channels.base import Doubt, Parcel, Report, Sent, Waiting
from sluis.contact.channels.drop import Drop
from sluis.contact.channels.layout import PAPER, Paper
from sluis.contact.channels.letter import VARIANT, make_letter
from sluis.contact.model import Enough, Kind
from sluis.kernel import Text

_SAID = {"returned": "returned", "refused": "street-refused"}


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What the print street needs to know of a letter; nothing of who it is for, which stands in the letter.

    Args:
        reference: of the letter.
        file: its name.
        format: of the file.
        sha256: of its bytes, hex.
        bytes: how many.
        paper: size.
        organisation: who sends it.
        language: of the letter.
        created: RFC 3339.
        version: of this form.
    """

    reference: str
    file: str
    format: str
    sha256: str
    bytes: int
    organisation: str
    language: str
    created: str
    paper: str = "A4"
    version: int = 1


class Street:
    """A `Channel`. `drop`: where the print street takes letters from; `paper`: how they look."""

    kind: Kind = "letter"
    doubt: Doubt = "again"
    enough: Enough = "sent"

    def __init__(self, drop: Drop, paper: Paper = PAPER) -> None:
        self._drop, self._paper = drop, paper

    async def send(self, parcel: Parcel) -> Sent:
        """See `Channel.send`. Sent again it replaces itself."""
        pdf = await asyncio.to_thread(make_letter, parcel, self._paper)
        manifest = manifest_of(parcel, pdf)
        await self._drop.put({manifest.file: pdf, f"{parcel.reference}.json": msgspec.json.encode(manifest)})
        told = Text(
            f"De brief ({len(pdf)} bytes, {VARIANT}) en daarna zijn manifest liggen klaar als {manifest.file}.",
            f"The letter ({len(pdf)} bytes, {VARIANT}) and then its manifest are there as {manifest.file}.",
        )
        return Sent(manifest.file, told=(told,))

    async def find(self, waiting: Waiting) -> Sent | None:
        """Whether its manifest is there still; a print street takes it away."""
        name = f"{waiting.reference}.json"
        return Sent(f"{waiting.reference}.pdf") if name in await self._drop.names() else None

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        """What the print street put beside them."""
        found = []
        for name in await self._drop.names():
            reference, _, said = name.partition(".")
            if said in _SAID:
                found.append(Report(reference, "bounced", _SAID[said], name))
        return found

    async def heed(self, reports: Sequence[Report]) -> None:
        """Take away what was said."""
        await self._drop.remove([one.token for one in reports])

    async def close(self) -> None:
        """Nothing is held."""


def manifest_of(parcel: Parcel, pdf: bytes) -> Manifest:
    """The manifest of a letter."""
    return Manifest(
        parcel.reference,
        f"{parcel.reference}.pdf",
        VARIANT,
        hashlib.sha256(pdf).hexdigest(),
        len(pdf),
        parcel.organisation,
        parcel.language,
        datetime.fromtimestamp(parcel.created, UTC).isoformat().replace("+00:00", "Z"),
    )
