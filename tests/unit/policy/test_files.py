from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.policy.samples import NOW, OPEN

from sluis.grounds import Grounds
from sluis.kernel import Invalid
from sluis.policy import BY_DAY, Engine, Own, examine_own, policies_of, read_own

GOOD = """// A comment; with a semicolon, and "quotes".
@id("one")
permit (principal, action == Action::"read", resource)
when { resource.name != "a;b // \\"" };

@id("two") forbid (principal, action, resource) when { resource has closed };
"""
CASE = """
[[test]]
name = "reads"
subject = { type = "user", id = "a" }
action = { name = "read" }
resource = { type = "page", id = "p", properties = { name = "p" } }
"""
AT = "at = 2026-06-01T12:00:00Z\n"


def written(folder: Path, **files: str) -> Own:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return read_own(folder)


def found(folder: Path, **files: str) -> list[tuple[str, str, int]]:
    """Every problem: its code, file and line."""
    own = written(folder, **files)
    told = examine_own(own, policies_of(own, Grounds(), "own", False), lambda: NOW)
    return [(one.code, Path(one.place.file).name, one.place.line) for one in told if one.place]


def test_a_folder_that_is_not_there_has_no_policies(tmp_path: Path) -> None:
    assert read_own(tmp_path / "policies") == Own()


def test_what_is_written_well_has_no_problems(tmp_path: Path) -> None:
    files = {"a__cedar": GOOD, "a__test__toml": CASE + 'expect = "permit"\nrule = "one"\n' + AT}
    assert found(tmp_path, **files, README__md="Read me.") == []
    assert list(read_own(tmp_path).texts) == ["a.cedar"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + "\n@id(\"three\")\npermit (principal, actoin, resource);\n", ("cedar-syntax", 8)),
        (GOOD + "\n@id(\"three)\npermit (principal, action, resource);\n", ("cedar-syntax", 8)),
        (GOOD + "\npermit (principal, action, resource);\n", ("policy-without-id", 8)),
        (GOOD + '\n@id("disclosure:d1@1")\npermit (principal, action, resource);\n', ("policy-without-id", 8)),
        (GOOD + '\n@id("three")\npermit (principal == ?principal, action, resource);\n', ("policy-template", 8)),
        (GOOD + '\n@id("one")\npermit (principal, action, resource);\n', ("policy-twice", 8)),
        (GOOD + '\n@id("standard-ask")\nforbid (principal, action, resource);\n', ("policy-twice", 8)),
        (GOOD + "\n// the end\nperm", ("cedar-syntax", 9)),
        ("\x00", ("cedar-syntax", 1)),
    ],
    ids=["scope", "string", "nameless", "name-of-a-disclosure", "template", "twice", "standard", "cut-off", "no-text"],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, problem: tuple[str, int]) -> None:
    code, line = problem
    assert found(tmp_path, a__cedar=text) == [(code, "a.cedar", line)]


def test_a_name_is_used_once_over_all_files(tmp_path: Path) -> None:
    again = '@id("two") permit (principal, action, resource);'
    assert found(tmp_path, a__cedar=GOOD, b__cedar=again) == [("policy-twice", "b.cedar", 1)]


@pytest.mark.parametrize("name", ["a.ceder", "a.toml", "Entities.json", "a.cedar.bak"])
def test_a_file_that_nobody_reads_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD)
    assert [one.code for one in read_own(tmp_path).problems] == ["unknown-policy-file"]


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (CASE + 'expect = "deny"\n' + AT, ("policy-test", 2)),
        (CASE + 'expect = "permit"\nrule = "two"\n' + AT, ("policy-test", 2)),
        (CASE + 'expect = "deny"\n', (BY_DAY, 2)),
        (CASE, ("missing-key", 2)),
        (CASE + 'expect = "maybe"\n', ("wrong-value", 7)),
        (CASE + 'expect = "permit"\nat = 2026-06-01T12:00:00\n', ("policy-test-moment", 8)),
        (CASE + 'expect = "permit"\nexpects = 1\n', ("unknown-key", 8)),
        (CASE.replace('"p" }', "0.00001 }") + 'expect = "permit"\n', ("value-does-not-fit", 2)),
    ],
    ids=["outcome", "rule", "today", "missing", "value", "moment", "unknown", "number"],
)  # fmt: skip
def test_a_test_that_does_not_come_out_is_told_with_its_line(
    tmp_path: Path, case: str, problem: tuple[str, int]
) -> None:
    code, line = problem
    assert found(tmp_path, a__cedar=GOOD, b__test__toml=case) == [(code, "b.test.toml", line)]


def test_a_test_without_a_moment_is_of_today(tmp_path: Path) -> None:
    own = written(
        tmp_path, a__cedar='@id("one") permit (principal, action, resource) when { context.day < 20260602 };',
        b__test__toml=CASE + 'expect = "permit"\n',
    )  # fmt: skip
    policies = policies_of(own, Grounds(), "own", False)
    assert examine_own(own, policies, lambda: NOW) == ()
    assert [one.code for one in examine_own(own, policies, lambda: NOW + timedelta(days=1))] == [BY_DAY]


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"uid": {"type": "a b", "id": "x"}}]', '[{"attrs": {}}]', '[{"uid": 1}]', "[1]", "[null]",
             '[{"uid": {"type": "a", "id": "x"}, "attrs": {"n": 1.5}, "parents": []}]'],
)  # fmt: skip
def test_entities_that_cedar_does_not_take_are_told(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, entities__json=text) == [("cedar-entities", "entities.json", 0)]


def test_a_schema_holds_what_policies_may_say(tmp_path: Path) -> None:
    schema = 'entity user, page { name: String, closed?: Bool }; action "read" appliesTo { principal: user, resource: page };'
    assert found(tmp_path, schema__cedarschema=schema, a__cedar=GOOD) == []
    wrong = (
        GOOD
        + '\n@id("three")\npermit (principal, action == Action::"read", resource) when { resource.nane == "x" };\n'
    )
    assert found(tmp_path, schema__cedarschema=schema, a__cedar=wrong) == [
        ("policy-against-schema", "a.cedar", 8)
    ]
    assert found(tmp_path, schema__cedarschema="entity", a__cedar=GOOD)[0][0] == "cedar-schema"


def test_what_the_node_knows_goes_before_what_a_file_says(tmp_path: Path) -> None:
    text = '[{"uid": {"type": "peer", "id": "1"}, "attrs": {"name": "false"}, "parents": []}]'
    own = written(tmp_path, entities__json=text)
    known = {"uid": {"type": "peer", "id": "1"}, "attrs": {"name": "true"}, "parents": []}
    assert policies_of(own, Grounds(), "own", False, [known]).entities == (known,)


def test_texts_that_were_read_well_make_an_engine(tmp_path: Path) -> None:
    own = written(tmp_path, a__cedar=GOOD)
    assert {"one", "two"} < set(Engine(policies_of(own, Grounds(disclosures=(OPEN,)), "own", False)).own)
    assert OPEN.valid.holds(date(2026, 6, 1))


def test_an_engine_takes_no_two_policies_of_one_name() -> None:
    own = Own({"a.cedar": GOOD, "b.cedar": GOOD})
    with pytest.raises(Invalid, match="twice"):
        Engine(policies_of(own, Grounds(), "own", False))
