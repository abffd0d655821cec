"""The whole way of a request: a program, the outway, mTLS, the inway, a service; and the line in both transaction logs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.gateways import (
    ASKER,
    INSTEAD,
    OWNER,
    SERVICE,
    THIRD,
    Answer,
    Gateways,
    Party,
    answer,
    gateways,
    whole,
)
from tests.integration.managers import until

from sluis.crypto import client_context, server_context
from sluis.gateway import clientcerts
from sluis.gateway.breaker import LONGEST
from sluis.gateway.contracts import Grant
from sluis.gateway.crossing import GroupLink
from sluis.gateway.forward import Target
from sluis.gateway.services import Service
from sluis.gateway.streams import Streams
from sluis.gateway.transactions import (
    INCOMING,
    OUTGOING,
    Search,
    TransactionRecord,
    new_transaction,
    outcome_of,
    read_transaction_id,
)
from sluis.kernel import PeerId, Text, Upstream


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Gateways]:
    async with gateways(tmp_path) as pair:
        yield pair


async def lines(party: Party) -> tuple[TransactionRecord, ...]:
    return (await party.transactions.find(ASKER, Search(ascending=True))).records


def headers_of(got: Answer) -> dict[str, list[str]]:
    """The headers that the service saw."""
    seen: dict[str, list[str]] = {}
    for name, value in got.json["headers"]:
        seen.setdefault(name, []).append(value)
    return seen


# The way there and back


async def test_request_reaches_the_service_and_both_logs_hold_its_line(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await pair.call("GET", "/v1/mensen?q=1", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.json["path"], got.headers["x-service"]) == (200, "/v1/mensen?q=1", "here")
    one = got.headers["fsc-transaction-id"]
    for party, direction in ((pair.asker, OUTGOING), (pair.owner, INCOMING)):
        [record] = await lines(party)
        assert (record.transaction_id, record.direction) == (one, direction)
        assert (record.crossing.grant_hash, record.crossing.service_name) == (grant.hash, SERVICE)
        assert (record.crossing.outway_peer, record.crossing.service_peer) == (ASKER, OWNER)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_of_http_passes(pair: Gateways, method: str) -> None:
    grant = await pair.agree()
    body = b"x" * 10 if method in ("POST", "PUT", "PATCH") else b""
    got = await pair.call(method, "/x", {"Fsc-Grant-Hash": grant.hash}, body)
    [request] = pair.backend.requests
    assert (got.status, request["method"], request["body"]) == (200, method, body.decode())
    assert (got.body == b"") == (method == "HEAD")


async def test_service_gets_token_and_transaction_and_trace_as_they_were(pair: Gateways) -> None:
    grant = await pair.agree()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = {"Fsc-Grant-Hash": grant.hash, "traceparent": trace, "tracestate": "a=b", "Accept": "text/x"}
    seen = headers_of(got := await pair.call("GET", "/", sent))
    assert (seen["traceparent"], seen["tracestate"], seen["accept"]) == ([trace], ["a=b"], ["text/x"])
    assert seen["fsc-transaction-id"] == [got.headers["fsc-transaction-id"]]
    assert [one.split(" ")[0] for one in seen["fsc-authorization"]] == ["Bearer"]
    assert "fsc-grant-hash" not in seen


async def test_transaction_of_the_caller_is_kept(pair: Gateways) -> None:
    grant = await pair.agree()
    mine = new_transaction()[1]
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash, "Fsc-Transaction-Id": mine})
    assert got.headers["fsc-transaction-id"] == mine
    assert [one.transaction_id for one in await lines(pair.owner)] == [mine]


async def test_token_is_fetched_once_for_many_requests_at_once(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await asyncio.gather(*[pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash}) for _ in range(20)])
    assert {one.status for one in got} == {200}
    assert pair.fetched == [grant.hash]


@pytest.mark.parametrize("path", ["/", "/a//b/../c/%2e%2e/%2F;x?a=b&a=%20+c", "/%F0%9F%98%80?", "/a?b?c/d"])
async def test_path_is_never_changed(pair: Gateways, path: str) -> None:
    grant = await pair.agree()
    got = await pair.call("GET", path, {"Fsc-Grant-Hash": grant.hash})
    assert got.json["path"] == path.removesuffix("?")


@pytest.mark.parametrize(
    ("target", "path"),
    [("//evil.example/x", "//evil.example/x"), ("http://evil.example/x?y", "/x?y"), ("*", "*")],
)
async def test_form_of_the_target_does_not_lead_elsewhere(pair: Gateways, target: str, path: str) -> None:
    grant = await pair.agree()
    got = await pair.call("OPTIONS", target, {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.json["path"]) == (200, path)
    assert headers_of(got)["host"] == [pair.target.authority]


async def test_service_below_a_path_gets_requests_below_it(pair: Gateways) -> None:
    grant = await pair.agree()
    service = pair.services.get(SERVICE)
    assert service is not None
    pair.services.replace([Service(SERVICE, service.target, "/api/v2")])
    got = await pair.call("GET", "/x?y", {"Fsc-Grant-Hash": grant.hash})
    assert got.json["path"] == "/api/v2/x?y"


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 403, 404, 418, 500, 503])
async def test_answer_of_the_service_passes_unchanged(pair: Gateways, status: int) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        body = b"" if status in (204, 304) else b"own words"
        await answer(send, status, body, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")])

    grant = await pair.agree()
    pair.backend.handler = handler
    raw = await pair.raw(
        f"GET / HTTP/1.1\r\nhost: outway\r\nconnection: close\r\nfsc-grant-hash: {grant.hash}\r\n\r\n".encode()
    )
    assert raw.startswith(b"HTTP/1.1 %d " % status)
    assert raw.count(b"set-cookie: ") == 2
    assert raw.endswith(b"\r\n\r\n" + (b"" if status in (204, 304) else b"own words"))
    assert b"fsc-error-code" not in raw


async def test_delegated_crossing_names_its_delegators_in_both_logs(pair: Gateways) -> None:
    delegator, behind = "00000000000000000004", "00000000000000000005"
    service = {
        "type": "SERVICE_TYPE_DELEGATED_SERVICE",
        "peer_id": OWNER,
        "name": SERVICE,
        "delegator": {"peer_id": behind},
    }
    grant = await pair.agree(
        type="GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", delegator={"peer_id": delegator}, service=service
    )
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200
    for party in (pair.asker, pair.owner):
        [record] = await lines(party)
        assert (record.crossing.outway_delegator, record.crossing.service_delegator) == (delegator, behind)


# Which grant


async def test_link_leads_to_its_grant_and_does_not_go_on(pair: Gateways) -> None:
    pair.links["mensen"] = (await pair.agree()).hash
    assert (await pair.call("GET", "/mensen/v1/x?y=z")).json["path"] == "/v1/x?y=z"
    assert (await pair.call("GET", "/mensen")).json["path"] == "/"
    assert (await pair.call("GET", "/mensen?y=z")).json["path"] == "/?y=z"


async def test_peer_and_service_lead_to_the_grant_that_fits(pair: Gateways) -> None:
    await pair.agree()
    assert (await pair.call("GET", f"/{OWNER}/{SERVICE}/v1/x")).json["path"] == "/v1/x"
    assert (await pair.call("GET", f"/{OWNER}/andere/v1/x")).code == "ERROR_CODE_NO_CONTRACT"


async def test_contract_that_was_renewed_may_stand_beside_the_old_one(pair: Gateways) -> None:
    await pair.agree()
    await pair.agree(days=2)
    assert (await pair.call("GET", f"/{OWNER}/{SERVICE}/")).status == 200


async def test_between_contracts_for_different_purposes_none_is_chosen(pair: Gateways) -> None:
    await pair.agree(properties={"doel": "een"})
    await pair.agree(properties={"doel": "twee"})
    got = await pair.call("GET", f"/{OWNER}/{SERVICE}/")
    assert (got.status, got.code) == (409, "ERROR_CODE_SEVERAL_CONTRACTS")
    assert await lines(pair.asker) == ()


@pytest.mark.parametrize(
    ("grant_hash", "word"),
    [("$1$3$onbekend", "No contract"), ("$1$1$x", "hash of a contract"), ("", "No contract")],
)
async def test_grant_hash_that_is_unknown_is_told(pair: Gateways, grant_hash: str, word: str) -> None:
    await pair.agree()
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant_hash})
    assert (got.status, got.code) == (400, "UNKNOWN_GRANT_HASH_IN_HEADER")
    assert (got.json["domain"], word in got.json["message"]) == ("ERROR_DOMAIN_OUTWAY", True)


async def test_grant_for_another_outway_of_this_organisation_is_not_used(pair: Gateways) -> None:
    identification = {
        "type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT",
        "public_key_thumbprint": "0" * 64,
    }
    grant = await pair.agree(own_key=False, outway={"peer_id": ASKER, "identification": identification})
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert got.code == "UNKNOWN_GRANT_HASH_IN_HEADER"


async def test_link_to_a_contract_that_ended_is_told(pair: Gateways) -> None:
    grant = await pair.agree()
    pair.links["mensen"] = grant.hash
    await pair.revoke(grant, pair.asker)
    got = await pair.call("GET", "/mensen/x")
    assert (got.status, got.code) == (403, "ERROR_CODE_NO_CONTRACT")


async def test_path_without_grant_is_told(pair: Gateways) -> None:
    got = await pair.call("GET", "/zomaar/iets")
    assert (got.status, got.code) == (403, "ERROR_CODE_NO_CONTRACT")


async def test_connect_is_not_supported(pair: Gateways) -> None:
    raw = await pair.raw(b"CONNECT service:443 HTTP/1.1\r\nhost: service:443\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 405 ")
    assert b"ERROR_CODE_METHOD_UNSUPPORTED" in raw


@pytest.mark.parametrize("wrong", ["x", "8d2f0b0e-6c9f-4d3a-9d1a-3c0f7c1f8f0a", ""])
async def test_transaction_id_that_is_none_is_refused_by_the_outway(pair: Gateways, wrong: str) -> None:
    grant = await pair.agree()
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash, "Fsc-Transaction-Id": wrong})
    assert (got.status, got.code) == (400, "INVALID_LOG_RECORD_ID")


# Nothing without a line, nothing without a contract


@pytest.mark.parametrize("side", ["asker", "owner"])
async def test_without_a_line_nothing_passes(pair: Gateways, side: str) -> None:
    grant = await pair.agree()
    party: Party = getattr(pair, side)
    await party.store.write(lambda connection: connection.execute(text("PRAGMA query_only = ON")))
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (500, "TRANSACTION_LOG_WRITE_ERROR")
    assert got.json["domain"] == {"asker": "ERROR_DOMAIN_OUTWAY", "owner": "ERROR_DOMAIN_INWAY"}[side]
    assert pair.backend.requests == []
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200  # it can write again


async def test_revocation_bites_at_once_at_the_inway_whatever_token_there_is(pair: Gateways) -> None:
    grant = await pair.agree()
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200
    await pair.revoke(grant, pair.owner)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
    assert got.headers["www-authenticate"] == "Bearer"
    assert len(pair.backend.requests) == 1


async def test_revocation_bites_at_once_at_the_outway(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.revoke(grant, pair.asker)
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 400
    assert (pair.fetched, await lines(pair.asker)) == ([], ())


async def test_token_that_ended_is_replaced_for_the_next_request(
    pair: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.gateway.tokens.cache._AGAIN", 0)
    grant = await pair.agree()
    await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    pair.watch.ahead += pair.watch.minute * 2
    ended = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (ended.status, ended.code) == (401, "ERROR_CODE_ACCESS_TOKEN_EXPIRED")
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200


async def test_manager_that_refuses_a_token_is_told(pair: Gateways) -> None:
    def refuse(_token: str) -> str:
        raise Upstream("manager-refused", Text("x", "x"), Text("Omdat.", "Because."), Text("x", "x"))

    grant, pair.tamper = await pair.agree(), refuse
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code, "Because." in got.json["message"]) == (
        403,
        "ERROR_CODE_TOKEN_REFUSED",
        True,
    )
    assert await lines(pair.asker) == ()


async def test_service_that_says_401_itself_costs_no_token(
    pair: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await answer(send, 401, b"who are you")

    monkeypatch.setattr("sluis.gateway.tokens.cache._AGAIN", 0)
    grant, pair.backend.handler = await pair.agree(), handler
    for _ in range(2):
        assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).body == b"who are you"
    assert len(pair.fetched) == 1


async def test_call_that_cannot_leave_leaves_no_line_but_is_named(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.servers["inway"].stop(seconds=0)
    got = await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash})
    assert read_transaction_id(got.headers["fsc-transaction-id"])
    assert await lines(pair.asker) == ()


def own_link(pair: Gateways, grant: Grant) -> GroupLink:
    """The way of the asker's own questions."""
    context = client_context(*pair.asker.files, [pair.authority.path])
    return GroupLink(pair.outway, lambda *_: [grant], Streams(context), str, pair.watch)


