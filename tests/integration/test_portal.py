"""The portal of a running node: over TLS, and every route of it; what an access token opens, and what a cookie does not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.browser import Browser
from tests.integration.nodes import Federation, build, free_ports
from tests.unit.catalogue.examples import write
from tests.unit.catalogue.test_files import WHOLE

from sluis.crypto import certificate_thumbprint, make_authority, read_certificates
from sluis.identity.sessions import Established
from sluis.kernel import Acting, PeerId
from sluis.ledger import decisions
from sluis.serve import Node
from sluis.web import COOKIE, Audience, SignedIn

ORIGIN = "https://localhost:8470"

OPEN = {
    ("GET", "/"),
    ("GET", "/language/{language}"),
    ("GET", "/sign-in"),
    ("GET", "/sign-in/at/{method}"),
    ("GET", "/sign-in/at/{method}/return"),
    ("POST", "/sign-in/at/{method}/signed-out"),
    ("GET", "/sign-out"),
    ("POST", "/sign-out"),
    # The sign-in provider: whoever asks there proves it in the request itself.
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/oauth/jwks"),
    ("GET", "/oauth/authorize"),
    ("POST", "/oauth/authorize"),
    ("GET", "/oauth/authorize/continue/{held}"),
    ("POST", "/oauth/par"),
    ("POST", "/oauth/token"),
    ("GET", "/oauth/userinfo"),
    ("POST", "/oauth/userinfo"),
    ("POST", "/oauth/introspect"),
    ("POST", "/oauth/revoke"),
    ("GET", "/oauth/end"),
    ("POST", "/oauth/end"),
    ("GET", "/.well-known/authzen-configuration"),
    ("GET", "/catalogue"),
    ("GET", "/catalogue/{folder}/{name}"),
    ("GET", "/catalogue/of/{owner}"),
    ("GET", "/catalogue/api/{owner}/{name}"),
}
"""Every route that serves who is not signed in; another is added here by whoever has a reason for it."""

PROGRAMS = ("/access/v1/", "/representation/v1/")
"""Where programs ask the decision point, and for acts: with an access token, and nothing else."""

PORTAL = """
[portal]
address = "https://localhost:8470"
port = {port}
machine_port = {machine_port}
"""


def official(audience: Audience = "staff", roles: tuple[str, ...] = ()) -> SignedIn:
    return SignedIn(
        "h",
        Acting("p"),
        audience,
        None,
        "urn:fictief:wachtwoord",
        "directory",
        0,
        roles=roles,
        scope=("api",),
    )


def with_portal(home: Path) -> Federation:
    """Two node directories, of which the asker has a portal."""
    made = Federation(home)
    port, machine_port = free_ports(2)
    with (made.asker / "node.toml").open("a") as file:
        file.write(PORTAL.format(port=port, machine_port=machine_port))
    return made


@pytest.fixture
def group(tmp_path: Path) -> Federation:
    return with_portal(tmp_path)


@pytest.fixture
async def node(group: Federation) -> AsyncIterator[Node]:
    made = build(group.asker)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that does not listen, for what is asked of its portal without a connection."""
    federation = with_portal(tmp_path_factory.mktemp("quiet"))
    write(federation.asker, "catalogue.toml", WHOLE)
    made = build(federation.asker)
    yield made
    asyncio.run(made.stop())


@pytest.fixture
def browser(quiet: Node) -> Browser:
    assert quiet.portal is not None
    return Browser(quiet.portal.app, ORIGIN)


def client(group: Federation, certificate: Path | None = None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=group.authority.path)
    if certificate is not None:
        context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    return httpx.AsyncClient(verify=context, headers={"accept": "text/html"})


async def signed_in(node: Node, browser: Browser, **known: Any) -> SignedIn:
    given: dict[str, Any] = {
        "method": "digid", "audience": "citizen", "kind": "BSN", "value": "999990019", "level": "low",
        "acr": "http://eidas.europa.eu/LoA/low", "at": 0, "issuer": "https://digid.example",
    }  # fmt: skip
    assert node.parts.identity is not None
    secret, who = await node.parts.identity.sessions.begin(Established(**{**given, **known}))
    browser.cookies[COOKIE] = secret
    return who


async def test_a_browser_needs_no_certificate(node: Node, group: Federation) -> None:
    port = node.config.portal.port
    async with client(group) as web:
        answer = await web.get(f"https://localhost:{port}/sign-in")
    assert answer.status_code == 200
    assert "Inloggen" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_program_shows_its_certificate_at_a_port_of_its_own(node: Node, group: Federation) -> None:
    port = node.config.portal.machine_port
    async with client(group) as web, client(group, group.owner / "tls") as program:
        assert (await web.get(f"https://localhost:{port}/")).status_code == 200
        assert (await program.get(f"https://localhost:{port}/")).status_code == 200


