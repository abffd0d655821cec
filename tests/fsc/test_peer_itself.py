"""The peer of the tests, measured by what others published and by a second one of its kind: a yardstick that was never
checked measures nothing."""

import json
import struct

import pytest
from tests.fsc import jose
from tests.fsc.authority import Authority
from tests.fsc.conftest import Make
from tests.fsc.jcs import NotIJson, canonical, content_hash, grant_hash, loads
from tests.fsc.manager import drops, fails, garbage, garbled_json, slowly
from tests.fsc.papers import Contract, connection, content, publication
from tests.fsc.peer import GROUP, Peer
from tests.fsc.wire import BadMessage, Caller, until


@pytest.mark.parametrize(
    ("bits", "written"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_rfc_8785_appendix_b_lists(bits: str, written: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value).decode() == written


def test_names_stand_in_the_order_of_rfc_8785_section_3_2_3() -> None:
    names = {
        "\u20ac": "Euro",
        "\r": "CR",
        "\ufb33": "Hebrew",
        "1": "One",
        "\U0001f600": "Smiley",
        "\u0080": "Control",
        "\u00f6": "Latin",
    }
    written = json.loads(canonical(names))
    assert list(written.values()) == ["CR", "One", "Control", "Latin", "Euro", "Smiley", "Hebrew"]


def test_strings_are_written_as_rfc_8785_section_3_2_2_shows() -> None:
    assert (
        canonical("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/").decode()
        == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '"\\ud800"',
        "9007199254740993",
        "NaN",
        "1e999",
        '{"a":1}x',
        "[1,]",
        '"\xff',
    ],
)
def test_what_is_no_i_json_is_refused(text: str) -> None:
    with pytest.raises(NotIJson):
        loads(text.encode("latin-1"))


def test_the_example_contract_hashes_as_computed_elsewhere() -> None:
    """The contract of Core 2.0.0 section 4.2, completed with `fsc_version` 2.0.0 and the type of the service; the values
    were computed with other code (RFC 8785 package and hashlib)."""
    grant = connection(
        "00000000000000000002",
        "3a56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c",
        "00000000000000000001",
        "example-service",
    )
    made = content(
        "fsc-example-group",
        grant,
        iv="06338364-8305-7b74-8000-de4963503139",
        validity={"not_before": 1672527600, "not_after": 1704063600},
        created_at=1672527600,
    )
    assert content_hash(made) == (
        "$1$1$ia278mmEEX5QvMZfatwQW1F3gm0jOFrh1sQN4Pc3lBtunVH9Vl-JMMJOc_9Xonzw1EuHhWD2tGspmMVGxMnGjQ"
    )
    assert grant_hash(made, made["grants"][0]) == (
        "$1$3$53nGkZldmXI7-3R-W1yeSFywZ3Y162RR0wArpDtUk-yyClOIDxbVw_8-eCaPLROc18atdUtXJbuROylbP-etXg"
    )


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"), ("RSA-2048", "RS256")]
)
def test_what_is_signed_is_verified(authority: Authority, kind: str, algorithm: str) -> None:
    identity = authority.issue("00000001000000000099", "Fictief", ["a.test"], key=kind)
    others = ["RS384", "RS512"] if kind.startswith("RSA") else []
    for name in (algorithm, *others):
        signed = jose.sign(identity, b'{"a":1}', algorithm=name)
        assert jose.verify(signed, identity.certificate) == {"a": 1}
        with pytest.raises(jose.BadJws):
            jose.verify(jose.altered(signed, a=2), identity.certificate)
        with pytest.raises(jose.BadJws) as none:
            jose.verify(jose.unsigned(signed), identity.certificate)
        assert none.value.unknown_algorithm


def pair(make_peer: Make) -> tuple[Peer, Peer]:
    """A consumer and a provider that know each other; the provider signs what it is offered."""
    consumer, provider = make_peer(), make_peer()
    assert consumer.announce(provider.manager_address).status == 200
    assert provider.announce(consumer.manager_address).status == 200
    provider.accepts = lambda _: True
    return consumer, provider


def agreed(consumer: Peer, provider: Peer, **more: object) -> tuple[Contract, str]:
    """A valid connection contract between two peers, and the hash of its grant."""
    grant = connection(
        consumer.id, consumer.outway_identity.public_key_thumbprint, provider.id, "echo", **more
    )  # type: ignore[arg-type]
    contract = consumer.propose(content(GROUP, grant))
    until(
        lambda: contract.state() == "valid" and provider.contracts[contract.hash].state() == "valid",
        "signed by both",
    )
    return contract, next(iter(contract.grants()))


