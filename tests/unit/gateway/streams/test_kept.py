"""Connections that are kept: to whom, how many, and which make room for others."""

import asyncio
import math
import ssl

import pytest
from tests.unit.gateway.streams.wires import Wire

from sluis.gateway.forward import Target
from sluis.gateway.streams import Stream, Streams, Unreachable
from sluis.gateway.streams import kept as module
from sluis.kernel import PeerId


async def test_tls_without_a_context_is_no_connection() -> None:
    with pytest.raises(Unreachable):
        await Streams().open(Target(True, "127.0.0.1", 1, "x"))


async def test_port_where_nobody_listens_is_no_connection() -> None:
    streams = Streams()
    for _ in range(300):  # more than may be under way at once: none is kept
        with pytest.raises(Unreachable):
            await streams.open(Target(False, "127.0.0.1", 1, "x"))


async def test_who_waits_longest_is_next_and_who_gives_up_takes_no_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PER_TARGET", 1)
    place, order = module._Place(), list[int]()

    async def one(number: int) -> None:
        await place.enter(math.inf)
        order.append(number)
        await asyncio.sleep(0)
        place.leave()

    await place.enter(math.inf)
    waiting = [asyncio.create_task(one(number)) for number in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    place.leave()
    waiting[0].cancel()  # its turn came, and it goes all the same
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == [2, 3]
    await asyncio.wait_for(place.enter(math.inf), 1)


async def test_who_waits_for_a_connection_waits_until_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PER_TARGET", 0)
    with pytest.raises(TimeoutError):
        await Streams().open(Target(False, "127.0.0.1", 1, "x"), by=asyncio.get_running_loop().time() + 0.02)


class Wired(Streams):
    """Connections that are wires, by the port of their target."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, Stream] = {}

    async def _connected(self, target: Target, by: float) -> Stream:
        stream = self.made[target.port] = Stream()
        stream.connection_made(Wire())
        self._all.add(stream)
        return stream


def at(port: int) -> Target:
    return Target(False, "127.0.0.1", port, "x")


async def test_target_where_nothing_is_under_way_makes_room_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_TARGETS", 2)
    streams = Wired()
    busy, first = await streams.open(at(1)), await streams.open(at(2))
    streams.release(at(2), first)
    await streams.open(at(3))
    assert (busy.reusable, first.reusable) == (True, False)
    streams.release(at(1), busy)
    assert await streams.open(at(1)) is busy
    streams.close()


def test_the_certificate_of_before_is_shown_only_where_a_token_is_bound_to_it() -> None:
    first, second, third = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(3))
    streams, peer = Streams(first), PeerId("00000009900000000001")

    def shown(*thumbprint: str) -> ssl.SSLContext | None:
        return streams._context(Target(True, "inway.example", 443, "inway.example", peer, thumbprint))

    assert {shown(), shown("one")} == {first}
    streams.renew(second, "one")
    assert (shown(), shown("one"), shown("two")) == (second, first, second)
    streams.renew(third, "two")
    assert (shown(), shown("one"), shown("two"), shown("three")) == (third, third, second, third)
