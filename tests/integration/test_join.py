"""`sluis init` and `sluis join`, as a newcomer does it: the node that they make is listed by the group's directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.integration.managers import free_network
from tests.integration.nodes import ASKER, OWNER, Hosted, until
from tests.integration.test_fsc_commands import DATA, MANAGEMENT, document, sluis

from sluis.cli import main
from sluis.crypto import make_authority

RULES = """
id = "proefgroep"
anchors = ["../authority/authority.pem"]
ports = [443, 8443, {management}]

[directory]
peer = "{peer}"
address = "https://{host}:{management}"
"""


class Newcomers:
    """A group in which everyone came in by `sluis join`: its directory too."""

    def __init__(self, home: Path) -> None:
        network = free_network()
        self.authority = make_authority(home / "authority", "Groep")
        self.directory, self.newcomer = home / "directory", home / "gemeente"
        self.rules = home / "groep"
        self.rules.mkdir()
        hosts = {self.directory: f"{network}1", self.newcomer: f"{network}2"}
        (self.rules / "group.toml").write_text(
            RULES.format(management=MANAGEMENT, peer=str.__str__(OWNER), host=hosts[self.directory])
        )
        for directory, oin in ((self.directory, OWNER), (self.newcomer, ASKER)):
            self._make(directory, str.__str__(oin), hosts[directory])

    def _make(self, directory: Path, oin: str, host: str) -> None:
        assert sluis_plain("init", str(directory), "--oin", oin, "--name", f"{directory.name} (fictief)") == 0
        with (directory / "node.toml").open("a") as file:
            file.write(f'\n[outway]\nhost = "{host}"  # blijft staan\n')
        joined = sluis(
            directory, "join", str(self.rules), "--authority", str(self.authority.directory), "--host", host,
            "--manager", f"https://{host}:{MANAGEMENT}", "--inway", f"https://{host}:{DATA}",
        )  # fmt: skip
        assert joined.exit_code == 0, joined.output
        text = (directory / "node.toml").read_text()
        (directory / "node.toml").write_text(text.replace('roles = ["medewerker"]', 'roles = ["fsc-admin"]'))
        assert "# blijft staan" in text


def sluis_plain(*words: str) -> int:
    return CliRunner().invoke(main, list(words)).exit_code


@pytest.fixture
def newcomers(tmp_path: Path) -> Iterator[Newcomers]:
    made = Newcomers(tmp_path)
    running = [Hosted(made.directory), Hosted(made.newcomer)]
    for one in running:
        assert one.ready()["ready"]
    yield made
    for one in running:
        one.end()


def test_a_newcomer_is_listed_by_the_directory_and_sees_who_is_there(newcomers: Newcomers) -> None:
    own = str.__str__(ASKER)
    until(lambda: own in {one["id"] for one in document(newcomers.directory, "fsc", "peers")})
    until(lambda: str.__str__(OWNER) in {one["id"] for one in document(newcomers.newcomer, "fsc", "peers")})
    again = sluis(newcomers.newcomer, "join", str(newcomers.rules))
    assert again.exit_code == 0, again.output
    assert "sluis fsc peers" in again.output
