"""What the RDW of the demo says of its vehicles service: cars that do not exist, its OpenAPI document, and its entry in the catalogue."""

import json
from typing import Any

import msgspec

from sluis.catalogue import DESCRIPTIONS, Cost, Description, Keywords, Prose, ServiceLevel, Terms
from sluis.grounds import Article, render_tables

SERVICE, OWNER = "voertuigen-api", "rdw"

CARS: dict[str, dict[str, Any]] = {
    "XX-001-A": {"kenteken": "XX-001-A", "merk": "Verzonnen Volt", "kleur": "blauw", "zitplaatsen": 5, "brandstof": "elektrisch"},
    "XX-002-B": {"kenteken": "XX-002-B", "merk": "Fictie Famiglia", "kleur": "groen", "zitplaatsen": 4, "brandstof": "benzine"},
    "XX-003-C": {"kenteken": "XX-003-C", "merk": "Fantasie Bestel", "kleur": "wit", "zitplaatsen": 3, "brandstof": "diesel"},
}  # fmt: skip

_CAR = {
    "type": "object",
    "required": ["kenteken", "merk"],
    "properties": {
        "kenteken": {"type": "string", "description": "Met streepjes."},
        "merk": {"type": "string"},
        "kleur": {"type": "string"},
        "zitplaatsen": {"type": "integer"},
        "brandstof": {"type": "string", "enum": ["elektrisch", "benzine", "diesel"]},
    },
    "example": CARS["XX-001-A"],
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Voertuigen-API (fictief)",
        "version": "1.0",
        "description": "Zoek een verzonnen voertuig op kenteken, of alle voertuigen met een brandstof.",
    },
    "x-sluis-try": True,
    "paths": {
        "/voertuigen": {
            "get": {
                "summary": "Zoek voertuigen",
                "parameters": [
                    {
                        "name": "brandstof", "in": "query", "description": "Alleen met deze brandstof.",
                        "schema": {"type": "string", "enum": ["elektrisch", "benzine", "diesel"]},
                    }
                ],
                "responses": {
                    "200": {
                        "description": "De voertuigen.",
                        "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Voertuig"}}}},
                    }
                },
            }
        },
        "/voertuigen/{kenteken}": {
            "get": {
                "summary": "Eén voertuig",
                "parameters": [
                    {"name": "kenteken", "in": "path", "required": True, "schema": {"type": "string"}, "example": "XX-001-A"}
                ],
                "responses": {
                    "200": {
                        "description": "Het voertuig.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Voertuig"}}},
                    },
                    "404": {"description": "Er is geen voertuig met dit kenteken."},
                },
            }
        },
    },
    "components": {"schemas": {"Voertuig": _CAR}},
}  # fmt: skip

DESCRIPTION = Description(
    "service",
    SERVICE,
    published=True,
    title=Prose("Voertuigen-API", "Vehicles API"),
    description=Prose(
        "Welk voertuig bij een kenteken hoort. Een dienst achter de inway, om te lezen en te proberen. Alles is verzonnen.",
        "Which vehicle belongs to a registration number. A service behind the inway, to read and to try out. All of it is invented.",
    ),
    keywords=Keywords(
        ("voertuig", "auto", "kenteken", "api"), ("vehicle", "car", "registration number", "api")
    ),
    themes=("TRAN",),
    articles=(Article("Wegenverkeerswet 1994", "42", "BWBR0006622"),),
    cost=Cost(
        "call",
        5,
        note=Prose("Per maand afgerekend, in deze demo.", "Settled each month, in this demo."),
        vat=21,
    ),
    terms=Terms(
        "2026-1",
        Prose(
            "U gebruikt de gegevens alleen voor het doel van het contract, en bewaart ze niet langer dan nodig. (Verzonnen voorwaarden.)",
            "You use the data for the purpose of the contract alone, and keep it no longer than needed. (Invented terms.)",
        ),
    ),
    level=ServiceLevel(
        Prose("Op werkdagen van 7 tot 19 uur.", "On working days from 7 to 19 hours."), available=99.5
    ),
    document=f"{SERVICE}.json",
)


def vehicle_files(alias: str) -> dict[str, str]:
    """What the catalogue of an organisation says of this service, by file; nothing for who does not offer it."""
    if alias != OWNER:
        return {}
    return {
        f"{DESCRIPTIONS}/{SERVICE}.toml": render_tables(msgspec.to_builtins(DESCRIPTION)),
        f"{DESCRIPTIONS}/{SERVICE}.json": json.dumps(DOCUMENT, ensure_ascii=False, indent=1),
    }