async def test_a_certificate_of_another_authority_is_refused(
    node: Node, group: Federation, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other", "Ander")
    other.issue(tmp_path / "stranger", PeerId("00000009999999999000"), "Vreemd (fictief)", ["localhost"])
    async with client(group, tmp_path / "stranger") as program:
        with pytest.raises(httpx.TransportError):
            await program.get(f"https://localhost:{node.config.portal.machine_port}/")


async def test_a_renewed_certificate_is_shown(node: Node, group: Federation) -> None:
    assert node.portal is not None
    renewed = make_authority(group.home / "renewed", "Vernieuwd")
    renewed.issue(group.asker / "tls", PeerId("00000001001000001000"), "gemeente (fictief)", ["localhost"])
    await node.portal.tidy()
    context = ssl.create_default_context(cafile=renewed.path)
    async with httpx.AsyncClient(verify=context) as web:
        assert (await web.get(f"https://localhost:{node.config.portal.port}/")).status_code == 200


async def test_every_route_refuses_who_is_not_signed_in(quiet: Node, browser: Browser) -> None:
    assert quiet.portal is not None
    closed = [
        one for one in quiet.portal.app.routes if one[:2] not in OPEN and not one[1].startswith(PROGRAMS)
    ]
    assert {one[:2] for one in quiet.portal.app.routes} >= OPEN
    for method, path, handler in closed:
        assert handler.opt["callers"] == "people", path
        shown = await browser.request(method, path, {"accept": "application/json"})
        assert (shown.status, shown.json["code"]) == (401, "not-signed-in"), path


async def test_every_route_that_changes_something_wants_a_form_of_this_portal(
    quiet: Node, browser: Browser
) -> None:
    assert quiet.portal is not None
    for method, path, handler in quiet.portal.app.routes:
        if method != "GET" and not handler.opt.get("cross_site"):
            (audience, *_) = handler.opt.get("audience") or ("citizen",)
            await signed_in(quiet, browser, audience=audience, level="high")
            shown = await browser.request(method, path, {"accept": "application/json"})
            assert (shown.status, shown.json["code"]) == (403, "form-expired"), path


async def test_a_refusal_at_the_door_is_recorded(quiet: Node, browser: Browser) -> None:
    await signed_in(quiet, browser)
    await browser.post("/sessions/end-others", {})
    *_, refusal = decisions(quiet.parts.store, 0)
    assert refusal.body["adl.core.response"] == {
        "decision": False,
        "context": {"rule": "form-expired", "times": 1},
    }


async def test_an_access_token_opens_the_api_for_officials(
    quiet: Node, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quiet.parts.identity is not None
    tokens = {"of-official": official(), "of-citizen": official("citizen")}
    monkeypatch.setattr(
        quiet.parts.identity.visiting, "_by_token", lambda token, thumbprint: tokens.get(token)
    )
    shown = await browser.get("/v1/activities", authorization="Bearer of-official")
    assert (shown.status, shown.json) == (200, [])
    shown = await browser.get("/v1/activities", authorization="Bearer of-citizen")
    assert (shown.status, shown.json["code"]) == (403, "officials-only")
    for wrong in ("Bearer expired", "Basic of-official", "Bearer"):
        shown = await browser.get("/v1/activities", authorization=wrong)
        assert (shown.status, shown.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    shown = await browser.get("/v1/activities")
    assert (shown.status, shown.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_token_comes_with_the_certificate_of_its_connection(node: Node, group: Federation) -> None:
    assert node.parts.identity is not None
    came: list[str | None] = []

    def found(token: str, thumbprint: str | None) -> SignedIn | None:
        came.append(thumbprint)
        return official()

    node.parts.identity.visiting._by_token = found
    own = node.config.portal
    (certificate, *_) = read_certificates(group.owner / "tls" / "certificate.pem")
    async with client(group, group.owner / "tls") as program:
        for port in (own.port, own.machine_port):
            url, headers = f"https://localhost:{port}/v1/activities", {"authorization": "Bearer x"}
            assert (await program.get(url, headers=headers)).status_code == 200
    assert came == [None, certificate_thumbprint(certificate)]


async def test_the_api_behind_the_portal_says_how_it_is_called(browser: Browser) -> None:
    document = (await browser.get("/v1/openapi.json")).json
    assert document["servers"] == [{"url": f"{ORIGIN}/v1"}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["paths"]["/questions"]["post"]["security"] == [{"token": []}]
    assert document["paths"]["/activities"]["get"]["security"] == [{"token": []}]


async def test_the_decision_point_is_asked_with_an_access_token_alone(
    quiet: Node, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quiet.parts.identity is not None
    assert quiet.portal is not None
    tokens = {
        "of-client": official(roles=("decision-client",)),
        "of-official": official(),
        "of-citizen": official("citizen", roles=("decision-client",)),
    }
    monkeypatch.setattr(
        quiet.parts.identity.visiting, "_by_token", lambda token, thumbprint: tokens.get(token)
    )
    await signed_in(quiet, browser, audience="staff", kind="staff", value="https://directory.example|1")
    asked = {"subject": {"type": "peer", "id": "1"}, "action": {"name": "consult"}}
    body = msgspec.json.encode({**asked, "resource": {"type": "dataset", "id": "x.y"}})
    paths = [path for _, path, _ in quiet.portal.app.routes if path.startswith(PROGRAMS[0])]
    assert len(paths) == 5
    sent = {"content-type": "application/json", "accept": "*/*"}
    for path in paths:
        shown = await browser.request("POST", path, sent, body)
        assert (shown.status, shown.headers["www-authenticate"]) == (401, "Bearer"), path
        for token, code in (("of-citizen", "officials-only"), ("of-official", "decisions-not-yours")):
            shown = await browser.request("POST", path, {**sent, "authorization": f"Bearer {token}"}, body)
            assert (shown.status, shown.json["code"]) == (403, code), path
    shown = await browser.request(
        "POST", "/access/v1/evaluation", {**sent, "authorization": "Bearer of-client"}, body
    )
    assert (shown.status, shown.json["decision"]) == (200, False)
    records = [one for one in decisions(quiet.parts.store, 0) if "sluis.policy.caller" in one.attributes]
    assert [one.attributes["sluis.policy.caller"] for one in records] == ["p"]
    shown = await browser.get("/.well-known/authzen-configuration")
    assert shown.json["policy_decision_point"] == ORIGIN


async def test_a_cookie_does_not_open_the_api(quiet: Node, browser: Browser) -> None:
    await signed_in(quiet, browser, audience="staff", kind="staff", value="https://directory.example|1")
    assert (await browser.get("/v1/activities")).status == 401
    body = b'{"sql": "SELECT 1", "activity": "x", "case": "y"}'
    assert (await browser.request("POST", "/v1/questions", {}, body)).status == 401


async def test_a_token_does_not_run_the_node(
    quiet: Node, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quiet.parts.identity is not None
    monkeypatch.setattr(
        quiet.parts.identity.visiting,
        "_by_token",
        lambda token, thumbprint: official(roles=("fsc-admin", "privacy-officer")),
    )
    served = {path for _, path, _ in quiet.api.routes}
    for path in served:
        if path.startswith(("/v1/fsc", "/v1/consultations")):
            shown = await browser.get(path, authorization="Bearer x")
            assert shown.status == 404, path
    shown = await browser.get("/v1/node", authorization="Bearer x")
    assert shown.status == 404
    for method, path, callers in quiet.portal.app._api.routes:  # type: ignore[union-attr]
        assert callers in ("people", "both", "anyone"), (method, path)


async def test_anybody_reads_the_catalogue_at_the_portal_and_only_what_is_published(
    quiet: Node, browser: Browser
) -> None:
    shown = await browser.get("/v1/catalogue", accept="application/ld+json")
    assert (shown.status, shown.headers["content-type"]) == (200, "application/ld+json")
    assert "/v1/catalogue/entries" not in {path for _, path, _ in quiet.portal.app._api.routes}  # type: ignore[union-attr]
    again = await browser.get(
        "/v1/catalogue", accept="application/ld+json", **{"if-none-match": shown.headers["etag"]}
    )
    assert again.status == 304


async def test_who_opens_the_address_of_an_entry_in_a_browser_is_sent_to_its_page(browser: Browser) -> None:
    for path in ("/catalogue", "/catalogue/datasets/weg"):
        shown = await browser.get(f"/v1{path}")
        assert (shown.status, shown.headers["location"], shown.headers["vary"]) == (303, path, "accept")
    assert (await browser.get("/catalogue")).status == 200
    assert (await browser.get("/catalogue/datasets/weg")).status == 404


async def test_a_session_outlives_a_restart(group: Federation) -> None:
    first = build(group.asker)
    browser = Browser(first.portal.app, ORIGIN)  # type: ignore[union-attr]
    await signed_in(first, browser)
    assert (await browser.get("/sessions")).status == 200
    await first.stop()
    second = build(group.asker)
    browser.app = second.portal.app  # type: ignore[union-attr]
    assert (await browser.get("/sessions")).status == 200
    await second.stop()


async def test_a_node_without_an_address_for_it_has_no_portal(tmp_path: Path) -> None:
    node = build(Federation(tmp_path).asker)
    assert node.portal is None
    await node.stop()
