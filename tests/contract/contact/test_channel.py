"""What every channel promises (`sluis.contact.channels.base.Channel`), tried on each kind against a far side of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.contract.contact.kinds import KINDS, POSTED, REFERENCE, Far

from sluis.config.contact import NEEDS
from sluis.contact.channels import Failed, Street, Waiting

pytestmark = pytest.mark.filterwarnings(  # WeasyPrint leaves the file of its colour profile to the collector
    "ignore:unclosed file.*sRGB:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(params=sorted(KINDS))
async def far(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Far]:
    async with KINDS[request.param](tmp_path) as made:
        yield made


async def test_what_is_sent_is_there(far: Far) -> None:
    sent = await far.channel.send(far.parcel)
    assert far.got() == [REFERENCE]
    assert sent.state == "sent"
    assert sent.told


async def test_what_is_sent_again_has_the_effect_that_is_promised(far: Far) -> None:
    waiting = Waiting(REFERENCE, "")
    assert await far.channel.find(waiting) is None
    await far.channel.send(far.parcel)
    if far.channel.doubt == "again":
        await far.channel.send(far.parcel)
        assert far.got() == [REFERENCE]
    if far.channel.doubt == "ask":
        assert await far.channel.find(waiting) is not None
        assert await far.channel.find(Waiting("f" * 34, "")) is None


@pytest.mark.parametrize("far", sorted(KINDS.keys() - POSTED), indirect=True)
async def test_who_is_not_there_is_never_reached_by_it(far: Far) -> None:
    assert far.nobody is not None
    with pytest.raises(Failed) as failed:
        await far.channel.send(far.nobody)
    assert failed.value.how == "never"
    assert far.got() == []


async def test_a_far_side_that_is_down_is_told_in_time_and_nothing_else_comes_out(far: Far) -> None:
    await far.down()
    async with asyncio.timeout(8):
        with pytest.raises(Failed) as failed:
            await far.channel.send(far.parcel)
    assert failed.value.how in ("later", "doubtful")
    assert far.got() == []
    if far.channel.kind != "email" or far.channel.doubt == "ask":
        with pytest.raises(Failed) as silent:
            await far.channel.reports([Waiting(REFERENCE, "x")])
        assert silent.value.how == "later"


async def test_what_is_said_afterwards_is_told_until_it_is_heeded(far: Far) -> None:
    sent = await far.channel.send(far.parcel)
    waiting = [Waiting(REFERENCE, sent.remote)]
    far.says_back()
    for _ in range(2):
        (report,) = [one for one in await far.channel.reports(waiting) if one.state != "sent"]
        assert report.reference == REFERENCE
        assert report.state in ("bounced", "read")
    await far.channel.heed([report])
    if report.token:
        assert await far.channel.reports(waiting) == []


class Halfway(dict[str, bytes]):
    """Files of which only the first is put there before the machine stops."""

    def items(self) -> Any:
        yield next(iter(super().items()))
        raise OSError("stopped")


@pytest.mark.parametrize("kind", ["print", "print-sftp"])
async def test_a_letter_that_is_put_there_again_has_no_manifest_until_it_is_whole(
    kind: str, tmp_path: Path
) -> None:
    async with KINDS[kind](tmp_path) as far:
        drop = cast(Street, far.channel)._drop
        await drop.put({"a.pdf": b"1", "a.json": b"manifest of 1"})
        with pytest.raises(Failed):
            await drop.put(Halfway({"a.pdf": b"2", "a.json": b"manifest of 2"}))
        assert "a.json" not in await drop.names()
        await drop.put({"a.pdf": b"2", "a.json": b"manifest of 2"})
        assert {"a.pdf", "a.json"} <= set(await drop.names())


async def test_nobody_is_named_in_an_error_or_the_log(far: Far, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sluis")
    if far.nobody is not None:
        with pytest.raises(Failed) as failed:
            await far.channel.send(far.nobody)
        assert not any(line in f"{failed.value} {failed.value!r}" for line in far.nobody.to)
    await far.down()
    with pytest.raises(Failed) as down:
        await far.channel.send(far.parcel)
    assert not any(line in f"{down.value} {down.value!r} {caplog.text}" for line in far.parcel.to)


def test_every_kind_of_the_settings_is_tried() -> None:
    assert set(NEEDS) <= set(KINDS)
