"""Ways of signing in that cannot work, or may not, are told before a node starts."""

from pathlib import Path

import pytest
from tests.unit.test_config import found, node_file

from sluis.config import load_config

NODE = """\
[node]
oin = "00000001000000000001"
name = "Voorbeelddienst (fictief)"
alias = "dienst"
url = "https://dienst.voorbeeld.nl:8443"

[portal]
address = "https://mijn.voorbeeld.nl"

[signin.digid]
issuer = "https://broker.voorbeeld.nl"
client = "dienst"
audience = "citizen"
title = "DigiD"

[signin.digid.claims]
bsn = "bsn"

[signin.staf]
issuer = "https://login.voorbeeld.nl"
client = "dienst"
audience = "staff"
title = "Account"
secret_file = "geheim"
authorities = ["eigen.pem"]

[signin.staf.claims]
person = "upn"

[people.anna]
signin = "staf:anna@voorbeeld.nl"

[people.bob]
os_user = "bob"
"""


def test_these_settings_are_in_order_and_files_count_from_theirs(tmp_path: Path) -> None:
    config = load_config(node_file(tmp_path, NODE), {})
    assert found(node_file(tmp_path, NODE)) == []
    assert config.signin["staf"].secret_file == tmp_path / "geheim"
    assert config.signin["staf"].authorities == (tmp_path / "eigen.pem",)
    assert config.people["anna"].os_user is None


SIMULATOR = 'issuer = "https://localhost:8490/sluis-simulator/digid"'


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('issuer = "https://broker.voorbeeld.nl"', SIMULATOR, "simulator-in-production", "sluis-simulator"),
        (
            "[people.anna]",
            f'[trust.ander]\nkeys = "ander.json"\n{SIMULATOR}\n\n[people.anna]',
            "simulator-in-production",
            "sluis-simulator",
        ),
        ('bsn = "bsn"', 'bnn = "bsn"', "wrong-value", "bnn"),
        ('bsn = "bsn"', 'bsn = ""', "empty-value", "bsn ="),
        ('person = "upn"', 'kvk = "upn"', "claim-not-for-staff", "kvk"),
        ('signin = "staf:anna@voorbeeld.nl"', 'signin = "stof:anna"', "unknown-sign-in", "stof"),
        ('signin = "staf:anna@voorbeeld.nl"', 'signin = "digid:anna"', "unknown-sign-in", "digid:anna"),
        ('os_user = "bob"', 'signin = "staf:anna@voorbeeld.nl"', "name-used-twice", 'signin = "staf'),
    ],
)
def test_what_cannot_work_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, line: str
) -> None:
    text = NODE.replace(old, new)
    last = len(text.splitlines()) - next(
        at for at, one in enumerate(reversed(text.splitlines())) if line in one
    )
    assert found(node_file(tmp_path, text)) == [(code, "node.toml", last)]


def test_a_test_node_may_use_a_simulator(tmp_path: Path) -> None:
    text = NODE.replace('issuer = "https://broker.voorbeeld.nl"', SIMULATOR)
    assert found(node_file(tmp_path, text.replace("[portal]", 'environment = "test"\n\n[portal]'))) == []


def test_a_way_of_signing_in_needs_pages(tmp_path: Path) -> None:
    text = NODE.replace('address = "https://mijn.voorbeeld.nl"', "")
    assert {one[0] for one in found(node_file(tmp_path, text))} == {"sign-in-without-pages"}


@pytest.mark.parametrize("signin", ["staf", "staf:", "staf: x", "staf:x ", ":x", "Staf:x"])
def test_who_signs_in_is_written_as_way_and_subject(tmp_path: Path, signin: str) -> None:
    assert found(node_file(tmp_path, NODE.replace("staf:anna@voorbeeld.nl", signin)))
