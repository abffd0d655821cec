"""What every key of `catalogue.toml` and of a description means, in Dutch and English: for the schemas and the reference."""

from typing import Any

from sluis.catalogue.model import Description, Whole
from sluis.grounds import WORDS as GROUNDS
from sluis.grounds import Words, schema
from sluis.kernel import Text

_CONTACT = Text("Waar iemand het kan vragen: een afdeling, geen mens.", "Where to ask: a department, not a person.")  # fmt: skip
_THEMES = Text(
    "Thema's, als code van de lijst Data Theme van de EU; in de catalogus ten minste één.",
    "Themes, as a code of the EU's list Data Theme; at least one in the catalogue.",
)
_LICENCE = Text(
    "Licentie: `cc0`, `cc-by`, `cc-by-sa`, of `not-open` als hergebruik niet vrij is.",
    "Licence: `cc0`, `cc-by`, `cc-by-sa`, or `not-open` where reuse is not free.",
)
_ACCESS = Text("Hoe iemand toegang krijgt.", "How somebody gets access.")
_TERMS = Text("Voorwaarden van levering.", "Terms of delivery.")
_PAGE = Text("Pagina erover.", "Page about it.")

WORDS: Words = {
    **{name: GROUNDS[name] for name in ("Article", "Period")},
    "Prose": GROUNDS["Text"],
    "Keywords": {
        "nl": Text("Trefwoorden in het Nederlands.", "Keywords in Dutch."),
        "en": Text("Trefwoorden in het Engels.", "Keywords in English."),
    },
    "Contact": {
        "name": Text("Naam van de afdeling.", "Name of the department."),
        "email": Text("E-mailadres.", "E-mail address."),
        "page": Text("Pagina met contactgegevens.", "Page with contact details."),
        "phone": Text("Telefoonnummer, zoals +31201234567.", "Telephone number, such as +31201234567."),
    },
    "Body": {
        "name": Text("Naam van de organisatie.", "Name of the organisation."),
        "uri": Text(
            "URI van de organisatie in een register, zoals TOOI.",
            "URI of the organisation in a register, such as TOOI.",
        ),
    },
    "Cost": {
        "kind": Text(
            "`free` (gratis), `call` (per vraag), `run` (per keer draaien), `subscription` (abonnement) of `agreed` "
            "(zoals verstrekkingen zeggen; van wie die zijn, wordt niet bekend).",
            "`free`, `call` (per question), `run` (per run), `subscription` or `agreed` "
            "(as disclosures say; whose those are does not become known).",
        ),
        "cents": Text("Prijs in eurocent.", "Price in eurocents."),
        "months": Text("Voor hoeveel maanden een abonnement is.", "For how many months a subscription is."),
        "note": Text("Uitleg bij de prijs.", "Explanation of the price."),
        "vat": Text(
            "Btw over de prijs, in hele procenten; weglaten als er geen btw over gaat.",
            "VAT over the price, in whole percents; left out where there is none.",
        ),
    },
    "Terms": {
        "version": Text("Versie van de voorwaarden.", "Version of the terms."),
        "text": Text("De voorwaarden zelf.", "The terms themselves."),
        "page": Text("Adres van de voorwaarden.", "Address of the terms."),
        "required": Text(
            "Of een vraag wordt geweigerd zolang de vrager deze voorwaarden niet heeft aanvaard.",
            "Whether a question is refused while who asks has not accepted these terms.",
        ),
    },
    "ServiceLevel": {
        "text": Text("Wat een afnemer mag verwachten.", "What a user may expect."),
        "available": Text("Beschikbaar, in procenten van de tijd.", "Availability, as a percentage of time."),
        "page": Text("Adres van de afspraken.", "Address of the agreement."),
    },
    "Whole": {
        "title": Text("Naam van de catalogus.", "Name of the catalogue."),
        "description": Text("Wat erin staat.", "What is in it."),
        "publisher": Text(
            "URI van de organisatie in een register, zoals TOOI; de naam staat in node.toml.",
            "URI of the organisation in a register, such as TOOI; its name stands in node.toml.",
        ),
        "contact": _CONTACT,
        "themes": _THEMES,
        "licence": _LICENCE,
        "languages": Text("Talen van de gegevens: nl, en.", "Languages of the data: nl, en."),
        "homepage": Text("Website van de catalogus.", "Website of the catalogue."),
        "documentation": Text(
            "Documentatie, voor wat geen eigen heeft.", "Documentation, for what has none of its own."
        ),
        "access": _ACCESS,
        "terms": _TERMS,
        "publish": Text(
            "Wat naar buiten gaat: `chosen` is wat dat met `published = true` zegt; `all` is alles, behalve wat "
            "`published = false` zegt.",
            "What is published: `chosen` is what says so with `published = true`; `all` is everything, except what "
            "says `published = false`.",
        ),
    },
    "Description": {
        "kind": Text("`dataset`, `service` of `event-type`.", "`dataset`, `service` or `event-type`."),
        "name": Text(
            "Naam van de dataset of dienst, of `type` van het gebeurtenistype.",
            "Name of the dataset or service, or `type` of the event type.",
        ),
        "published": Text(
            "Of anderen mogen weten dat het er is; zonder geldt `publish` van de catalogus.",
            "Whether others may know that it is there; without, `publish` of the catalogue holds.",
        ),
        "title": Text(
            "Naam voor mensen, van een dienst; de andere hebben er al een.",
            "Name for people, of a service; the others have one already.",
        ),
        "description": Text(
            "Wat het is, als dat nog nergens staat.", "What it is, where that stands nowhere yet."
        ),
        "contact": _CONTACT,
        "creator": Text("Wie het maakt, als dat een ander is.", "Who makes it, where that is another."),
        "themes": _THEMES,
        "keywords": Text("Woorden om het mee te vinden.", "Words to find it by."),
        "access_rights": Text(
            "`public` (openbaar), `restricted` (onder voorwaarden) of `non-public` (niet openbaar); zonder volgt het uit de kolommen.",
            "`public`, `restricted` or `non-public`; without, it follows from the columns.",
        ),
        "licence": _LICENCE,
        "conforms_to": Text(
            "Adressen van standaarden die het volgt.", "Addresses of standards that it follows."
        ),
        "articles": Text(
            "Artikelen in de wet waarop het rust dat dit er is.",
            "Articles of law that its existence rests on.",
        ),
        "cost": Text("Wat het kost.", "What it costs."),
        "terms": _TERMS,
        "level": Text("Hoe goed de dienst is.", "How good the service is."),
        "access": _ACCESS,
        "page": _PAGE,
        "documentation": Text("Documentatie.", "Documentation."),
        "openapi": Text(
            "Beschrijving van een dienst, zoals een OpenAPI-document.",
            "Description of a service, such as an OpenAPI document.",
        ),
        "document": Text(
            "OpenAPI-document van een dienst: een bestand in dezelfde map, JSON of YAML; het staat dan in de catalogus.",
            "OpenAPI document of a service: a file in the same folder, JSON or YAML; it then stands in the catalogue.",
        ),
        "frequency": Text(
            "Hoe vaak het wordt bijgewerkt; gemeten wordt of dat klopt.",
            "How often it is updated; whether that is so is measured.",
        ),
        "period": Text("Over welke tijd het gaat.", "Which time it is about."),
        "places": Text("Adressen van plaatsen waarover het gaat.", "Addresses of places that it is about."),
        "changed": Text(
            "Kolom (datum of tijdstip) die zegt wanneer een rij wijzigde; de laatste dag daarvan wordt bekend.",
            "Column (date or moment) that says when a row changed; the last day of it becomes known.",
        ),
    },
}


def catalogue_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of `catalogue.toml` and of a file in `descriptions/`, by file name."""
    whole = schema(Whole, Text("Catalogus", "Catalogue"), WORDS)
    one = schema(Description, Text("Beschrijving", "Description"), WORDS)
    return {
        "catalogue.schema.json": {**whole, "$id": "urn:sluis:schema:catalogue"},
        "description.schema.json": one,
    }
