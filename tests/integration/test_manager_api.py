"""The Manager API as another implementation sees it: a peer with hashing, signing and HTTP of its own."""

import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from tests.integration.calls import Caller, Foreign, Reply, code, contract, signing_path, unpadded
from tests.integration.managers import (
    DIRECTORY,
    GEMEENTE,
    SVB,
    UWV,
    Member,
    World,
    connection,
    member,
    now,
    publication,
    until,
)
from tests.unit.gateway.contracts.making import hashes

from sluis.crypto import make_authority
from sluis.gateway.contracts import read_content
from sluis.gateway.faults import FscProblem


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def uwv(world: World) -> AsyncIterator[Member]:
    async with member(world.place(UWV), services=("loon",)) as running:
        yield running


@pytest.fixture
async def foreign(world: World) -> AsyncIterator[Foreign]:
    peer = Foreign(world, GEMEENTE)
    server = await peer.listen()
    yield peer
    server.close()


def offer(foreign: Foreign, **changes: Any) -> dict[str, Any]:
    return contract("test-group", now(), connection(foreign.place, UWV, "loon"), **changes)


async def submit(
    foreign: Caller,
    uwv: Member,
    content: dict[str, Any],
    signature: str | None = None,
    member: str = "content",
) -> Reply:
    made = signature if signature is not None else foreign.signature(content, "accept", now())
    body = json.dumps({member: content, "signature": made}).encode()
    return await foreign.call(uwv.place.address, "POST", "/v1/contracts", body)


async def put(
    foreign: Caller,
    uwv: Member,
    content: dict[str, Any],
    action: str,
    path: str = "",
    signature: str | None = None,
) -> Reply:
    made = signature if signature is not None else foreign.signature(content, action, now())
    body = json.dumps({"content": content, "signature": made}).encode()
    return await foreign.call(uwv.place.address, "PUT", path or signing_path(content, action), body)


async def get(foreign: Caller, uwv: Member, path: str) -> dict[str, Any]:
    status, headers, body = await foreign.call(uwv.place.address, "GET", path)
    assert (status, headers["content-type"]) == (200, "application/json"), body
    read: dict[str, Any] = json.loads(body)
    return read


# Contracts


async def test_a_foreign_peer_makes_a_contract_and_gets_a_token_for_it(foreign: Foreign, uwv: Member) -> None:
    content = offer(foreign)
    assert (await submit(foreign, uwv, content))[0] == 201
    content_hash, (grant_hash,) = hashes(content)
    await uwv.manager.act(content_hash, "accept")
    (listed,) = (await get(foreign, uwv, f"/v1/contracts?grant_hash={quote(grant_hash)}"))["contracts"]
    assert listed["content"] == content
    assert set(listed["signatures"]) == {"accept", "reject", "revoke"}
    assert set(listed["signatures"]["accept"]) == {str.__str__(GEMEENTE), str.__str__(UWV)}

    form = {"grant_type": "client_credentials", "scope": grant_hash, "client_id": str.__str__(GEMEENTE)}
    kind = {"content-type": "application/x-www-form-urlencoded"}
    status, headers, body = await foreign.call(
        uwv.place.address, "POST", "/v1/token", urlencode(form).encode(), kind
    )
    said = json.loads(body)
    assert (status, said["token_type"], headers["cache-control"]) == (200, "bearer", "no-store")
    assert said["access_token"].count(".") == 2


async def test_the_accept_of_this_peer_is_pushed_to_the_foreign_one(foreign: Foreign, uwv: Member) -> None:
    content = offer(foreign)
    await submit(foreign, uwv, content)
    await uwv.manager.act(hashes(content)[0], "accept")
    await until(lambda: any(line.startswith("PUT") for line, _ in foreign.received))
    (line, body), *_ = [one for one in foreign.received if one[0].startswith("PUT")]
    assert line == f"PUT {signing_path(content, 'accept')} HTTP/1.1"
    said = json.loads(body)
    assert said["content"] == content
    head, payload, _ = said["signature"].split(".")
    assert json.loads(unpadded(head))["alg"] == "ES256"
    assert json.loads(unpadded(payload))["contract_content_hash"] == hashes(content)[0]


async def test_the_same_contract_twice_is_one(foreign: Foreign, uwv: Member) -> None:
    content = offer(foreign)
    assert [(await submit(foreign, uwv, content))[0] for _ in range(2)] == [201, 201]
    assert len((await get(foreign, uwv, "/v1/contracts"))["contracts"]) == 1


