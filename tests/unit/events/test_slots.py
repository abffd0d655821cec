"""Requests at once: nobody takes what others need, and nothing that was taken is lost."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from sluis.events.sending.slots import Slots


async def taken(slots: Slots, owner: str, most: int = 100) -> int:
    """How many an owner gets that wants `most`."""
    return sum(await asyncio.gather(*(slots.take(owner) for _ in range(most))))


async def test_one_owner_has_half_and_each_that_comes_still_finds_its_part() -> None:
    slots = Slots(16, 0.0)
    assert [await taken(slots, owner) for owner in "abcd"] == [8, 4, 2, 1]


async def test_what_comes_free_goes_to_who_has_fewest() -> None:
    slots = Slots(8, 5.0)
    assert [await taken(slots, "a", 4), await taken(slots, "b", 2)] == [4, 2]
    waiting = [asyncio.create_task(slots.take(owner)) for owner in "aab"]
    await asyncio.sleep(0)
    slots.give("a")  # three are left: b, that has two, comes before a, that has three
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.done() for task in waiting] == [False, False, True]
    for task in waiting[:2]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_equal_parts_come_of_themselves() -> None:
    slots = Slots(12, 5.0)
    held = {"a": await taken(slots, "a", 6), "b": 0, "c": 0}
    waiting = {owner: [asyncio.create_task(slots.take(owner)) for _ in range(20)] for owner in "abc"}
    for _ in range(60):
        await asyncio.sleep(0)
        for owner, tasks in waiting.items():
            held[owner] += sum(task.done() for task in tasks)
            waiting[owner] = [task for task in tasks if not task.done()]
        most = max(held, key=held.__getitem__)
        if held[most] > 3:
            slots.give(most)
            held[most] -= 1
    assert held == {"a": 3, "b": 3, "c": 3}
    for task in (task for tasks in waiting.values() for task in tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "give", "cancel"])), max_size=60))
def test_whatever_happens_all_are_there_again_in_the_end(acts: list[tuple[str, str]]) -> None:
    async def story() -> None:
        slots, tasks = Slots(6, 5.0), list[tuple[str, asyncio.Task[bool]]]()
        for owner, act in acts:
            if act == "take":
                tasks.append((owner, asyncio.create_task(slots.take(owner))))
            elif act == "give" and (held := [one for one in tasks if one[0] == owner and one[1].done()]):
                tasks.remove(held[0])
                slots.give(owner)
            elif act == "cancel":
                for one in [one for one in tasks if one[0] == owner and not one[1].done()]:
                    tasks.remove(one)
                    one[1].cancel()
                    if (await asyncio.gather(one[1], return_exceptions=True))[0] is True:
                        slots.give(owner)
            await asyncio.sleep(0)
        for _, task in tasks:
            task.cancel()
        for owner, task in tasks:
            if (await asyncio.gather(task, return_exceptions=True))[0] is True:
                slots.give(owner)
        assert await taken(Slots(6, 0.0), "d") == await taken(slots, "d", 3) == 3

    asyncio.run(story())
