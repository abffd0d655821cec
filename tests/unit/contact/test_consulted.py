"""Word that one was consulted: of everything that may be told, once, whatever restarts; never what it was, and of nothing that
the log withholds."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.contact.world import BSN, DAY, OTHER, Fake, World
from tests.unit.grounds.examples import activity

from sluis.contact import Telling, consulted_scenario, is_inspection, own_party
from sluis.contact.consulted import EVENT, MOST_A_DAY, SAMPLE
from sluis.grounds import Article
from sluis.kernel import Invalid, milliseconds, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing, Withheld

ACT = activity()
ASKER = "https://gemeente.example"
OWNER = "https://rdw.example"


class Node(World):
    """A node that tells people that they were consulted."""

    known = False

    def __init__(self, folder: Path) -> None:
        self.looked_around = 0
        super().__init__(folder, {"box": Fake("box", "again", "sent")})

    @property
    def telling(self) -> Telling:
        async def ready() -> None:
            self.looked_around += 1

        names = {ASKER: "Gemeente Fictief", OWNER: "RDW (fictief)"}
        return Telling(
            consulted_scenario("https://register.voorbeeld.nl/berichten", ["box"]), self.known,
            frozenset({"https://register.voorbeeld.nl/inzage"}), ready, names.get, {ACT.id: ACT}.get,
        )  # fmt: skip

    async def wants(self, how: str = "each", value: str = BSN) -> None:
        party = own_party(self.contact.consulted._keeping.person(value))
        await self.contact.tell_of_consultations(party, ("BSN", value), how)

    async def consulted(self, value: str = BSN, **more: Any) -> str:
        """A line of a consultation, as `disclose` writes it; gives its trace."""
        moment = self.clock()
        trace = more.pop("trace", new_trace_id())
        attributes = {
            ACTIVITY: more.pop("activity", ACT.id), SUBJECT: self.ledger.subject("BSN", value, moment), SUBJECT_TYPE: "BSN",
            PROCESSOR: more.pop("other", ASKER), **more.pop("attributes", {}),
        }  # fmt: skip
        if attributes[PROCESSOR] is None:
            del attributes[PROCESSOR]
        at = more.pop("at", milliseconds(moment))
        line = Processing(trace, new_span_id(), "Raadpleging Inkomen", more.pop("status", "Ok"), at, at, attributes=attributes, **more)  # fmt: skip
        await self.ledger.append([line])
        return str(trace)

    async def told(self) -> list[str]:
        """Read along, send what is due, and give what left."""
        await self.contact.consulted.work()
        await self.settle()
        box: Any = self.channels["box"]
        return [one.text for one in box.got]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.store.close()


async def test_who_wants_to_know_reads_who_asked_and_why_and_never_what(node: Node) -> None:
    await node.wants()
    await node.consulted()
    (text,) = await node.told()
    for word in ("Gemeente Fictief vroeg gegevens over u op bij Dienst Voorbeeld (fictief)", "23 november 2026, 12:00 uur",
                 ACT.purpose.nl, str(ACT.articles[0]), "https://dienst.example/looked"):  # fmt: skip
        assert word in text
    assert "Inkomen" not in text
    assert BSN not in text


async def test_where_this_organisation_asked_the_message_says_so(node: Node) -> None:
    await node.wants()
    await node.consulted(other=OWNER, attributes={"dpl.read.externalReadAPI_id": f"{OWNER}/v1"})
    assert "Dienst Voorbeeld (fictief) vroeg gegevens over u op bij RDW (fictief)" in (await node.told())[0]


async def test_who_said_nothing_or_no_is_told_nothing(node: Node) -> None:
    await node.wants("never")
    await node.consulted()
    await node.consulted(OTHER)
    assert await node.told() == []


@pytest.mark.parametrize(
    "line",
    [
        {"withheld": Withheld("UAVG, art. 41", 2**52)},
        {"activity": "https://register.voorbeeld.nl/inzage"},
        {"status": "Error"},
        {"other": None},
        {"attributes": {"sluis.event": {"notice": "n"}}},
    ],
)
async def test_of_what_may_not_be_told_or_is_no_consultation_there_is_no_word(
    node: Node, line: dict[str, Any]
) -> None:
    await node.wants()
    await node.consulted(**line)
    assert await node.told() == []


async def test_what_was_withheld_and_is_not_any_more_is_told(node: Node) -> None:
    await node.wants()
    await node.consulted(withheld=Withheld("UAVG, art. 41", 1))
    assert len(await node.told()) == 1


async def test_what_happened_before_somebody_asked_for_it_is_not_told(node: Node) -> None:
    await node.consulted()
    node.clock.later(60)
    await node.wants()
    assert await node.told() == []
    await node.consulted()
    assert len(await node.told()) == 1


async def test_of_one_organisation_there_is_one_message_a_day_and_the_next_morning(node: Node) -> None:
    await node.wants("day")
    for _ in range(3):
        await node.consulted()
        node.clock.later(3600)
        assert await node.told() == []
    await node.consulted(other=OWNER)
    await node.contact.consulted.work()
    await node.later(DAY)
    texts = await node.told()
    assert sorted(text.count("vroeg gegevens over u op") for text in texts) == [1, 3]
    await node.consulted()
    await node.later(DAY)
    assert len(await node.told()) == 2  # of today: tomorrow


async def test_one_message_names_so_many_and_counts_the_rest(node: Node) -> None:
    await node.wants("day")
    for _ in range(53):
        await node.consulted()
    await node.contact.consulted.work()
    await node.later(DAY)
    (text,) = await node.told()
    assert "nog 3 keer" in text


async def test_nothing_is_lost_or_doubled_when_the_node_starts_anew(node: Node) -> None:
    await node.wants()
    await node.consulted()
    node.again()  # before the log was read
    await node.consulted()
    assert len(await node.told()) == 2
    node.again()
    assert len(await node.told()) == 2


async def test_lines_of_one_question_are_one_message(node: Node) -> None:
    await node.wants()
    trace = await node.consulted()
    await node.consulted(trace=trace)
    await node.told()
    await node.consulted(trace=trace)
    assert len(await node.told()) == 1


async def test_who_asks_again_and_again_fills_nobodys_mailbox(node: Node) -> None:
    await node.wants()
    for _ in range(MOST_A_DAY + 30):
        trace = await node.consulted()
    await node.consulted(trace=trace)
    assert len(await node.told()) == MOST_A_DAY
    node.clock.later(DAY)
    assert len(await node.told()) == MOST_A_DAY + 1  # what came on top, in one
    await node.consulted()
    assert len(await node.told()) == MOST_A_DAY + 2


async def test_a_new_year_with_another_pseudonym_is_told_too(node: Node) -> None:
    node.clock.now = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
    await node.wants()
    node.clock.later(4 * 3600)
    await node.consulted()
    assert len(await node.told()) == 1
    node.clock.later(370 * DAY)
    await node.contact.tidy()
    with node.store.read() as connection:
        years = [*connection.exec_driver_sql("SELECT year FROM contact_watched_by ORDER BY year").scalars()]
    assert years == [2027]


async def test_where_the_organisation_tells_whoever_it_knows_no_still_means_no(node: Node) -> None:
    node.known = True
    Node.known = True
    try:
        node.again()
        await node.wants("never", OTHER)
        for one in (BSN, OTHER):
            await node.contact.consulted.met("BSN", one)
            await node.consulted(one)
        await node.contact.consulted.work()
        await node.later(DAY)
        assert len(await node.told()) == 1
        assert await node.contact.told_of_consultations(node.party) == "day"
    finally:
        Node.known = False


async def test_a_choice_that_is_none_is_refused(node: Node) -> None:
    with pytest.raises(Invalid):
        await node.wants("sometimes")


async def test_a_log_of_which_nobody_wants_to_know_is_passed_over(node: Node) -> None:
    for _ in range(3):
        await node.consulted()
    assert await node.told() == []
    assert node.looked_around == 0


def test_inspection_is_what_rests_on_article_15() -> None:
    def resting(law: str, article: str) -> bool:
        return is_inspection(activity(articles=(Article(law, article),)))

    assert resting("AVG", "15")
    assert resting("Algemene verordening gegevensbescherming", "15, lid 1")
    assert not resting("AVG", "6")
    assert not resting("Wet BRP", "15")


def test_the_templates_of_the_node_itself_have_words_in_both_languages(tmp_path: Path) -> None:
    node = Node(tmp_path)
    scenario = consulted_scenario("a", ["box"])
    for language in ("nl", "en"):
        said = node.contact.reaching._handing._templates.render(scenario, language, SAMPLE)  # type: ignore[arg-type]
        assert said.text.count("Voorbeeldwet") == said.html.count("Voorbeeldwet") == 2
        assert "\n\n\n" not in said.text
    assert scenario.event == EVENT
    node.store.close()
