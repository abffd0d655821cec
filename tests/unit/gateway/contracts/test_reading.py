"""Reading contracts: strictly, within bounds, and hashed as they were received (FSC Core 2.0.0, JSON; hashes)."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    OWNER,
    PRINCIPAL,
    PROVIDER,
    THUMBPRINT,
    as_json,
    by_key,
    connection,
    content,
    delegated_connection,
    delegated_publication,
    hashes,
    of_another,
    publication,
)

from sluis.gateway.contracts import (
    MAX_BODY,
    Grant,
    OutwayId,
    content_hash,
    grant_hash,
    is_hash,
    plain_hash,
    read_content,
    read_submission,
)
from sluis.gateway.faults import FscProblem
from sluis.kernel import PeerId

EXAMPLE = {
    "fsc_version": "2.0.0",
    "iv": "06338364-8305-7b74-8000-de4963503139",
    "group_id": "fsc-example-group",
    "validity": {"not_before": 1672527600, "not_after": 1704063600},
    "grants": [
        {
            "data": {
                "type": "GRANT_TYPE_SERVICE_CONNECTION",
                "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": PROVIDER, "name": "example-service"},
                "outway": {"peer_id": CONSUMER, "identification": by_key()},
            }
        }
    ],
    "hash_algorithm": "HASH_ALGORITHM_SHA3_512",
    "created_at": 1672527600,
}
"""The example of the standard, with what 2.0.0 added. Its hashes below were worked out apart from this code."""

EXAMPLE_HASH = "$1$1$ia278mmEEX5QvMZfatwQW1F3gm0jOFrh1sQN4Pc3lBtunVH9Vl-JMMJOc_9Xonzw1EuHhWD2tGspmMVGxMnGjQ"
EXAMPLE_GRANT = "$1$3$53nGkZldmXI7-3R-W1yeSFywZ3Y162RR0wArpDtUk-yyClOIDxbVw_8-eCaPLROc18atdUtXJbuROylbP-etXg"


def refusal(json: bytes) -> FscProblem:
    with pytest.raises(FscProblem) as refused:
        read_content(json)
    return refused.value


def changed(path: str, value: Any) -> dict[str, Any]:
    """The content of one connection with another value somewhere; `...` takes the member out."""
    made = content()
    *steps, last = path.split(".")
    target: Any = made
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    if value is ...:
        del target[last]
    else:
        target[int(last) if last.isdigit() else last] = value
    return made


def test_the_example_has_the_hashes_of_the_standard() -> None:
    read = read_content(as_json(EXAMPLE))
    assert (read.hash, [grant.hash for grant in read.grants]) == (EXAMPLE_HASH, [EXAMPLE_GRANT])
    assert (
        content_hash(EXAMPLE),
        grant_hash(EXAMPLE_HASH, EXAMPLE["grants"][0]["data"], "GRANT_TYPE_SERVICE_CONNECTION"),
    ) == (EXAMPLE_HASH, EXAMPLE_GRANT)  # type: ignore[index]


GRANTS = [
    connection(),
    delegated_connection(),
    of_another(connection()),
    of_another(delegated_connection()),
    publication(),
    delegated_publication(),
]
_KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cn"]), max_size=8).map(
    lambda name: f"x{name}"
)
_FREE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(value[name], chance) for name in chance.sample(list(value), len(value))}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(GRANTS),
    st.dictionaries(_KEYS, _FREE, max_size=3),
    st.dictionaries(_KEYS, _FREE, max_size=3),
)
def test_every_hash_is_what_an_independent_reckoning_gives(
    grant: dict[str, Any], unknown: dict[str, Any], properties: dict[str, Any]
) -> None:
    made = content({**grant, **unknown, "properties": properties}, **unknown)
    read = read_content(as_json(made))
    assert (read.hash, [one.hash for one in read.grants]) == hashes(made)
    assert read.grants[0].properties == properties


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([None, 0, 3, "\t"]), st.booleans())
def test_order_and_white_space_and_escapes_do_not_matter(
    chance: random.Random, indent: Any, escaped: bool
) -> None:
    made = content(
        connection(properties={"doel": "é\u20ac", "b": [1, {"z": 1, "a": 2}]}), delegated_connection()
    )
    other = json.dumps(shuffled(made, chance), indent=indent, ensure_ascii=escaped).encode()
    read = read_content(other)
    assert read.json == other
    assert (read.hash, [one.hash for one in read.grants]) == hashes(made)


def test_the_order_of_grants_matters() -> None:
    one, two = connection(), connection("adressen")
    iv = content()["iv"]
    first, second = (read_content(as_json(content(*pair, iv=iv))) for pair in ((one, two), (two, one)))
    assert first.hash != second.hash
    assert {grant.hash for grant in first.grants}.isdisjoint({grant.hash for grant in second.grants})


@pytest.mark.parametrize(
    "path", ["own", "validity.own", "grants.0.own", "grants.0.data.own", "grants.0.data.service.own"]
)
def test_an_unknown_member_is_kept_and_counts(path: str) -> None:
    plain, more = content(), content()
    more["iv"] = plain["iv"]
    target: Any = more
    *steps, last = path.split(".")
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    target[last] = None
    with_member = read_content(as_json(more))
    assert with_member.hash == hashes(more)[0] != read_content(as_json(plain)).hash
    assert json.loads(with_member.json) == more


def test_a_grant_says_who_and_what() -> None:
    made = content(of_another(delegated_connection()))
    grant = read_content(as_json(made)).grants[0]
    assert grant == Grant(
        "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION",
        hashes(made)[1][0],
        PeerId(PROVIDER),
        "personen",
        outway=OutwayId(PeerId(CONSUMER), THUMBPRINT),
        service_delegator=PeerId(OWNER),
        delegator=PeerId(PRINCIPAL),
    )


def test_an_outway_may_be_known_by_a_domain_name() -> None:
    named = {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "outway.Voorbeeld.nl"}
    grant = read_content(as_json(changed("grants.0.data.outway.identification", named))).grants[0]
    assert grant.outway == OutwayId(PeerId(CONSUMER), None, "outway.Voorbeeld.nl")


def test_no_properties_is_not_the_same_as_none_of_them() -> None:
    without, empty = (read_content(as_json(made)) for made in (content(), content(connection(properties={}))))
    assert (without.grants[0].properties, empty.grants[0].properties) == (None, {})


INVALID = "ERROR_CODE_CONTRACT_INVALID"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("iv", ...), ("iv", ""), ("iv", "06338364-8305-7b74-8000-de496350313"), ("iv", "06338364-8305-7b74-8000-de4963503139\n"),
        ("iv", "g6338364-8305-7b74-8000-de4963503139"), ("iv", 7), ("iv", None),
        ("group_id", ...), ("group_id", 1), ("group_id", "g" * 256),
        ("validity", ...), ("validity", []), ("validity.not_before", ...), ("validity.not_after", ...),
        ("validity.not_before", "1672527600"), ("validity.not_before", -1), ("validity.not_after", True),
        ("validity.not_after", 1672527600.5), ("validity.not_after", None),
        ("validity.not_after", 253_402_300_800), ("created_at", 2**53 - 1),
        ("created_at", ...), ("created_at", -1), ("created_at", "nu"),
        ("grants", ...), ("grants", []), ("grants", {}), ("grants", None), ("grants.0", connection()), ("grants.0.data", []),
        ("grants.0.data.type", ...), ("grants.0.data.type", "GRANT_TYPE_UNSPECIFIED"), ("grants.0.data.type", 2),
        ("grants.0.data.service", ...), ("grants.0.data.service.type", ...), ("grants.0.data.service.type", "SERVICE"),
        ("grants.0.data.service.peer_id", ...), ("grants.0.data.service.peer_id", "1"),
        ("grants.0.data.service.peer_id", 1), ("grants.0.data.service.peer_id", PROVIDER + "\n"),
        ("grants.0.data.service.peer_id", "٠" * 20),
        ("grants.0.data.service.name", ...), ("grants.0.data.service.name", ""), ("grants.0.data.service.name", "a b"),
        ("grants.0.data.service.name", "a/b"), ("grants.0.data.service.name", "n" * 101), ("grants.0.data.service.name", "a\n"),
        ("grants.0.data.outway", ...), ("grants.0.data.outway.peer_id", ...), ("grants.0.data.outway.peer_id", ""),
        ("grants.0.data.outway.identification", ...), ("grants.0.data.outway.identification", {}),
        ("grants.0.data.outway.identification.type", "X"),
        ("grants.0.data.properties", []), ("grants.0.data.properties", None), ("grants.0.data.properties", "{}"),
        ("grants.0.data.service.delegator", {"peer_id": OWNER}), ("grants.0.data.service.delegator", None),
        ("grants.0.data.delegator", {"peer_id": PRINCIPAL}), ("grants.0.data.delegator", None),
    ],
)  # fmt: skip
def test_a_member_that_is_missing_or_wrong_is_named(path: str, value: Any) -> None:
    problem = refusal(as_json(changed(path, value)))
    assert (problem.fsc_code, problem.status, problem.code) == (INVALID, 422, "contract-member-wrong")
    named = problem.why.en.split("'")[1].replace("[", ".").replace("]", "").replace("...", "0")
    assert named
    assert path.startswith(named) or named.startswith(path)


@pytest.mark.parametrize(
    ("grant", "member"),
    [
        (publication() | {"directory": {}}, "directory.peer_id"),
        (publication() | {"service": {"peer_id": PROVIDER, "name": "a"}}, "service.protocol"),
        (publication() | {"service": {"peer_id": PROVIDER, "name": "a", "protocol": "FTP"}}, "service.protocol"),
        (publication() | {"delegator": {"peer_id": PRINCIPAL}}, "delegator"),
        (delegated_connection() | {"delegator": {}}, "delegator.peer_id"),
        ({name: member for name, member in delegated_connection().items() if name != "delegator"}, "delegator"),
        ({name: member for name, member in delegated_publication().items() if name != "delegator"}, "delegator"),
        (connection() | {"service": of_another(connection())["service"] | {"type": "SERVICE_TYPE_SERVICE"}}, "service.delegator"),
        (connection() | {"service": connection()["service"] | {"type": "SERVICE_TYPE_DELEGATED_SERVICE"}}, "service.delegator"),
    ],
)  # fmt: skip
def test_each_type_of_grant_has_its_own_members(grant: dict[str, Any], member: str) -> None:
    assert f"data.{member}'" in refusal(as_json(content(grant))).why.en


@pytest.mark.parametrize(
    "identification",
    [
        {"public_key_thumbprint": THUMBPRINT.upper()},
        {"public_key_thumbprint": THUMBPRINT[:-1]},
        {"public_key_thumbprint": THUMBPRINT + "\n"},
        {"public_key_thumbprint": ""},
        {},
    ],
)
def test_a_public_key_thumbprint_is_64_lower_case_hex_digits(identification: dict[str, str]) -> None:
    named = {"type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", **identification}
    problem = refusal(as_json(changed("grants.0.data.outway.identification", named)))
    assert (problem.fsc_code, problem.status) == ("ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT", 422)


@pytest.mark.parametrize(
    "identification",
    [
        {**by_key(), "domain_name": "outway.voorbeeld.nl"},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "voorbeeld.nl", "public_key_thumbprint": THUMBPRINT},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME"},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "*.voorbeeld.nl"},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": ""},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "a." * 127 + "nl"},
        {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "voorbeeld.nl\n"},
    ],
)  # fmt: skip
def test_an_outway_is_known_in_one_way(identification: dict[str, str]) -> None:
    assert (
        refusal(as_json(changed("grants.0.data.outway.identification", identification))).fsc_code == INVALID
    )


@pytest.mark.parametrize("version", [..., None, "1.0.0", "2.0", "2.0.1", 2])
def test_another_version_of_fsc_is_refused_by_name(version: Any) -> None:
    problem = refusal(as_json(changed("fsc_version", version)))
    assert (problem.fsc_code, problem.status) == ("ERROR_CODE_UNKNOWN_FSC_VERSION", 422)


@pytest.mark.parametrize("algorithm", [..., None, "HASH_ALGORITHM_UNSPECIFIED", "SHA3-512", 1])
def test_another_hash_algorithm_is_refused_by_name(algorithm: Any) -> None:
    problem = refusal(as_json(changed("hash_algorithm", algorithm)))
    assert (problem.fsc_code, problem.status) == ("ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH", 422)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"created_at"', '"group_id":"x","created_at"'),
        lambda text: text.replace('"fsc-voorbeeld"', '"\\ud800"'),
        lambda text: text.replace('"created_at": ', '"own": 9007199254740993, "created_at": '),
        lambda text: text.replace('"created_at": ', '"own": NaN, "created_at": '),
        lambda text: text[:-1],
        lambda text: text + " x",
        lambda text: '{"own": ' + "[" * 40 + "]" * 40 + "," + text[1:],
    ],
)
def test_json_that_reads_differently_elsewhere_is_refused(damage: Any) -> None:
    problem = refusal(damage(as_json(content()).decode()).encode())
    assert (problem.fsc_code, problem.status, problem.code) == (
        "ERROR_CODE_MALFORMED_REQUEST",
        400,
        "not-i-json",
    )


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"x"'])
def test_a_content_is_an_object(text: bytes) -> None:
    assert refusal(text).fsc_code == "ERROR_CODE_MALFORMED_REQUEST"


def test_properties_and_contents_are_bounded() -> None:
    most = connection(properties={"x": "a" * (2**20 - len('{"x":""}'))})
    assert read_content(as_json(content(most))).grants[0].properties is not None
    more = connection(properties={"x": "a" * (2**20 - len('{"x":""}') + 1)})
    assert refusal(as_json(content(more))).why.en.startswith("The field 'grants[0].data.properties'")
    assert refusal(as_json(content(own="a" * 2 * 2**20))).code == "contract-too-large"


def test_grants_are_bounded_and_each_stands_there_once() -> None:
    many = [connection(f"dienst-{number}") for number in range(101)]
    assert len(read_content(as_json(content(*many[:100]))).grants) == 100
    assert refusal(as_json(content(*many))).fsc_code == INVALID
    assert "grants[1]" in refusal(as_json(content(connection(), connection()))).why.en


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | _FREE.map(as_json))
def test_no_bytes_make_reading_fail_otherwise(raw: bytes) -> None:
    for read in (read_content, read_submission):
        with pytest.raises(FscProblem):
            read(raw)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_value_in_any_place_makes_reading_fail_otherwise(data: st.DataObject) -> None:
    made = content(data.draw(st.sampled_from(GRANTS)))
    target: Any = made
    while True:
        place = data.draw(
            st.sampled_from(list(target) if isinstance(target, dict) else list(range(len(target))))
        )
        if not isinstance(target[place], dict | list) or not target[place] or data.draw(st.booleans()):
            break
        target = target[place]
    target[place] = data.draw(_FREE | st.floats(allow_nan=False, allow_infinity=False))
    try:
        assert read_content(as_json(made)).hash == content_hash(made)
    except FscProblem as problem:
        told = (problem.status, problem.body())
        assert told[0] in (400, 422)


def submitted(**members: Any) -> bytes:
    return as_json(members)


@pytest.mark.parametrize("name", ["content", "contract_content"])
def test_a_content_is_read_under_both_names_byte_for_byte(name: str) -> None:
    inner = b'{ "own" : 1.0,' + as_json(content())[1:]
    read = read_submission(b'{"signature": "a.b.c", "%s" : %s }' % (name.encode(), inner))
    assert (read.content.json, read.signature) == (inner, "a.b.c")
    assert read.content == read_content(inner)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        submitted(content=content()),
        submitted(signature="a.b.c"),
        submitted(signature=1, content=content()),
        submitted(signature="a.b.c", content=None),
        submitted(signature="a.b.c", content=content(), contract_content=content()),
        b'{"signature":"a","content":{},"content":{}}',
        b'{"signature":"a","content":{},"cont\\u0065nt":{}}',
    ],
)
def test_a_request_that_is_not_clear_is_refused(body: bytes) -> None:
    with pytest.raises(FscProblem) as refused:
        read_submission(body)
    assert (refused.value.fsc_code, refused.value.status) == ("ERROR_CODE_MALFORMED_REQUEST", 400)


def test_a_request_is_bounded_before_it_is_looked_at() -> None:
    with pytest.raises(FscProblem) as refused:
        read_submission(b" " * (MAX_BODY + 1))
    assert refused.value.code == "contract-too-large"


def test_a_hash_is_written_in_one_way() -> None:
    old = "$1$1$" + EXAMPLE_HASH[5:].translate({45: 43, 95: 47}) + "=="
    assert plain_hash(old) == plain_hash(EXAMPLE_HASH.replace("$", "%24")) == EXAMPLE_HASH
    assert is_hash(EXAMPLE_HASH)
    assert is_hash(EXAMPLE_GRANT)
    assert not any(
        map(is_hash, ("", EXAMPLE_HASH + "\n", old, EXAMPLE_HASH[1:], "$1$6$" + "A" * 86, "$2$1$" + "A" * 86))
    )


def test_a_problem_says_it_as_the_standard_asks() -> None:
    problem = refusal(as_json(changed("fsc_version", "1.0.0")))
    told = json.loads(problem.body())
    assert set(told) == {"message", "domain", "code"}
    assert (told["domain"], told["code"]) == ("ERROR_DOMAIN_MANAGER", "ERROR_CODE_UNKNOWN_FSC_VERSION")
    assert problem.headers() == {"Content-Type": "application/json", "Fsc-Error-Code": told["code"]}
