"""The how-to about FSC does what it says: every command in it is run, in order, by two nodes beside each other.

Addresses and ports are others than on the page, so that several runs fit on one machine.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from tests.acceptance.test_documents import ROOT, blocks, run, staying
from tests.integration.managers import free_network
from tests.integration.nodes import free_ports

from sluis.cli import main
from sluis.cli.fsc import command

PAGE = "docs/how-to/fsc.md"
SIGNS = {"sluis serve": '"ready"', "http.server": "Serving HTTP"}
REVOKED = "Het verzoek kwam er niet door"


class Reader:
    """Who goes through the page: block by block, with the hash in the place of `HASH`."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home, self.stack, self.hash = home, stack, ""
        ports = dict(zip(("8480", "8481", "8099"), free_ports(3), strict=True))
        found = [(mark, _elsewhere(block, free_network(), ports)) for mark, block in blocks(PAGE)]
        self.blocks: Iterator[tuple[str, str]] = iter(found)
        self.outway = ports["8480"]

    def until(self, holds: str) -> str:
        """Go on to the block in which `holds` stands, and do that too; what it said."""
        for mark, block in self.blocks:
            said = self._do(mark, block)
            if holds in block:
                return said
        raise AssertionError(f"no block with {holds}")

    def again(self, block: str, wanted: Callable[[str], bool]) -> str:
        """The same until it says what is wanted: peers are told of things in their own time."""
        end = time.monotonic() + 30
        while not wanted(said := run(block, self.home)):
            assert time.monotonic() < end, said
            time.sleep(0.2)
        return said

    def _do(self, mark: str, block: str) -> str:
        if mark == "serve":
            sign = next(sign for word, sign in SIGNS.items() if word in block)
            self.stack.enter_context(staying(block.strip(), self.home, sign))
            return ""
        block = block.replace("'HASH'", f"'{self.hash}'")
        if "fsc peers" in block:
            return self.again(block, lambda said: "00000000000000000098" in said)
        if "fsc services" in block:
            return self.again(block, lambda said: "parkeren" in said)
        if "contracts --waiting" in block:
            said = self.again(block, lambda said: said.startswith("$1$"))
            self.hash = said.splitlines()[0]
            return said
        if "fsc doctor" in block:
            return self.again(f"{block.strip()} || true", lambda said: "✗" not in said)
        return run(block, self.home)


def _elsewhere(block: str, network: str, ports: dict[str, int]) -> str:
    block = block.replace("127.0.1.", network)
    # the settings of the trial nodes give their outway its standard port on this machine, which another run may have
    block = block.replace(
        "cat >> var/fsc/uwv/node.toml <<'EOF_UWV'\n",
        "cat >> var/fsc/uwv/node.toml <<'EOF_UWV'\n\n[outway]\nport = 8480\n",
    )
    for shown, free in ports.items():
        block = re.sub(rf"\b{shown}\b", str(free), block)
    return block


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with ExitStack() as stack:
        yield Reader(tmp_path, stack)


def test_an_afternoon_in_a_group_goes_as_the_page_says(reader: Reader) -> None:
    assert "lid van groep oefengroep" in reader.until("--authority")
    reader.until("fsc peers")
    assert "Service parkeren: gemaakt" in reader.until("apply -f var/fsc/aanbod.yaml --node")
    assert "verbinding" in reader.until("contracts --waiting")
    assert "geldig" in reader.until("fsc sign")
    assert "✓ De dienst" in reader.until("fsc doctor")
    called = "sluis.client"
    assert "'tarief': 250" in reader.until(called)
    assert "'tarief': 250" in reader.until("NLXClient")
    assert "parkeren" in reader.until("fsc logs --node")
    assert "Oefening voorbij" in reader.until("fsc revoke")
    program = next(block for _, block in blocks(PAGE) if called in block)
    assert REVOKED in run(re.sub(r"\b8480\b", str(reader.outway), program), reader.home)


def test_every_command_of_sluis_fsc_is_on_the_page() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert {name for name in command.commands if f"sluis fsc {name}" not in text} == set()


def test_every_command_and_option_that_the_text_names_exists() -> None:
    context = click.Context(main)
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    known = set[str]()
    for words in set(re.findall(r"sluis ((?:fsc )?[a-z]+)", text.replace("from sluis.client", ""))):
        found: click.Command | None = main
        for word in words.split():
            assert isinstance(found, click.Group)
            found = found.get_command(context, word)
            assert found is not None, words
            known |= {option for parameter in found.params for option in parameter.opts}
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert set(re.findall(r"(?<=`)--[a-z]+", prose)) <= known
