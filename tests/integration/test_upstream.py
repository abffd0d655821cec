"""Whole sign-ins at an independent OpenID provider (node-oidc-provider) over TLS: a person ends up with a session here."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.integration.openid import Node, Tls, Traveller, address_of_node, foreign_provider, serving
from tests.unit.identity.upstream.providers import NODE_KEY, NODE_OPENS, OWN

from sluis.identity.upstream import Method
from sluis.kernel import ACR, is_simulator
from sluis.store import open_store

BSN, KVK = "999990019", "90000003"  # of nobody
TYPE = "urn:nl-eid-gdi:1.0:id:"
PEOPLE = {
    "burger": {"bsn": BSN, "name": "Sanne Proefstra"},
    "ondernemer": {
        "name": "Niels Testdijk",
        "represents": {
            "iss": "urn:uuid:1",
            "sub": KVK,
            "sub_id_type": f"{TYPE}KvKnr",
            "name": "Fictief Bedrijf",
        },
    },
}
SECRET = "only-for-tests-only-for-tests-only"


@pytest.fixture(scope="module")
def address() -> str:
    """Of the portal."""
    return address_of_node()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def issuer(tls: Tls, address: str) -> Iterator[str]:
    """The foreign provider, with one client that signs and one that has a secret."""

    def client(way: str, **more: object) -> dict[str, object]:
        at = f"{address}/sign-in/at/{way}"
        return {
            "client_id": f"sluis-{way}",
            "redirect_uris": [f"{at}/return"],
            "post_logout_redirect_uris": [f"{address}/sign-out"],
            "backchannel_logout_uri": f"{at}/signed-out",
            "backchannel_logout_session_required": True,
            **more,
        }

    signing = {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [NODE_KEY.public, {**NODE_OPENS.public, "alg": "RSA-OAEP"}]},
        "id_token_signed_response_alg": "PS256",
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "id_token_encrypted_response_enc": "A256GCM",
        "userinfo_signed_response_alg": "RS256",
    }
    secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
    with foreign_provider(tls, [client("digid", **signing), client("bedrijf", **secret)], PEOPLE) as found:
        yield found


@pytest.fixture
async def node(tmp_path: Path, tls: Tls, issuer: str, address: str) -> AsyncIterator[Node]:
    """A portal where one signs in at that provider, as a citizen or for a company."""
    (tmp_path / "secret").write_text(SECRET)
    trusted = (tls.authority,)
    methods = [
        Method(
            "digid", issuer, "sluis-digid", "citizen", "DigiD", claims={"bsn": "bsn"}, authorities=trusted
        ),
        Method(
            "bedrijf",
            issuer,
            "sluis-bedrijf",
            "company",
            "eHerkenning",
            secret_file=tmp_path / "secret",
            authorities=trusted,
        ),
    ]
    store = open_store(tmp_path / "node.db")
    made = Node(store, tmp_path, address, methods, OWN)
    async with serving(made, tls):
        yield made
    store.close()


@pytest.fixture
async def browser(tls: Tls) -> AsyncIterator[Traveller]:
    made = Traveller(tls)
    yield made
    await made.http.aclose()


async def test_a_citizen_signs_in_at_a_foreign_provider(node: Node, browser: Traveller, issuer: str) -> None:
    shown = await browser.sign_in(
        f"{node.address}/sign-in/at/digid?next=/sessions&level=low", "burger", ACR["substantial"]
    )
    assert (shown.status, urlsplit(shown.url).path) == (200, "/sessions")
    found = node.found[-1]
    assert (found.kind, found.value, found.level, found.issuer) == ("BSN", BSN, "substantial", issuer)
    assert found.name == "Sanne Proefstra"
    assert not is_simulator(found.issuer)


async def test_an_entrepreneur_signs_in_with_a_secret_for_a_company(node: Node, browser: Traveller) -> None:
    await browser.sign_in(
        f"{node.address}/sign-in/at/bedrijf?next=/sessions&level=high", "ondernemer", ACR["high"]
    )
    found = node.found[-1]
    assert (found.kind, found.entity, found.entity_name) == (
        "pseudonym",
        f"urn:nl:kvk:{KVK}",
        "Fictief Bedrijf",
    )
    assert found.value.endswith("|ondernemer")


async def test_a_lower_level_than_was_asked_for_is_refused(node: Node, browser: Traveller) -> None:
    shown = await browser.sign_in(
        f"{node.address}/sign-in/at/digid?next=/sessions&level=high", "burger", ACR["low"]
    )
    assert shown.status == 403
    assert "level-too-low" in shown.text
    assert urlsplit((await browser.go(f"{node.address}/sessions")).url).path == "/sign-in"


async def test_who_cancels_there_gets_a_page_here(node: Node, browser: Traveller) -> None:
    shown = await browser.sign_in(f"{node.address}/sign-in/at/digid?next=/sessions")
    assert shown.status == 401
    assert "sign-in-cancelled" in shown.text


async def test_signing_out_there_ends_the_session_here(node: Node, browser: Traveller, issuer: str) -> None:
    await browser.sign_in(f"{node.address}/sign-in/at/digid?next=/sessions&level=low", "burger", ACR["low"])
    shown = await browser.go(f"{issuer}/session/end")
    await browser.give(shown, f"{issuer}/session/end/confirm", logout="yes")
    assert urlsplit((await browser.go(f"{node.address}/sessions")).url).path == "/sign-in"


async def test_signing_out_here_leads_by_the_provider_and_back(
    node: Node, browser: Traveller, issuer: str
) -> None:
    await browser.sign_in(f"{node.address}/sign-in/at/digid?next=/sessions&level=low", "burger", ACR["low"])
    shown = await browser.give(await browser.go(f"{node.address}/sign-out"), "/sign-out")
    onward = shown.headers["refresh"].partition("url=")[2]
    assert onward.startswith(f"{issuer}/session/end?client_id=sluis-digid")
    asked = await browser.go(onward)
    back = await browser.give(asked, f"{issuer}/session/end/confirm", logout="yes")
    assert back.url.startswith(f"{node.address}/sign-out?state=")
    assert back.status == 200
