"""Who may call what."""

from typing import Any

import pytest
from litestar import get
from tests.unit.web.conftest import crossing

from sluis.crypto import Peer
from sluis.kernel import PeerId
from sluis.web import About, Access, Api, Person, make_api

ABOUT = About("API", "https://node.example", "Beheer", "api@node.example", "https://node.example")
UWV = PeerId("00000001826002785000")
STRANGER = PeerId("00000009999999999000")


async def test_no_route_answers_the_unauthenticated(api: Api, call: Any) -> None:
    guarded = [(method, path) for method, path, callers in api.routes if callers != "anyone"]
    assert guarded
    for method, path in guarded:
        reply = await call(method, path, b"not even JSON")
        assert (reply.status, reply.json["code"]) in {(401, "peers-only"), (401, "local-only")}, path


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
        make_api([loose], Access([], lambda user: None), ABOUT)


async def test_peer_that_this_node_does_not_know_is_refused_and_told(
    call: Any, refusals: list[tuple[str, str]]
) -> None:
    reply = await call("POST", "/v1/echoes", {"owner": UWV}, extensions=crossing(STRANGER, "Iemand"))
    assert (reply.status, reply.json["code"], reply.json["peer"]) == (403, "unknown-peer", STRANGER)
    assert refusals == [("unknown-peer", STRANGER)]


@pytest.mark.parametrize("said", [UWV, {"peer": UWV}, {"client_cert_chain": []}])
async def test_what_stands_in_a_request_itself_makes_nobody_a_peer(call: Any, said: Any) -> None:
    headers = {"sluis.crossed": str(said), "fsc-authorization": "Bearer x"}
    reply = await call("POST", "/v1/echoes", {"owner": UWV}, headers, {"tls": said})
    assert (reply.status, reply.json["code"]) == (401, "peers-only")


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
