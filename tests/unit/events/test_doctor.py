"""The doctor of events: each thing that can be wrong is told at its own point, with a next step; nothing else is."""

from collections.abc import Sequence

import pytest

from sluis.events.doctor import LONG, UNREAD, Here, examine
from sluis.events.inbox import Followed
from sluis.events.queue import MOST_WAITING, Standing
from sluis.events.subscriptions import Config, Mode, Subscription
from sluis.kernel import PeerId

OWN, OTHER = PeerId("00000001001000001000"), PeerId("00000001826002785000")
NOW = 10 * UNREAD
LATE = Standing(5, 1, 0, NOW - UNREAD - 1)


def one(id: str = "a", owner: PeerId = OWN, mode: Mode = "push", **more: object) -> Subscription:
    return Subscription(id, owner, "https://x.example/in", mode, **{"state": "active", **more})  # type: ignore[arg-type]


def here(
    subscriptions: Sequence[Subscription] = (), followed: Sequence[Followed] | None = (), **standing: Standing
) -> Here:
    return Here(OWN, subscriptions, standing, followed, NOW, lambda peer: "De ander")


def wrong(found: Here) -> list[str]:
    diagnosis = examine(found)
    bad = [step for step in diagnosis.steps if step.result == "wrong"]
    assert all(step.nl and step.en and step.next_nl and step.next_en for step in bad)
    assert diagnosis.well == (not bad)
    return [step.name for step in bad]


def test_a_node_with_nothing_is_well() -> None:
    assert wrong(here()) == []
    assert wrong(here([one()], a=Standing(9, 3, 0, NOW - LONG + 1000))) == []
    assert wrong(here([one(mode="feed")], a=Standing(9, 3, 0, NOW - UNREAD + 1000))) == []
    assert wrong(here([one(config=Config(quiet=(1320, 420)))], a=LATE)) == []


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (here([one()], a=Standing(1, MOST_WAITING - 1, 0, NOW)), ["room"]),
        (here([one()], a=Standing(5, 1, 0, NOW - LONG - 1)), ["waiting"]),
        (here([one(mode="fsc", owner=OTHER)], a=LATE), ["waiting"]),
        (here([one(mode="sse")], a=LATE), ["reading"]),
        (here([one()], a=Standing(5, 0, 2, None)), ["dead-letters"]),
        (here([one(state="waiting-for-proof")]), ["addresses"]),
        (here([one(state="suspended")], a=LATE), ["suspended"]),  # what waits for it waits for its owner
        (here([], [Followed(OTHER, "b", 3)]), ["listening"]),
        (here([one()], [Followed(OTHER, "b", 3, [5, 6])]), ["inbox"]),
    ],
)
def test_what_is_wrong_is_told_at_its_point(found: Here, names: list[str]) -> None:
    assert wrong(found) == names


@pytest.mark.parametrize(("waiting", "dead", "nl", "en"), [
    (1, 1, ("1 wacht op", "1 onbestelbaar, bij 1 abonnement."), ("1 waits to", "1 dead letter, of 1 subscription.")),
    (2345, 1200, ("2.345 wachten op", "1.200 onbestelbaar, bij 1 abonnement."), ("2,345 wait to", "1,200 dead letters, of 1 subscription.")),
])  # fmt: skip
def test_numbers_are_written_as_people_write_them(
    waiting: int, dead: int, nl: tuple[str, str], en: tuple[str, str]
) -> None:
    steps = {
        step.name: step for step in examine(here([one()], a=Standing(9999, waiting, dead, NOW - 1))).steps
    }
    for name, at in (("room", 0), ("dead-letters", 1)):
        assert nl[at] in steps[name].nl
        assert en[at] in steps[name].en


def test_who_cannot_be_reached_over_the_group_is_named_with_the_way_to_walk() -> None:
    (step,) = [
        step for step in examine(here([one(owner=OTHER, mode="fsc")], a=LATE)).steps if step.name == "waiting"
    ]
    assert "De ander" in step.nl
    assert "sluis fsc doctor 'De ander' sluis" in step.next_nl


def test_without_a_group_nothing_is_said_of_others() -> None:
    names = {step.name for step in examine(here(followed=None)).steps}
    assert names.isdisjoint({"listening", "inbox"})
