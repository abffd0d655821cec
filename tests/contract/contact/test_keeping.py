"""What is kept of messages is the same on both engines: once, in order, destroyed with what belongs to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.contact.world import DAY, Fake, World, scenario

from sluis.contact import Failed, Preference, Report


@pytest.fixture
def world(url: str, tmp_path: Path) -> Iterator[World]:
    channels = {"box": Fake("box", "again", "delivered"), "mail": Fake("email", "unknown")}
    made = World(tmp_path, channels, scenario(*channels, retention="P30D"), where=url)
    yield made
    made.store.close()


async def test_a_message_finds_its_way_and_ends(world: World) -> None:
    box, mail = world.channels["box"], world.channels["mail"]
    assert isinstance(box, Fake)
    assert isinstance(mail, Fake)
    box.says = [Failed("busy", "later"), Failed("no-box", "never")]
    await world.reachable_by("email", "anna@voorbeeld.nl")
    await world.contact.prefer(world.party, Preference(language="en"))
    for _ in range(2):
        await world.happens()
        await world.settle()
        world.again()
    await world.later(60)
    assert await world.states() == [("box", "refused"), ("email", "sent")]
    mail.told = [Report(mail.got[0].reference, "bounced", "mailbox-full", "t")]
    await world.hear()
    entry = await world.entry()
    assert (entry.state, entry.steps[1].reason.en, entry.text) == (
        "unreachable", "The mailbox is full.", "Outcome: afgewezen"
    )  # fmt: skip
    world.clock.later(30 * DAY + 1)
    await world.contact.tidy()
    assert await world.contact.history(world.party) == []
    assert len((await world.contact.known(world.party)).addresses) == 1
