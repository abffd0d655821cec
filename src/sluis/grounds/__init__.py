"""Why data may move: processing activities, legal articles, datasets, disclosures and offers."""

from sluis.grounds.expressions import expression_fault
from sluis.grounds.files import FOLDERS, Reading, kind_of, read_directory, read_item
from sluis.grounds.model import (
    Activity,
    Aggregate,
    Article,
    AvgGround,
    Closed,
    Column,
    Dataset,
    Disclosure,
    Filter,
    Grounds,
    Key,
    Name,
    Offer,
    Price,
    Role,
    Subject,
)
from sluis.grounds.purpose import (
    PROPERTY,
    Bound,
    Purpose,
    purpose_if_readable,
    purpose_of,
    purpose_properties,
)
from sluis.grounds.render import render, render_tables
from sluis.grounds.rules import Item, Surroundings, make_offer
from sluis.grounds.schemas import schema, schemas
from sluis.grounds.service import examine, load_grounds, refuse_any
from sluis.grounds.shape import Fault, faults, meant
from sluis.grounds.toml import Document, Keys, parse_document, read_document, read_text
from sluis.grounds.words import WORDS, Words

__all__ = [
    "FOLDERS",
    "PROPERTY",
    "WORDS",
    "Activity",
    "Aggregate",
    "Article",
    "AvgGround",
    "Bound",
    "Closed",
    "Column",
    "Dataset",
    "Disclosure",
    "Document",
    "Fault",
    "Filter",
    "Grounds",
    "Item",
    "Key",
    "Keys",
    "Name",
    "Offer",
    "Price",
    "Purpose",
    "Reading",
    "Role",
    "Subject",
    "Surroundings",
    "Words",
    "examine",
    "expression_fault",
    "faults",
    "kind_of",
    "load_grounds",
    "make_offer",
    "meant",
    "parse_document",
    "purpose_if_readable",
    "purpose_of",
    "purpose_properties",
    "read_directory",
    "read_document",
    "read_item",
    "read_text",
    "refuse_any",
    "render",
    "render_tables",
    "schema",
    "schemas",
]
