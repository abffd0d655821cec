"""Why data may move: processing activities, legal articles, datasets, disclosures and offers."""

from sluis.grounds.model import (
    Activity,
    Aggregate,
    Article,
    Closed,
    Column,
    Dataset,
    Disclosure,
    Filter,
    Offer,
    OfferedColumn,
    Price,
    Subject,
    Withhold,
)

__all__ = [
    "Activity",
    "Aggregate",
    "Article",
    "Closed",
    "Column",
    "Dataset",
    "Disclosure",
    "Filter",
    "Offer",
    "OfferedColumn",
    "Price",
    "Subject",
    "Withhold",
]
