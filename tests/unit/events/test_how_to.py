"""The how-to about events says what works: its files pass the check, its event is published, its commands are there."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from tests.unit.events.samples import source

from sluis.cli import main
from sluis.cli.events import _completed
from sluis.cli.interests import _COLUMNS, _rows, _table
from sluis.config import examine_node
from sluis.events.cloudevent import STRUCTURED, decode
from sluis.events.interests import Whom
from sluis.events.publishing.http import occurrence_of
from sluis.grounds import read_directory

PAGE = (Path(__file__).parents[3] / "docs/how-to/gebeurtenissen.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with the files of the page."""
    event, notice, _, activity = blocks("toml")[:4]
    for folder, text in (("activities", activity), ("event-types", event), ("notices", notice)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.toml").write_text(text)
    return tmp_path


def test_its_files_pass_the_check(directory: Path) -> None:
    found = [one for one in examine_node(directory, {}) if one.place and "node.toml" not in one.place.file]
    assert found == []


def test_the_recipient_of_its_notice_is_among_its_peers(directory: Path) -> None:
    (notice,) = read_directory(directory).grounds.notices
    peers = tomllib.loads(blocks("toml")[2])["peers"]
    assert [one["oin"] for one in peers.values()] == [notice.recipient]


def test_the_activity_in_the_how_to_of_notificaties_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/notificaties.md").read_text(encoding="utf-8")
    settings, activity = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "one.toml").write_text(activity)
    named = tomllib.loads(settings)["notificaties"]["activity"]
    assert read_directory(tmp_path).grounds.activity(named) is not None


async def test_its_event_reaches_who_registered_as_it_says(directory: Path, tmp_path: Path) -> None:
    known = read_directory(directory).grounds
    (notice,) = known.notices
    (document,) = blocks("json")
    (rows,) = [
        _rows(_table(text, _COLUMNS), "BSN", None)
        for text in re.findall(r"```\n(subject,.*?)```", PAGE, re.DOTALL)
    ]
    with source(tmp_path, known, hears=[notice.recipient]) as at:
        whom = {Whom(**one["subject"]): one["reference"] for one in rows}
        await at.interested(notice.recipient, notice.id, whom)
        body = json.dumps(_completed(json.loads(document))).encode()
        (event,) = decode({"content-type": STRUCTURED}, body)
        (published,) = await at.publisher.publish([occurrence_of(event)])
        assert published.told == 1
        assert [subject for _, _, subject in at.queue.told()] == ["client-17"]
        moved: Any = json.loads(document) | {"id": "besluit-2026-1184"}
        moved["data"]["facts"]["reden"] = "verhuisd"
        (event,) = decode({"content-type": STRUCTURED}, json.dumps(_completed(moved)).encode())
        (published,) = await at.publisher.publish([occurrence_of(event)])
        assert (published.told, published.withheld) == (0, {"condition": 1})


def test_every_command_it_names_is_there() -> None:
    named = set(re.findall(r"^sluis ([^\n]*)", PAGE, re.MULTILINE)) | set(
        re.findall(r"`sluis ([^`]*)`", PAGE)
    )
    assert len(named) >= 8
    for line in named:
        command: click.Command = main
        words = line.split()
        options = [word for word in words if word.startswith("--")]
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {name for one in command.params for name in one.opts}
        assert set(options) <= known, line
