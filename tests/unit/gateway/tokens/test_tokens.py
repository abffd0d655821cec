"""Tokens: what stands in them (FSC Core 2.0.0, Access token), and how an outway keeps them."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    GROUP,
    NOW,
    OWNER,
    PRINCIPAL,
    PROVIDER,
    as_json,
    connection,
    content,
    delegated_connection,
    of_another,
)

from sluis.crypto import Identity, certificate_thumbprint, make_authority
from sluis.gateway.contracts import Grant, read_content
from sluis.gateway.faults import FscProblem
from sluis.gateway.forward import Target
from sluis.gateway.tokens import SECONDS, Claims, Recent, Tokens, check, issue, read_token
from sluis.gateway.tokens import cache as cached
from sluis.gateway.tokens.model import Confirmation
from sluis.kernel import PeerId, Text, Upstream

AUD = "https://inway.provider.example:443"
MINE = "A" * 43


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    folder: Path = tmp_path_factory.mktemp("tokens")
    authority = make_authority(folder / "authority", "Groep")
    return Identity.load(*authority.issue(folder / "provider", PeerId(PROVIDER), "Aanbieder", ["localhost"]))


def grant(value: dict[str, Any] | None = None) -> Grant:
    return read_content(as_json(content(value or connection()))).grants[0]


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = token.split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body)]
    return decoded[0], decoded[1]


def given(identity: Identity, one: Grant, now: int = NOW) -> str:
    return issue(one, identity, GROUP, AUD, MINE, now)


def test_token_has_the_claims_of_the_standard_and_no_others(identity: Identity) -> None:
    one = grant()
    header, claims = parts(given(identity, one))
    assert header == {"alg": "ES256", "typ": "JWT", "x5t#S256": certificate_thumbprint(identity.certificate)}
    assert claims == {
        "gth": one.hash, "gid": GROUP, "sub": CONSUMER, "iss": PROVIDER, "svc": "personen", "aud": AUD,
        "exp": NOW + SECONDS, "nbf": NOW, "cnf": {"x5t#S256": MINE}, "add": {},
    }  # fmt: skip


def test_token_names_delegators_and_properties_when_the_grant_does(identity: Identity) -> None:
    _, claims = parts(
        given(identity, grant({**of_another(delegated_connection()), "properties": {"a": [1]}}))
    )
    assert (claims["act"], claims["pdi"], claims["prp"]) == ({"sub": PRINCIPAL}, OWNER, {"a": [1]})


def test_token_given_is_a_token_believed(identity: Identity) -> None:
    one = grant({**of_another(delegated_connection()), "properties": {"a": [1]}})
    keys = {certificate_thumbprint(identity.certificate): identity.certificate}
    claims = check(given(identity, one), keys, PeerId(PROVIDER), [AUD], MINE, NOW + SECONDS - 1)
    assert (claims.gth, claims.pdi, claims.act and claims.act.sub) == (one.hash, OWNER, PRINCIPAL)
    with pytest.raises(FscProblem) as problem:
        check(given(identity, one), keys, PeerId(PROVIDER), [AUD], MINE, NOW + SECONDS)
    assert problem.value.fsc_code == "ERROR_CODE_ACCESS_TOKEN_EXPIRED"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"group": "andere"}, "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN"),
        ({"aud": "http://inway.example:443"}, "ERROR_CODE_TOKEN_REFUSED"),
        ({"aud": "https://inway.example:443/path"}, "ERROR_CODE_TOKEN_REFUSED"),
        ({"aud": "https://a b"}, "ERROR_CODE_TOKEN_REFUSED"),
        ({"client_thumbprint": "B" * 43}, "ERROR_CODE_TOKEN_REFUSED"),
        ({"grant": grant(connection("andere"))}, "ERROR_CODE_TOKEN_REFUSED"),
    ],
)
def test_outway_takes_only_what_it_asked_for(identity: Identity, change: dict[str, Any], code: str) -> None:
    one = grant()
    made = {
        "grant": one,
        "identity": identity,
        "group": GROUP,
        "aud": AUD,
        "client_thumbprint": MINE,
        "now": NOW,
    }
    assert read_token(issue(**made), one, GROUP, {MINE}).inway == Target(  # type: ignore[arg-type]
        True, "inway.provider.example", 443, "inway.provider.example:443", PeerId(PROVIDER), (MINE,)
    )
    with pytest.raises(FscProblem) as problem:
        read_token(issue(**{**made, **change}), one, GROUP, {MINE})  # type: ignore[arg-type]
    assert (problem.value.fsc_code, problem.value.domain) == (code, "ERROR_DOMAIN_OUTWAY")


@pytest.mark.parametrize("wrong", ["", "x", "a.b.c", "e30.e30.AA", "x" * 20_000])
def test_outway_takes_no_nonsense(wrong: str) -> None:
    with pytest.raises(FscProblem):
        read_token(wrong, grant(), GROUP, {MINE})


class Manager:
    """Gives tokens, and counts; with an own clock that may differ."""

    def __init__(self, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
        self.identity, self.given = identity, 0
        self.moment = 1000.0
        self.skew = 0
        self.failure: Upstream | None = None
        self.thumbprint = MINE
        self.gate: asyncio.Event | None = None
        monkeypatch.setattr(cached, "_loop_time", lambda: self.moment)

    async def __call__(self, one: Grant) -> str:
        self.given += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        now = NOW + int(self.moment - 1000) + self.skew
        return issue(one, self.identity, GROUP, AUD, self.thumbprint, now)

    def tokens(self) -> Tokens:
        return Tokens(self, GROUP, lambda: {self.thumbprint}, lambda: NOW + self.moment - 1000)


@pytest.fixture
def manager(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> Manager:
    return Manager(identity, monkeypatch)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_token_is_asked_for_once_however_many_wait(manager: Manager) -> None:
    tokens, one, manager.gate = manager.tokens(), grant(), asyncio.Event()
    waiting = [asyncio.create_task(tokens.get(one)) for _ in range(50)]
    await settle()
    waiting[0].cancel()  # who gives up takes nothing from the others
    manager.gate.set()
    found = await asyncio.gather(*waiting[1:])
    assert ({id(token) for token in found}, manager.given) == ({id(found[0])}, 1)


@pytest.mark.parametrize("skew", [0, -60, 60])
async def test_token_is_replaced_in_the_background_and_never_begun_with_near_its_end(
    manager: Manager, skew: int
) -> None:
    tokens, one, manager.skew = manager.tokens(), grant(), skew
    first = await tokens.get(one)
    manager.moment += 29
    assert (await tokens.get(one), manager.given) == (first, 1)
    manager.moment += 2
    assert await tokens.get(one) is first  # not kept waiting
    await settle()
    assert (await tokens.get(one) is not first, manager.given) == (True, 2)
    manager.moment += 50
    manager.failure = refusal()
    with pytest.raises(Upstream):
        await tokens.get(one)


async def test_token_that_cannot_be_replaced_yet_serves_to_its_end(manager: Manager) -> None:
    tokens, one = manager.tokens(), grant()
    first = await tokens.get(one)
    manager.failure = refusal()
    for _ in range(9):
        manager.moment += 5
        assert await tokens.get(one) is first
        await settle()
    assert manager.given < 10


def refusal() -> Upstream:
    said = Text("x", "x")
    return Upstream("manager-refused", said, said, said)


async def test_refusal_stands_for_a_second_and_no_longer(manager: Manager) -> None:
    tokens, one, manager.failure = manager.tokens(), grant(), refusal()
    for _ in range(5):
        with pytest.raises(Upstream):
            await tokens.get(one)
    assert manager.given == 1
    manager.moment += 1
    manager.failure = None
    assert (await tokens.get(one)).claims.gth == one.hash


async def test_token_that_an_inway_refused_is_not_used_again(manager: Manager) -> None:
    tokens, one = manager.tokens(), grant()
    first = await tokens.get(one)
    tokens.drop("Bearer other")
    tokens.drop(first.header)  # too soon: whoever refuses at once gets no other
    assert await tokens.get(one) is first
    manager.moment += 1
    tokens.drop(first.header)
    assert await tokens.get(one) is not first


async def test_token_for_an_earlier_certificate_is_not_used(manager: Manager) -> None:
    tokens, one = manager.tokens(), grant()
    await tokens.get(one)
    manager.thumbprint = "C" * 43
    assert (await tokens.get(one)).claims.cnf.thumbprint == "C" * 43


async def test_tokens_of_the_newest_grants_are_kept(manager: Manager) -> None:
    tokens = Tokens(manager, GROUP, lambda: {MINE}, lambda: float(NOW), most=2)
    grants = [grant(connection(name)) for name in ("een", "twee", "drie")]
    for one in (*grants, *grants[1:]):
        await tokens.get(one)
    assert manager.given == 3
    await tokens.get(grants[0])
    assert manager.given == 4


async def test_after_an_inway_was_not_reached_the_next_token_says_where_it_is(manager: Manager) -> None:
    tokens, one = manager.tokens(), grant()
    first = await tokens.get(one)
    manager.moment += 1
    tokens.drop_of(PeerId("0" * 19 + "9"))
    assert await tokens.get(one) is first
    tokens.drop_of(one.service_peer)
    assert await tokens.get(one) is not first
    assert manager.given == 2


def test_newest_are_kept() -> None:
    recent = Recent[int, str](most=2)
    for number in range(3):
        assert recent.put(number, str(number)) == str(number)
    assert [recent.get(number) for number in range(3)] == [None, "1", "2"]
    recent.drop(1)
    recent.drop(9)
    assert recent.get(1) is None


@pytest.mark.parametrize(("nbf", "life"), [(NOW, 60), (NOW - 60, 60), (NOW + 60, 60), (NOW - 3600, 60)])
def test_life_of_a_token_does_not_hang_on_whose_clock_is_right(nbf: int, life: int) -> None:
    near = abs(nbf - NOW) <= 60
    claims = Claims("", "", "", "", "", "", nbf + 60 if near else NOW + life, nbf, Confirmation(""))
    assert cached._life(claims, NOW) == life
