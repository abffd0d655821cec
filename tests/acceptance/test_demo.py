"""The demo as a stranger runs it: the story in full, what is left out, and nothing left running."""

import json
import re
import signal
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.acceptance.demos import Up, ended, nodes, once, portal_of, running, start, staying_up
from tests.acceptance.test_documents import REFUSED, blocks, run
from tests.conftest import SHARED

from sluis.cli import main
from sluis_demo.browser import Browser
from sluis_demo.federation import AUTHORITY_FILE
from sluis_demo.organisations import BENEFIT

KEYS = {
    "question",
    "columns",
    "rows",
    "provenance",
    "receipts",
    "closed",
    "timings",
    "consultations",
    "ledger",
    "contracts",
    "signin",
    "official",
    "oneself",
    "chain",
}
OWNERS = {"rvig", "belastingdienst", "uwv", "svb", "kvk", "rdw"}


def document(home: Path, *options: str) -> dict[str, Any]:
    code, out, err = once(home, "--json", *options)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    assert set(found) == KEYS
    return found


@pytest.fixture(scope="module")
def without_rdw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with staying_up(tmp_path_factory.mktemp("down") / "demo", "--down", "rdw") as one:
        yield one


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return document(tmp_path_factory.mktemp("story") / "demo")


def test_the_story_gives_an_answer_from_six_owners_and_proves_it(found: dict[str, Any]) -> None:
    assert {entry["owner"] for entry in found["receipts"]} == OWNERS
    assert len(found["rows"]) == 1
    values = dict(zip((column["name"] for column in found["columns"]), found["rows"][0], strict=True))
    assert values["voornaam"] == "Sanne"
    assert values["kenteken"].endswith("-***-*")
    assert values["bezittingen"] == 284_000
    closed = {entry.get("article") for entry in found["closed"]}
    assert "Algemene wet inzake rijksbelastingen, art. 67" in closed
    assert {line["log"] for line in found["consultations"]} == OWNERS | {"sluiswijk"}
    assert [one["whole"] for one in found["ledger"]["verified"]] == [True] * 7
    assert found["ledger"]["tampered"]["whole"] is False
    assert found["ledger"]["witnessed"].keys() == OWNERS | {"sluiswijk"}
    assert all(1 <= len(names) <= 2 for names in found["ledger"]["witnessed"].values())


def test_every_owner_signed_for_each_purpose_and_each_request_stands_in_both_logs(
    found: dict[str, Any],
) -> None:
    contracts = found["contracts"]
    assert len(contracts) == 17
    assert {one["state"] for one in contracts} == {"valid"}
    assert all(len(one["signed"]) == 2 for one in contracts)
    benefit = {one["owner"]: one for one in contracts if one["activity"].endswith("/bijstand")}
    assert benefit.keys() == OWNERS
    [relations] = [one for one in benefit["rvig"]["opens"] if one["dataset"] == "relaties"]
    assert relations["columns"]["partner_bsn"] == "join"
    assert "Participatiewet, art. 64" in relations["articles"]
    for owner, contract in benefit.items():
        logs = [one["logs"] for one in contract["transactions"]]
        assert logs, owner
        assert all(sorted(both) == sorted(["sluiswijk", owner]) for both in logs)


def test_a_resident_signs_in_and_sees_who_looked_in_the_logs_of_all_seven(found: dict[str, Any]) -> None:
    signin = found["signin"]
    assert (signin["person"], signin["level"]) == ("Sanne Proefstra", "substantial")
    assert signin["page"] == f"{signin['portal']}/looked"
    assert (signin["looked"]["whole"], signin["looked"]["silent"]) == (True, [])
    names = ("Gemeente Sluiswijk", "RvIG", "Belastingdienst", "UWV", "SVB", "KVK", "RDW")
    assert signin["looked"]["lines"].keys() == {f"{name} (fictief)" for name in names}


def test_what_she_gives_is_seen_and_what_she_takes_back_is_not(found: dict[str, Any]) -> None:
    consent = found["signin"]["consent"]
    assert (consent["before"], consent["revoked"]) == ([], [])
    assert [row[0] for row in consent["given"]] == ["bijstand"]
    assert consent["seconds"] < 5