async def test_the_older_name_of_the_content_is_understood(foreign: Foreign, uwv: Member) -> None:
    assert (await submit(foreign, uwv, offer(foreign), member="contract_content"))[0] == 201


async def test_unknown_members_are_kept_and_hashed(foreign: Foreign, uwv: Member) -> None:
    content = offer(foreign, remark="é \u2028 1e3", number=1.5)
    assert (await submit(foreign, uwv, content))[0] == 201
    (listed,) = (await get(foreign, uwv, "/v1/contracts"))["contracts"]
    assert listed["content"] == content


@pytest.mark.parametrize("action", ["reject", "revoke"])
@pytest.mark.parametrize("encoded", [True, False])
async def test_a_contract_can_be_taken_back(
    foreign: Foreign, uwv: Member, action: str, encoded: bool
) -> None:
    content = offer(foreign)
    await submit(foreign, uwv, content)
    assert (await put(foreign, uwv, content, action, signing_path(content, action, encoded)))[0] == 201
    (listed,) = (await get(foreign, uwv, "/v1/contracts"))["contracts"]
    assert list(listed["signatures"][action]) == [str.__str__(GEMEENTE)]


async def test_a_signature_on_a_contract_that_is_not_known_brings_it_along(
    foreign: Foreign, uwv: Member
) -> None:
    content = offer(foreign)
    assert (await put(foreign, uwv, content, "accept"))[0] == 201
    assert len((await get(foreign, uwv, "/v1/contracts"))["contracts"]) == 1


async def test_refusals_name_their_code(foreign: Foreign, uwv: Member, world: World) -> None:
    fine = offer(foreign)
    other = Foreign(world, SVB)  # nobody listens for it
    grant = connection(foreign.place, UWV, "loon")
    cases: list[tuple[str, Reply, tuple[int, str]]] = [
        (
            "another group",
            await submit(foreign, uwv, offer(foreign, group_id="other")),
            (422, "INCORRECT_GROUP_ID"),
        ),
        (
            "receiver not in it",
            await submit(foreign, uwv, contract("test-group", now(), connection(foreign.place, SVB, "loon"))),
            (422, "RECEIVING_PEER_NOT_PART_OF_CONTRACT"),
        ),
        (
            "submitter not in it",
            await submit(foreign, uwv, contract("test-group", now(), connection(other.place, UWV, "loon"))),
            (422, "SUBMITTING_PEER_NOT_PART_OF_CONTRACT"),
        ),
        (
            "signature over other content",
            await submit(foreign, uwv, fine, foreign.signature(offer(foreign), "accept", now())),
            (422, "SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH"),
        ),
        (
            "signature for something else",
            await submit(foreign, uwv, fine, foreign.signature(fine, "revoke", now())),
            (422, "SIGNATURE_VERIFICATION_FAILED"),
        ),
        (
            "altered signature",
            await submit(foreign, uwv, fine, foreign.signature(fine, "accept", now())[:-4] + "AAAA"),
            (422, "SIGNATURE_VERIFICATION_FAILED"),
        ),
        ("no signature", await submit(foreign, uwv, fine, "x"), (422, "SIGNATURE_VERIFICATION_FAILED")),
        (
            "alg none",
            await submit(foreign, uwv, fine, foreign.signature(fine, "accept", now(), alg="none")),
            (422, "UNKNOWN_ALGORITHM_SIGNATURE"),
        ),
        (
            "PS256",
            await submit(foreign, uwv, fine, foreign.signature(fine, "accept", now(), alg="PS256")),
            (422, "UNKNOWN_ALGORITHM_SIGNATURE"),
        ),
        (
            "a certificate that its Manager does not show",
            await submit(foreign, uwv, fine, other.signature(fine, "accept", now())),
            (422, "SIGNATURE_VERIFICATION_FAILED"),
        ),
        (
            "mixed grants",
            await submit(foreign, uwv, contract("test-group", now(), grant, publication(UWV, "loon"))),
            (422, "GRANT_COMBINATION_NOT_ALLOWED"),
        ),
        (
            "another hash in the path",
            await put(foreign, uwv, fine, "accept", signing_path(offer(foreign), "accept")),
            (422, "URL_PATH_CONTENT_HASH_MISMATCH"),
        ),
        (
            "unknown hash algorithm",
            await submit(foreign, uwv, offer(foreign, hash_algorithm="MD5")),
            (422, "UNKNOWN_HASH_ALGORITHM_HASH"),
        ),
        (
            "too new",
            await submit(foreign, uwv, offer(foreign, created_at=now() + 600)),
            (422, "CONTRACT_INVALID"),
        ),
        (
            "over already",
            await submit(foreign, uwv, offer(foreign, validity={"not_before": 1, "not_after": now() - 1})),
            (422, "CONTRACT_INVALID"),
        ),
        (
            "a service that is not offered",
            await submit(
                foreign, uwv, contract("test-group", now(), connection(foreign.place, UWV, "uitkering"))
            ),
            (422, "CONTRACT_INVALID"),
        ),
    ]
    found = {name: code(reply) for name, reply, _ in cases}
    assert found == {name: (status, f"ERROR_CODE_{wanted}") for name, _, (status, wanted) in cases}
    assert (await get(foreign, uwv, "/v1/contracts"))["contracts"] == []


