"""What a service says of itself is read without believing it, and tried out with nothing but what it describes."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.browser import Browser
from tests.unit.catalogue.examples import GROUNDS, OF, OWN, RECIPIENT, SERVICE, described, whole, write
from tests.unit.catalogue.test_files import WHOLE

from sluis.catalogue import NAVIGATION, Catalogue, Trying, api_page_routes, openapi, read_catalogue
from sluis.catalogue.openapi import read_openapi
from sluis.catalogue.trying import made
from sluis.gateway import Answer
from sluis.kernel import Acting, Invalid, NotFound, PeerId, Refused
from sluis.web import COOKIE, House, SignedIn, make_portal

EVIL = "<script>alert(1)</script>"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": f"Voertuigen {EVIL}", "version": "1.2", "description": "Welk voertuig het is."},
    "servers": [{"url": "https://elders.voorbeeld.nl/v1"}],
    "paths": {
        "/voertuigen/{kenteken}": {
            "parameters": [
                {"name": "kenteken", "in": "path", "required": True, "schema": {"type": "string"}, "example": "AB-12-C"}
            ],
            "get": {
                "summary": "Eén voertuig",
                "parameters": [
                    {"name": "velden", "in": "query", "schema": {"type": "string", "enum": ["alle", "kort"]}},
                    {"name": "X-Taal", "in": "header", "schema": {"type": "string"}},
                    {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                    {"name": "Fsc-Grant-Hash", "in": "header", "schema": {"type": "string"}},
                    {"name": "s", "in": "cookie", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {
                        "description": "Gevonden",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Voertuig"}}},
                    }
                },
            },
        },
        "/melden": {
            "post": {"requestBody": {"content": {"application/json": {"example": {"kenteken": "x"}}}}, "responses": {}}
        },
        "//elders.nl/x": {"get": {}},
        "/../geheim": {"get": {}},
        "/ruimte hier": {"get": {}},
    },
    "components": {
        "schemas": {
            "Voertuig": {
                "type": "object", "required": ["merk"],
                "properties": {
                    "merk": {"type": "string", "description": EVIL},
                    "trekt": {"$ref": "#/components/schemas/Voertuig"},
                    "elders": {"$ref": "https://elders.nl/schema.json"},
                    "assen": {"type": "array", "items": {"type": "object", "properties": {"last": {"type": "integer"}}}},
                },
            }
        },
        "securitySchemes": {"sleutel": {"type": "apiKey", "in": "header"}},
    },
}  # fmt: skip
RAW = json.dumps(DOCUMENT).encode()
GET, POST = "get /voertuigen/{kenteken}", "post /melden"


def test_operations_parameters_and_fields_are_read() -> None:
    found = read_openapi(RAW)
    one = {each.id: each for each in found.operations}
    assert (found.prefix, found.version, found.auth) == ("/v1", "1.2", ("sleutel: apiKey header",))
    assert set(one) == {GET, POST}
    assert [(each.name, each.where) for each in one[GET].parameters] == [
        ("kenteken", "path"), ("velden", "query"), ("X-Taal", "header"),
    ]  # fmt: skip
    body = one[GET].results[0].body
    assert body is not None
    fields = {each.name: each for each in body.fields}
    assert (fields["merk"].required, fields["assen[].last"].type, fields["elders"].type) == (
        True,
        "integer",
        "elsewhere",
    )
    assert one[POST].body is not None
    assert '"kenteken": "x"' in one[POST].body.example


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"\xff", b"{}", b'{"openapi": "2.0", "paths": {}}', b'{"openapi": "3.1.0", "paths": []}',
            b"[" * 100_000, b'{"openapi": "3.1.0", "paths": {"/x": ' + b'{"a":' * 50_000, b" " * (openapi.MOST_BYTES + 1)],
)  # fmt: skip
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_openapi(raw)


def test_a_document_that_names_itself_again_and_again_ends() -> None:
    names = {f"S{number}": {"properties": {f"p{each}": {"$ref": f"#/components/schemas/S{(number + 1) % 8}"} for each in range(50)}} for number in range(8)}  # fmt: skip
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    paths = {f"/p{number}": {"get": {"responses": {"200": answer}}} for number in range(300)}
    circle = {"$ref": "#/components/schemas/C"}
    whole = {
        "openapi": "3.0.0",
        "info": {},
        "paths": paths,
        "components": {"schemas": {**names, "C": circle}},
    }
    found = read_openapi(json.dumps(whole).encode())
    assert (len(found.operations), found.left_out) == (openapi.MOST_OPERATIONS, 100)


def test_a_document_that_makes_much_of_little_costs_little() -> None:
    """Path items, answers and parameters that are named again and again: each was written out anew, in minutes and gigabytes."""
    example = {f"k{number}": "x" * 20 for number in range(10_000)}
    answer = {
        "description": "d",
        "content": {f"a/{n}": {} for n in range(5000)} | {"application/json": {"example": example}},
    }
    asked = [
        {"name": f"q{n}", "in": "query", "description": "d" * 900, "schema": {"enum": [f"{'y' * 120}{m}" for m in range(50)]}}
        for n in range(40)
    ]  # fmt: skip
    one = {"responses": {str(200 + n): {"$ref": "#/components/responses/R"} for n in range(20)}}
    whole = {
        "openapi": "3.0.0",
        "paths": {f"/a{n}": {"$ref": "#/components/x"} for n in range(400)},
        "components": {
            "responses": {"R": answer},
            "x": {**dict.fromkeys(openapi.METHODS, one), "parameters": asked},
        },
    }
    began = time.process_time()
    found = read_openapi(json.dumps(whole).encode())
    assert time.process_time() - began < 3
    assert (len(found.operations), found.left_out) == (
        openapi.MOST_OPERATIONS,
        400 * 6 - openapi.MOST_OPERATIONS,
    )
    assert sum(len(repr(one)) for one in found.operations) < 10_000_000


async def test_others_are_asked_for_what_they_offer_alone_and_not_again_at_once_when_they_fail(
    tmp_path: Path,
) -> None:
    desk, asked = Desk(tmp_path), list[str]()

    class Failing(Way):
        @asynccontextmanager
        async def send(
            self, peer: PeerId, method: str, path: str, *more: Any, **other: Any
        ) -> AsyncIterator[Answer]:
            asked.append(path)

            async def nothing() -> AsyncIterator[bytes]:
                yield b"{"

            yield Answer(200, {}, nothing())

    way: Any = Failing()
    desk.trying.__init__({}, way, way, True, lambda peer, name: name == "api")  # type: ignore[misc]
    for _ in range(3):
        for name in ("api", "x", "y"):
            await desk.browser().get(f"/catalogue/api/{str.__str__(RECIPIENT)}/{name}")
    assert asked == ["/v1/catalogue/services/api/openapi"]


_WORDS = st.sampled_from(
    ["openapi", "3.1.0", "paths", "/x", "/x/{y}", "get", "post", "parameters", "name", "in", "path", "query", "schema", "$ref", "#/paths",
     "#/", "https://elders.nl", "responses", "200", "content", "application/json", "properties", "items", "allOf", "type", "enum", "example"]
)  # fmt: skip
_ANY = st.recursive(
    _WORDS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=60)
@given(
    paths=st.dictionaries(
        st.sampled_from(["/x", "/x/{y}", "x", "/../y"]), st.dictionaries(_WORDS, _ANY, max_size=4)
    ),
    more=_ANY,
)
def test_whatever_stands_in_it_reading_ends(paths: Any, more: Any) -> None:
    raw = json.dumps(
        {"openapi": "3.1.0", "paths": paths, "info": more, "servers": more, "components": more}
    ).encode()
    for one in read_openapi(raw).operations:
        assert one.path.startswith("/")
        assert ".." not in one.path


def test_a_request_holds_nothing_but_what_is_described() -> None:
    document = read_openapi(RAW)
    one = next(each for each in document.operations if each.id == GET)
    given = {
        "path-kenteken": "a/../b?x#y", "query-velden": "kort", "query-anders": "1", "header-X-Taal": "nl", "header-Authorization": "x",
        "header-Host": "x", "body": "x",
    }  # fmt: skip
    path, headers, body = made(document, one, given)
    assert (path, body) == ("/v1/voertuigen/a%2F..%2Fb%3Fx%23y?velden=kort", b"")
    assert set(headers) == {"accept", "traceparent", "fsc-transaction-id", "x-taal"}
    for wrong in (
        {}, {"path-kenteken": ".."}, {"path-kenteken": "x", "query-velden": "anders"},
        {"path-kenteken": "x", "header-X-Taal": "nl\r\nHost: elders"},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            made(document, one, wrong)


class Way:
    """To a service that answers what a test says."""

    def __init__(self) -> None:
        self.contract, self.sent = True, list[tuple[str, str, bytes]]()
        self.answer: tuple[int, dict[str, str], bytes] = (
            200,
            {"content-type": "application/json", "x-evil": EVIL},
            b'{"merk":"<b>"}',
        )

    def connected(self, peer: PeerId, service: str) -> bool:
        return self.contract and service == "api"

    @asynccontextmanager
    async def reach(
        self,
        peer: PeerId,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> AsyncIterator[Answer]:
        self.sent.append((method, path, body))
        status, given, raw = self.answer

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(raw), 1000):
                yield raw[at : at + 1000]

        yield Answer(status, given, pieces())

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, *more: Any, **other: Any
    ) -> AsyncIterator[Answer]:
        assert (peer, method, path) == (RECIPIENT, "GET", "/v1/catalogue/services/api/openapi")

        async def pieces() -> AsyncIterator[bytes]:
            yield RAW

        yield Answer(200, {}, pieces())


class Names:
    def peers(self) -> set[PeerId]:
        return {RECIPIENT}

    def name(self, peer: PeerId) -> str:
        return f"Vrager {EVIL}"


class Desk:
    """A portal with the pages of services, for who has these roles."""

    def __init__(self, folder: Path, *roles: str, test: bool = True, raw: bytes = RAW) -> None:
        self.roles, self.way = roles, Way()
        said = (described("service", "api", document="api.json"),)
        catalogue = Catalogue(whole(), said, GROUNDS, lambda: [SERVICE, "api"], SERVICE, OF, folder)
        self.trying = Trying({"api": raw}, self.way, self.way, test)  # type: ignore[arg-type]
        routes = api_page_routes(self.trying, catalogue, Names(), self, OWN)  # type: ignore[arg-type]
        self.app = make_portal(routes, self, House("Eigen (fictief)", True, NAVIGATION), b"s" * 32)

    async def require(self, person: SignedIn, action: str, resource: Any, refusal: Refused) -> None:
        if action != "try-service" or "developer" not in person.roles:
            raise refusal

    def browser(self, language: str = "nl", audience: str = "staff") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = audience
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience: Any = secret
        return SignedIn(
            "s", Acting("p"), audience, "high", "acr", "directory", 0, "Fenna Fictief", roles=self.roles
        )

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


THERE = f"/catalogue/api/{str.__str__(RECIPIENT)}/api"
HERE = f"/catalogue/api/{str.__str__(OWN)}/api"


async def test_anybody_reads_what_a_service_can_do(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for audience in ("citizen", "staff"):
        for path in (HERE, THERE):
            shown = await desk.browser(audience=audience).get(path)
            assert (shown.status, "/voertuigen/{kenteken}" in shown.text, "<script>alert" in shown.text) == (
                200,
                True,
                False,
            )
            assert "Verstuur het verzoek" not in shown.text
    for path in ("/catalogue/api/x/api", f"/catalogue/api/{str.__str__(OWN)}/anders", f"{THERE}/.."):
        assert (await desk.browser().get(path)).status == 404


async def test_who_has_the_right_sends_a_request_and_sees_the_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "developer")
    browser = desk.browser()
    shown = await browser.get(THERE)
    after = await browser.send(next(one for one in shown.forms if one.fields.get("operation") == GET), **{"path-kenteken": "AB-1"})  # fmt: skip
    assert (after.status, desk.way.sent) == (200, [("GET", "/v1/voertuigen/AB-1", b"")])
    assert "Antwoord: 200" in after.text
    assert "&lt;b&gt;" in after.text
    assert "<script>alert" not in after.text
    desk.way.answer = (500, {"content-type": "image/png"}, b"\x89PNG" * 100_000)
    form = next(one for one in shown.forms if one.fields.get("operation") == POST)
    after = await browser.send(form, body='{"x": 1}')
    assert desk.way.sent[-1] == ("POST", "/v1/melden", b'{"x": 1}')
    assert "Het antwoord is geen tekst" in after.text
    assert "65536 bytes" in after.text


async def test_what_is_not_described_or_not_open_for_it_is_not_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "developer")
    browser = desk.browser("en")
    form = next(one for one in (await browser.get(THERE)).forms if one.fields.get("operation") == GET)
    for wrong in (
        {"operation": "delete /voertuigen/{kenteken}"},
        {"operation": "get /geheim"},
        {"path-kenteken": ""},
    ):
        after = await browser.send(form, **wrong)
        assert (after.status, desk.way.sent) == (200, []), wrong
    desk.way.contract = False
    assert "Request a contract" in (await browser.get(THERE)).text
    with pytest.raises(NotFound):
        await desk.trying.send(RECIPIENT, "api", read_openapi(RAW), GET, {"path-kenteken": "x"})
    closed = Desk(tmp_path, "developer", test=False)
    assert "is no test" in (await closed.browser("en").get(THERE)).text
    marked = read_openapi(json.dumps({**DOCUMENT, "x-sluis-try": True}).encode())
    assert closed.trying.may(marked, RECIPIENT, "api") == ""
    other = Desk(tmp_path, "data-owner")
    sender = other.browser()
    form = next(one for one in (await sender.get(THERE)).forms if one.fields.get("operation") == GET)
    assert (await sender.send(form, **{"path-kenteken": "x"})).status == 403
    assert other.way.sent == []


def test_documents_stand_beside_descriptions_as_json_or_yaml(tmp_path: Path) -> None:
    write(tmp_path, "catalogue.toml", WHOLE)
    write(tmp_path, "descriptions/api.toml", 'kind = "service"\nname = "api"\ndocument = "api.yaml"\n')
    assert [one.code for one in read_catalogue(tmp_path).problems] == ["unreadable-openapi"]
    write(tmp_path, "descriptions/api.yaml", "openapi: 3.0.3\ninfo: {title: A}\npaths: {/x: {get: {}}}\n")
    reading = read_catalogue(tmp_path)
    assert reading.problems == ()
    assert [one.id for one in read_openapi(reading.documents["api"]).operations] == ["get /x"]
    for text in ("a: [", "- 1", "openapi: !!python/object/apply:os.system ['x']", "openapi: 2.0"):
        write(tmp_path, "descriptions/api.yaml", text)
        assert [one.code for one in read_catalogue(tmp_path).problems] == ["unreadable-openapi"], text
