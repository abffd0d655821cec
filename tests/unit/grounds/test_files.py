"""Files become structs, exactly; and whatever is wrong with them is told with its line."""

from datetime import date
from pathlib import Path

import pytest
from tests.unit.grounds.examples import (
    ACTIVITY,
    DATASET,
    DAY,
    DISCLOSURE,
    RECIPIENT,
    THIRD,
    activity,
    dataset,
    disclosure,
    write_node,
)

from sluis.grounds import (
    Aggregate,
    Article,
    Closed,
    Column,
    Dataset,
    Disclosure,
    Filter,
    Surroundings,
    examine,
    load_grounds,
    parse_document,
    read_directory,
    render,
)
from sluis.grounds.model import Withhold
from sluis.kernel import Invalid, Period, Text


def told(directory: Path) -> list[tuple[str, str, int]]:
    """Code, file and line of each problem with the files one by one."""
    places = [(one.code, one.place) for one in read_directory(directory).problems]
    return [(code, Path(place.file).name, place.line) for code, place in places if place]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_example_files_become_their_structs(tmp_path: Path) -> None:
    grounds = load_grounds(write_node(tmp_path), Surroundings(DAY))
    (found,) = grounds.datasets
    assert [column.name for column in found.columns] == ["bsn", "jaar", "vermogen", "inkomen"]
    assert found.column("bsn") == Column("bsn", "VARCHAR", source="BSN_NR", sensitivity="identifying")
    (opened,) = grounds.disclosures
    assert opened.recipient == RECIPIENT
    assert opened.filters == {"jaar": Filter(("=", ">="), (2024, 2025))}
    assert opened.valid == Period(date(2026, 1, 1), date(2026, 12, 31))
    assert opened.closed[0].article == Article("AVG", "5, eerste lid, onder c")
    assert grounds.activities[0].articles == (Article("Participatiewet", "53a", "BWBR0015703"),)


@pytest.mark.parametrize(
    ("changed", "old", "new", "code", "at"),
    [
        ("dataset", 'table = "INKOMEN"', 'tabel = "INKOMEN"', "unknown-key", "tabel"),
        ("dataset", 'table = "INKOMEN"\n', "", "missing-key", None),
        ("dataset", "rows = 4000", 'rows = "veel"', "wrong-type", "rows"),
        ("dataset", "rows = 4000", "rows = true", "wrong-type", "rows"),
        ("dataset", "rows = 4000", "rows = -1", "wrong-value", "rows"),
        ("dataset", 'type = "INTEGER"', 'type = "INT4"', "wrong-value", "jaar = {"),
        ("dataset", "[columns.inkomen]", "[columns.Inkomen]", "wrong-value", "[columns.Inkomen]"),
        ("activity", 'ground = "legal-obligation"', 'ground = "because"', "wrong-value", "ground"),
        ("activity", "since = 2026-01-01", 'since = "gisteren"', "wrong-value", "since"),
        ("activity", "since = 2026-01-01", "since = 2026-01-01T00:00:00Z", "wrong-type", "since"),
        ("activity", 'purpose.en = "Deciding', 'purpose.eng = "Deciding', "unknown-key", "purpose.eng"),
        ("activity", f'controller = "{RECIPIENT}"', 'controller = "123"', "wrong-value", "controller"),
        ("activity", 'bwb = "BWBR0015703"', 'bwb = "15703"', "wrong-value", "bwb"),
        ("disclosure", 'jaar = "filter"', 'jaar = "fliter"', "wrong-value", "jaar ="),
        ("disclosure", 'operators = ["=", ">="]', "operators = []", "empty-value", "operators"),
        ("disclosure", "values = [2024, 2025]", "values = [2024, 2024-01-01]", "wrong-type", "values"),
        ("disclosure", "values = [2024, 2025]", "values = [9007199254740993]", "wrong-value", "values"),
        ("disclosure", "values = [2024, 2025]", "values = [nan]", "wrong-type", "values"),
        ("disclosure", "version = 1", "version = 1\naggregate = { minimum = 1 }", "wrong-value", "aggregate"),
        ("disclosure", "version = 1", "version = 1\nmax_subjects = 0", "wrong-value", "max_subjects"),
        ("disclosure", "version = 1", 'version = 1\nretention = "P"', "wrong-value", "retention"),
    ],
)
def test_a_fault_is_told_with_file_and_line(
    tmp_path: Path, changed: str, old: str, new: str, code: str, at: str | None
) -> None:
    texts = {"dataset": DATASET, "activity": ACTIVITY, "disclosure": DISCLOSURE}
    assert old in texts[changed]
    text = texts[changed].replace(old, new, 1)
    found = told(write_node(tmp_path, **{changed: text}))
    assert (code, f"{changed}.toml", line_of(text, at) if at else 0) in found


