"""Proofs as drawings, versions of laws, activities as files, and the summary of the log."""

import csv
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import SHARED
from tests.unit.oversight.room import BWB, NOW, Room, activity

from sluis.grounds import Article
from sluis.kernel import Invalid, convert
from sluis.ledger.tree import Tree, TreeAt, leaf_hash
from sluis.oversight import sql, summary
from sluis.oversight.drawing import WIDTH, consistency, inclusion
from sluis.oversight.importing import proposals
from sluis.oversight.laws import MOST, joined, versions_in, written
from sluis.oversight.model import Review, Version
from sluis.oversight.register import duration
from sluis.oversight.reviewing import changes, cited, in_force
from sluis.oversight.summing import Streak, streak

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]


def tree(size: int) -> TreeAt:
    def fetch(level: int, number: int, width: int) -> bytes:
        step = 256**level
        return b"".join(
            _root(LEAVES[at * step : (at + 1) * step]) for at in range(number * 256, number * 256 + width)
        )

    return TreeAt(size, fetch)


def _root(leaves: list[bytes]) -> bytes:
    made = Tree()
    made.extend(leaves)
    return made.root()


@given(st.data())
def test_a_drawing_of_inclusion_holds_exactly_when_the_proof_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 255))
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree(size).inclusion(index), _root(LEAVES[:size])
    drawn = inclusion(index, size, LEAVES[index], proof, root, ["log", "getuige"])
    assert drawn.holds
    assert len(drawn.told) == len(proof) + 2
    assert all(
        box.left >= 0 and box.left + box.wide <= WIDTH and box.y + 36 <= drawn.height for box in drawn.boxes
    )
    other = hashlib.sha256(b"anders").digest()
    assert not inclusion(index, size, other, proof, root, ["log"]).holds
    assert any(
        box.kind == "false" for box in inclusion(index, size, LEAVES[index], proof, other, ["log"]).boxes
    )


@given(st.data())
def test_a_drawing_of_consistency_holds_exactly_when_the_proof_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 255))
    old = data.draw(st.integers(1, size))
    proof, root, before = tree(size).consistency(old), _root(LEAVES[:size]), _root(LEAVES[:old])
    drawn = consistency(old, size, proof, before, root, ["log"])
    assert drawn.holds
    assert all(
        box.left >= 0 and box.left + box.wide <= WIDTH and box.y + 36 <= drawn.height for box in drawn.boxes
    )
    other = hashlib.sha256(b"anders").digest()
    assert not consistency(old, size, proof, other, root, ["log"]).holds
    assert not consistency(old, size, proof, before, other, ["log"]).holds


MANIFEST = f"""<?xml version="1.0"?><w:work xmlns:w="urn:x" label="{BWB}"><w:expression label="2024-01-01_0">
<w:metadata><w:datum_inwerkingtreding>2024-02-03</w:datum_inwerkingtreding></w:metadata></w:expression>
<w:expression label="2025-01-01_0"/><w:expression label="anders"/></w:work>"""
STATE = f"""<toestand bwb-id="{BWB}" inwerkingtreding="2026-01-01"><wet><artikel label="Artikel 64" inwerking="2025-07-01">
<kop><label>Artikel</label><nr>64</nr></kop></artikel><artikel label="Artikel 8a" inwerking="2019-01-01"/></wet></toestand>"""


def expression(day: str, number: int, seen_until: str = "9999-12-31", deleted: bool = False) -> str:
    """A version as manifests of the register have it."""
    return f"""<expression label="{day}_{number}"><metadata><datum_inwerkingtreding>{day}</datum_inwerkingtreding>
    <einddatum>9999-12-31</einddatum><zichtdatum_start>2025-03-15</zichtdatum_start><zichtdatum_eind>{seen_until}</zichtdatum_eind>
    </metadata><manifestation label="xml"><metadata><hashcode>0</hashcode></metadata>
    <item label="{BWB}_{day}_{number}.xml" _deleted="{str(deleted).lower()}"/></manifestation></expression>"""


def test_a_version_that_was_withdrawn_or_thought_to_come_on_another_day_is_none() -> None:
    listed = [
        expression("2024-01-01", 0, "2025-07-18"), expression("2024-01-01", 1), expression("2025-07-01", 0, "2025-06-01"),
        expression("2026-01-01", 0), expression("2026-02-01", 0, deleted=True),
    ]  # fmt: skip
    whole = "<metadata><datum_inwerkingtreding>2004-01-01</datum_inwerkingtreding></metadata>"
    manifest = f'<work label="{BWB}" _latestItem="x">{whole}{"".join(listed)}</work>'
    assert versions_in(manifest.encode(), "m") == (
        Version(BWB, date(2024, 1, 1)),
        Version(BWB, date(2026, 1, 1)),
    )