async def test_an_accept_of_what_is_not_known_here_opens_no_other_door(foreign: Foreign, uwv: Member) -> None:
    """Else a contract that is refused as an offer would come in with it."""
    closed = contract("test-group", now(), connection(foreign.place, UWV, "uitkering"))
    assert code(await put(foreign, uwv, closed, "accept")) == (422, "ERROR_CODE_CONTRACT_INVALID")
    assert (await get(foreign, uwv, "/v1/contracts"))["contracts"] == []


async def test_who_accepts_may_be_quicker_than_who_offers(
    foreign: Foreign, uwv: Member, world: World
) -> None:
    """Of three peers two hear of a contract one after the other; nobody says that a refused accept is sent again."""
    other = Foreign(world, SVB)
    server = await other.listen()
    delegator = {"peer_id": str.__str__(GEMEENTE)}
    service = {"type": "SERVICE_TYPE_DELEGATED_SERVICE", "delegator": delegator}
    given = connection(other.place, UWV, "loon")
    one = contract("test-group", now(), {**given, "service": given["service"] | service})
    assert (await put(foreign, uwv, one, "accept"))[0] == 201
    assert (await put(other, uwv, one, "accept"))[0] == 201
    (listed,) = (await get(foreign, uwv, "/v1/contracts"))["contracts"]
    assert set(listed["signatures"]["accept"]) == {str.__str__(GEMEENTE), str.__str__(SVB)}
    server.close()


async def test_clocks_may_differ_by_a_minute(foreign: Foreign, uwv: Member) -> None:
    assert (await submit(foreign, uwv, offer(foreign, created_at=now() + 50)))[0] == 201


async def test_a_signature_of_another_peer_is_told_apart(foreign: Foreign, uwv: Member, world: World) -> None:
    # A Manager that shows somebody else's certificate as its own does not speak for it.
    other = Foreign(world, SVB)
    foreign.keys = other.jwks()
    content = offer(foreign)
    reply = await submit(foreign, uwv, content, other.signature(content, "accept", now()))
    assert code(reply) == (422, "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH")


async def test_another_contract_with_the_same_iv_is_refused(foreign: Foreign, uwv: Member) -> None:
    first = offer(foreign)
    await submit(foreign, uwv, first)
    assert (await submit(foreign, uwv, offer(foreign, iv=first["iv"], created_at=now() - 1)))[0] == 422


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b"\xff", b'{"content":{},"signature":""}', b'{"signature":"x"}',
        b'{"content":{"a":1,"a":2},"signature":"x"}', b'{"content":{"a":"\\ud800"},"signature":"x"}',
        b'{"content":{},"contract_content":{},"signature":"x"}', b"[" * 100_000, b'{"content":' + b'{"a":' * 1000,
    ],
)  # fmt: skip
async def test_what_is_no_contract_is_refused(foreign: Foreign, uwv: Member, body: bytes) -> None:
    status, found = code(await foreign.call(uwv.place.address, "POST", "/v1/contracts", body))
    assert status in (400, 422)
    assert found in {"ERROR_CODE_MALFORMED_REQUEST", "ERROR_CODE_UNKNOWN_FSC_VERSION"}


async def test_a_body_beyond_the_bound_is_refused(foreign: Foreign, uwv: Member) -> None:
    reply = await foreign.call(uwv.place.address, "POST", "/v1/contracts", b" " * 2_300_000)
    assert code(reply) == (400, "ERROR_CODE_MALFORMED_REQUEST")