async def test_own_question_that_cannot_leave_leaves_no_line(pair: Gateways) -> None:
    link, decided = own_link(pair, await pair.agree()), asyncio.get_running_loop().create_future()
    await pair.servers["inway"].stop(seconds=0)
    with pytest.raises(Upstream, match="Nobody answers"):
        await link.send(OWNER, "GET", "/x", {}, b"", 5, ready=decided).__aenter__()
    assert await lines(pair.asker) == ()


async def test_own_question_leaves_when_its_line_and_what_else_must_be_are_there(pair: Gateways) -> None:
    link, decided = own_link(pair, await pair.agree()), asyncio.get_running_loop().create_future()
    sent = asyncio.ensure_future(link.send(OWNER, "GET", "/x", {}, b"", 5, ready=decided).__aenter__())
    await until(lambda: lines(pair.asker))
    assert pair.backend.requests == []
    decided.set_result(None)
    assert (await sent).status == 200
    await link.close()


async def outcomes(pair: Gateways) -> list[str | None]:
    """What the asker noted beside each of its lines."""
    await pair.outway.settle()
    return [outcome_of(one.crossing) for one in await lines(pair.asker)]


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An inway that takes a request, and no more."""
    await reader.read(1)
    writer.close()


async def test_outway_notes_that_no_answer_came(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.servers["inway"].stop(seconds=0)
    context = server_context(*pair.owner.files, [pair.authority.path])
    pair.others.append(await asyncio.start_server(hangs_up, *pair.inway_address, ssl=context))
    assert (
        await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash})
    ).code == "ERROR_CODE_PEER_UNREACHABLE"
    assert await outcomes(pair) == ["no-answer"]
    link = own_link(pair, grant)
    with pytest.raises(Upstream, match="broke off"):
        await link.send(OWNER, "GET", "/x", {}, b"", 5).__aenter__()
    assert await outcomes(pair) == ["no-answer", "no-answer"]
    await link.close()


async def test_outway_notes_that_the_inway_refused(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.revoke(grant, pair.owner)
    assert (await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash})).status == 401
    assert await outcomes(pair) == ["refused"]
    link = own_link(pair, grant)
    with pytest.raises(Upstream, match="ACCESS_TOKEN_INVALID"):
        await link.send(OWNER, "GET", "/x", {}, b"", 5).__aenter__()
    assert await outcomes(pair) == ["refused", "refused"]
    assert await lines(pair.owner) == ()
    await link.close()


async def test_outway_notes_that_nobody_waited_for_the_answer(pair: Gateways) -> None:
    grant, asked = await pair.agree(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()
        writer.close()

    await pair.servers["inway"].stop(seconds=0)
    context = server_context(*pair.owner.files, [pair.authority.path])
    pair.others.append(await asyncio.start_server(silent, *pair.inway_address, ssl=context))
    _, writer = await asyncio.open_connection(*pair.outway_address)
    writer.write(f"GET / HTTP/1.1\r\nhost: outway\r\nfsc-grant-hash: {grant.hash}\r\n\r\n".encode())
    await asked.wait()
    writer.close()

    async def noted() -> bool:
        return await outcomes(pair) == ["no-answer"]

    await until(noted)


@pytest.mark.parametrize("code", ["", "ERROR_CODE_SERVICE_UNREACHABLE", "OWN_CODE"])
async def test_nothing_is_noted_of_what_the_inway_let_in(pair: Gateways, code: str) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await answer(send, 404, b"", [(b"fsc-error-code", code.encode())] if code else [])

    grant, pair.backend.handler = await pair.agree(), handler
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 404
    assert await outcomes(pair) == [None]


# What a service allows


async def test_policy_lets_who_may_read_not_write(pair: Gateways) -> None:
    grant = await pair.agree()
    target = pair.target
    pair.services.replace([Service(SERVICE, target, may={ASKER: frozenset({"read"})})])
    hashed = {"Fsc-Grant-Hash": grant.hash}
    assert [(await pair.call(method, "/", hashed)).status for method in ("GET", "HEAD")] == [200, 200]
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        got = await pair.call(method, "/", hashed)
        assert (got.status, got.code) == (403, "ERROR_CODE_NOT_ALLOWED")
    assert len(await lines(pair.owner)) == 2


async def test_policy_names_everyone_it_lets_in(pair: Gateways) -> None:
    grant = await pair.agree()
    pair.services.replace([Service(SERVICE, pair.target, may={OWNER: frozenset({"read", "write"})})])
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).code == "ERROR_CODE_NOT_ALLOWED"


async def test_service_takes_only_its_methods(pair: Gateways) -> None:
    grant = await pair.agree()
    pair.services.replace([Service(SERVICE, pair.target, methods=frozenset({"GET"}))])
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200
    assert (await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash})).code == "ERROR_CODE_NOT_ALLOWED"


async def test_service_that_is_no_longer_offered_is_not_found(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    pair.services.replace([])
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (404, "ERROR_CODE_SERVICE_NOT_FOUND")


# When somebody does not answer


async def test_service_that_is_down_is_told(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.servers["service"].stop(seconds=0)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code, got.json["domain"]) == (
        502,
        "ERROR_CODE_SERVICE_UNREACHABLE",
        "ERROR_DOMAIN_INWAY",
    )


async def test_alternative_answers_when_the_first_source_does_not(pair: Gateways) -> None:
    grant = await pair.agree()
    nobody = Target(False, "127.20.2.9", 9, "127.20.2.9:9")
    pair.services.replace([Service(SERVICE, nobody, alternative=pair.target)])
    assert (await pair.call("GET", "/x", {"Fsc-Grant-Hash": grant.hash})).status == 200
    got = await pair.call("POST", "/x", {"Fsc-Grant-Hash": grant.hash}, b"once")
    assert (got.status, got.json["body"]) == (200, "once")


async def test_inway_that_is_down_is_told_and_after_some_failures_left_alone(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.servers["inway"].stop(seconds=0)
    got = [await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash}) for _ in range(6)]
    assert {(one.status, one.code) for one in got[:5]} == {(502, "ERROR_CODE_PEER_UNREACHABLE")}
    assert (got[5].status, got[5].code) == (503, "ERROR_CODE_PEER_PAUSED")


async def test_the_first_request_after_a_pause_leaves_as_its_trial_and_ends_it(
    pair: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await pair.agree()
    for _ in range(5):
        pair.outway.failed(OWNER)
    assert pair.outway.paused() == 1
    later = asyncio.get_running_loop().time() + LONGEST
    monkeypatch.setattr("sluis.gateway.outway._moment", lambda: later)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})  # whose token is still to be fetched
    assert (got.status, pair.outway.paused()) == (200, 0)


async def breaks_once(pair: Gateways, seen: list[str]) -> None:
    """Let the service break off its first request before answering."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0].decode())
        if len(seen) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    await pair.serve_raw(serve)


