"""What is read in a grant's properties, and where it shows."""

from typing import Any

import msgspec
import pytest
from tests.unit.gateway.contracts.making import as_json, connection, content

from sluis.gateway.contracts import Grant, read_content
from sluis.gateway.operating.views import grant_view
from sluis.gateway.properties import (
    EXTERNAL_CONNECTION,
    EXTERNAL_PUBLICATION,
    alternative_of,
    external_contract,
)
from sluis.gateway.transactions import crossing_of

AGREED = {"reference": "R-1", "delegator_id": "00000000000000000009", "delegator_name": "Dienst (fictief)"}


def granted(**properties: Any) -> Grant:
    return read_content(as_json(content(connection(properties=properties)))).grants[0]


@pytest.mark.parametrize("key", [EXTERNAL_CONNECTION, EXTERNAL_PUBLICATION])
def test_every_line_of_the_transaction_log_has_the_external_contract_as_it_was_signed(key: str) -> None:
    additional = crossing_of(granted(**{key: AGREED, "other": 1})).additional
    assert additional is not None
    assert msgspec.json.decode(additional) == {key: AGREED}
    assert crossing_of(granted(other=1)).additional is None


def test_who_signs_sees_the_external_contract_and_the_alternative() -> None:
    instead = {"peer_id": "00000000000000000004", "service": "reserve"}
    seen = grant_view(granted(**{EXTERNAL_CONNECTION: AGREED, "sluis.alternative": instead}), str, {})
    assert seen.external_contract is not None
    assert (seen.external_contract.reference, seen.external_contract.delegator) == (
        "R-1",
        "00000000000000000009",
    )
    assert seen.alternative is not None
    assert (seen.alternative.peer, seen.alternative.service) == ("00000000000000000004", "reserve")


@pytest.mark.parametrize("wrong", [None, 1, "x", {}, {"reference": ""}, {**AGREED, "delegator_id": 1}])
def test_what_cannot_be_read_is_told_as_it_is_and_not_in_words(wrong: Any) -> None:
    seen = grant_view(granted(**{EXTERNAL_CONNECTION: wrong, "sluis.alternative": wrong}), str, {})
    assert (seen.external_contract, seen.alternative) == (None, None)
    assert seen.properties == {EXTERNAL_CONNECTION: wrong, "sluis.alternative": wrong}
    assert external_contract({EXTERNAL_CONNECTION: wrong}) is None
    assert alternative_of({"sluis.alternative": {"peer_id": "1" * 300, "service": "x"}}) is None
