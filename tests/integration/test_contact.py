"""The whole way, in a node: somebody proves an address, something happens, and mail arrives."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

from tests.integration.nodes import Federation, build
from tests.unit.contact.mailserver import Post, post_office
from tests.unit.contact.test_scenarios import FILE
from tests.unit.contact.world import BSN, EVENT, write_templates
from tests.unit.serve.test_contact import ACTIVITY, EVENT_TYPE

from sluis.contact import own_party
from sluis.crypto import FileKeyStore
from sluis.events.interests import Whom
from sluis.events.publishing import Occurrence
from sluis.identity.sessions import person_of

CHANNEL = """
[contact]
quiet_from = "00:00"
quiet_until = "00:00"

[channels.mail]
kind = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "post@dienst.example"
"""


def furnish(directory: Path, port: int) -> None:
    """A scenario over mail, and what it names."""
    settings = directory / "node.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + CHANNEL.format(port=port), encoding="utf-8")
    owner = re.search(r'oin = "(\d{20})"', text)
    assert owner is not None
    for folder, name, content in (
        ("activities", "besluiten", ACTIVITY.replace("00000001000000000001", owner[1])),
        ("event-types", "besluit", EVENT_TYPE),
        ("scenarios", "besluit", FILE.replace('"box"', '"mail"')),
    ):
        (directory / folder).mkdir(exist_ok=True)
        (directory / folder / f"{name}.toml").write_text(content, encoding="utf-8")
    write_templates(directory / "templates")


async def arrived(post: Post, number: int) -> None:
    """Wait for so many messages."""
    async with asyncio.timeout(20):
        while len(post.taken) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_what_is_published_arrives_where_somebody_proved_to_be_reached(tmp_path: Path) -> None:
    directory, post = Federation(tmp_path).owner, Post()
    async with post_office(post) as port:
        furnish(directory, port)
        node = build(directory)
        await node.start()
        try:
            contact, events = node.parts.contact, node.parts.events
            assert contact is not None
            person = own_party(person_of(FileKeyStore(node.config.keys.directory), "BSN", BSN))
            await contact.proving.offer(person, "email", "anna@voorbeeld.nl", "nl")
            code = re.search(r"\d{6}", str(post.message().get_body(("plain",))))
            assert code is not None
            await contact.proving.prove(person, "email", code[0])
            occurrence = Occurrence(
                type=EVENT, id="b-1", time=datetime.now(UTC), about=Whom("BSN", BSN),
                facts={"uitkomst": "afgewezen", "kenmerk": "Z-1"},
            )  # fmt: skip
            for _ in range(2):  # a system that tells it twice
                await events.publisher.publish([occurrence])
            await arrived(post, 2)
            await contact.reaching.settled()
            (entry,) = await contact.history(person)
        finally:
            await node.stop()
    assert (post.message()["To"], post.message()["Subject"]) == ("anna@voorbeeld.nl", "Er is een besluit")
    assert (len(post.taken), entry.state) == (2, "reached")
