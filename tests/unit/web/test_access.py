"""Who may call what."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import get

from sluis.crypto import Peer
from sluis.kernel import PeerId, utc_now
from sluis.web import About, Access, Api, Person, make_api

ABOUT = About("API", "https://node.example", "Beheer", "api@node.example", "https://node.example")
UWV = PeerId("00000001826002785000")
STRANGER = PeerId("00000009999999999000")


async def test_no_route_answers_the_unauthenticated(api: Api, call: Any) -> None:
    guarded = [(method, path) for method, path, callers in api.routes if callers != "anyone"]
    assert guarded
    for method, path in guarded:
        reply = await call(method, path, b"not even JSON")
        assert (reply.status, reply.json["code"]) in {(401, "certificate-required"), (401, "local-only")}, (
            path
        )


async def test_people_routes_are_closed_to_peers_and_peer_routes_to_people(
    call: Any, as_uwv: dict[str, Any], as_me: dict[str, Any]
) -> None:
    assert (await call("GET", "/v1/me", extensions=as_uwv)).status == 401
    assert (await call("POST", "/v1/echoes", {"owner": UWV}, extensions=as_me)).status == 401


async def test_route_for_both_says_who_calls(
    call: Any, as_uwv: dict[str, Any], as_me: dict[str, Any]
) -> None:
    assert (await call("GET", "/v1/both", extensions=as_uwv)).json == {"kind": "Peer"}
    assert (await call("GET", "/v1/both", extensions=as_me)).json == {"kind": "Person"}


async def test_route_that_serves_nobody_in_particular_is_refused_when_the_app_is_made() -> None:
    @get("/v1/loose")
    async def loose() -> None:
        """Forgotten."""

    with pytest.raises(TypeError, match="loose"):
        make_api([loose], Access([], lambda user: None, utc_now, test=True), ABOUT)


async def test_peer_that_this_node_does_not_know_is_refused_and_told(
    call: Any, pem: Callable[[PeerId, str], str], refusals: list[tuple[str, str]]
) -> None:
    stranger = {"tls": {"client_cert_chain": [pem(STRANGER, "Iemand")]}}
    reply = await call("POST", "/v1/echoes", {"owner": UWV}, extensions=stranger)
    assert (reply.status, reply.json["code"], reply.json["peer"]) == (403, "unknown-peer", STRANGER)
    assert refusals == [("unknown-peer", STRANGER)]


async def test_certificate_of_a_test_authority_is_refused_in_production(
    as_uwv: dict[str, Any],
) -> None:
    access = Access([UWV], lambda user: None, utc_now, test=False)
    with pytest.raises(Exception, match="test authority") as refusal:
        access.peer({"extensions": as_uwv})
    assert refusal.value.code == "test-certificate"  # type: ignore[attr-defined]


async def test_certificate_that_ends_while_the_connection_is_open_is_refused(as_uwv: dict[str, Any]) -> None:
    access = Access([UWV], lambda user: None, lambda: datetime.now(UTC) + timedelta(days=31), test=True)
    with pytest.raises(Exception, match="ended") as refusal:
        access.peer({"extensions": as_uwv})
    assert refusal.value.code == "certificate-ended"  # type: ignore[attr-defined]


async def test_known_peer_reaches_the_route_with_what_it_asks_for(call: Any, as_uwv: dict[str, Any]) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = await call("POST", "/v1/echoes", {"owner": UWV}, {"traceparent": parent}, as_uwv)
    assert reply.status == 200
    assert reply.json == {
        "caller": UWV,
        "owner": UWV,
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "service": "given",
    }


async def test_user_without_a_place_among_the_people_is_refused(
    call: Any, as_me: dict[str, Any], people: dict[str, Person]
) -> None:
    assert (await call("GET", "/v1/me", extensions=as_me)).json == {"person": "p-1", "acr": "local"}
    people.clear()
    reply = await call("GET", "/v1/me", extensions=as_me)
    assert (reply.status, reply.json["code"]) == (403, "unknown-person")


async def test_user_the_system_does_not_know_is_unidentified(call: Any) -> None:
    reply = await call("GET", "/v1/me", extensions={"sluis.local": {"uid": 3_999_999_999}})
    assert (reply.status, reply.json["code"]) == (401, "unknown-user")


def test_person_does_not_show_in_a_repr() -> None:
    assert "jansen" not in repr([Person("jansen", "p-1"), Peer(UWV, "UWV").id])
