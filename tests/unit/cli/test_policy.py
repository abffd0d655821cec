"""`sluis policy`: what the decision point would say and why, what would change, and whether the log tells the truth."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.unit.grounds.examples import ACTIVITY_ID, RECIPIENT, write_node

from sluis.cli import main, terminal
from sluis.cli.requests import node_engine
from sluis.config import load_config
from sluis.crypto import FileKeyStore
from sluis.kernel import Acting, Trace
from sluis.ledger import Decision, Ledger, open_ledger
from sluis.policy import STANDARD, DecisionPoint, Engine, Occasion, asking, open_versions, person
from sluis.policy.cedar import read_policies
from sluis.store import Store, open_store

ASKER, NOW = str.__str__(RECIPIENT), datetime(2026, 6, 1, 12, tzinfo=UTC)
NODE = f"""\
[node]
oin = "00000099000000001000"
name = "Voorbeeld (fictief)"
alias = "voorbeeld"
url = "https://127.0.0.1:8443"
environment = "test"

[peers.gemeente]
oin = "{ASKER}"
name = "Gemeente (fictief)"

[sources.main]
url = "sqlite:///main.sqlite"

[people.jansen]
os_user = "jansen"
roles = ["privacy-officer"]
"""
FORBIDS = """\
// Not for everybody.
@id("handhavers")
@nl("Dit is voor handhavers.")
@en("This is for enforcers.")
@article("Eigen regel, art. 2")
forbid (principal is person, action == Action::"ask", resource)
unless { principal.roles.contains("handhaver") };
"""
TESTS = f"""\
[[test]]
name = "een handhaver vraagt"
at = 2026-06-01T12:00:00Z
subject = {{ type = "person", id = "p", properties = {{ audience = "staff", roles = ["handhaver"] }} }}
action = {{ name = "ask" }}
resource = {{ type = "activity", id = "{ACTIVITY_ID}" }}
expect = "permit"