def test_a_decision_is_explained_for_one_purpose_and_for_another(found: dict[str, Any]) -> None:
    allowed, refused = (one["decided"] for one in found["signin"]["explained"])
    assert (allowed["permit"], allowed["disclosure"]) == (True, "parkeervergunning-voertuigen")
    assert (refused["permit"], refused["rule"]) == (False, "not-disclosed")


def test_who_needs_to_know_of_a_decision_hears_within_the_chain_and_nobody_else(
    found: dict[str, Any],
) -> None:
    decision, stranger = found["chain"]["decision"], found["chain"]["stranger"]
    assert decision["heard"].keys() == {"coa", "dtv"}
    assert (decision["told"], decision["withheld"]) == (2, {"condition": 1, "no-relation": 1})
    assert "data" not in decision["left"]
    assert decision["left"]["subject"].startswith(("bewoner-", "casus-"))
    assert "bsn" not in json.dumps(decision["left"]).lower()
    assert (stranger["came"], stranger["counts"]) == (0, {"told": 2, "condition": 1, "no-relation": 1})


def test_a_partner_that_was_killed_catches_up_with_all_of_it_in_order(found: dict[str, Any]) -> None:
    away = found["chain"]["away"]
    assert (away["waiting"], sorted(away["came"])) == (3, sorted(away["published"]))
    assert away["came"].index("verhuizing-1") < away["came"].index("verhuizing-3")  # of the same person


def test_the_resident_sees_who_was_told_and_got_one_message(found: dict[str, Any]) -> None:
    resident = found["chain"]["resident"]
    assert {one["other"] for one in resident["told"]} == {"COA (fictief)", "DT&V (fictief)"}
    assert len(resident["box"]) == 1
    assert [one["channel"] for one in resident["history"]] == ["box"]
    assert {one["state"] for one in resident["history"]} <= {"sent", "delivered"}


@pytest.mark.prove
def test_the_first_answer_comes_within_fifteen_seconds_on_a_quiet_machine(found: dict[str, Any]) -> None:
    assert found["timings"]["ready"] + found["timings"]["total"] < 15_000


def test_an_owner_that_is_down_is_missing_and_said_to_be(without_rdw: Up) -> None:
    out = without_rdw.story
    assert "Ontbreekt: rdw. Aan RDW (fictief) kan dit niet worden gevraagd." in out
    assert "Weggelaten: rdw is er niet." in out
    assert "sluiswijk en rdw" not in out
    assert "vooraf al gezegd dat 1 bronhouder ontbreekt" in " ".join(out.split())
    assert "belastingdienst.inkomen" in out


def test_ctrl_c_stops_all_of_it(without_rdw: Up) -> None:
    without_rdw.process.send_signal(signal.SIGINT)
    assert ended(without_rdw.process)[0] == 0
    assert running(without_rdw.home) == []


@pytest.mark.skipif(SHARED is None, reason="the shared test data does not lie beside the checkout")
def test_given_tables_take_the_place_of_invented_people(home: Path) -> None:
    assert SHARED is not None
    code, out, err = once(home, "--data", str(SHARED / "data/personas/sources"))
    assert code == 0, err
    assert "Weggelaten" in out
    assert "art. 31 lid 2" in out
    assert "Sanne" not in out
    assert "Wie keek er naar mijn gegevens" in out
    assert "Niets ging verloren" in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_the_story_in_words_names_law_masks_and_small_groups_within_100_columns(up: Up) -> None:
    assert max(len(line) for line in up.story.splitlines()) <= 100
    for part in (
        "Participatiewet",
        "partner_bsn (alleen om te koppelen)",
        "afgeschermd",
        "Niet gegeven: Buitenpolder, Sluiseiland",
        "Niet gegeven: Oude Haven, Buitenpolder, Sluiseiland",
        "verzonnen",
    ):
        assert part in up.story, part
    assert "Weggelaten" not in up.story


