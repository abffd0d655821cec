"""Every demand of the standard has a test, and the reference page says which. `python -m tests.fsc.test_musts` writes it."""

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.fsc.musts import MUSTS, OUTSIDE

PAGE = Path(__file__).parents[2] / "docs/reference/fsc.md"
HEAD = """# FSC: what the standard asks, and the test that holds it

For developers. Every demand of FSC Core 2.0.0 and FSC Logging 1.0.0, by section, in our own words. The tests stand in
`tests/fsc`; the other side in them is a peer that shares no code with Sluis. This page is made from them
(`python -m tests.fsc.test_musts`), and a test fails when it is not current.

## Where Sluis differs

- Codes (4.4.5.3). The standard has no code for a contract that is not well-formed or breaks one of its rules in another
  way than those it names. A code that is about something else would send its reader the wrong way, so there are two of
  our own: `ERROR_CODE_CONTRACT_INVALID` (422) and `ERROR_CODE_MALFORMED_REQUEST` (400). Nor has it one for a peer that
  leaves or asks too much: `ERROR_CODE_TOO_MANY_OPEN_CONTRACTS` and `ERROR_CODE_TOO_MANY_REQUESTS` (both 429, decision
  030). Inway and outway have some too; `gateway/faults.py` marks them all.
- HTTP/2 (4.1). A Manager may speak it, and a service says which of HTTP/1.1 and HTTP/2 is spoken between outway and inway.
  Sluis speaks HTTP/1.1 on all of these, and publishes no service of its own as `PROTOCOL_TCP_HTTP_2`. Such a publication
  of another peer is signed and listed as any other; its service is reached through this outway when its inway takes
  HTTP/1.1 too, and otherwise the plane in process says that only HTTP/2 is spoken there.
- Properties of publications. Any may be there but `sluis.purpose`: a publication that is offered with it is refused
  (`ERROR_CODE_CONTRACT_INVALID`). A purpose stands in a connection, so that no directory tells who looks at what.
- Pages (4.4.1.5). `GET /contracts` ends a page before its limit when the contracts on it are larger than 8 MiB together;
  `next_cursor` goes on from there. By `grant_hash` no more than that is given: ask for fewer at once.
- The nginx plane, where nginx 1.22 leaves no other way: of two `Fsc-Authorization` headers the first counts, and only
  that one goes on; an answer that is no HTTP at all is passed on as HTTP/0.9; and headers that `Connection` names are
  passed on. The plane in process refuses all of these. It also reads the Peer ID of an answering inway on each connection;
  nginx reads chain and name there, and the node the Peer ID, beforehand and every minute, over a connection of its own
  (decisions 024 and 027).
- A record of the transaction log may bear `"additional_data": {"sluis.outcome": "no-answer"}`, or `"refused"`: the outway
  wrote its line, and nothing came back or the inway refused. `additional_data` is optional in Logging 1.1.0, as an
  object of any members; this one is ours (decision 031).
"""


@cache
def held() -> dict[str, list[str]]:
    """Which tests hold which demands, read from the marks."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for key in _marks(node):
                    found.setdefault(key, []).append(f"{path.stem}::{node.name}")
    return found


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    calls = [
        one for one in node.decorator_list if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    ]
    arguments = [argument for call in calls if call.func.id == "holds" for argument in call.args]  # type: ignore[attr-defined]
    return [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]


def page() -> str:
    """The reference page."""
    parts = [HEAD]
    for document, title in (("core", "Core 2.0.0"), ("logging", "Logging 1.0.0")):
        parts.append(f"\n## {title}\n\n| section | what is asked | tests |\n|---|---|---|\n")
        parts += [_row(key) for key in MUSTS if key.startswith(document)]
    parts.append("\n## Asked of people, not of software\n\n")
    parts += [f"- {key.split('-')[1]}: {what}\n" for key, what in OUTSIDE.items()]
    return "".join(parts)


def _row(key: str) -> str:
    tests = "<br>".join(f"`{one.removeprefix('test_')}`" for one in held().get(key, []))
    return f"| {key.split('-')[1]} | {MUSTS[key]} | {tests} |\n"


@pytest.mark.parametrize("key", MUSTS)
def test_every_must_has_a_test(key: str) -> None:
    assert held().get(key), MUSTS[key]


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