def test_an_article_of_an_annex_is_not_that_of_the_law() -> None:
    text = f"""<toestand bwb-id="{BWB}"><wetgeving><wet-besluit><wettekst><hoofdstuk>
    <artikel label="Artikel 1" inwerking="2020-01-01"><kop><label>Artikel</label><nr status="officieel">1</nr></kop></artikel>
    </hoofdstuk></wettekst></wet-besluit><bijlage><artikel label="Artikel 1" inwerking="2026-01-01"/></bijlage>
    </wetgeving></toestand>"""
    assert versions_in(text.encode(), "t") == (Version(BWB, date(2020, 1, 1), "1"),)


@pytest.mark.parametrize(
    "written_as", ["2:28b", "Artikel 2:28b", "art. 2:28b", "2:28B, tweede lid", "2:28b lid 2"]
)
def test_an_article_is_found_however_it_is_written(written_as: str) -> None:
    known = Version(BWB, date(2026, 1, 1), "2:28b")
    assert in_force([known], Article("Wet (fictief)", written_as, BWB), NOW.date()) == known


@pytest.mark.skipif(SHARED is None, reason="needs the list of grounds of ../shared")
def test_every_article_on_which_public_services_rest_is_found_among_the_versions_of_its_law() -> None:
    assert SHARED is not None
    with (SHARED / "data" / "grondslagen" / "gegevensgrondslagen.csv").open(newline="") as file:
        cited = {
            (row["grondslag_law"], row["grondslag_bwb_id"], row["grondslag_article"])
            for row in csv.DictReader(file)
            if row["grondslag_bwb_id"] and row["grondslag_article"]
        }
    assert len(cited) > 50
    versions = [Version(bwb, date(2024, 1, 1), number) for _, bwb, number in cited]
    for law, bwb, number in cited:
        article = convert({"law": law, "article": number, "bwb": bwb}, Article)
        found = in_force(versions, article, NOW.date())
        assert found == Version(bwb, date(2024, 1, 1), number)
    assert versions_in(written(versions).encode(), "w") == tuple(dict.fromkeys(versions))


def test_versions_are_read_from_a_manifest_a_text_and_a_list() -> None:
    assert versions_in(MANIFEST.encode(), "m") == (
        Version(BWB, date(2024, 2, 3)),
        Version(BWB, date(2025, 1, 1)),
    )
    found = versions_in(STATE.encode(), "t")
    assert found == (
        Version(BWB, date(2026, 1, 1)),
        Version(BWB, date(2025, 7, 1), "64"),
        Version(BWB, date(2019, 1, 1), "8a"),
    )
    listed = json.dumps([{"bwb": BWB, "article": 64, "since": "2025-07-01"}])
    assert versions_in(listed.encode(), "j") == (Version(BWB, date(2025, 7, 1), "64"),)
    every = joined(found, versions_in(MANIFEST.encode(), "m"))
    assert versions_in(written(every).encode(), "w") == every


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b"\xff\xfe", b"<a/>", b"<a", b'[{"bwb": "x", "since": "2025-01-01"}]', b'[{"bwb": "BWBR0015703", "since": 3}]',
     b'<!DOCTYPE a [<!ENTITY b "c">]><work label="BWBR0015703">&b;</work>', b"[" * 100_000,
     b"[" + b",".join([b'{"bwb": "BWBR0015703", "since": "2025-01-01"}'] * (MOST + 1)) + b"]"],
)  # fmt: skip
def test_what_says_nothing_of_versions_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        versions_in(raw, "f")


