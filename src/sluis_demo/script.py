"""What the story asks: data, no code that talks to anyone. `story` asks it and shows the answers."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from sluis.grounds import Article, Column, Disclosure
from sluis_demo.activities import BENEFIT
from sluis_demo.federation import Place


class Part(msgspec.Struct, frozen=True):
    """A dataset in the question about the applicant: which columns to show, as `name` or `name=shown_as`."""

    dataset: str
    short: str
    columns: str
    condition: str = ""


ABOUT_THE_APPLICANT = (
    Part("rvig.personen", "p", "voornaam achternaam geboren nationaliteit"),
    Part("rvig.relaties", "r", "soort=relatie"),
    Part("rvig.verblijfplaats", "v", "straat huisnummer postcode woonplaats"),
    Part("belastingdienst.inkomen", "i", "loon uitkeringen winst", "jaar = 2025"),
    Part("belastingdienst.maandelijks_inkomen", "m", "bedrag=inkomen_per_maand"),
    Part("belastingdienst.bedrijfsinkomen", "b", "bedrag=inkomen_uit_bedrijf"),
    Part("belastingdienst.vermogen", "w", "bezittingen schulden"),
    Part("uwv.dienstverbanden", "d", "werkgever einde=werk_tot uren_per_week"),
    Part("uwv.uitkeringen", "u", "soort=uitkering bedrag_per_maand"),
    Part("svb.kinderbijslag", "k", "aantal_kinderen bedrag_per_kwartaal=kinderbijslag"),
    Part("svb.aow", "o", "pensioenleeftijd"),
    Part("kvk.inschrijvingen", "n", "handelsnaam status"),
    Part("rdw.voertuigen", "a", "kenteken merk waarde"),
)
ABOUT_THE_PARTNER = (
    Part("rvig.relaties", "r", "soort=relatie"),
    Part("belastingdienst.inkomen", "i", "loon uitkeringen winst", "jaar = 2025"),
    Part("belastingdienst.maandelijks_inkomen", "m", "bedrag=inkomen_per_maand"),
    Part("uwv.dienstverbanden", "d", "uren_per_week einde=werk_tot"),
)
POVERTY_PER_DISTRICT = (
    "SELECT wijk, count(*) AS mensen, avg(inkomen) AS gemiddeld_inkomen FROM belastingdienst.inkomen\n"
    "WHERE jaar = 2025 AND laag_inkomen = true GROUP BY wijk ORDER BY mensen DESC"
)
PARENTS_PER_DISTRICT = (
    "SELECT i.wijk, count(*) AS ouders, avg(k.aantal_kinderen) AS kinderen_gemiddeld\n"
    "FROM belastingdienst.inkomen i JOIN svb.kinderbijslag k ON k.bsn = i.bsn\n"
    "WHERE i.jaar = 2025 AND i.laag_inkomen = true GROUP BY i.wijk ORDER BY ouders DESC"
)
PARTNER_NUMBER = "SELECT partner_bsn FROM rvig.relaties WHERE bsn = $bsn"
PLATE = "SELECT kenteken FROM rdw.voertuigen WHERE bsn = $bsn"
HOME = (
    "SELECT p.voornaam, p.achternaam, v.straat, v.woonplaats FROM rvig.personen p\n"
    "LEFT JOIN rvig.verblijfplaats v ON v.bsn = p.bsn WHERE p.bsn = $bsn"
)


class Offered:
    """What the owners open to the asker, as the story needs to know it."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._opened: dict[tuple[str, str], Disclosure] = {}
        self._columns: dict[tuple[str, str], Column] = {}
        for place in places:
            for one in place.organisation.disclosures:
                self._opened[(f"{place.alias}.{one.dataset}", one.activity)] = one
            for dataset in place.organisation.datasets:
                for column in dataset.columns:
                    self._columns[(f"{place.alias}.{dataset.name}", column.name)] = column

    def opens(self, dataset: str, columns: Iterable[str], activity: str = BENEFIT.id) -> bool:
        """Whether all these columns of a dataset have a role."""
        one = self._opened.get((dataset, activity))
        return one is not None and set(columns) <= one.columns.keys()

    def unit(self, dataset: str, column: str) -> str:
        """The unit of a column, empty when it has none."""
        known = self._columns.get((dataset, column))
        return (known.unit or "") if known else ""

    def articles(self, receipts: Iterable[dict[str, Any]]) -> dict[str, tuple[Article, ...]]:
        """Per owner that gave something, the articles it was opened on."""
        grounds: dict[str, dict[Article, None]] = {}
        for entry in receipts:
            for dataset in entry["datasets"]:
                opened = self._opened[(f"{entry['owner']}.{dataset}", entry["receipt"]["activity"])]
                grounds.setdefault(entry["owner"], {}).update(dict.fromkeys(opened.articles))
        return {owner: tuple(articles) for owner, articles in grounds.items()}

    def shown(self, part: Part) -> list[str]:
        """The columns of a part that may be shown, as the script writes them."""
        one = self._opened.get((part.dataset, BENEFIT.id))
        opened = {name for name, role in one.columns.items() if role == "output"} if one else set()
        return [column for column in part.columns.split() if column.partition("=")[0] in opened]

    def closed(self) -> tuple[str, str]:
        """A dataset that is open for the benefit application and a column of it that stays closed; empty without one."""
        found = [
            (dataset, column)
            for (dataset, activity), one in self._opened.items()
            if activity == BENEFIT.id
            for each in one.closed
            for column in each.columns
        ]
        preferred = ("belastingdienst.vermogen", "spaargeld")
        return preferred if preferred in found else next(iter(found), ("", ""))


def question(parts: tuple[Part, ...], offered: Offered, key: str = "bsn") -> str:
    """One SELECT over the parts that are offered, joined on `key` of the first; empty when nothing is left to join.

    A part without a column that may be shown is left out.
    """
    first, *rest = parts
    rest = [part for part in rest if offered.shown(part)]
    if not rest or not offered.shown(first) or not offered.opens(first.dataset, [key]):
        return ""
    columns = [
        ", ".join(_column(part.short, column) for column in offered.shown(part)) for part in (first, *rest)
    ]
    joins = [
        f"LEFT JOIN {part.dataset} {part.short} ON {part.short}.bsn = {first.short}.{key}{_extra(part, offered)}"
        for part in rest
    ]
    lines = [f"FROM {first.dataset} {first.short}", *joins]
    return "\n".join(
        [
            "SELECT " + ",\n       ".join(columns),
            *lines,
            f"WHERE {first.short}.bsn = $bsn{_extra(first, offered)}",
        ]
    )


def about_the_applicant(down: Collection[str]) -> tuple[Part, ...]:
    """The parts about the applicant; those of owners that are down come last, so that another names the applicant."""
    return tuple(sorted(ABOUT_THE_APPLICANT, key=lambda part: part.dataset.partition(".")[0] in down))


def _extra(part: Part, offered: Offered) -> str:
    field = part.condition.partition(" ")[0]
    return f" AND {part.short}.{part.condition}" if field and offered.opens(part.dataset, [field]) else ""


def _column(short: str, column: str) -> str:
    name, _, shown_as = column.partition("=")
    return f"{short}.{name}" + (f" AS {shown_as}" if shown_as else "")
