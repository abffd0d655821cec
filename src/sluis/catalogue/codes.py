"""The official code lists that a catalogue is written with (DCAT-AP-NL 3.0, value lists), as far as they are used here: what
people write in files, the code that stands for it, and what people read.
"""

from typing import Literal

from sluis.kernel import Text

AUTHORITY = "http://publications.europa.eu/resource/authority/"
"""Where the code lists of the Publications Office of the European Union are."""

Theme = Literal[
    "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN"
]
"""EU Vocabularies, Data Theme."""

AccessRights = Literal["public", "restricted", "non-public"]
"""EU Vocabularies, Access Right: the three that DCAT-AP-NL allows."""

Licence = Literal["cc0", "cc-by", "cc-by-sa", "not-open"]
"""DCAT-AP-NL: a Creative Commons licence, or that it is not open."""

Frequency = Literal[
    "continuous", "hourly", "daily", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "irregular", "never"
]  # fmt: skip
"""EU Vocabularies, Frequency."""

Language = Literal["nl", "en"]
"""EU Vocabularies, Language."""

THEMES: dict[Theme, Text] = {
    "AGRI": Text("Landbouw, visserij, bosbouw en voeding", "Agriculture, fisheries, forestry and food"),
    "ECON": Text("Economie en financiën", "Economy and finance"),
    "EDUC": Text("Onderwijs, cultuur en sport", "Education, culture and sport"),
    "ENER": Text("Energie", "Energy"),
    "ENVI": Text("Milieu", "Environment"),
    "GOVE": Text("Overheid en publieke sector", "Government and public sector"),
    "HEAL": Text("Gezondheid", "Health"),
    "INTR": Text("Internationale vraagstukken", "International issues"),
    "JUST": Text("Justitie, rechtsstelsel en openbare veiligheid", "Justice, legal system and public safety"),
    "REGI": Text("Regio's en steden", "Regions and cities"),
    "SOCI": Text("Bevolking en samenleving", "Population and society"),
    "TECH": Text("Wetenschap en technologie", "Science and technology"),
    "TRAN": Text("Vervoer", "Transport"),
}

ACCESS_RIGHTS: dict[AccessRights, tuple[str, Text]] = {
    "public": ("PUBLIC", Text("openbaar", "public")),
    "restricted": ("RESTRICTED", Text("onder voorwaarden", "restricted")),
    "non-public": ("NON_PUBLIC", Text("niet openbaar", "non-public")),
}
"""Each with its code and what people read."""

LICENCES: dict[Licence, tuple[str, Text]] = {
    "cc0": ("https://creativecommons.org/publicdomain/zero/1.0/", Text("CC0 1.0", "CC0 1.0")),
    "cc-by": ("https://creativecommons.org/licenses/by/4.0/", Text("CC BY 4.0", "CC BY 4.0")),
    "cc-by-sa": ("https://creativecommons.org/licenses/by-sa/4.0/", Text("CC BY-SA 4.0", "CC BY-SA 4.0")),
    "not-open": (
        "http://standaarden.overheid.nl/owms/terms/geslotenlicentie",
        Text("niet open", "not open"),
    ),
}
"""Each with its IRI and what people read."""

FREQUENCIES: dict[Frequency, tuple[str, Text]] = {
    "continuous": ("UPDATE_CONT", Text("doorlopend", "continuously")),
    "hourly": ("HOURLY", Text("elk uur", "hourly")),
    "daily": ("DAILY", Text("elke dag", "daily")),
    "weekly": ("WEEKLY", Text("elke week", "weekly")),
    "monthly": ("MONTHLY", Text("elke maand", "monthly")),
    "quarterly": ("QUARTERLY", Text("elk kwartaal", "quarterly")),
    "half-yearly": ("ANNUAL_2", Text("elk half jaar", "twice a year")),
    "yearly": ("ANNUAL", Text("elk jaar", "yearly")),
    "irregular": ("IRREG", Text("onregelmatig", "irregularly")),
    "never": ("NEVER", Text("nooit", "never")),
}
"""Each with its code and what people read."""

LANGUAGES: dict[Language, str] = {"nl": "NLD", "en": "ENG"}
"""Each with its code."""

TERMS_REQUIRED, ITSELF = "urn:sluis:terms-required", "urn:sluis:catalogue"
"""What no official list has: types of terms without which a question is refused, and of the dataset that is the catalogue itself."""

PRICE = "urn:sluis:price:"
"""What the type of an offer begins with; then its kind, months and rate of VAT follow, such as `subscription:12:21`."""