def test_a_withholding_needs_an_end(tmp_path: Path) -> None:
    text = DISCLOSURE + '\n[withhold]\narticle = { law = "AVG", article = "23" }\n'
    (found,) = told(write_node(tmp_path, disclosure=text))
    assert found == ("missing-key", "disclosure.toml", line_of(text, "[withhold]"))


def test_every_fault_is_told_not_only_the_first(tmp_path: Path) -> None:
    text = (
        DATASET.replace("name =", "naam =", 1).replace("rows = 4000", 'rows = "veel"').replace("BSN_NR", "")
    )
    assert sorted(code for code, _, _ in told(write_node(tmp_path, dataset=text, activity="half = "))) == [
        "empty-value",
        "missing-key",
        "toml-syntax",
        "unknown-key",
        "wrong-type",
    ]


def test_an_unknown_key_names_the_one_that_was_meant(tmp_path: Path) -> None:
    write_node(tmp_path, disclosure=DISCLOSURE.replace("version =", "verison ="))
    (slip,) = [one for one in read_directory(tmp_path).problems if one.code == "unknown-key"]
    assert slip.next.nl == "Bedoelde u `version`?"


def test_a_folder_with_a_slip_in_its_name_is_not_passed_over(tmp_path: Path) -> None:
    write_node(tmp_path)
    (tmp_path / "disclosures").rename(tmp_path / "disclosure")
    (tmp_path / "keys").mkdir()
    assert told(tmp_path) == [("misnamed-folder", "disclosure", 0)]


def test_hidden_files_and_other_kinds_are_left_alone(tmp_path: Path) -> None:
    write_node(tmp_path)
    for name in (".x.toml", "x.toml~", "x.md"):
        (tmp_path / "datasets" / name).write_text("not toml")
    assert told(tmp_path) == []


def test_a_folder_that_links_to_itself_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(tmp_path / "datasets")
    assert told(tmp_path) == [("unreadable-folder", "datasets", 0)]


def test_an_absent_directory_is_a_problem(tmp_path: Path) -> None:
    assert told(tmp_path / "no")[0][0] == "unreadable-folder"


def test_a_half_written_file_stops_loading_and_says_how_many_problems_there_are(tmp_path: Path) -> None:
    write_node(tmp_path, disclosure=DISCLOSURE[:120], dataset=DATASET.replace("rows = 4000", "rows = -1"))
    with pytest.raises(Invalid) as caught:
        load_grounds(tmp_path, Surroundings(DAY))
    assert "sluis check" in caught.value.next.nl
    assert caught.value.place is not None


def test_what_has_merely_expired_does_not_stop_a_node(tmp_path: Path) -> None:
    write_node(tmp_path)
    assert load_grounds(tmp_path, Surroundings(date(2030, 1, 1))).disclosures


@pytest.mark.parametrize(
    ("item", "folder"),
    [
        (dataset(rows=3, key=("bsn",), description=Text("Met \"aanhaling\" \\ en\nregel\x7f", "x")), "datasets"),
        (
            dataset(columns=(Column("nl", "VARCHAR"), Column("en", "DECIMAL(10,2)", title=Text("é", "e"))), subject=None),
            "datasets",
        ),
        (activity(subjects=Text("aanvragers", "applicants"), retention="P30D"), "activities"),
        (
            disclosure(
                columns={"bsn": "join", "inkomen": "output", "jaar": "filter"},
                filters={"jaar": Filter(("in", "is null"), ("a'b", 3, 1.5, True))},
                masks={"inkomen": "CASE WHEN inkomen > 3 THEN '\"' END"},
                aggregate=Aggregate(10, {"inkomen": ("max", "median")}, combiner=THIRD),
                withhold=Withhold(Article("AVG", "23"), 30),
                closed=(Closed(("vermogen",), Text("a", "b")), Closed(("jaar",), Text("c", "d"), Article("x", "1"))),
                refuse_acr=("local",),
                minimum_level="substantial",
            ),
            "disclosures",
        ),
    ],
)  # fmt: skip
def test_what_is_rendered_is_read_back_the_same(
    tmp_path: Path, item: Dataset | Disclosure, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "x.toml").write_text(render(item))
    reading = read_directory(tmp_path)
    assert reading.problems == ()
    assert reading.written[0].item == item


def test_rendered_text_puts_the_two_languages_together() -> None:
    text = render(activity())
    assert 'name.nl = "Bijstand"\nname.en = "Benefit"\n' in text
    assert "since = 2026-01-01" in text
    assert parse_document(text, "x").tables["articles"] == [{"law": "Participatiewet", "article": "53a"}]


def test_a_file_that_cannot_be_read_is_not_also_told_as_an_unknown_name(tmp_path: Path) -> None:
    write_node(tmp_path, activity="half = ")
    assert [one.code for one in examine(read_directory(tmp_path), Surroundings(DAY))] == ["toml-syntax"]
    (tmp_path / "activities/activity.toml").unlink()
    assert [one.code for one in examine(read_directory(tmp_path), Surroundings(DAY))] == ["unknown-activity"]
