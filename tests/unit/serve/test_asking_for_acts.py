"""Which portal asks for an act: by the token it brings, and what that was given for."""

from types import SimpleNamespace
from typing import Any

import pytest

from sluis.kernel import Acting, Refused, Unidentified
from sluis.serve.people import caller_of
from sluis.web import SignedIn

CONFIG: Any = SimpleNamespace(clients={"loket": SimpleNamespace(title="Fictief Loket")})


def person(*scope: str) -> SignedIn:
    return SignedIn("s", Acting("p"), "company", "high", "acr", "eherkenning", 0, scope=scope, client="loket")


def program(*scope: str) -> Any:
    return SimpleNamespace(scope=scope, client="loket")


async def calls(own: Any = None, of_person: SignedIn | None = None, header: str = "Bearer x") -> Any:
    provider: Any = SimpleNamespace(
        program=lambda token, thumbprint: own, by_token=lambda token, thumbprint: of_person
    )
    scope = {"headers": [(b"authorization", header.encode())], "extensions": {}}
    request: Any = SimpleNamespace(scope=scope)
    return await caller_of(CONFIG, provider)(request)


async def test_a_portal_is_known_by_the_token_of_who_is_signed_in_there_or_by_its_own() -> None:
    signed_in = person("openid", "acts")
    found = await calls(of_person=signed_in)
    assert (found.client, found.title, found.person) == ("loket", "Fictief Loket", signed_in)
    assert (await calls(own=program("acts"))).person is None


async def test_a_token_that_is_none_or_was_given_for_something_else_asks_for_nothing() -> None:
    with pytest.raises(Unidentified):
        await calls()
    with pytest.raises(Unidentified):
        await calls(of_person=person("acts"), header="Basic x")
    for given in ({"of_person": person("openid", "api")}, {"own": program("decisions")}):
        with pytest.raises(Refused) as problem:
            await calls(**given)
        assert problem.value.rule == "insufficient-scope"
