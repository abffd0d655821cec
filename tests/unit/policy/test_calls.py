"""Searches over more than a page, and what bounds them. What the standard asks is in tests/integration/test_authzen.py."""

from typing import Any

import pytest
from tests.unit.policy.samples import NOW, engine

from sluis.kernel import Invalid
from sluis.policy import Engine
from sluis.policy.calls import LARGEST_PAGE, MOST_TRIED, SEARCH_ACTION, SEARCH_SUBJECT, answer

OWN = {
    "a.cedar": """@id("some") permit (principal, action == Action::"read", resource) when { principal.number < 1400 };
    @id("other") permit (principal, action in [Action::"a", Action::"b"], resource);"""
}
REQUEST: dict[str, Any] = {
    "subject": {"type": "urn:person"}, "action": {"name": "read"}, "resource": {"type": "page", "id": "p"},
}  # fmt: skip


def entity(kind: str, id: str, **attributes: Any) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": id}, "attrs": attributes, "parents": []}


@pytest.fixture(scope="module")
def many() -> Engine:
    people = [entity("Linked", f"urn:person {number:04}", number=number) for number in range(1500)]
    return engine(own=OWN, entities=(entity("page", "p"), *people))


def pages(one: Engine, **page: Any) -> list[list[str]]:
    found, token = [], ""
    while True:
        response, failed = answer(one, SEARCH_SUBJECT, {**REQUEST, "page": {**page, "token": token}}, NOW)
        assert not failed
        found.append([result["id"] for result in response["results"]])
        token = response["page"]["next_token"]
        if not token:
            return found


@pytest.mark.parametrize(("limit", "longest"), [(None, 100), (1_000_000, LARGEST_PAGE), (7, 7)])
def test_pages_together_hold_each_result_once_in_order(many: Engine, limit: int | None, longest: int) -> None:
    found = pages(many, **({} if limit is None else {"limit": limit}))
    assert [id for page in found for id in page] == [f"{number:04}" for number in range(1400)]
    assert max(map(len, found)) == longest


def test_a_page_takes_no_more_decisions_than_so_many(many: Engine) -> None:
    own = {"a.cedar": '@id("last") permit (principal, action, resource) when { principal.number == 1499 };'}
    entities = tuple(many.entities.values())
    found = pages(engine(own=own, entities=entities))
    assert [len(page) for page in found] == [0, 0, 1]
    assert MOST_TRIED * 3 == 1500


def test_a_page_of_other_policies_is_refused(many: Engine) -> None:
    response, _ = answer(many, SEARCH_SUBJECT, REQUEST, NOW)
    other = engine(own=OWN, entities=tuple(many.entities.values())[:-1])
    with pytest.raises(Invalid):
        answer(other, SEARCH_SUBJECT, {**REQUEST, "page": response["page"]}, NOW)


def test_actions_are_those_that_policies_name(many: Engine) -> None:
    request = {"subject": {"type": "urn:person", "id": "1450"}, "resource": REQUEST["resource"]}
    response, _ = answer(many, SEARCH_ACTION, request, NOW)
    assert [one["name"] for one in response["results"]] == ["a", "b"]


def test_a_search_in_which_something_failed_says_so(many: Engine) -> None:
    own = {"a.cedar": '@id("bad") forbid (principal, action, resource) when { context.nothing };'}
    response, failed = answer(
        engine(own=own, entities=tuple(many.entities.values())), SEARCH_SUBJECT, REQUEST, NOW
    )
    assert failed
    assert response["results"] == []
