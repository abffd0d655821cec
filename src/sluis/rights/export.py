"""Everything that this node keeps of a person, in one file to take along: JSON for programs, and a page that says what is in it.

AVG art. 15 and 20: structured, commonly used and machine-readable. What cannot be read is named, and is never left out in silence.
"""

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from sluis.kernel import Problem, Text, encode
from sluis.web import Setting, SignedIn, rendered

Collecting = Callable[[SignedIn], Awaitable[Any]]


class Part(msgspec.Struct, frozen=True):
    """One file of a download.

    Args:
        name: of the file, without `.json`.
        title: what it holds.
        told: the same in a sentence.
        collect: gives plain values; at most what one person can look through.
    """

    name: str
    title: Text
    told: Text
    collect: Collecting


class File(msgspec.Struct, frozen=True):
    """A part as it stands in the file: how many things are in it, and the problem when it could not be read."""

    part: Part
    content: bytes
    count: int
    problem: Problem | None = None


async def bundle(parts: Sequence[Part], person: SignedIn, setting: Setting) -> bytes:
    """A zip file with every part, and a page about them.

    Args:
        parts: what is in it.
        person: whose it is.
        setting: with which the page is made.
    """
    files = [await _collected(one, person) for one in parts]
    return await asyncio.to_thread(_zipped, files, setting)


async def _collected(part: Part, person: SignedIn) -> File:
    try:
        found = await part.collect(person)
    except Problem as problem:
        return File(part, b"", 0, problem)
    content = await asyncio.to_thread(lambda: msgspec.json.format(encode(found), indent=2))
    return File(part, content, len(found) if isinstance(found, list) else 1)


def _zipped(files: Sequence[File], setting: Setting) -> bytes:
    made, now = io.BytesIO(), datetime.now(UTC)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        about = rendered(setting, "rights/export.html", files=files, at=int(now.timestamp()))
        archive.writestr(setting.say("lees-mij.html", "read-me.html"), about)
        for one in files:
            if one.problem is None:
                archive.writestr(f"{one.part.name}.json", one.content)
    return made.getvalue()
