"""From what is declared to the grants of a contract. Organisations are fictitious."""

from typing import Any

import pytest

from sluis.gateway.applying.rules import connection_grant, publication_grant
from sluis.gateway.documents import Connection, Publication, missing, read
from sluis.gateway.properties import EXTERNAL_CONNECTION, EXTERNAL_PUBLICATION
from sluis.kernel import PeerId

OWN, OTHER, DIRECTORY = (PeerId(f"0000000000000000000{number}") for number in (1, 2, 3))
KNOWN = {"uwv": OTHER}

EXTERNAL = """  externalContract:
    reference: https://contracten.voorbeeld.nl/1
    delegatorId: "00000000000000000009"
    delegatorName: Dienst Voorbeeld (fictief)
"""
AGREED = {
    "reference": "https://contracten.voorbeeld.nl/1",
    "delegator_id": "00000000000000000009",
    "delegator_name": "Dienst Voorbeeld (fictief)",
}
INSTEAD = "  alternative: { peer: uwv, name: loon-reserve }\n"


def grant(kind: str, spec: str) -> dict[str, Any]:
    text = f"apiVersion: sluis/v1\nkind: {kind}\nmetadata: {{ name: loon }}\nspec:\n{spec}"
    declared, problems = read(text, "x.yaml")
    assert problems == ()
    wanted = declared[0].spec
    if isinstance(wanted, Connection):
        return connection_grant(wanted, OWN, "0" * 64, KNOWN)
    assert isinstance(wanted, Publication)
    return publication_grant(wanted, OWN, DIRECTORY, KNOWN)


@pytest.mark.parametrize(
    ("kind", "spec", "key"),
    [
        ("Connection", "  service: { peer: uwv, name: loon }\n", EXTERNAL_CONNECTION),
        ("Publication", "  service: loon\n", EXTERNAL_PUBLICATION),
    ],
)
def test_an_external_contract_stands_in_the_grant_under_the_name_for_its_type(
    kind: str, spec: str, key: str
) -> None:
    assert grant(kind, spec + EXTERNAL)["properties"] == {key: AGREED}
    assert "properties" not in grant(kind, spec)


def test_an_alternative_stands_in_the_grant_with_the_peer_id() -> None:
    made = grant("Connection", "  service: { peer: uwv, name: loon }\n  properties: { a: 1 }\n" + INSTEAD)
    assert made["properties"] == {
        "a": 1,
        "sluis.alternative": {"peer_id": str(OTHER), "service": "loon-reserve"},
    }


def test_what_is_delegated_in_two_ways_or_to_nobody_is_refused() -> None:
    head = "apiVersion: sluis/v1\nkind: Connection\nmetadata: { name: loon }\nspec:\n"
    spec = "  service: { peer: uwv, name: loon }\n"

    def codes(text: str) -> list[str]:
        return [problem.code for problem in missing(read(text, "x")[0], KNOWN)]

    assert codes(head + spec + EXTERNAL) == []
    assert codes(head + spec + EXTERNAL + "  delegator: uwv\n") == ["delegated-twice"]
    assert codes(head + spec + INSTEAD.replace("uwv", "niemand")) == ["unknown-organisation"]