[[test]]
name = "een ander niet"
subject = {{ type = "person", id = "q", properties = {{ audience = "staff", roles = [] }} }}
action = {{ name = "ask" }}
resource = {{ type = "activity", id = "{ACTIVITY_ID}" }}
expect = "deny"
rule = "handhavers"
"""


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SLUIS_NODE", raising=False)
    terminal.choose_language(None)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    write_node(tmp_path)
    (tmp_path / "node.toml").write_text(NODE)
    return tmp_path


@pytest.fixture
def own(node: Path) -> Path:
    """The folder with own policies of that node."""
    folder = node / "policies"
    folder.mkdir()
    (folder / "handhaving.cedar").write_text(FORBIDS)
    (folder / "handhaving.test.toml").write_text(TESTS)
    return folder


def run(*arguments: str, node: Path) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments, "--node", str(node)])


def told(*arguments: str, node: Path) -> Any:
    return json.loads(run(*arguments, "--json", node=node).stdout)


ASK = ("--action", "ask", "--resource", f"activity:{ACTIVITY_ID}")
CONSULT = ("--subject", f"peer:{ASKER}", "--action", "consult", "--resource", "dataset:voorbeeld.inkomen", "--activity",
           ACTIVITY_ID, "--at", "2026-06-01T12:00:00Z")  # fmt: skip


# test


def test_tests_beside_the_policies_are_run(own: Path, node: Path) -> None:
    result = run("test", node=node)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 tests, not right: 0.")


def test_a_test_that_does_not_come_out_is_told_with_its_place(own: Path, node: Path) -> None:
    (own / "handhaving.test.toml").write_text(TESTS.replace('expect = "permit"', 'expect = "deny"'))
    result = run("test", node=node)
    assert result.exit_code == 2
    assert "handhaving.test.toml:1: The test `een handhaver vraagt` does not come out." in result.stdout
    assert [one["right"] for one in told("test", node=node)] == [False, True]


def test_a_folder_of_policies_is_tested_without_a_node(
    own: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert run("test", str(own), node=tmp_path_factory.mktemp("nowhere")).exit_code == 0


# explain


def test_a_permit_is_explained_by_disclosure_and_article(node: Path) -> None:
    assert run("explain", *CONSULT, node=node).stdout.splitlines() == [
        "Allowed: a disclosure opens this.",
        "  Disclosure: inkomen-bijstand.",
        "  Ground: Participatiewet, art. 64.",
        "  Policy: disclosure:inkomen-bijstand@1",
        f"  - inkomen-bijstand version 1, {ACTIVITY_ID}: permits this",
    ]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        (("--activity", "urn:other"), "not-disclosed"),
        (("--at", "2027-01-01T00:00:00Z"), "not-valid-today"),
        (("--subject", "peer:00000099000000003000"), "not-disclosed"),
    ],
)
def test_a_refusal_is_explained_by_the_step_that_left_nothing(
    node: Path, changed: tuple[str, ...], rule: str
) -> None:
    assert told("explain", *CONSULT, *changed, node=node)["decided"]["rule"] == rule


def test_a_level_that_is_asked_is_said(node: Path) -> None:
    file = node / "disclosures" / "disclosure.toml"
    file.write_text(f'minimum_level = "substantial"\n{file.read_text()}')
    assert "asks level substantial" in run("explain", *CONSULT, node=node).stdout
    assert told("explain", *CONSULT, "--level", "low", node=node)["decided"]["rule"] == "sign-in-too-weak"
    assert told("explain", *CONSULT, "--level", "high", node=node)["decided"]["permit"]


def test_an_own_policy_is_named_with_its_place_and_what_its_author_says(own: Path, node: Path) -> None:
    assert run("explain", "--subject", "person:jansen", *ASK, node=node).stdout.splitlines() == [
        "Not allowed: policy handhavers.",
        "  This is for enforcers.",
        "  Ground: Eigen regel, art. 2.",
        "  Policy: handhavers (handhaving.cedar:2)",
    ]
    assert told("explain", "--subject", "person:jansen", "--role", "handhaver", *ASK, node=node)["decided"][
        "permit"
    ]


def test_a_request_can_be_a_file(node: Path) -> None:
    request = {
        "subject": {"type": "person", "id": "x", "properties": {"audience": "citizen"}},
        "action": {"name": "ask"}, "resource": {"type": "activity", "id": ACTIVITY_ID},
    }  # fmt: skip
    (node / "request.json").write_text(json.dumps(request))
    assert (
        told("explain", "--request", str(node / "request.json"), node=node)["decided"]["rule"] == "no-policy"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--subject", "jansen", *ASK),
        ("--subject", "person:jansen", "--action", "ask"),
        ("--subject", "person:jansen", "--resource", "log:x"),
        ("--subject", "person:jansen", *ASK, "--at", "gisteren"),
        ("--subject", "person:jansen", *ASK, "--at", "2026-06-01T12:00:00"),
        ("--subject", "person:jansen", *ASK, "--property", "x"),
    ],
)
def test_what_is_no_request_is_told(node: Path, arguments: tuple[str, ...]) -> None:
    result = run("explain", *arguments, node=node)
    assert (result.exit_code, "cannot be understood" in result.stderr) == (2, True)


# simulate


def test_what_someone_may_is_shown_over_everything_that_is_known(node: Path) -> None:
    allowed = told("simulate", "--subject", "person:jansen", node=node)
    assert {(one["action"], one["resource"]["type"]) for one in allowed} == {
        ("ask", "activity"),
        ("read-log", "log"),
        ("read-access", "access"),
        ("read-people", "people"),
        ("read-events", "events"),
    }
    everything = told("simulate", "--subject", "person:jansen", "--all", node=node)
    every = {
        name for file, words in STANDARD.items() for one in read_policies(words, file) for name in one.actions
    }
    permitted = {one["action"] for one in allowed}
    assert {one["action"] for one in everything if not one["decided"]["permit"]} == every - permitted
    peer = told("simulate", "--subject", f"peer:{ASKER}", "--at", "2026-06-01T12:00:00Z", node=node)
    assert [(one["resource"]["id"], one["activity"]) for one in peer] == [("voorbeeld.inkomen", ACTIVITY_ID)]


def test_what_a_changed_folder_would_change_is_shown(own: Path, node: Path) -> None:
    changed = node / "new"
    changed.mkdir()
    arguments = ("simulate", "--subject", "person:jansen", "--with", str(changed))
    [difference] = told(*arguments, node=node)
    assert (difference["before"]["decided"]["rule"], difference["after"]["decided"]["rule"]) == (
        "handhavers",
        "standard-ask",
    )
    shown = run(*arguments, node=node).stdout
    assert ("no: policy handhavers" in shown, "yes: policy standard-ask" in shown) == (True, True)
    assert (
        "Nothing changes."
        in run("simulate", "--subject", "person:jansen", "--with", str(own), node=node).stdout
    )


def test_what_another_directory_of_the_node_would_change_is_shown(
    node: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = write_node(tmp_path_factory.mktemp("other"))
    (other / "node.toml").write_text(NODE)
    (other / "disclosures" / "disclosure.toml").unlink()
    arguments = (
        "simulate",
        "--subject",
        f"peer:{ASKER}",
        "--at",
        "2026-06-01T12:00:00Z",
        "--with",
        str(other),
    )
    [difference] = told(*arguments, node=node)
    assert (difference["before"]["decided"]["permit"], difference["after"]["decided"]["permit"]) == (
        True,
        False,
    )


# replay


class Past:
    """A node that decided before, of which only the log and the versions are left."""

    def __init__(self, node: Path) -> None:
        config = load_config(node / "node.toml", secrets=True)
        self.store: Store = open_store(str(config.store.url))
        self.ledger: Ledger = open_ledger(
            self.store, FileKeyStore(config.keys.directory), config.log_origin, lambda: NOW
        )
        self.engine: Engine = node_engine(node)[1]
        self.point = DecisionPoint(self.engine.policies, "voorbeeld", self.ledger, lambda: NOW)

    def decided(self, *roles: str) -> Decision:
        """The record of a question by who has these roles."""
        open_versions(self.store).keep(self.engine.policies, NOW)
        evaluation = asking(person(Acting("p"), "local", audience="staff", roles=roles), ACTIVITY_ID, {})
        return self.point.record(
            evaluation, self.point.decide(evaluation), Occasion(Trace.begin(), NOW, True)
        )


def kept(past: Past, *records: Decision) -> int:
    """Write records, and end; gives the index of the last."""

    async def keep() -> int:
        return (await past.ledger.append(list(records))).index

    index = asyncio.run(keep())
    past.store.close()
    return index


def test_what_was_decided_follows_again_whatever_the_policies_are_now(own: Path, node: Path) -> None:
    past = Past(node)
    permitted, refused = past.decided("handhaver"), past.decided()
    index = kept(past, permitted, refused)
    (own / "handhaving.cedar").unlink()
    (own / "handhaving.test.toml").unlink()
    assert told("explain", "--subject", "person:jansen", *ASK, node=node)["decided"]["permit"]
    result = run("replay", str(index), node=node)
    assert (result.exit_code, result.stdout) == (0, f"record {index}: the same, no (handhavers)\n")
    [again] = told("replay", permitted.trace_id, node=node)
    assert (again["outcome"], again["index"]) == ("same", index - 1)


def test_a_record_that_says_something_else_than_the_policies_did_is_different(own: Path, node: Path) -> None:
    past = Past(node)
    record = past.decided()
    response = {"decision": True, "context": {"rule": "standard-ask", "policies": ["standard-ask"]}}
    index = kept(past, msgspec.structs.replace(record, body={**record.body, "adl.core.response": response}))
    result = run("replay", str(index), node=node)
    assert (result.exit_code, "DIFFERENT" in result.stdout) == (5, True)
    assert "yes (standard-ask)" in result.stdout


def test_what_cannot_be_replayed_is_told_with_the_reason(node: Path) -> None:
    past = Past(node)
    record = past.decided()
    elsewhere = msgspec.structs.replace(
        record, span_id="1" * 16, attributes={"adl.core.policies": {"cedar": "sha256:0"}}
    )
    index = kept(past, msgspec.structs.replace(record, attributes={}), elsewhere)
    for one, why in ((index - 1, "not by which policies"), (index, "was never used here")):
        result = run("replay", str(one), node=node)
        assert (result.exit_code, why in result.stdout) == (5, True)
    assert run("replay", "0", node=node).exit_code == 5  # what the log says of itself is no decision
    assert run("replay", "999", node=node).exit_code == 4
    assert run("replay", "f" * 32, node=node).exit_code == 4
