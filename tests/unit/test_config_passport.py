"""Digital passports in the settings: what cannot work is told, with its line."""

import re
from pathlib import Path

import pytest
from tests.unit.test_config import NODE, found, node_file

from sluis.config import load_config

HOW_TO = Path(__file__).parents[2] / "docs/how-to/passkeys-en-paspoorten.md"
PASSPORT = (
    NODE
    + """
[portal]
address = "https://portaal.voorbeeld.nl"

[signin.directory]
issuer = "https://directory.voorbeeld.nl"
client = "dienst"
audience = "staff"
title = "Account van de dienst"

[passport.issuers.rvig]
title = "Uitgever (fictief)"
certificates = ["uitgevers/rvig.pem"]
types = ["urn:voorbeeld:persoon:1"]

[passport.ways.paspoort]
title = "Digitaal paspoort"
audience = "citizen"
type = "urn:voorbeeld:persoon:1"
level = "high"
why = "Om u te laten inloggen."
claims = { bsn = ["bsn"], name = ["given_name", "family_name"] }
"""
)


def test_passports_that_can_work_have_no_faults(tmp_path: Path) -> None:
    assert found(node_file(tmp_path, PASSPORT)) == []


def test_files_of_issuers_count_from_the_settings(tmp_path: Path) -> None:
    settings = load_config(node_file(tmp_path, PASSPORT), {})
    assert settings.passport.issuers["rvig"].certificates == (tmp_path / "uitgevers/rvig.pem",)


def test_the_settings_of_the_how_to_have_no_faults(tmp_path: Path) -> None:
    blocks = "\n".join(re.findall(r"```toml\n(.*?)```", HOW_TO.read_text(), re.DOTALL))
    portal = '[portal]\naddress = "https://portaal.voorbeeld.nl"\n'
    assert found(node_file(tmp_path, f"{NODE}\n{portal}\n{blocks}")) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ('[portal]\naddress = "https://portaal.voorbeeld.nl"', "", "sign-in-without-pages", "[passport.ways"),
        ('{ bsn = ["bsn"], ', "{ ", "passport-of-nobody", "claims"),
        ('"citizen"', '"company"', "passport-for-whom", "claims"),
        ("{ bsn", '{ kvk = ["kvk_number"], bsn', "passport-for-whom", "claims"),
        ('type = "urn:voorbeeld:persoon:1"', 'type = "urn:voorbeeld:persoon:2"', "passport-without-issuer", "type = "),
        ("[passport.ways.paspoort]", "[passport.ways.directory]", "sign-in-name-twice", "[passport.ways"),
        ("[passport.issuers", '[passport]\nkey = "x.pem"\n[passport.issuers', "passport-half-a-key", "[passport]"),
        ('level = "high"', 'level = "basic"', "wrong-value", "level"),
        ('why = "Om u te laten inloggen."\n', "", "missing-key", "[passport.ways"),
        ('{ bsn = ["bsn"]', '{ iban = ["iban"]', "wrong-value", "claims"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, at: str
) -> None:
    assert old in PASSPORT
    text = PASSPORT.replace(old, new, 1)
    line = text[: text.index(at)].count("\n") + 1
    problems = found(node_file(tmp_path, text))
    assert (code, line) in [(problem[0], problem[2]) for problem in problems], problems
