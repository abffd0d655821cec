"""Who was told of somebody, that person reads among who looked."""

from pathlib import Path

from tests.unit.events.samples import FIRST, GROUNDS, LAW, NOTICE, occurrence, source
from tests.unit.events.test_interests import ANNA

from sluis.identity.looked.rules import by_question, look_of
from sluis.ledger import Search, line_of


def called(address: str) -> str | None:
    return "Terugkeerdienst" if address == f"urn:nld:oin:{FIRST!s}" else None


async def test_who_was_told_of_what_and_on_which_law_stands_in_the_overview(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-7"})
        await at.publisher.publish([occurrence()])
        subjects = at.ledger.subjects(ANNA.kind, ANNA.value)
        lines = await at.ledger.processing_of(Search(subjects=subjects), withheld=False)
        looks = [look_of(line_of(one), "Bron", GROUNDS, called, own=True) for one in lines]
    (question,) = [one for one in by_question(looks) if one.first.what.startswith("Kennisgeving")]
    assert question.first.articles == (str(LAW),)
    (told,) = question.told
    assert (told.organisation, told.others, told.said) == ("Bron", ("Terugkeerdienst",), (NOTICE.tells,))
    assert "zaak-7" not in repr(looks)


async def test_a_line_of_another_organisation_is_not_explained_by_notices_of_this_one(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-7"})
        await at.publisher.publish([occurrence(trace_id="0d" * 16)])
        (line,) = await at.ledger.processing_of(Search(trace_id="0d" * 16), withheld=False)
    assert look_of(line_of(line), "Elders", GROUNDS, called).data == ()
