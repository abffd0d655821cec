"""The doctor on the register of processing: what it says of articles of law, with what helps."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.oversight.room import BWB, Room

from sluis.cli import main, register
from sluis.gateway import Step
from sluis.oversight import Filled, examine
from sluis.oversight.doctor import LAWS

VERSION = '[[version]]\nbwb = "{bwb}"\narticle = "64"\nsince = {since}\n'


async def told(room: Room) -> Step:
    (step,) = await examine(room.oversight)
    assert step.name == LAWS
    return step


async def test_it_says_that_no_list_of_laws_is_there_and_where_one_comes_from(tmp_path: Path) -> None:
    with Room(tmp_path) as room:
        step = await told(room)
        assert (step.result, "laws.toml" in step.nl, "sluis register laws" in step.next_en) == (
            "skipped",
            True,
            True,
        )


async def test_it_names_the_article_that_changed_since_the_review_and_who_must_look(tmp_path: Path) -> None:
    laws = tmp_path / "laws.toml"
    laws.write_text(VERSION.format(bwb=BWB, since="2025-01-01"))
    with Room(tmp_path) as room:
        entry = (await room.oversight.entries())[1]
        day = room.oversight.reviews.today()
        await room.oversight.reviews.add(
            entry, Filled("agreed", "", day.replace(year=day.year + 1), "none"), "officer", "Bram Bedacht"
        )
        assert (await told(room)).result == "ok"
        laws.write_text(laws.read_text() + VERSION.format(bwb=BWB, since="2026-11-01"))
        step = await told(room)
        assert step.result == "wrong"
        assert "64" in step.nl
        assert "1 november 2026" in step.nl
        assert "1 November 2026" in step.en
        assert "privacyfunctionaris" in step.next_nl


async def test_a_list_that_cannot_be_read_is_wrong_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "laws.toml").write_text("[[version]]\nbwb = 3\n")
    with Room(tmp_path) as room:
        step = await told(room)
        assert (step.result, bool(step.next_nl), bool(step.next_en)) == ("wrong", True, True)


@pytest.mark.parametrize(("result", "code"), [("ok", 0), ("skipped", 0), ("wrong", 1)])
def test_the_command_tells_it_with_what_helps_and_its_exit_code_says_so(
    result: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = {"name": LAWS, "result": result, "nl": "gezien", "en": "seen", "next_nl": "", "next_en": ""}
    if result != "ok":
        step |= {"next_nl": "doe dit", "next_en": "do this"}
    found = {"well": result != "wrong", "steps": [step]}

    class Answer:
        def document(self) -> object:
            return found

    monkeypatch.setattr(register, "call", lambda directory, method, path: Answer())
    ran = CliRunner().invoke(main, ["register", "doctor"], env={"LANG": "nl_NL.UTF-8"})
    assert bool(ran.exit_code) == bool(code)
    assert "Wetsartikelen: gezien" in ran.output
    assert ("doe dit" in ran.output) == (result != "ok")
    machine = CliRunner().invoke(main, ["register", "doctor", "--json"])
    assert json.loads(machine.output)["steps"] == [step]
