"""A message goes out once, whatever is killed: a process that sends mail to a real server dies at random moments, and at the worst."""

import asyncio
import multiprocessing
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Queue

import pytest
from tests.unit.contact.mailserver import Post, post_office
from tests.unit.contact.world import Fake, World, scenario

from sluis.contact import Mail, MailSettings

FORK = multiprocessing.get_context("fork")
MESSAGES = 8


async def send(folder: Path, port: int, messages: int) -> None:
    """What the process does: hear of all events, and go on until every message was handed over."""
    mail = Mail(
        MailSettings("127.0.0.1", port, "none", "post@dienst.example", seconds=20.0),
        ssl.create_default_context(),
    )
    world = World(folder, {"mail": mail}, scenario("mail"))
    world.clock.now = datetime.now(UTC)
    await world.reachable_by("email", "anna@voorbeeld.nl")
    for number in range(messages):
        await world.happens(id=str(number))
    states: list[str] = []
    while len(states) < messages or not set(states) <= {"sent", "doubtful"}:
        world.clock.now = datetime.now(UTC)
        await world.contact.work()
        await asyncio.sleep(0.01)
        states = [step.state for one in await world.contact.history(world.party) for step in one.steps]
    await world.contact.stop()
    world.store.close()


def sending(folder: Path, port: int, messages: int) -> BaseProcess:
    process = FORK.Process(target=lambda: asyncio.run(send(folder, port, messages)))
    process.start()
    return process


def finished(process: BaseProcess) -> None:
    process.join(timeout=60)
    assert process.exitcode == 0


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


@pytest.fixture
def office() -> Iterator[tuple[Post, int]]:
    """A mail server on a thread of its own, and its port."""
    post, ended = Post(), threading.Event()
    ports: Queue[int] = Queue()

    async def serve() -> None:
        async with post_office(post) as port:
            ports.put(port)
            while not ended.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    yield post, ports.get(timeout=10)
    ended.set()
    thread.join()


def names(post: Post) -> Counter[str]:
    return Counter(str(post.message(number)["Message-ID"]) for number in range(len(post.taken)))


def test_mail_that_was_taken_and_never_noted_comes_again_under_the_same_name_once(
    office: tuple[Post, int], tmp_path: Path
) -> None:
    post, port = office
    post.hang = "data"
    process = sending(tmp_path, port, 1)
    while not post.taken:
        time.sleep(0.01)
    kill(process)
    post.hang = ""
    for _ in range(2):
        finished(sending(tmp_path, port, 1))
    assert list(names(post).values()) == [2]


async def ended(folder: Path) -> Counter[str]:
    """The states that tries ended in."""
    world = World(folder, {"mail": Fake("email", "unknown")}, scenario("mail"))
    found = Counter[str](step.state for one in await world.contact.history(world.party) for step in one.steps)
    world.store.close()
    return found


@pytest.mark.prove
def test_every_message_is_sent_and_none_but_the_doubtful_twice(
    office: tuple[Post, int], tmp_path: Path
) -> None:
    """The rule of `docs/reference/contact.md`: what comes twice was in the air when a process died, and has one name. What three
    processes died over is called doubtful, never sent."""
    post, port = office
    dice = random.Random(5)
    for _ in range(20):
        process = sending(tmp_path, port, MESSAGES)
        time.sleep(dice.random() * 0.6)
        kill(process)
    finished(sending(tmp_path, port, MESSAGES))
    found, states = names(post), asyncio.run(ended(tmp_path))
    assert set(states) <= {"sent", "doubtful"}
    assert states["sent"] <= len(found) <= MESSAGES == states.total()
    assert max(found.values()) <= 3