async def test_request_that_may_be_repeated_is(pair: Gateways) -> None:
    grant, seen = await pair.agree(), list[str]()
    await breaks_once(pair, seen)
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200
    assert seen == ["GET", "GET"]


@pytest.mark.parametrize(("method", "body"), [("POST", b""), ("POST", b"x"), ("PUT", b"x"), ("PATCH", b"")])
async def test_request_that_may_not_be_repeated_is_not(pair: Gateways, method: str, body: bytes) -> None:
    grant, seen = await pair.agree(), list[str]()
    await breaks_once(pair, seen)
    got = await pair.call(method, "/", {"Fsc-Grant-Hash": grant.hash}, body)
    assert (got.code, seen) == ("ERROR_CODE_SERVICE_UNREACHABLE", [method])


async def test_nothing_is_sent_to_another_organisation_at_the_inways_address(pair: Gateways) -> None:
    grant = await pair.agree()
    stranger = PeerId("00000000000000000009")
    await pair.servers["inway"].stop(seconds=0)
    received = await pair.listen_as(stranger)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.code, "Another organisation" in got.json["message"]) == ("ERROR_CODE_PEER_UNREACHABLE", True)
    assert received == []


# A service that asks for a client certificate


async def test_the_inway_shows_a_service_its_client_certificate_and_takes_up_a_renewed_one(
    pair: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clientcerts, "_LOOK", 0)
    grant = await pair.agree()
    await pair.serve_mutual_tls()
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).body == b"Bronhouder"
    pair.show("Vernieuwd")
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).body == b"Vernieuwd"