# Who may call


ROUTES = [
    ("PUT", "/v1/announce"), ("POST", "/v1/contracts"), ("GET", "/v1/contracts"), ("PUT", "/v1/contracts/{hash}/accept"),
    ("PUT", "/v1/contracts/{hash}/reject"), ("PUT", "/v1/contracts/{hash}/revoke"), ("POST", "/v1/token"),
    ("GET", "/v1/peer"), ("GET", "/v1/peers"), ("GET", "/v1/services"), ("GET", "/v1/.well-known/jwks.json"),
    ("GET", "/v1/logs"),
]  # fmt: skip


async def test_these_are_all_routes(uwv: Member) -> None:
    assert list(uwv.running.api.routes) == ROUTES


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_refuses_whoever_shows_no_certificate(uwv: Member, method: str, path: str) -> None:
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "extensions": {},
        "headers": [(b"fsc-manager-address", b"https://a:8443")],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nothing of the body is read")

    async def send(message: Any) -> None:
        sent.append(message)

    await uwv.running.api(scope, receive, send)
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["code"] == "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED"


async def test_a_peer_of_another_authority_does_not_get_in(world: World, uwv: Member, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Andere groep")
    files = other.issue(tmp_path / "stranger", SVB, "SVB Voorbeeld", ["localhost"])
    stranger = Caller(*files, world.authority.path, "https://localhost:8443")
    with pytest.raises(OSError):
        await stranger.call(uwv.place.address, "GET", "/v1/peer")


async def test_a_group_may_ask_for_the_newest_tls(world: World) -> None:
    world.group = msgspec.structs.replace(world.group, tls="1.3")
    async with member(world.place(UWV)) as uwv:
        foreign = Foreign(world, GEMEENTE)
        assert (await foreign.call(uwv.place.address, "GET", "/v1/peer"))[0] == 200
        foreign.context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(OSError):
            await foreign.call(uwv.place.address, "GET", "/v1/peer")


async def test_a_certificate_that_was_revoked_neither_calls_nor_signs(world: World, tmp_path: Path) -> None:
    foreign = Foreign(world, GEMEENTE)
    server = await foreign.listen()
    crl = tmp_path / "group.crl"
    crl.write_bytes(revoking(world, [], ago=60))
    async with member(world.place(UWV), services=("loon",), crl=crl) as uwv:
        first = offer(foreign)
        assert (await submit(foreign, uwv, first))[0] == 201
        crl.write_bytes(revoking(world, [foreign.place.identity.certificate.serial_number]))
        uwv.revocations.renew()
        with pytest.raises(OSError):  # in TLS; who is connected already is refused below
            await submit(foreign, uwv, offer(foreign))
        with pytest.raises(FscProblem) as refused:
            uwv.running.api._callers.caller({"tls": {"client_cert_chain": [foreign.certificate.read_text()]}})
        assert refused.value.code == "certificate-revoked"
        stolen = read_content(json.dumps(offer(foreign)).encode())
        signature = foreign.signature(json.loads(stolen.json), "accept", now())
        with pytest.raises(FscProblem) as refused:
            await uwv.manager.take(GEMEENTE, stolen, "accept", signature)
        assert refused.value.fsc_code == "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED"
    server.close()


def revoking(world: World, serials: list[int], ago: int = 0) -> bytes:
    """A revocation list of the group's authority."""
    moment = datetime.now(UTC) - timedelta(seconds=ago)
    made = x509.CertificateRevocationListBuilder().issuer_name(world.authority.certificate.subject)
    made = made.last_update(moment).next_update(moment + timedelta(days=1))
    for serial in serials:
        made = made.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build()
        )
    return made.sign(world.authority.key, SHA256()).public_bytes(Encoding.PEM)


async def test_any_peer_of_the_group_may_call(world: World, uwv: Member) -> None:
    info = await get(Foreign(world, SVB), uwv, "/v1/peer")
    assert (info["peer_id"], info["peer_name"], info["fsc_version"]) == (
        str.__str__(UWV),
        "UWV Voorbeeld",
        "2.0.0",
    )
    assert info["enabled_extensions"]["EXTENSION_TRANSACTION_LOGGING"] == "1.0.0"


