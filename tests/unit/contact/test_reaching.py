"""A message on its way: once per person and event, by one channel after the other, whatever restarts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.unit.contact.world import BSN, DAY, NOON, OTHER, QUIET, Fake, Happened, Whom, World, scenario

from sluis.contact import Channel, Failed, Parcel, Preference, Quiet, Report, Scenario, Sent, Waiting
from sluis.contact.model import Address
from sluis.kernel import Text, Unkept, Upstream
from sluis.ledger import ACTIVITY

MakeWorld = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> MakeWorld:
    """A world over channels and scenarios."""

    def made(channels: dict[str, Channel], *scenarios: Scenario, quiet: Quiet | None = None) -> World:
        world = World(tmp_path, channels, *(scenarios or [scenario(*channels)]), quiet=quiet)
        request.addfinalizer(lambda: world.store.close())
        return world

    return made


def four() -> dict[str, Fake]:
    return {
        "box": Fake("box", "again", "delivered"),
        "mail": Fake("email", "unknown"),
        "sms": Fake("sms", "ask", "delivered"),
        "post": Fake("letter", "again"),
    }


async def ready(make: MakeWorld, channels: dict[str, Fake], **more: object) -> World:
    world = make(channels, scenario(*channels, **more))  # type: ignore[arg-type]
    await world.reachable_by("email", "anna@voorbeeld.nl")
    await world.reachable_by("sms", "+31612345678")
    return world


async def test_what_happens_is_told_by_the_first_channel(make: MakeWorld) -> None:
    channels = four()
    world = await ready(make, channels)
    await world.happens()
    await world.settle()
    (parcel,) = channels["box"].got
    assert (parcel.to, parcel.subject, parcel.text) == ((BSN,), "Er is een besluit", "Uitkomst: afgewezen")
    assert parcel.html == "<p>Uitkomst: afgewezen</p>"
    assert parcel.short == "Er is een besluit. Zie https://dienst.example"
    assert await world.states() == [("box", "sent")]


async def test_the_same_event_is_told_once(make: MakeWorld) -> None:
    channels = four()
    world = await ready(make, channels)
    for _ in range(3):
        await world.happens()
        await world.settle()
        world.again()
    await world.settle()
    assert len(channels["box"].got) == 1


async def test_another_event_person_or_scenario_is_another_message(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels, scenario("box"), scenario("box", id="besluit-kopie"))
    for more in ({}, {"id": "2"}, {"about": Whom("BSN", OTHER)}):
        await world.happens(**more)
    await world.settle()
    assert len(channels["box"].got) == 6


async def test_what_is_about_nobody_is_told_to_nobody(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels)
    await world.happens(about=None)
    await world.settle()
    assert channels["box"].got == []


async def test_only_what_meets_the_condition_is_told(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels, scenario("box", condition="uitkomst = 'toegewezen' AND bedrag > 100"))
    await world.happens()
    await world.happens(id="2", facts={"uitkomst": "toegewezen", "bedrag": 250})
    await world.settle()
    assert [one.text for one in channels["box"].got] == ["Uitkomst: toegewezen"]


async def test_a_message_falls_with_the_transaction_of_its_event(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels)

    def work(connection: object) -> None:
        world.contact.heard(connection, Happened())  # type: ignore[arg-type]
        raise ValueError("the event is not kept after all")

    with pytest.raises(ValueError):
        await world.store.write(work)
    await world.settle()
    assert channels["box"].got == []


# Falling back


async def test_who_has_no_box_gets_mail(make: MakeWorld) -> None:
    channels = four()
    channels["box"].says = [Failed("no-box", "never")]
    world = await ready(make, channels)
    await world.happens()
    await world.settle()
    assert await world.states() == [("box", "refused"), ("email", "sent")]
    assert channels["mail"].got[0].to == ("anna@voorbeeld.nl",)


async def test_mail_that_bounces_is_followed_by_a_text_message_and_silence_by_a_letter(
    make: MakeWorld,
) -> None:
    channels = four()
    channels["box"].says = [Failed("no-box", "never")]
    world = await ready(make, channels)
    await world.happens()
    await world.settle()
    assert (await world.entry()).state == "reached"
    channels["mail"].told = [Report(channels["mail"].got[0].reference, "bounced", "no-such-address", "t1")]
    await world.hear()
    assert await world.states() == [("box", "refused"), ("email", "bounced"), ("sms", "sent")]
    await world.later(2 * DAY)
    assert (await world.states())[-1] == ("letter", "sent")
    assert channels["post"].got[0].to == ("A. Fictief", "Nergensstraat 1", "1234 AB Nergenshuizen")
    assert (await world.entry()).state == "reached"


async def test_the_box_says_that_it_was_read_and_nothing_more_is_sent(make: MakeWorld) -> None:
    channels = four()
    world = await ready(make, channels)
    await world.happens()
    await world.settle()
    channels["box"].told = [Report(channels["box"].got[0].reference, "read", token="t")]
    await world.hear()
    await world.later(30 * DAY)
    assert await world.states() == [("box", "read")]
    assert channels["mail"].got == []


async def test_every_channel_says_the_same(make: MakeWorld) -> None:
    channels = four()
    channels["box"].says = [Failed("no-box", "never")]
    world = await ready(make, channels)
    await world.contact.prefer(world.party, Preference(language="en"))
    await world.happens()
    await world.settle()
    await world.contact.prefer(world.party, Preference(language="nl"))
    channels["mail"].told = [Report(channels["mail"].got[0].reference, "bounced", token="t")]
    await world.hear()
    assert [channels[one].got[0].text for one in ("box", "mail", "sms")] == ["Outcome: afgewezen"] * 3


async def test_a_person_without_addresses_gets_a_letter(make: MakeWorld) -> None:
    channels = {"mail": Fake("email"), "post": Fake("letter")}
    world = make(channels)
    await world.happens()
    await world.settle()
    assert await world.states() == [("letter", "sent")]


async def test_a_person_whose_address_is_not_there_is_not_reached(make: MakeWorld) -> None:
    world = make({"post": Fake("letter")})
    world.homes.at = {}
    await world.happens()
    await world.settle()
    entry = await world.entry()
    assert (entry.state, entry.steps[0].reason.en) == ("unreachable", "No address is known.")


async def test_an_address_that_cannot_be_asked_for_now_is_asked_for_later(make: MakeWorld) -> None:
    channels = {"post": Fake("letter")}
    world = make(channels)
    home, says = world.homes.at[BSN], Text("-", "-")
    world.homes.at[BSN] = Upstream("away", says, says, says)
    await world.happens()
    await world.settle()
    assert channels["post"].got == []
    world.homes.at[BSN] = home
    await world.later(60)
    assert len(channels["post"].got) == 1


async def test_a_preference_about_the_case_is_followed(make: MakeWorld) -> None:
    channels = four()
    world = await ready(make, channels)
    await world.contact.prefer(world.party, Preference(kinds=("email",)))
    await world.contact.prefer(world.party, Preference(kinds=("sms",), case="Z-1"))
    await world.happens()
    await world.happens(id="2", facts={"uitkomst": "afgewezen", "kenmerk": "Z-2"})
    await world.settle()
    assert (len(channels["box"].got), len(channels["sms"].got), len(channels["mail"].got)) == (0, 1, 1)


async def test_nobody_is_woken(make: MakeWorld) -> None:
    channels = four()
    world = make(channels, scenario("box"), scenario("sms", id="alarm", urgent=True), quiet=QUIET)
    await world.reachable_by("sms", "+31612345678")
    world.clock.now = NOON.replace(hour=22)
    await world.happens()
    await world.settle()
    assert (len(channels["box"].got), len(channels["sms"].got)) == (0, 1)
    await world.later(9 * 3_600)
    assert len(channels["box"].got) == 1


# Trouble


async def test_a_channel_that_says_later_gets_it_again_under_the_same_name(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    channels["box"].says = [Failed("busy", "later"), Failed("busy", "later", after=600)]
    world = make(channels)
    await world.happens()
    await world.settle()
    await world.later(59)
    assert len(channels["box"].got) == 1
    await world.later(1)
    await world.later(599)
    assert len(channels["box"].got) == 2
    await world.later(1)
    assert len({one.reference for one in channels["box"].got}) == 1
    assert await world.states() == [("box", "sent")]


async def test_what_is_decided_while_a_message_waits_for_its_turn_counts(make: MakeWorld) -> None:
    """An address that somebody takes away gets nothing more, however many messages stood before theirs."""

    class Slow(Fake):
        async def send(self, parcel: Parcel) -> Sent:
            await going.wait()
            return await super().send(parcel)

    going, channels = asyncio.Event(), {"mail": Slow("email"), "post": Fake("letter")}
    world = make(channels)
    await world.reachable_by("email", "anna@voorbeeld.nl")
    for number in range(12):
        await world.happens(id=str(number))
    await world.contact.work()
    while sum(bool(one.steps) for one in await world.contact.history(world.party)) < 8:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    left = Address("email", "anna@voorbeeld.nl", 0)
    await world.store.write(lambda connection: world.contact._keeping.forget(connection, world.person, left))
    going.set()
    await world.contact.reaching.settled()
    await world.settle()
    assert (len(channels["mail"].got), len(channels["post"].got)) == (8, 4)


async def test_a_report_that_comes_while_a_message_waits_for_its_turn_counts(make: MakeWorld) -> None:
    channels = four()
    channels["box"].says = [Failed("busy", "later")]
    world = await ready(make, channels)
    await world.happens()
    await world.settle()
    world.clock.later(60)
    async with AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(world.contact.reaching._lanes["box"])
        await world.contact.work()
        await asyncio.sleep(0.05)
        await world.contact.take("box", [Report(channels["box"].got[0].reference, "delivered")])
    await world.settle()
    assert len(channels["box"].got) == 1
    assert await world.states() == [("box", "delivered")]


async def test_a_channel_that_hangs_keeps_no_other_waiting(make: MakeWorld) -> None:
    class Hanging(Fake):
        async def send(self, parcel: object) -> object:  # type: ignore[override]
            await asyncio.Event().wait()

    channels = {"box": Hanging("box"), "post": Fake("letter")}
    world = make(channels, scenario("box"), scenario("post", id="brief", event="nl.voorbeeld.brief"))

    def many(connection: Connection) -> None:
        for number in range(150):  # more than are in hand at once
            world.contact.heard(connection, Happened(id=str(number)))

    await world.store.write(many)
    await world.contact.work()
    for number in range(5):
        await world.happens(id=str(number), type="nl.voorbeeld.brief")
    world.clock.later(1)
    for _ in range(100):
        await world.contact.work()
        await asyncio.sleep(0.01)
        if len(channels["post"].got) == 5:
            break
    assert len(channels["post"].got) == 5
    await world.contact.stop(0)


async def test_a_template_that_fails_keeps_the_message_until_somebody_mends_it(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels)
    path = world.folder / "templates/besluit.nl.txt"
    right = path.read_text(encoding="utf-8")
    path.write_text("{{ onbekend }}", encoding="utf-8")
    await world.happens()
    await world.settle()
    assert channels["box"].got == []
    path.write_text(right, encoding="utf-8")
    world.again()
    await world.later(3_600)
    assert len(channels["box"].got) == 1


async def test_what_the_log_cannot_take_does_not_leave(
    make: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = {"box": Fake("box")}
    world = make(channels)
    await world.happens()
    says = Text("-", "-")

    async def full(records: object, along: object = None) -> None:
        raise Unkept("full", says, says, says)

    with monkeypatch.context() as patched:
        patched.setattr(world.ledger, "append", full)
        await world.settle()
    assert channels["box"].got == []
    await world.later(120)
    assert len(channels["box"].got) == 1


async def test_each_handing_over_is_a_line_in_the_log_of_the_person(make: MakeWorld) -> None:
    channels = four()
    channels["box"].says = [Failed("no-box", "never")]
    world = await ready(make, channels)
    await world.happens(trace_id="ab" * 16)
    await world.settle()
    lines = await world.lines()
    assert [one.name for one in lines] == ["Bericht: Besluit over uw aanvraag"] * 2
    assert {one.attributes[ACTIVITY] for one in lines} == {"https://register.voorbeeld.nl/besluiten"}
    assert {one.trace_id for one in lines} == {"ab" * 16}


# Whatever restarts


class Dying(Fake):
    """A channel during which the process ends: before anything left, or after."""

    def __init__(self, left: bool, *of: object) -> None:
        super().__init__(*of)  # type: ignore[arg-type]
        self.left, self.dies = left, True

    async def send(self, parcel: object) -> object:  # type: ignore[override]
        if self.dies and not self.left:
            raise asyncio.CancelledError
        sent = await super().send(parcel)  # type: ignore[arg-type]
        if self.dies:
            raise asyncio.CancelledError
        return sent


async def killed_while_sending(make: MakeWorld, channel: Dying, **preference: object) -> World:
    kind = channel.kind
    world = make({"one": channel, "post": Fake("letter")})
    if kind != "box":
        await world.reachable_by(kind, "anna@voorbeeld.nl" if kind == "email" else "+31612345678")
    if preference:
        await world.contact.prefer(world.party, Preference(**preference))  # type: ignore[arg-type]
    await world.happens()
    await world.contact.reaching.round()
    await world.contact.reaching.settled()
    channel.dies = False
    world.again()
    return world


async def test_a_box_gets_it_again_under_the_same_name_and_keeps_one(make: MakeWorld) -> None:
    channel = Dying(True, "box", "again")
    world = await killed_while_sending(make, channel)
    await world.settle()
    assert len({one.reference for one in channel.got}) == 1
    assert await world.states() == [("box", "sent")]


async def test_a_channel_that_can_be_asked_is_asked_first(make: MakeWorld) -> None:
    channel = Dying(True, "sms", "ask")
    world = await killed_while_sending(make, channel)
    await world.settle()
    assert len(channel.got) == 1
    assert await world.states() == [("sms", "sent")]


async def test_what_such_a_channel_does_not_have_is_sent(make: MakeWorld) -> None:
    channel = Dying(False, "sms", "ask")
    world = await killed_while_sending(make, channel)
    await world.settle()
    assert len(channel.got) == 1
    assert await world.states() == [("sms", "sent")]


async def test_mail_of_which_nobody_knows_goes_again_under_the_same_name(make: MakeWorld) -> None:
    channel = Dying(True, "email", "unknown")
    world = await killed_while_sending(make, channel)
    await world.settle()
    assert len(channel.got) == 2
    assert len({one.reference for one in channel.got}) == 1


async def test_mail_goes_not_again_to_who_would_not_have_it_twice_and_a_letter_follows(
    make: MakeWorld,
) -> None:
    channel = Dying(True, "email", "unknown")
    world = await killed_while_sending(make, channel, twice=False)
    await world.settle()
    assert len(channel.got) == 1
    assert await world.states() == [("email", "doubtful")]
    await world.later(2 * DAY)
    assert (await world.states())[-1] == ("letter", "sent")


async def test_a_message_that_keeps_killing_goes_three_times_at_most(make: MakeWorld) -> None:
    channel = Dying(True, "email", "unknown")
    world = await killed_while_sending(make, channel)
    channel.dies = True
    for _ in range(5):
        await world.contact.reaching.round()
        await world.contact.reaching.settled()
        world.again()
    assert len(channel.got) == 3


async def test_a_report_is_heeded_only_after_it_is_kept(
    make: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = {"box": Fake("box", "again", "delivered")}
    world = make(channels)
    await world.happens()
    await world.settle()
    channels["box"].told = [Report(channels["box"].got[0].reference, "delivered", token="t")]
    says = Text("-", "-")

    async def full(work: object) -> None:
        raise Unkept("full", says, says, says)

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "write", full)
        await world.contact.hearing.listen("box")
    assert channels["box"].told
    await world.hear()
    assert channels["box"].told == []
    assert await world.states() == [("box", "delivered")]


async def test_no_message_is_forgotten_among_many_that_nobody_reads(make: MakeWorld) -> None:
    """Else who has their message in the box gets a letter as well."""

    class Asked(Fake):
        asked: list[str]

        async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
            assert len(waiting) <= 40
            self.asked += [one.reference for one in waiting]
            return []

    channel = Asked("box", "again", "delivered")
    channel.asked = []
    world = make({"box": channel})

    def many(connection: Connection) -> None:
        for number in range(100):
            world.contact.heard(connection, Happened(id=str(number)))

    await world.store.write(many)
    await world.settle()
    await world.contact.take("box", [Report(one.reference, "delivered") for one in channel.got[:50]])
    for _ in range(6):
        await world.contact.hearing.listen("box")
    assert set(channel.asked) == {one.reference for one in channel.got}


async def test_a_channel_tells_nothing_of_what_went_by_another(make: MakeWorld) -> None:
    """Who gets the mail knows its reference, and so those of the box before it and the letter after it."""
    channels = {"box": Fake("box", "again", "delivered"), "mail": Fake("email", "unknown")}
    world = make(channels)
    await world.happens()
    await world.settle()
    channels["mail"].told = [Report(channels["box"].got[0].reference, "delivered", token="t")]
    await world.hear()
    assert await world.states() == [("box", "sent")]


@pytest.mark.parametrize(
    "reference", ["", "x" * 34, "0" * 34, "é" * 34, "0" * 32 + "²²", "\udcff" * 32 + "01", "\0" * 32 + "01"]
)
async def test_a_report_about_nothing_we_sent_changes_nothing(make: MakeWorld, reference: str) -> None:
    channels = {"box": Fake("box", "again", "delivered")}
    world = make(channels)
    await world.happens()
    await world.settle()
    channels["box"].told = [Report(reference, "bounced", token="t")]
    await world.hear()
    assert await world.states() == [("box", "sent")]


async def test_a_report_that_is_quicker_than_the_channels_own_answer_counts(make: MakeWorld) -> None:
    class Quick(Fake):
        async def send(self, parcel: Parcel) -> Sent:
            sent = await super().send(parcel)
            await world.contact.take("box", [Report(parcel.reference, "delivered")])
            return sent

    channels = {"box": Quick("box", "again", "delivered")}
    world = make(channels)
    await world.happens()
    await world.settle()
    assert await world.states() == [("box", "delivered")]
    assert (await world.entry()).state == "reached"


async def test_a_message_that_cannot_be_read_keeps_no_other_waiting(make: MakeWorld) -> None:
    channels = {"box": Fake("box")}
    world = make(channels)
    await world.happens()
    await world.store.write(
        lambda connection: connection.execute(text("UPDATE contact_messages SET sealed = x'00'")) and None
    )
    await world.happens(id="2")
    await world.settle()
    assert len(channels["box"].got) == 1


# What is kept, and for how long


async def test_nothing_of_a_person_stands_in_the_database_or_the_programs_log(
    make: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channels = four()
    channels["box"].says = [Failed("no-box", "never")]
    world = await ready(make, channels)
    await world.contact.prefer(world.party, Preference(kinds=("box", "email"), case="Z-1"))
    await world.happens()
    await world.settle()
    await world.ledger.checkpoint()
    await world.store.write(lambda connection: connection.execute(text("SELECT 1")) and None)
    with closing(world.store):
        raw = b"".join(path.read_bytes() for path in world.folder.glob("node.db*"))
    for personal in (BSN, "anna@voorbeeld.nl", "afgewezen", "Z-1", "+31612345678"):
        assert personal.encode() not in raw
        assert personal not in caplog.text


async def test_what_was_kept_long_enough_is_destroyed(make: MakeWorld) -> None:
    world = make({"box": Fake("box")}, scenario("box", retention="P30D"))
    await world.happens()
    await world.settle()
    world.clock.later(30 * DAY)
    await world.contact.tidy()
    assert len(await world.contact.history(world.party)) == 1
    world.clock.later(1)
    await world.contact.tidy()
    assert await world.contact.history(world.party) == []
    with world.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM contact_tries")).scalar() == 0
