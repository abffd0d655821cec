"""The first page: each room tells a little, at once; one that is late, fails or may not is no reason for the page not to come."""

import asyncio
import time
from typing import Any

from sluis.identity.start import Block, Line, Source, Start, Told
from sluis.kernel import Acting, Refused, Text
from sluis.web import SignedIn

WORD = Text("a", "a")
TOLD = Told((Line(WORD),))


def person(**changed: Any) -> SignedIn:
    given: dict[str, Any] = {
        "session": "h", "acting": Acting("p"), "audience": "citizen", "level": "substantial", "acr": "x", "at": 0,
        "method": "digid",
    }  # fmt: skip
    names = set(SignedIn.__struct_fields__)
    return SignedIn(**{name: value for name, value in {**given, **changed}.items() if name in names})


def source(name: str, read: Any = None, **more: Any) -> Source:
    async def told(person: SignedIn) -> Told | None:
        return TOLD

    return Source(Text(name, name), f"/{name}", WORD, read or told, **more)


async def names(start: Start, who: SignedIn | None = None) -> list[str]:
    return [one.source.title.nl for one in await start.of(who or person(), 0.1)]


async def test_what_waits_comes_first_and_is_not_there_when_nothing_waits() -> None:
    async def nothing(person: SignedIn) -> None:
        return None

    start = Start()
    start.tells([source("looked"), source("sign", waits=True), source("accept", nothing, waits=True)])
    assert await names(start) == ["sign", "looked"]


async def test_one_that_hangs_or_fails_leaves_a_gap_and_one_that_may_not_leaves_nothing() -> None:
    async def hangs(person: SignedIn) -> Told:
        await asyncio.sleep(30)
        return TOLD

    async def fails(person: SignedIn) -> Told:
        raise RuntimeError

    async def may_not(person: SignedIn) -> Told:
        raise Refused("no", WORD, WORD, WORD)

    start, began = Start(), time.monotonic()
    start.tells([source("hangs", hangs), source("fails", fails), source("no", may_not), source("good")])
    found = await start.of(person(), 0.1)
    assert time.monotonic() - began < 5
    assert [(one.source.title.nl, one.told) for one in found] == [
        ("hangs", None),
        ("fails", None),
        ("good", TOLD),
    ]
    assert isinstance(found[0], Block)


async def test_a_room_tells_only_whom_it_is_for_and_who_is_sure_enough() -> None:
    start = Start()
    start.tells([source("own", audiences=("citizen",)), source("any", level=None)])
    assert await names(start) == ["own", "any"]
    assert await names(start, person(audience="company")) == ["any"]
    assert await names(start, person(level="low")) == ["any"]
    assert (start.hidden(person()), start.hidden(person(level="low"))) == (False, True)