async def test_a_service_is_not_reached_without_the_client_certificate_it_asks_for(pair: Gateways) -> None:
    grant = await pair.agree()
    await pair.serve_mutual_tls()
    pair.hide()
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (502, "ERROR_CODE_SERVICE_UNREACHABLE")
    assert "client certificate" in got.json["message"]


# An alternative


async def unreachable(pair: Gateways) -> None:
    """Let nobody answer at the owner's inway."""
    await pair.servers["inway"].stop(seconds=0)


PURPOSE = {
    "activity": "urn:voorbeeld:bijstand",
    "disclosures": [{"id": "loon", "digest": "sha256:" + "0" * 64}],
}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_service_that_cannot_be_reached_is_answered_by_its_alternative_which_the_answer_says(
    pair: Gateways, method: str
) -> None:
    other, grant = await pair.other(), await pair.agree(properties=INSTEAD)
    await unreachable(pair)
    body = b"body" if method == "POST" else b""  # nothing of it was sent to the first
    got = await pair.call(method, "/x?y", {"Fsc-Grant-Hash": grant.hash}, body)
    assert (got.status, got.body) == (200, b"reserve")
    assert got.headers["sluis-alternative"] == f"{THIRD}/reserve"
    [head] = other.asked
    assert head.startswith(f"{method} /x?y ")
    [line] = await lines(pair.asker)  # nothing crossed to the first
    assert (line.crossing.service_peer, line.crossing.grant_hash) == (THIRD, other.grant.hash)
    assert line.transaction_id == got.headers["fsc-transaction-id"]