def test_while_it_is_up_a_resident_signs_in_with_a_digital_passport_too(up: Up) -> None:
    said = " ".join(up.story.split())
    assert "het certificaat is van de testautoriteit van deze demo" in said
    assert "Sanne Proefstra, Substantieel, en voor uzelf" in said
    portal = portal_of(up)
    with Browser(up.home / AUTHORITY_FILE) as browser:
        shown = browser.follow(browser.open(f"{portal}looked"), "/sign-in/passport/paspoort")
        shown = browser.follow(shown, "/sluis-simulator/wallet?")
        shown = browser.send(shown, {"card": "0"}, "/sluis-simulator/wallet/")
        assert (shown.url, "Sanne Proefstra" in shown.text) == (f"{portal}looked", True)


def test_while_it_is_up_a_member_of_staff_may_make_a_passkey(up: Up) -> None:
    with Browser(up.home / AUTHORITY_FILE) as browser:
        shown = browser.follow(browser.open(f"{portal_of(up)}passkeys/new"), "/at/medewerkers?")
        shown = browser.send(shown, {"person": "fenna@medewerkers.example", "level": "Wachtwoord en app"})
        assert shown.url == f"{portal_of(up)}passkeys/new"
        options = re.findall(r'data-options="([^"]*)"', shown.text)
        assert json.loads(unescape(options[0]))["rp"]["id"] == "localhost"


def test_while_it_is_up_a_wallet_in_a_terminal_signs_in_a_browser(up: Up) -> None:
    with Browser(up.home / AUTHORITY_FILE) as browser:
        asked = browser.open(f"{portal_of(up)}sign-in/passport/paspoort?next=/sessions")
        link = next(one for one in asked.links if "request_uri" in one)
        shows = CliRunner().invoke(
            main, ["--language", "nl", "demo", "--home", str(up.home), "wallet", link, "--card", "1"]
        )
        assert (shows.exit_code, "given_name" in shows.output) == (0, True)
        shown = browser.send(asked, {"code": shows.output.split()[-1]}, "/code")
        assert "/sessions" in shown.text


def test_a_second_demo_is_refused(up: Up) -> None:
    code, _, err = ended(start(up.home, "--once"))
    assert (code, "draait al" in err) == (5, True)
    assert len(nodes(up.home)) == 7


def test_the_first_question_goes_as_the_tutorial_says(up: Up) -> None:
    (first, _), *rest = blocks("docs/tutorial/eerste-vraag.md")
    assert first == "demo"
    outcomes = [run(block, up.folder, REFUSED if mark == "refused" else 0) for mark, block in rest]
    assert "Bijstand vaststellen" in outcomes[0]
    assert "Proefstra" in outcomes[2]
    assert "rijksbelastingen" in outcomes[3]
    assert "QI-001-Q" in outcomes[4]


def test_the_question_in_the_readme_is_answered(up: Up) -> None:
    asked = next(block for _, block in blocks("README.md") if "sluis ask" in block)
    assert "QI-001-Q" in run(asked, up.folder)


@pytest.mark.postgres
@pytest.mark.mariadb
def test_real_servers_give_the_same_answer_as_sqlite(up: Up, found: dict[str, Any]) -> None:
    assert {"postgresql", "mysql", "sqlite"} <= registers(up), "a server is not installed"
    asked = ["--case", "Z-2026-0001", "--activity", BENEFIT.id, "--set", "bsn=999952389", found["question"]]
    answer = CliRunner().invoke(main, ["ask", "--node", str(up.home / "sluiswijk"), "--json", *asked])
    given = json.loads(answer.stdout)
    assert (given["columns"], given["rows"]) == (found["columns"], found["rows"])


def registers(up: Up) -> set[str]:
    """The kinds of databases that nodes read from, as their URLs say."""
    settings = [tomllib.loads(path.read_text(encoding="utf-8")) for path in up.home.glob("*/node.toml")]
    return {one["sources"]["register"]["url"].partition(":")[0] for one in settings if one.get("sources")}
