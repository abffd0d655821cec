"""Which contracts are signed without asking. A rule signs only what it names."""

from typing import Any

import pytest
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    DIRECTORY,
    NOW,
    PRINCIPAL,
    PROVIDER,
    as_json,
    connection,
    content,
    delegated_connection,
    delegated_publication,
    publication,
)

from sluis.gateway.contracts import Contract, Signature, read_content
from sluis.gateway.manager import AutoSign
from sluis.gateway.manager.rules import offered_by, permits, question, roles_in, signs_itself
from sluis.gateway.properties import EXTERNAL_CONNECTION
from sluis.kernel import PeerId, convert

OWN = PeerId(PROVIDER)


def contract(*grants: dict[str, Any], **changes: Any) -> Contract:
    return Contract(read_content(as_json(content(*grants, **changes))))


def signed(given: Contract, *rules: AutoSign, own: PeerId = OWN, offered: bool = True) -> str | None:
    return signs_itself(given, own, rules, lambda name: offered)


FITS = AutoSign(
    "de regel", grants=("GRANT_TYPE_SERVICE_CONNECTION",), peers=(PeerId(CONSUMER),), services=("personen",)
)


def test_a_contract_that_fits_a_rule_is_signed_by_it() -> None:
    assert signed(contract(), FITS) == "de regel"


def test_without_rules_nothing_is_signed() -> None:
    assert signed(contract()) is None


@pytest.mark.parametrize(
    "rule",
    [
        {"grants": ["GRANT_TYPE_SERVICE_PUBLICATION"]},
        {"peers": ["00000000000000000009"]},
        {"services": ["loon"]},
        {"roles": ["outway"]},
        {"roles": []},
        {"days": 0},
        {"properties": {"activity": ["urn:a"]}},
    ],
)
def test_one_thing_that_does_not_fit_is_enough_not_to_sign(rule: dict[str, Any]) -> None:
    assert signed(contract(), convert({"name": "x", **rule}, AutoSign)) is None


def test_every_grant_must_fit_some_rule() -> None:
    two = contract(connection("personen"), connection("loon"))
    assert signed(two, FITS) is None
    assert signed(two, FITS, AutoSign("ook", services=("loon",))) == "de regel, ook"


def test_a_service_that_is_not_offered_is_not_signed_for() -> None:
    assert signed(contract(), FITS, offered=False) is None


@pytest.mark.parametrize(
    ("given", "allowed", "expected"),
    [
        ({"a": "x"}, {"a": ["x", "y"]}, True),
        ({"a": "z"}, {"a": ["x", "y"]}, False),
        ({"a": "x", "b": "more"}, {"a": ["x"]}, False),
        ({}, {"a": ["x"]}, False),
        ({"a": True}, {"a": [1]}, False),
        ({"a": [True]}, {"a": [[1]]}, False),
        ({"a": {"n": [1]}}, {"a": [{"n": [1]}]}, True),
    ],
)
def test_properties_must_be_just_what_a_rule_names(
    given: dict[str, Any], allowed: dict[str, list[Any]], expected: bool
) -> None:
    rule = AutoSign("x", properties=allowed)
    assert (signed(contract(connection(properties=given)), rule) is not None) is expected


def test_properties_may_be_left_as_they_are_only_when_a_rule_says_so() -> None:
    given = contract(connection(properties={"purpose": "anything"}))
    assert signed(given, FITS) is None
    assert signed(given, AutoSign("x", any_properties=True)) == "x"


