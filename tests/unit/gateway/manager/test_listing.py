"""Lists of the Manager API: a page stays small enough to be read, whatever one peer puts on it."""

import pytest
from tests.unit.gateway.contracts.making import DIRECTORY, PROVIDER, as_json, content, publication

from sluis.gateway.contracts import Grant, read_content
from sluis.gateway.manager import listing
from sluis.gateway.manager.listing import Query, services_page
from sluis.gateway.peers import Known
from sluis.kernel import PeerId

KNOWN = {PeerId(PROVIDER): Known(PeerId(PROVIDER), "Voorbeeld", "https://m.example:8443")}


def published(name: str, size: int) -> Grant:
    grant = publication(name) | {"properties": {"x": "x" * size}}
    return read_content(as_json(content(grant))).grants[0]


def test_large_properties_of_one_service_keep_nobody_from_reading_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "LARGEST", 3000)
    grants = [
        published(name, size)
        for name, size in (("a", 10), ("b", 5000), ("c", 1200), ("d", 1200), ("e", 1200))
    ]
    assert {grant.directory for grant in grants} == {PeerId(DIRECTORY)}
    pages, cursor = list[list[str]](), ""
    while not pages or cursor:
        query = Query({"sort_order": "SORT_ORDER_ASCENDING", "limit": "1000", "cursor": cursor})
        page, cursor = services_page(grants, KNOWN, query)
        pages.append([one["data"]["name"] for one in page])
    assert pages == [["a"], ["b"], ["c", "d"], ["e"]]
