"""Who may ask the decision point: programs with a token of their own, and officials who have the role; nobody else."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.kept import Kept
from tests.unit.identity.provider.world import API, ISSUER, World, certificate
from tests.unit.web.conftest import ABOUT

from sluis.kernel import Refused
from sluis.policy import STANDARD, DecisionPoint, Policies, call_routes, routes
from sluis.policy.records import CALLER
from sluis.serve.deciding import DECIDING, by_socket, by_token
from sluis.web import Access, House, Person, TokenAccess, make_api, make_portal

ASKED = {
    "subject": {"type": "person", "id": "p", "properties": {"roles": ["privacy-officer"]}},
    "action": {"name": "read-log"},
    "resource": {"type": "log", "id": "l"},
}


class Deciding(World):
    """A sign-in provider, and the decision point beside it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.kept, self.refused = Kept(), list[str]()
        self.point = DecisionPoint(Policies(STANDARD), "test", self.kept, self.clock)
        visitors: Any = SimpleNamespace(by_cookie=lambda secret: None, by_token=self._by_token)
        who = by_token(DECIDING, self.provider, TokenAccess(visitors), self._refusal)
        app = make_portal(routes(self.point, who, ISSUER), visitors, House("-", True), bytes(32))
        self.asking = httpx.AsyncClient(transport=httpx.ASGITransport(app=self._with(app)), base_url=ISSUER)  # type: ignore[arg-type]

    async def program(self, client: str = "cases", **form: str) -> str:
        """A token that a client got for itself."""
        answer = await self.post("/oauth/token", client, grant_type="client_credentials", **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def ask(self, token: str) -> httpx.Response:
        return await self.asking.post(
            "/access/v1/evaluation", json=ASKED, headers={"authorization": f"Bearer {token}"}
        )

    async def told(self, token: str) -> tuple[int, str]:
        """The status, and who asked or why not."""
        answer = await self.ask(token)
        if answer.status_code == 200:
            return 200, self.kept.records[-1].attributes[CALLER]
        return answer.status_code, answer.json()["code"]

    def _by_token(self, token: str, thumbprint: str | None = None) -> Any:
        return self.provider.by_token(token, thumbprint)

    async def _refusal(self, refusal: Refused) -> None:
        self.refused.append(refusal.code)

    def _with(self, app: Any) -> Any:
        async def with_certificate(scope: Any, receive: Any, send: Any) -> None:
            pem = [] if self.certificate is None else [self.certificate.public_bytes(Encoding.PEM).decode()]
            scope["extensions"] = {"tls": {"client_cert_chain": pem}}
            await app(scope, receive, send)

        return with_certificate


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Deciding]:
    made = Deciding(tmp_path)
    yield made
    made.store.close()


async def test_a_program_asks_with_a_token_of_its_own_and_the_record_names_it(world: Deciding) -> None:
    token = await world.program(scope="decisions")
    answer = await world.ask(token)
    assert (answer.status_code, answer.json()["decision"]) == (200, True)
    assert await world.told(token) == (200, "client:cases")
    assert [one.attributes[CALLER] for one in world.kept.records] == ["client:cases"] * 2


async def test_a_token_that_was_not_given_for_it_does_not_ask(world: Deciding) -> None:
    assert await world.told(await world.program(scope="read")) == (403, "insufficient-scope")
    assert await world.told(await world.program("archive")) == (403, "insufficient-scope")
    assert (world.refused, world.kept.records) == (["insufficient-scope"] * 2, [])


async def test_a_token_for_another_audience_does_not_ask(world: Deciding) -> None:
    assert await world.told(await world.program(scope="decisions", resource=API)) == (401, "token-needed")


async def test_the_scope_of_a_program_is_nothing_in_a_token_of_a_person(world: Deciding) -> None:
    await world.sign_in()
    token = (await world.tokens_of("cases", scope="openid decisions"))["access_token"]
    assert await world.told(token) == (403, "officials-only")
    assert world.provider.program(token) is None


async def test_an_official_asks_who_has_the_role(world: Deciding) -> None:
    for roles, code in (((), "decisions-not-yours"), ((DECIDING.role,), "")):
        signed_in = await world.sign_in(audience="staff", kind="staff", value=f"x{code}", roles=roles)
        token = (await world.tokens_of("cases", scope="openid api"))["access_token"]
        wanted = (403, code) if code else (200, signed_in.acting.person)
        assert await world.told(token) == wanted


async def test_a_token_that_is_bound_to_a_certificate_asks_over_its_connection_alone(world: Deciding) -> None:
    world.certificate = certificate("cases")
    token = await world.program(scope="decisions")
    assert await world.told(token) == (200, "client:cases")
    for other in (certificate("other"), None):
        world.certificate = other
        assert await world.told(token) == (401, "token-needed")


async def test_a_token_that_was_revoked_or_has_expired_does_not_ask(world: Deciding) -> None:
    revoked, expired = await world.program(scope="decisions"), await world.program(scope="decisions")
    await world.post("/oauth/revoke", "cases", token=revoked)
    assert await world.told(revoked) == (401, "token-needed")
    assert (await world.told(expired))[0] == 200
    world.clock.later(seconds=300)
    assert await world.told(expired) == (401, "token-needed")


async def test_a_program_that_is_not_registered_any_more_does_not_ask(world: Deciding) -> None:
    token = await world.program(scope="decisions")
    del world.clients._clients["cases"]
    assert await world.told(token) == (401, "token-needed")


async def test_without_a_token_nobody_asks(world: Deciding) -> None:
    answer = await world.asking.post("/access/v1/evaluation", json=ASKED)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_provider_tells_of_the_scopes_that_this_node_knows(world: Deciding) -> None:
    document = (await world.http.get("/.well-known/openid-configuration")).json()
    assert {"decisions", "own-log", "api", "openid"} <= set(document["scopes_supported"])


@pytest.mark.parametrize(("roles", "status"), [((DECIDING.role,), 200), (("privacy-officer",), 403)])
async def test_people_of_the_node_ask_over_its_socket(
    world: Deciding, monkeypatch: pytest.MonkeyPatch, roles: tuple[str, ...], status: int
) -> None:
    access = Access([], lambda user: None)
    person = Person("jansen", "p-1", roles)
    monkeypatch.setattr(access, "person", lambda scope: person)
    api = make_api(call_routes(world.point, by_socket(DECIDING, access, world._refusal)), access, ABOUT)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world._with(api)), base_url=ISSUER
    ) as http:
        answer = await http.post("/v1/access/v1/evaluation", json=ASKED)
    assert answer.status_code == status
    assert [one.attributes[CALLER] for one in world.kept.records] == (["p-1"] if status == 200 else [])