def test_two_peers_agree_and_a_call_passes(make_peer: Make) -> None:
    consumer, provider = pair(make_peer)
    _, grant = agreed(consumer, provider)
    answer = consumer.call(grant, provider.manager_address, "GET", "/a/b?c=%2F")
    assert answer.status == 200
    seen = json.loads(answer.body)
    assert seen["target"] == "/a/b?c=%2F"
    mine, theirs = consumer.log[0], provider.log[0]
    assert (mine["direction"], theirs["direction"]) == ("DIRECTION_OUTGOING", "DIRECTION_INCOMING")
    assert mine["transaction_id"] == theirs["transaction_id"]
    logs = json.loads(consumer.ask("GET", provider.manager_address + "/v1/logs").body)
    assert [one["transaction_id"] for one in logs["records"]] == [mine["transaction_id"]]


def test_a_revoked_contract_gives_no_token(make_peer: Make) -> None:
    consumer, provider = pair(make_peer)
    contract, grant = agreed(consumer, provider)
    assert [answer.status for answer in provider.say(contract.hash, "revoke")] == [201]
    assert contract.state() == "revoked"
    answer = consumer.outway.token(grant, provider.manager_address)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_grant")


def test_a_token_works_only_with_its_certificate(make_peer: Make) -> None:
    consumer, provider = pair(make_peer)
    _, grant = agreed(consumer, provider)
    token = consumer.outway.access(grant, provider.manager_address)
    stolen = consumer.outway.send(token, identity=consumer.signing)
    assert (stolen.status, stolen.header("Fsc-Error-Code")) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")


def test_what_is_published_is_listed(make_peer: Make) -> None:
    consumer, directory = pair(make_peer)
    contract = consumer.propose(content(GROUP, publication(directory.id, consumer.id, "echo")))
    until(lambda: contract.state() == "valid", "signed by the directory")
    listed = json.loads(consumer.ask("GET", directory.manager_address + "/v1/services").body)
    assert [one["data"]["name"] for one in listed["services"]] == ["echo"]


def test_refusals_bear_the_codes_of_section_4_4_5_3(make_peer: Make) -> None:
    consumer, provider = pair(make_peer)
    thumbprint = consumer.outway_identity.public_key_thumbprint
    good = content(GROUP, connection(consumer.id, thumbprint, provider.id, "echo"))
    other = content(GROUP, connection(consumer.id, thumbprint, provider.id, "echo"))

    def code(answer: object) -> str | None:
        assert answer.status == 422  # type: ignore[attr-defined]
        return answer.header("Fsc-Error-Code")  # type: ignore[attr-defined,no-any-return]

    url = provider.manager_address
    assert code(consumer.submit({**good, "group_id": "x"}, url)) == "ERROR_CODE_INCORRECT_GROUP_ID"
    assert code(consumer.submit({**good, "fsc_version": "1.1.2"}, url)) == "ERROR_CODE_UNKNOWN_FSC_VERSION"
    assert code(consumer.submit(good, url, signature=consumer.statement(other))) == (
        "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH"
    )
    none = jose.unsigned(consumer.statement(good))
    assert code(consumer.submit(good, url, signature=none)) == "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE"
    stranger = consumer.authority.issue(consumer.id, consumer.name, ["x.test"])
    assert code(consumer.submit(good, url, signature=consumer.statement(good, identity=stranger))) == (
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED"
    )
    assert (
        code(consumer.put("reject", good, url, hash_=content_hash(other)))
        == "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH"
    )


def test_it_misbehaves_once_and_then_works_again(make_peer: Make) -> None:
    asker, other = make_peer(), make_peer()
    url = other.manager_address + "/v1/peer"
    for step, expected in ((garbage, BadMessage), (drops, EOFError)):
        other.manager.script.then(step)
        with pytest.raises(expected):
            asker.ask("GET", url)
    other.manager.script.then(fails(503)).then(garbled_json).then(slowly(0.01))
    assert [asker.ask("GET", url).status for _ in range(3)] == [503, 200, 200]
    assert json.loads(asker.ask("GET", url).body)["peer_id"] == other.id


def test_a_certificate_of_another_anchor_does_not_come_in(make_peer: Make, foreign: Authority) -> None:
    peer = make_peer()
    stranger = foreign.issue(peer.id, "Vreemde", ["v.test"])
    with pytest.raises((OSError, EOFError)):
        peer.ask("GET", peer.manager_address + "/v1/peer", identity=stranger)


def test_framing_that_two_readers_take_differently_is_refused(make_peer: Make) -> None:
    peer = make_peer()
    for lengths in (
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"X: a\n",
    ):
        with Caller(peer.inway_address, peer.outway_identity, peer.authority) as caller:
            caller.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + lengths + b"\r\n0\r\n\r\n")
            assert caller.answer().status == 400
