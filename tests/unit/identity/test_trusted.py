"""Reading a log by assertion: who is not believed reads nothing. Tokens that an attacker makes are made with joserfc, not
with the product."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import RSAKey
from tests.unit.identity.logs import ANN, BOB, HIGH, NOW, PROVIDER, Group, Node, peer, ring

from sluis.crypto import FileKeyStore
from sluis.identity.tokens import Tokens
from sluis.kernel import new_trace_id

LOW = "http://eidas.europa.eu/LoA/low"
SECONDS = int(NOW.timestamp())
RELAY = peer(3)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path, 2)
    yield made
    made.closing.close()


@pytest.fixture(scope="module")
def stranger() -> RSAKey:
    """A key that nobody trusts."""
    return RSAKey.generate_key(2048)


TRACE = new_trace_id()


async def read(node: Node, token: str | None, **body: Any) -> tuple[int, int]:
    """What comes of reading with this: status, and how many lines."""
    reply = await node.read(RELAY, token, body or {"traceId": TRACE})
    return reply.status, len(reply.json["processingActivities"]) if reply.status == 200 else 0


@pytest.fixture
async def node(group: Group) -> Node:
    for whom in (ANN, BOB):
        await group.nodes[0].log(TRACE, whom)
        await group.nodes[0].log(new_trace_id(), whom)
    return group.nodes[0]


class Issuer:
    """Makes tokens by hand, signed with a key of the real provider or of nobody."""

    def __init__(self, group: Group, node: Node) -> None:
        self.key = RSAKey.import_key(group.provider._signing.current.raw.as_dict(private=True))
        self.kid = group.provider._signing.current.kid
        opening = node.tokens._opening.current
        self.reader, self.reader_kid = RSAKey.import_key(opening.raw.as_dict(private=False)), opening.kid
        self.audience = f"urn:nld:oin:{node.peer!s}"

    def sealed(self, value: str = ANN[1], jti: str = "j-1", **changed: Any) -> str:
        header = {"alg": "RSA-OAEP", "enc": "A256GCM", "typ": "JWT", "kid": self.reader_kid} | changed
        content = json.dumps({"sub": value, "jti": jti}).encode()
        return str(jwe.encrypt_compact(header, content, self.reader, algorithms=["RSA-OAEP", "A256GCM"]))

    def made(self, key: RSAKey | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        claims: dict[str, Any] = {
            "iss": PROVIDER, "aud": self.audience, "sub": "p", "acr": HIGH, "auth_time": SECONDS, "iat": SECONDS,
            "exp": SECONDS + 120, "jti": "j-1",
            "alt_sub": [{"aud": self.audience, "sub": self.sealed(), "sub_id_type": "urn:nl-eid-gdi:1.0:id:BSN"}],
        }  # fmt: skip
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        told = {"alg": "RS256", "typ": "subject-assertion+jwt", "kid": self.kid} | (header or {})
        return str(jwt.encode(told, claims, key or self.key, algorithms=["RS256", "PS256", "HS256"]))


@pytest.fixture
def issuer(group: Group, node: Node) -> Issuer:
    return Issuer(group, node)


async def test_one_made_by_hand_as_agreed_is_believed(node: Node, issuer: Issuer) -> None:
    assert await read(node, issuer.made()) == (200, 1)


async def test_trace_and_subject_must_both_match(group: Group, node: Node) -> None:
    assert await read(node, group.assertion(node)) == (200, 1)
    assert await read(node, group.assertion(node), traceId=new_trace_id()) == (200, 0)
    theirs = {"traceId": TRACE, "dpl.core.data_subject_id": BOB[1]}
    assert await read(node, group.assertion(node), **theirs) == (200, 0)


async def test_a_relay_reads_no_more_than_the_trace_that_it_follows(group: Group, node: Node) -> None:
    token = group.assertion(node)
    assert await read(node, token, **{"dpl.core.data_subject_id": ANN[1]}) == (400, 0)
    assert await read(node, token) == (200, 1)  # and it was not spent on that


async def test_a_node_that_merely_says_who_it_is_about_is_not_believed(node: Node) -> None:
    assert await read(node, None, **{"traceId": TRACE, "dpl.core.data_subject_id": ANN[1]}) == (403, 0)
    for token in ("", "x", ANN[1], "a.b.c", json.dumps({"sub": ANN[1]})):
        assert await read(node, token) == (401, 0)


async def test_an_assertion_is_used_once_also_over_a_restart(group: Group, node: Node) -> None:
    token = group.assertion(node)
    assert (await read(node, token))[0] == 200
    assert await read(node, token) == (401, 0)
    group.pass_(100)
    assert await read(node, token) == (401, 0)


async def test_an_assertion_for_another_organisation_is_not_believed(group: Group, node: Node) -> None:
    assert await read(node, group.assertion(group.nodes[1])) == (401, 0)


async def test_a_level_that_is_too_low_is_told_apart(group: Group, node: Node) -> None:
    for acr in (LOW, "local", "http://eidas.europa.eu/LoA/HIGH"):
        assert await read(node, group.assertion(node, acr=acr)) == (403, 0)


async def test_one_that_is_over_or_not_good_yet_is_not_believed(group: Group, node: Node) -> None:
    token = group.assertion(node)
    group.pass_(-3600)
    assert await read(node, token) == (401, 0)
    group.pass_(7200)
    assert await read(node, token) == (401, 0)


async def test_an_issuer_that_is_not_named_is_not_believed_whatever_it_says_it_is(
    group: Group, node: Node, tmp_path: Path
) -> None:
    evil = "https://evil.example", FileKeyStore(tmp_path / "evil")
    other = Tokens(*evil, ring("signing", "sig"), ring("opening-2", "enc"), group.clock)
    group.provider = other
    assert await read(node, group.assertion(node)) == (401, 0)
    other.issuer = PROVIDER
    assert await read(node, group.assertion(node)) == (401, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"iss": PROVIDER + "/"}, {"iss": None}, {"iss": [PROVIDER]},
        {"aud": f"urn:nld:oin:{peer(1)!s}"}, {"aud": str.__str__(peer(0))}, {"aud": None}, {"aud": []},
        {"exp": SECONDS - 61}, {"exp": None}, {"exp": "never"}, {"exp": SECONDS + 301}, {"iat": SECONDS + 61},
        {"iat": None}, {"nbf": SECONDS + 61}, {"jti": None}, {"jti": 5}, {"jti": "j-2"}, {"acr": None}, {"acr": 5},
        {"auth_time": None}, {"alt_sub": None}, {"alt_sub": []}, {"alt_sub": ANN[1]}, {"sub": None},
        {"alt_sub": [{"aud": f"urn:nld:oin:{peer(0)!s}", "sub": ANN[1], "sub_id_type": "urn:nl-eid-gdi:1.0:id:BSN"}]},
    ],
    ids=str,
)  # fmt: skip
async def test_a_claim_that_is_not_right_makes_it_worth_nothing(
    node: Node, issuer: Issuer, changed: dict[str, Any]
) -> None:
    assert await read(node, issuer.made(**changed)) == (401, 0)


async def test_the_number_of_another_assertion_cannot_be_put_in_this_one(node: Node, issuer: Issuer) -> None:
    stolen = issuer.sealed(BOB[1], jti="of-another")
    listed = [{"aud": issuer.audience, "sub": stolen, "sub_id_type": "urn:nl-eid-gdi:1.0:id:BSN"}]
    assert await read(node, issuer.made(alt_sub=listed)) == (401, 0)


async def test_the_number_of_a_company_reads_no_lines_of_a_person_with_the_same_digits(
    node: Node, issuer: Issuer
) -> None:
    listed = [{"aud": issuer.audience, "sub": issuer.sealed(), "sub_id_type": "urn:nl-eid-gdi:1.0:id:RSIN"}]
    assert await read(node, issuer.made(alt_sub=listed)) == (200, 0)


async def test_an_assertion_for_a_request_reads_nothing(node: Node, issuer: Issuer) -> None:
    assert await read(node, issuer.made(purpose="urn:sluis:request:0000-0000-0000")) == (401, 0)


@pytest.mark.parametrize("kind", ["Pseudonym", "OIN"])
async def test_another_kind_of_number_reads_nothing(node: Node, issuer: Issuer, kind: str) -> None:
    listed = [
        {"aud": issuer.audience, "sub": issuer.sealed(), "sub_id_type": f"urn:nl-eid-gdi:1.0:id:{kind}"}
    ]
    assert await read(node, issuer.made(alt_sub=listed)) == (401, 0)


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"typ": "at+jwt"}, {"alg": "PS256", "kid": "other"}, {"kid": "other"}], ids=str
)
async def test_another_kind_of_token_is_no_assertion(
    node: Node, issuer: Issuer, header: dict[str, Any]
) -> None:
    assert await read(node, issuer.made(header=header)) == (401, 0)


async def test_a_key_of_nobody_signs_nothing(node: Node, issuer: Issuer, stranger: RSAKey) -> None:
    assert await read(node, issuer.made(key=stranger)) == (401, 0)
    head, body, _ = issuer.made().split(".")
    assert await read(node, f"{head}.{body}.") == (401, 0)