@pytest.mark.parametrize(
    "said", ["", "http://a.example:8443", "https://a.example", "https://a.example:22", "https://a:8443/x"]
)
async def test_every_push_must_say_where_its_manager_is(foreign: Foreign, uwv: Member, said: str) -> None:
    for method, path in ROUTES[:2] + ROUTES[3:6]:
        reply = await foreign.call(
            uwv.place.address, method, path, b"{}", {"Fsc-Manager-Address": said} if said else {}
        )
        assert code(reply) == (400, "ERROR_CODE_MALFORMED_REQUEST")
    assert uwv.running.peers.known(GEMEENTE) is None


async def test_an_address_is_believed_of_the_caller_alone(
    foreign: Foreign, uwv: Member, world: World
) -> None:
    # SVB says that its Manager is where the municipality listens: nothing is sent there that is meant for SVB.
    liar = Foreign(world, SVB)
    liar.says = foreign.place.address
    content = contract("test-group", now(), connection(liar.place, UWV, "loon"))
    reply = await submit(liar, uwv, content)
    assert code(reply) == (422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED")
    assert foreign.received == []


async def test_what_is_not_there_and_what_cannot_be_done_is_told(foreign: Foreign, uwv: Member) -> None:
    assert code(await foreign.call(uwv.place.address, "GET", "/v1/nothing"))[0] == 404
    status, headers, _ = await foreign.call(uwv.place.address, "DELETE", "/v1/contracts", None, {})
    assert (status, headers["allow"]) == (405, "GET, POST")
    status, headers, _ = await foreign.call(uwv.place.address, "GET", "/v1/contracts/x/accept")
    assert (status, headers["allow"]) == (405, "PUT")


# Lists


async def test_only_parties_see_a_contract(foreign: Foreign, uwv: Member, world: World) -> None:
    content = offer(foreign)
    await submit(foreign, uwv, content)
    stranger = Foreign(world, SVB)
    assert (await get(stranger, uwv, "/v1/contracts"))["contracts"] == []
    grant = quote(hashes(content)[1][0])
    assert (await get(stranger, uwv, f"/v1/contracts?grant_hash={grant}"))["contracts"] == []


async def test_contracts_come_in_pages_newest_first(foreign: Foreign, uwv: Member) -> None:
    made = [offer(foreign, created_at=now() - 10 + number) for number in range(5)]
    for content in made:
        await submit(foreign, uwv, content)
    for order, expected in (("DESCENDING", made[::-1]), ("ASCENDING", made)):
        found, cursor = list[Any](), ""
        while True:
            query = urlencode({"limit": 2, "sort_order": f"SORT_ORDER_{order}", "cursor": cursor})
            page = await get(foreign, uwv, f"/v1/contracts?{query}")
            found += [one["content"] for one in page["contracts"]]
            cursor = page["pagination"]["next_cursor"]
            if not cursor:
                break
        assert found == expected
    none = await get(foreign, uwv, "/v1/contracts?grant_type=GRANT_TYPE_SERVICE_PUBLICATION")
    assert none == {"contracts": [], "pagination": {"next_cursor": ""}}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=2",
        "sort_order=UP",
        "cursor=%00",
        "cursor=zzz",
        "grant_type=X",
    ],
)
async def test_a_parameter_that_cannot_be_is_refused(foreign: Foreign, uwv: Member, query: str) -> None:
    reply = await foreign.call(uwv.place.address, "GET", f"/v1/contracts?{query}")
    assert code(reply) == (400, "ERROR_CODE_MALFORMED_REQUEST")


async def test_whoever_announces_itself_is_listed(foreign: Foreign, uwv: Member) -> None:
    assert (await foreign.call(uwv.place.address, "PUT", "/v1/announce"))[0] == 200
    listed = {
        "id": str.__str__(GEMEENTE),
        "name": "Gemeente Voorbeeld",
        "manager_address": foreign.place.address,
    }
    assert listed in (await get(foreign, uwv, "/v1/peers"))["peers"]
    assert (await get(foreign, uwv, "/v1/peers?peer_name=VOORB&limit=1000"))["peers"].count(listed) == 1
    assert (await get(foreign, uwv, f"/v1/peers?peer_id={GEMEENTE!s},123"))["peers"] == [listed]
    assert (await get(foreign, uwv, "/v1/peers?peer_name=nobody"))["peers"] == []
    page = await get(foreign, uwv, "/v1/peers?limit=1&sort_order=SORT_ORDER_ASCENDING")
    assert page["peers"] == [listed]
    assert page["pagination"]["next_cursor"]


