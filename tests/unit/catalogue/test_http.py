"""Anybody reads what is published, in the form they ask for, and hears that nothing changed; the rest is for own people."""

from pathlib import Path

import pytest
from tests.unit.catalogue.examples import BASE, MEASURED, described
from tests.unit.catalogue.world import Node

from sluis.catalogue import keep_measurements, service
from sluis.catalogue.http import preferred, wants_page


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


async def test_anybody_reads_the_catalogue(node: Node) -> None:
    reply = await node.get()
    assert (reply.status, reply.headers["content-type"]) == (200, "application/ld+json")
    (whole,) = [one for one in reply.json["@graph"] if one["@id"] == BASE]
    assert [one["@id"] for one in whole["dcat:dataset"]] == [
        f"{BASE}/datasets/bomen", f"{BASE}/datasets/inkomen",
        f"{BASE}/event-types/nl.voorbeeld.inkomen.gewijzigd",
    ]  # fmt: skip
    assert (reply.headers["vary"], reply.headers["access-control-allow-origin"]) == ("accept", "*")


async def test_a_form_is_given_as_it_is_asked_for(node: Node) -> None:
    turtle = await node.get(accept="text/turtle")
    assert turtle.headers["content-type"] == "text/turtle; charset=utf-8"
    assert turtle.body.startswith(b"@prefix")
    assert (await node.get(accept="application/json")).headers["content-type"] == "application/json"
    refused = await node.get(accept="application/rdf+xml")
    assert (refused.status, refused.json["code"]) == (406, "form-not-given")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/ld+json"),
        ("text/*", "text/turtle"),
        ("text/turtle;q=0.5, application/ld+json;q=0.4", "text/turtle"),
        ("application/ld+json;q=0.4, text/turtle;q=0.5", "text/turtle"),
        ("*/*;q=0.1, text/turtle;q=0", "application/ld+json"),
        ("application/*;q=0, */*", "text/turtle"),
        ("Text/Turtle; charset=utf-8", "text/turtle"),
        ("text/turtle;q=veel", None),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)
def test_of_what_is_given_the_most_wanted_is_chosen(accept: str, kind: str | None) -> None:
    assert preferred(accept) == kind


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("text/html;q=0.5, text/turtle", False),
        ("text/html, application/ld+json", False),
        ("text/*", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0", False),
    ],
)
def test_who_names_html_and_wants_it_most_wants_a_page(accept: str, page: bool) -> None:
    assert wants_page(accept) is page


async def test_who_has_it_already_gets_nothing_again(node: Node) -> None:
    tag = (await node.get()).headers["etag"]
    for held in (tag, f"W/{tag}", f'"ander", {tag}', "*"):
        reply = await node.get(tag=held)
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
    assert (await node.get(tag='"ander"')).status == 200
    assert (await node.get(accept="text/turtle", tag=tag)).status == 200


async def test_bytes_are_made_once_until_something_changes(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, write = list[str](), service._write
    monkeypatch.setattr(service, "_write", lambda *given: made.append(given[-1]) or write(*given))
    first = (await node.get()).headers["etag"]
    assert [(await node.get()).headers["etag"] for _ in range(3)] == [first] * 3
    assert made == ["json-ld"]
    keep_measurements(tmp_path, [MEASURED])
    second = (await node.get()).headers["etag"]
    node.services.discard("api")
    third = (await node.get()).headers["etag"]
    assert len({first, second, third}) == 3
    assert made == ["json-ld"] * 3


async def test_one_thing_is_read_alone(node: Node) -> None:
    reply = await node.get("/datasets/bomen")
    kinds = {one["@id"]: one["@type"] for one in reply.json["@graph"] if one["@id"].startswith(BASE)}
    assert kinds[f"{BASE}/datasets/bomen"] == "dcat:Dataset"
    assert BASE not in kinds


async def test_what_is_not_published_reads_as_what_is_not_there(tmp_path: Path) -> None:
    node = Node(tmp_path, described("dataset", "bomen"), described("dataset", "inkomen", published=False))
    text = (await node.get(accept="text/turtle")).body
    assert b"bomen" in text
    assert b"datasets/inkomen" not in text
    hidden, absent, odd = [
        await node.get(path) for path in ("/datasets/inkomen", "/datasets/weg", "/zaken/bomen")
    ]
    assert hidden.status == 404
    assert hidden.json == absent.json == odd.json


async def test_own_people_see_everything_and_nobody_else_does(tmp_path: Path) -> None:
    node = Node(tmp_path, described("dataset", "bomen"))
    assert {(one["name"], one["published"]) for one in await node.own()} >= {
        ("bomen", True),
        ("inkomen", False),
    }
    assert (await node.get("/entries")).status == 401


async def test_without_a_catalogue_there_is_none(tmp_path: Path) -> None:
    node = Node(tmp_path, without=True)
    for path in ("", "/datasets/bomen"):
        reply = await node.get(path)
        assert (reply.status, reply.json["code"]) == (404, "no-catalogue")
    assert (await node.own())["code"] == "no-catalogue"
