"""What owners and their data say, on an official's screen and in an official's spreadsheet."""

import csv
import io
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from sluis.cli import ask, explain, fsc
from sluis.cli.local import Body
from sluis.cli.terminal import fail, json_text, shown
from sluis.kernel import Refused, Text

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\u2028\r\n\x00\x7f"
OBEYED = set("\x1b\x07\x9b\u202e\u2028\r\x00\x7f")


def answer(value: Any, hostile: str = "gewoon") -> dict[str, Any]:
    origin = {"owner": hostile, "dataset": hostile, "column": hostile}
    return {
        "columns": [{"name": hostile, "type": "string"}],
        "rows": [[value]],
        "provenance": [{"column": hostile, "origins": [origin], "unit": hostile}],
        "receipts": [{
            "owner": hostile, "datasets": [hostile],
            "receipt": {"rows": 1, "subjects": 1, "position": 1, "origin": hostile},
        }],
        "closed": [{
            "owner": hostile, "dataset": hostile, "what": "columns", "columns": [hostile],
            "because": {"nl": hostile, "en": hostile}, "article": hostile,
        }],
        "missing": [{"owner": hostile, "problem": {"texts": {"nl": {"what": hostile, "why": hostile}}}}],
        "traceId": hostile,
    }  # fmt: skip


def on_screen(document: dict[str, Any]) -> str:
    out = io.StringIO()
    ask.show(document, Console(file=out, width=400))
    return out.getvalue()


@pytest.mark.parametrize(
    "value", ["Straat [noord]", "[/b] x", "[link=https://evil.example]x[/link]", ":warning:"]
)
def test_a_value_is_shown_as_it_is(value: str) -> None:
    assert value in on_screen(answer(value))
    assert value in on_screen(answer("x", value))


def test_nothing_that_a_terminal_obeys_reaches_it() -> None:
    assert not OBEYED & set(on_screen(answer(ESCAPES, ESCAPES)))
    assert r"\x1b[2J" in on_screen(answer(ESCAPES))


def test_what_can_be_read_stays_as_it_was() -> None:
    for text in ("Ĳsbrând Ólafsson-de Vries", "1\u00a0000", "日本", "it's"):
        assert shown(text) == text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_problem_of_somebody_else_obeys_too(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    text = Text(ESCAPES, ESCAPES)
    fail(Refused("x", text, text, text, legal=ESCAPES, peer=ESCAPES), as_json)
    told = capsys.readouterr()
    assert not OBEYED & set(told.out + told.err)
    assert len((told.out + told.err).splitlines()) <= 5


@pytest.mark.parametrize("name", ["UWV [bold]x[/bold]", "[/b]", "[link=https://evil.example]x[/link]"])
def test_what_a_peer_is_called_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # A name comes from a certificate or a directory, a contract on paper from whoever publishes a service.
    peers = [{"id": "00000000000000000001", "name": name, "manager": "https://m.example:8443"}]
    monkeypatch.setattr(fsc, "call", lambda *_, **__: Body(msgspec.json.encode(peers)))
    monkeypatch.setenv("COLUMNS", "200")
    told = CliRunner().invoke(fsc.command, ["peers"], catch_exceptions=False).stdout
    assert name in told


@pytest.mark.parametrize("command", [ask, explain])
def test_json_means_the_same_and_is_obeyed_by_no_terminal(
    monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    document = answer(ESCAPES, ESCAPES)
    monkeypatch.setattr(command, "call", lambda *_, **__: Body(msgspec.json.encode(document)))
    words = ["select 1", "--activity", "urn:x", "--case", "Z-1", "--json"]
    told = CliRunner().invoke(command.command, words, catch_exceptions=False).stdout
    assert msgspec.json.decode(told) == document
    assert msgspec.json.decode(json_text(document)) == document
    assert not OBEYED & set(told + json_text(document))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"), ("-1+2", "'-1+2"),
        ("@SUM(1)", "'@SUM(1)"), ("\t=1", "'\t=1"), ("-12.50", "-12.50"), ("+31612345678", "+31612345678"),
        (-5, "-5"), ("2026-01-01", "2026-01-01"), ("gewoon", "gewoon"), (None, ""),
    ],
)  # fmt: skip
def test_a_spreadsheet_has_nothing_to_compute(
    monkeypatch: pytest.MonkeyPatch, value: Any, written: str
) -> None:
    monkeypatch.setattr(ask, "call", lambda *_, **__: Body(msgspec.json.encode(answer(value))))
    words = ["select 1", "--activity", "urn:x", "--case", "Z-1", "--csv"]
    told = CliRunner().invoke(ask.command, words, catch_exceptions=False).stdout
    assert list(csv.reader(io.StringIO(told, newline="")))[1] == [written]