def test_an_outway_known_by_name_alone_is_not_signed_for_unless_a_rule_says_so() -> None:
    outway = {
        "peer_id": CONSUMER,
        "identification": {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": "outway.example"},
    }
    given = contract(connection(outway=outway))
    assert signed(given, FITS) is None
    assert signed(given, AutoSign("x", by_domain_name=True)) == "x"


def test_a_rule_does_not_sign_for_a_part_that_it_does_not_name() -> None:
    # As outway or delegator this peer would bind itself to something that it did not ask for.
    assert signed(contract(), AutoSign("x"), own=PeerId(CONSUMER)) is None
    delegated = contract(delegated_connection())
    assert signed(delegated, AutoSign("x"), own=PeerId(PRINCIPAL)) is None
    assert signed(delegated, AutoSign("x", roles=("delegator",)), own=PeerId(PRINCIPAL)) == "x"


def test_a_directory_signs_publications() -> None:
    assert signed(contract(publication()), AutoSign("x"), own=PeerId(DIRECTORY), offered=False) == "x"


@pytest.mark.parametrize("directory", [CONSUMER, PROVIDER])
def test_nobody_makes_a_peer_publish_a_service(directory: str) -> None:
    # Who publishes proposes. Beside a publication of its own, another could have put one of ours in a directory.
    service = {"peer_id": CONSUMER, "name": "x", "protocol": "PROTOCOL_TCP_HTTP_1.1"}
    theirs = publication() | {"service": service, "directory": {"peer_id": PROVIDER}}
    ours = publication() | {"directory": {"peer_id": directory}}
    assert signed(contract(theirs), AutoSign("x")) == "x"
    assert signed(contract(theirs, ours), AutoSign("x")) is None
    assert signed(contract(ours), AutoSign("x", grants=("GRANT_TYPE_SERVICE_PUBLICATION",))) is None


def test_a_publication_on_behalf_of_another_is_signed_only_for_a_service_that_is_offered() -> None:
    given, rule = contract(delegated_publication()), AutoSign("x")
    assert (signed(given, rule), signed(given, rule, offered=False)) == ("x", None)


def test_the_length_of_a_contract_is_bounded_by_a_rule() -> None:
    day = contract(validity={"not_before": NOW, "not_after": NOW + 86_400})
    longer = contract(validity={"not_before": NOW, "not_after": NOW + 86_401})
    rule = AutoSign("x", days=1)
    assert (signed(day, rule), signed(longer, rule)) == ("x", None)


def test_roles_name_everything_a_peer_is() -> None:
    (grant,) = contract(delegated_connection()).content.grants
    assert [roles_in(grant, PeerId(peer)) for peer in (PROVIDER, CONSUMER, PRINCIPAL, DIRECTORY)] == [
        {"service"}, {"outway"}, {"delegator"}, set(),
    ]  # fmt: skip


def test_a_decision_point_is_told_who_and_what() -> None:
    given = contract(connection(properties={"activity": "urn:a"}))
    asked = question(given, OWN, PeerId(CONSUMER))
    assert asked["action"] == {"name": "autosign_contract"}
    assert asked["subject"]["id"] == CONSUMER
    assert asked["subject"]["properties"] == {"self_peer_id": PROVIDER, "peer_ids": [PROVIDER, CONSUMER]}
    assert asked["resource"]["id"] == given.content.hash
    assert asked["resource"]["properties"]["grant_types"] == [2]
    (described,) = asked["resource"]["properties"]["grants"]
    assert described["service_name"] == "personen"
    assert described["properties"] == {"activity": "urn:a"}
    assert asked["context"] == {"doelbinding": "auto_sign_contract"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"decision": True}, True), ({"decision": False}, False), ({"decision": "true"}, False), ({"decision": 1}, False),
     ({}, False), ([], False), (None, False), (True, False)],
)  # fmt: skip
def test_only_a_plain_yes_is_a_yes(answer: Any, expected: bool) -> None:
    assert permits(answer) is expected


def test_a_rule_for_any_properties_signs_no_external_contract_that_nobody_has_seen() -> None:
    reference = {"reference": "R-1", "delegator_id": "00000000000000000009", "delegator_name": "Dienst"}
    given = contract(connection(properties={EXTERNAL_CONNECTION: reference}))
    assert signed(given, AutoSign("x", any_properties=True)) is None
    assert signed(given, AutoSign("x", properties={EXTERNAL_CONNECTION: (reference,)})) == "x"


def brought(by: str, *accepted: str) -> Contract:
    """On behalf of the principal the provider is asked to let the consumer in; only the consumer may offer that here."""
    on_behalf = connection()
    service = {"type": "SERVICE_TYPE_DELEGATED_SERVICE", "delegator": {"peer_id": PRINCIPAL}}
    given = contract(on_behalf | {"service": on_behalf["service"] | service})
    signatures = tuple(Signature(PeerId(peer), "accept", "jws", NOW, "", NOW) for peer in accepted)
    return Contract(given.content, signatures, PeerId(by))


def test_whoever_brought_a_contract_offered_it() -> None:
    assert offered_by(brought(CONSUMER, PRINCIPAL, CONSUMER), OWN) == CONSUMER


def test_who_accepted_before_it_was_offered_did_not_offer_it() -> None:
    assert offered_by(brought(PRINCIPAL, PRINCIPAL), OWN) is None
    assert offered_by(brought(PRINCIPAL, PRINCIPAL, CONSUMER), OWN) == CONSUMER
