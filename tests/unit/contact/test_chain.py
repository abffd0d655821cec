"""The whole way of one message, over real channels and their counterparts: from an event to a letter, while every step fails in turn."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from tests.contract.contact.kinds import KINDS
from tests.pango import need_pango
from tests.unit.contact.test_mail import bounce
from tests.unit.contact.world import BSN, DAY, World, scenario

from sluis.contact import Preference

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of WeasyPrint's profile


class Chain(World):
    """A node with a box, mail, text messages and a print street, each with its counterpart."""

    def __init__(self, folder: Path, fars: dict[str, Any]) -> None:
        self.fars = fars
        names = {"box": "box", "mail": "smtp", "sms": "notify-sms", "post": "print"}
        channels = {name: fars[kind].channel for name, kind in names.items()}
        super().__init__(folder, channels, scenario(*channels))

    def far(self, kind: str) -> Any:
        return self.fars[kind]

    async def ready(self) -> None:
        await self.reachable_by("email", "anna@voorbeeld.nl")
        await self.reachable_by("sms", "+31612345678")

    def letters(self) -> list[Path]:
        return sorted((self.folder / "print/straat").glob("*.pdf"))

    def bounces(self) -> None:
        """The mail comes back, at the address that it alone had."""
        reference = self.far("smtp").post.taken[-1].mail_from.partition("+")[2].partition("@")[0]
        (self.far("smtp").folder / "new/1").write_bytes(bounce(reference=reference))


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    need_pango()
    async with AsyncExitStack() as stack:
        fars = {}
        for kind in ("box", "smtp", "notify-sms", "print"):
            (tmp_path / kind).mkdir()
            fars[kind] = await stack.enter_async_context(KINDS[kind](tmp_path / kind))
        made = Chain(tmp_path, fars)
        await made.ready()
        yield made
        await made.contact.stop()
        made.store.close()


async def test_no_box_then_mail_that_bounces_then_a_text_message_that_fails_then_a_letter(
    chain: Chain,
) -> None:
    chain.far("box").box.without.add(BSN)
    await chain.happens()
    await chain.settle()
    assert await chain.states() == [("box", "refused"), ("email", "sent")]
    chain.bounces()
    await chain.hear()
    assert await chain.states() == [("box", "refused"), ("email", "bounced"), ("sms", "sent")]
    chain.far("notify-sms").says_back()
    await chain.hear()
    entry = await chain.entry()
    assert [(one.kind, one.state) for one in entry.steps][2:] == [("sms", "bounced"), ("letter", "sent")]
    assert (entry.state, entry.case, entry.text) == ("reached", "Z-1", "Uitkomst: afgewezen")
    (letter,) = chain.letters()
    told = PdfReader(letter).pages[0].extract_text()
    assert all(one in told for one in ("A. Fictief", "23 november 2026", "Z-1", "Uitkomst: afgewezen"))
    manifest = json.loads(letter.with_suffix(".json").read_bytes())
    assert manifest["format"] == "pdf/a-2a"
    assert len(await chain.lines()) == 4  # one for each try
    await chain.later(30 * DAY)
    await chain.hear()
    assert len(chain.letters()) == len(chain.far("smtp").got()) == 1


async def test_channels_that_are_down_or_silent_cost_time_and_not_the_message(chain: Chain) -> None:
    await chain.far("box").down()
    await chain.far("smtp").down()
    await chain.happens()
    await chain.settle()
    await chain.later(2 * DAY)
    await chain.later(2 * DAY)
    assert await chain.states() == [("box", "claimed"), ("email", "delayed"), ("sms", "sent")]
    await chain.later(2 * DAY)  # the service never says that it was delivered
    assert (await chain.states())[2:] == [("sms", "sent"), ("letter", "sent")]
    assert len(chain.letters()) == 1


async def test_a_letter_that_cannot_be_put_there_is_put_there_later_under_the_same_name(chain: Chain) -> None:
    await chain.contact.prefer(chain.party, Preference(kinds=("letter",), case="Z-1"))
    place = chain.folder / "print/straat"
    await chain.far("print").down()
    await chain.happens()
    await chain.settle()
    assert await chain.states() == [("letter", "delayed")]
    place.mkdir()
    await chain.later(60)
    assert await chain.states() == [("letter", "sent")]
    (letter,) = chain.letters()
    (place / f"{letter.stem}.returned").touch()
    await chain.hear()
    entry = await chain.entry()
    assert (entry.state, entry.steps[0].state) == ("unreachable", "bounced")


async def test_what_was_said_about_a_case_holds_for_that_case_alone(chain: Chain) -> None:
    await chain.contact.prefer(chain.party, Preference(kinds=("email",), language="en", case="Z-1"))
    await chain.happens()
    await chain.happens(id="2", facts={"uitkomst": "toegewezen", "kenmerk": "Z-2", "bedrag": 1})
    await chain.settle()
    found = {one.case: [step.kind for step in one.steps] for one in await chain.contact.history(chain.party)}
    assert found == {"Z-1": ["email"], "Z-2": ["box"]}
    assert chain.far("smtp").post.message()["Content-Language"] == "en"


async def test_a_message_box_says_when_it_was_read_and_the_history_shows_it(chain: Chain) -> None:
    await chain.happens()
    await chain.settle()
    await chain.hear()
    assert await chain.states() == [("box", "delivered")]
    chain.far("box").box.read.add(chain.far("box").got()[0])
    await chain.hear()
    (step,) = (await chain.entry()).steps
    assert (step.state, step.state_text.nl) == ("read", "gelezen")
