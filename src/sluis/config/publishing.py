"""The published JSON Schemas of all files of a node directory."""

from typing import Any

from sluis.catalogue import catalogue_schemas
from sluis.config.model import Config
from sluis.config.words import WORDS as SETTINGS
from sluis.contact import scenario_schema
from sluis.gateway import Group
from sluis.grounds import WORDS, schema
from sluis.grounds import schemas as item_schemas
from sluis.kernel import Text


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by file name: of `node.toml`, `group.toml`, datasets, processing activities, disclosures,
    scenarios and the catalogue."""
    node = schema(Config, Text("Instellingen van een knooppunt", "Settings of a node"), {**WORDS, **SETTINGS})
    group = schema(Group, Text("Regels van een groep", "Rules of a group"), SETTINGS)
    return {
        "node.schema.json": {**node, "$id": "urn:sluis:schema:node"},
        "group.schema.json": group,
        "scenario.schema.json": scenario_schema(),
        **item_schemas(),
        **catalogue_schemas(),
    }