def test_an_article_changed_when_its_version_began_after_the_one_that_was_reviewed() -> None:
    article = Article("Participatiewet", "64, lid 1", BWB)
    old, new = Version(BWB, date(2025, 1, 1), "64"), Version(BWB, date(2026, 11, 1), "64")
    elsewhere, whole = Version(BWB, date(2026, 11, 5), "65"), Version(BWB, date(2026, 11, 6))
    at = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
    day = date(2026, 11, 20)

    def reviewed(*seen: Version) -> Review:
        then = cited([article], seen, date(2026, 6, 1))
        return Review("a", at, "b", "agreed", "", date(2027, 1, 1), "none", None, "d", then)

    assert changes([article], reviewed(old), [old], day) == ()
    assert changes([article], reviewed(old), [old, elsewhere], day) == ()
    (one,) = changes([article], reviewed(old), [old, new, elsewhere], day)
    assert (one.since, one.before) == (date(2026, 11, 1), date(2025, 1, 1))
    assert changes([article], reviewed(old), [old, new], date(2026, 10, 31)) == ()
    assert (
        changes([article], reviewed(old), [old, whole], day) == ()
    )  # what is known of the article itself counts
    assert [one.before for one in changes([article], reviewed(), [whole], day)] == [None]
    assert changes([article], reviewed(), [old], day) == ()
    assert changes([Article("Gemeentelijk", "1")], reviewed(), [new], day) == ()
    assert in_force([old, new, whole], article, day) == new


def test_durations_are_as_people_read_them() -> None:
    assert duration("P1Y6M").nl == "1 jaar en 6 maanden"
    assert duration("P0D").en.startswith("no longer")
    assert duration("PT4H").nl == "PT4H"


def test_activities_in_csv_become_files_and_each_fault_is_named() -> None:
    text = (
        "id;name;purpose;controller;ground;articles;since;subjects\n"
        f"https://a.example/x;Naam;Doel;00000001000000000001;public-task;Participatiewet, art. 64 ({BWB});2026-01-01;inwoners\n"
        ";Zonder;Doel;1;zomaar;;gisteren;\n"
    )
    right, wrong = proposals(text, ["https://a.example/x"])
    assert right.problems == ()
    assert right.known
    assert f'bwb = "{BWB}"' in right.text
    assert 'subjects.nl = "inwoners"' in right.text
    assert len(wrong.problems) > 2


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_whatever_is_offered_is_proposed_or_refused(value: object) -> None:
    try:
        made = proposals(json.dumps([value, {"id": "https://a.example", "name": value}]), [])
    except Invalid:
        return
    assert all(one.problems for one in made)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=30), st.integers(0, 30))
def test_a_streak_goes_on_where_the_stretch_before_ended(outcomes: list[tuple[int, bool]], cut: int) -> None:
    outcomes = sorted(outcomes, key=lambda one: one[0])
    whole = streak(None, outcomes)
    assert streak(streak(None, outcomes[:cut]), outcomes[cut:]) == whole
    if whole is not None:
        assert whole.longest >= whole.running or whole == Streak(whole.day, whole.running, whole.longest)


@pytest.mark.parametrize("step", [1, 7, 5000])
async def test_the_summary_is_the_same_whatever_the_stretches_and_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(summary, "STEP", step)
    with Room(tmp_path) as room:
        records = [
            *room.consulted("a", NOW, ["p", "q"]),
            *room.consulted("a", NOW, ["p"], dataset="voorbeeld.geheim"),
        ]
        for number in range(3):
            records += room.asked(f"m-{number % 2}", NOW)
        await room.write(records)
        await room.oversight.summary.catch_up()
        again = summary.Summary(room.store, room.ledger, room.clock)
        await again.catch_up()
        assert again.changes == 0
        with room.store.read() as connection:
            use = connection.exec_driver_sql(
                "SELECT peer <> '', person, permitted, refused FROM oversight_use ORDER BY person"
            ).all()
            people = connection.exec_driver_sql(
                "SELECT subject, SUM(times) FROM oversight_people GROUP BY subject"
            ).all()
        assert [tuple(one) for one in use] == [(1, "a", 1, 1), (0, "m-0", 2, 0), (0, "m-1", 1, 0)]
        assert [tuple(one) for one in people] == [("p", 2), ("q", 1)]
        assert [one.rule for one in again.decisions({}, 10)][-1] == "disclosed"
        assert again.choices("activity")[0]
        room.now = NOW.replace(year=2028)
        await again.tidy()
        with room.store.read() as connection:
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM oversight_people").scalar() == 0


async def test_a_destroyed_decision_leaves_the_list(tmp_path: Path) -> None:
    with Room(tmp_path) as room:
        await room.write(room.consulted("a", NOW))
        await room.oversight.catch_up()
        await room.ledger.destroy([(0, 0)], "selectielijst")
        await room.oversight.catch_up()
        assert room.oversight.summary.decisions({}, 10) == []


def test_every_filter_has_its_condition() -> None:
    assert "idx > :after" in sql.decisions(frozenset({"after", "rule"}))
    assert activity().articles[0].bwb == BWB
