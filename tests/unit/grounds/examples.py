"""Fictitious files of a node, as an official would write them, and the structs they hold."""

from datetime import date
from pathlib import Path
from typing import Any

from sluis.grounds import Activity, Article, Column, Dataset, Disclosure, Subject
from sluis.kernel import Oin, PeerId, Period, Text

OWNER, RECIPIENT, THIRD = (PeerId(f"0000000100000000000{digit}") for digit in "123")
DAY = date(2026, 6, 1)
ACTIVITY_ID = "https://register.voorbeeld.nl/bijstand"

DATASET = """\
# Inkomen per jaar (fictief)
name = "inkomen"
title.nl = "Inkomen per jaar"
title.en = "Income per year"
source = "main"
table = "INKOMEN"
key = ["bsn", "jaar"]
rows = 4000

[subject]
column = "bsn"
type = "BSN"

[columns]
bsn = { type = "VARCHAR", source = "BSN_NR", sensitivity = "identifying" }
jaar = { type = "INTEGER" }
vermogen = { type = "BIGINT", sensitivity = "special" }

[columns.inkomen]
type = "BIGINT"
unit = "eurocent per jaar"
expression = "LOON + UITKERING"
title.nl = "Verzamelinkomen"
title.en = "Total income"
"""

ACTIVITY = f"""\
id = "{ACTIVITY_ID}"
name.nl = "Aanvraag bijstand"
name.en = "Benefit application"
purpose.nl = "Vaststellen of iemand recht heeft op bijstand."
purpose.en = "Deciding whether somebody is entitled to benefit."
controller = "{RECIPIENT}"
ground = "legal-obligation"
subjects.nl = "aanvragers"
subjects.en = "applicants"

[[articles]]
law = "Participatiewet"
article = "53a"
bwb = "BWBR0015703"

[valid]
since = 2026-01-01
"""

DISCLOSURE = f"""\
id = "inkomen-bijstand"
version = 1
dataset = "inkomen"
recipient = "{RECIPIENT}"
activity = "{ACTIVITY_ID}"
ground = "legal-obligation"
controller = "{OWNER}"
rows = "jaar >= 2020"
rows_because.nl = "Alleen de laatste jaren zijn nodig."
rows_because.en = "Only recent years are needed."

[columns]
bsn = "output"
inkomen = "output"
jaar = "filter"

[filters.jaar]
operators = ["=", ">="]
values = [2024, 2025]

[masks]
inkomen = "round(inkomen / 100) * 100"

[[articles]]
law = "Participatiewet"
article = "64"

[valid]
since = 2026-01-01
until = 2026-12-31

[[closed]]
columns = ["vermogen"]
because.nl = "Voor deze taak is het vermogen niet nodig."
because.en = "This task does not need the capital."
article = {{ law = "AVG", article = "5, eerste lid, onder c" }}
"""


def write_node(directory: Path, **changed: str) -> Path:
    """A node directory with the three files; `changed` replaces the text of `dataset`, `activity` or `disclosure`."""
    for folder, name, text in (
        ("datasets", "dataset", DATASET),
        ("activities", "activity", ACTIVITY),
        ("disclosures", "disclosure", DISCLOSURE),
    ):
        (directory / folder).mkdir(parents=True, exist_ok=True)
        (directory / folder / f"{name}.toml").write_text(changed.get(name, text))
    return directory


def dataset(**changed: Any) -> Dataset:
    values: dict[str, Any] = {
        "name": "inkomen",
        "title": Text("Inkomen", "Income"),
        "source": "main",
        "table": "INKOMEN",
        "columns": tuple(Column(name, "BIGINT") for name in ("bsn", "jaar", "inkomen", "vermogen")),
        "subject": Subject("bsn", "BSN"),
    }
    return Dataset(**(values | changed))


def activity(**changed: Any) -> Activity:
    values: dict[str, Any] = {
        "id": ACTIVITY_ID,
        "name": Text("Bijstand", "Benefit"),
        "purpose": Text("Recht vaststellen.", "Deciding entitlement."),
        "controller": Oin(RECIPIENT),
        "ground": "legal-obligation",
        "articles": (Article("Participatiewet", "53a"),),
        "valid": Period(date(2026, 1, 1)),
    }
    return Activity(**(values | changed))


def disclosure(**changed: Any) -> Disclosure:
    values: dict[str, Any] = {
        "id": "inkomen-bijstand",
        "version": 1,
        "dataset": "inkomen",
        "recipient": RECIPIENT,
        "activity": ACTIVITY_ID,
        "columns": {"bsn": "output", "inkomen": "output"},
        "articles": (Article("Participatiewet", "64"),),
        "ground": "legal-obligation",
        "controller": Oin(OWNER),
        "valid": Period(date(2026, 1, 1), date(2026, 12, 31)),
    }
    return Disclosure(**(values | changed))