async def test_a_service_that_answers_is_used_itself(pair: Gateways) -> None:
    other, grant = await pair.other(), await pair.agree(properties=INSTEAD)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, "sluis-alternative" in got.headers, other.asked) == (200, False, [])


async def test_a_service_that_is_left_alone_for_a_while_is_answered_by_its_alternative(
    pair: Gateways,
) -> None:
    other, grant = await pair.other(), await pair.agree(properties=INSTEAD)
    for _ in range(5):
        pair.outway.failed(OWNER)
    got = await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash}, b"body")
    assert (got.status, len(other.asked)) == (200, 1)
    assert [one.crossing.service_peer for one in await lines(pair.asker)] == [THIRD]


@pytest.mark.parametrize(
    ("mine", "other"), [({"sluis.purpose": PURPOSE}, {}), ({}, {"sluis.purpose": PURPOSE})]
)
async def test_an_alternative_is_for_the_same_purpose(
    pair: Gateways, mine: dict[str, Any], other: dict[str, Any]
) -> None:
    third = await pair.other(properties=other)
    grant = await pair.agree(properties={**INSTEAD, **mine})
    await unreachable(pair)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code, third.asked) == (502, "ERROR_CODE_PEER_UNREACHABLE", [])


async def test_without_a_contract_for_it_an_alternative_is_not_used(pair: Gateways) -> None:
    grant = await pair.agree(properties=INSTEAD)
    await unreachable(pair)
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")


async def test_what_was_sent_and_may_not_be_repeated_does_not_go_to_the_alternative(pair: Gateways) -> None:
    other, grant = await pair.other(), await pair.agree(properties=INSTEAD)
    await unreachable(pair)
    await pair.listen_as(OWNER)  # takes the request, and never answers
    got = await pair.call("POST", "/", {"Fsc-Grant-Hash": grant.hash}, b"body")
    assert (got.status, other.asked) == (502, [])
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert got.body == b"reserve"
    sent, asked, instead = await lines(pair.asker)
    assert [one.crossing.service_peer for one in (sent, asked, instead)] == [OWNER, OWNER, THIRD]
    assert asked.transaction_id != instead.transaction_id == got.headers["fsc-transaction-id"]


async def test_an_alternative_that_cannot_be_reached_either_is_said_and_has_none_itself(
    pair: Gateways,
) -> None:
    other = await pair.other(properties={"sluis.alternative": {"peer_id": OWNER, "service": SERVICE}})
    grant = await pair.agree(properties=INSTEAD)
    await unreachable(pair)
    other.server.close()
    await other.server.wait_closed()
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
    assert await lines(pair.asker) == ()