async def test_a_directory_lists_what_is_published_there(foreign: Foreign, world: World) -> None:
    properties = {"thema": "inkomen"}
    async with member(world.place(DIRECTORY)) as directory:
        for name in ("adressen", "loon"):
            content = contract("test-group", now(), publication(GEMEENTE, name, properties=properties))
            assert (await submit(foreign, directory, content))[0] == 201
            assert all(
                one["data"]["name"] != name
                for one in (await get(foreign, directory, "/v1/services"))["services"]
            )
            await directory.manager.act(hashes(content)[0], "accept")
        listed = (await get(foreign, directory, "/v1/services?sort_order=SORT_ORDER_ASCENDING"))["services"]
        peer = {
            "id": str.__str__(GEMEENTE),
            "name": "Gemeente Voorbeeld",
            "manager_address": foreign.place.address,
        }
        assert listed[0] == {
            "data": {
                "type": "SERVICE_TYPE_SERVICE", "peer": peer, "name": "adressen",
                "protocol": "PROTOCOL_TCP_HTTP_1.1", "properties": properties,
            }
        }  # fmt: skip

        async def names(query: str) -> list[str]:
            return [
                one["data"]["name"]
                for one in (await get(foreign, directory, f"/v1/services?{query}"))["services"]
            ]

        assert await names("service_name=LOO") == ["loon"]
        assert await names(f"service_name=xyz&peer_id={GEMEENTE!s}") == [
            "loon",
            "adressen",
        ]  # either is enough
        assert await names(f"peer_id={SVB!s}") == []
        assert await names("limit=1") == ["loon"]
        await directory.manager.act(hashes(content)[0], "revoke")
        assert await names("") == ["adressen"]


async def test_keys_are_shown_with_their_chain(foreign: Foreign, uwv: Member) -> None:
    (key,) = (await get(foreign, uwv, "/v1/.well-known/jwks.json"))["keys"]
    assert (key["kty"], len(key["x5c"])) == ("EC", 1)


# Tokens


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": str.__str__(UWV)}, "invalid_client"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": ""}, "invalid_request"),
        ({}, "invalid_grant"),  # nobody accepted it yet
    ],
)
async def test_no_token_without_a_valid_contract(
    foreign: Foreign, uwv: Member, changes: dict[str, str], error: str
) -> None:
    content = offer(foreign)
    await submit(foreign, uwv, content)
    form = {
        "grant_type": "client_credentials",
        "client_id": str.__str__(GEMEENTE),
        "scope": hashes(content)[1][0],
    }
    kind = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({**form, **changes}).encode()
    status, _, answer = await foreign.call(uwv.place.address, "POST", "/v1/token", body, kind)
    assert (status, json.loads(answer)["error"]) == (400, error)


async def test_no_token_after_revocation(foreign: Foreign, uwv: Member) -> None:
    content = offer(foreign)
    await submit(foreign, uwv, content)
    await uwv.manager.act(hashes(content)[0], "accept")
    await put(foreign, uwv, content, "revoke")
    form = {
        "grant_type": "client_credentials",
        "client_id": str.__str__(GEMEENTE),
        "scope": hashes(content)[1][0],
    }
    kind = {"content-type": "application/x-www-form-urlencoded"}
    status, _, answer = await foreign.call(
        uwv.place.address, "POST", "/v1/token", urlencode(form).encode(), kind
    )
    assert (status, json.loads(answer)["error"]) == (400, "invalid_grant")


async def test_a_token_request_that_is_no_form_is_refused(foreign: Foreign, uwv: Member) -> None:
    status, _, answer = await foreign.call(uwv.place.address, "POST", "/v1/token", b"{}", {})
    assert (status, json.loads(answer)["error"]) == (400, "invalid_request")


# Transactions


async def test_the_transaction_log_can_be_asked(foreign: Foreign, uwv: Member) -> None:
    empty = {"records": [], "pagination": {"next_cursor": ""}}
    assert await get(foreign, uwv, "/v1/logs") == empty
    assert await get(foreign, uwv, "/v1/logs?transaction_ids=01890a5d-ac96-774b-bcce-b302099a8057") == empty
    for query in ("transaction_ids=x", "after=-1", "limit=0"):
        assert code(await foreign.call(uwv.place.address, "GET", f"/v1/logs?{query}"))[0] == 400
