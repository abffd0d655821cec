"""The pages on which officials ask, put together from a node's rooms."""

from litestar.handlers import HTTPRouteHandler

from sluis import query
from sluis.serve.parts import Parts
from sluis.web import Gate


def asking_routes(parts: Parts) -> list[HTTPRouteHandler]:
    """The pages of a node on which officials ask. Where it is in a group, contracts are requested there too."""
    return query.page_routes(
        parts.asker,
        parts.desk,
        parts.shelf,
        Gate(parts.point),
        parts.refusals.record,
        contracts=parts.operator is not None,
    )
