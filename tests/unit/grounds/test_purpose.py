"""What a contract says about why data may move."""

import msgspec
import pytest
from tests.unit.grounds.examples import ACTIVITY_ID, OWNER, dataset, disclosure

from sluis.grounds import PROPERTY, Disclosure, Offer, make_offer, purpose_of, purpose_properties
from sluis.kernel import Invalid


def offer(**changes: object) -> Offer:
    rules: Disclosure = msgspec.structs.replace(disclosure(), **changes)
    return make_offer(OWNER, "dienst", dataset(), rules)


def test_a_purpose_survives_the_json_of_a_contract() -> None:
    properties = msgspec.json.decode(msgspec.json.encode(purpose_properties(ACTIVITY_ID, [offer()])))
    purpose = purpose_of(properties)
    assert purpose is not None
    assert purpose.activity == ACTIVITY_ID
    assert purpose.covers(ACTIVITY_ID, offer().disclosure.id, offer().digest)


def test_the_same_wish_is_the_same_text_whatever_its_order() -> None:
    two = [offer(), offer(id="another")]
    assert purpose_properties(ACTIVITY_ID, two) == purpose_properties(ACTIVITY_ID, [*reversed(two), two[0]])


def test_a_rule_that_changed_is_not_covered() -> None:
    purpose = purpose_of(purpose_properties(ACTIVITY_ID, [offer()]))
    assert purpose is not None
    changed = offer(rows="jaar >= 2000")
    assert changed.disclosure.id == offer().disclosure.id
    assert not purpose.covers(ACTIVITY_ID, changed.disclosure.id, changed.digest)


def test_another_activity_is_not_covered() -> None:
    purpose = purpose_of(purpose_properties(ACTIVITY_ID, [offer()]))
    assert purpose is not None
    assert not purpose.covers(
        "https://register.voorbeeld.nl/schuldhulp", offer().disclosure.id, offer().digest
    )


@pytest.mark.parametrize("properties", [None, {}, {"delegation.connection.external_contract_reference": {}}])
def test_a_grant_without_a_purpose_has_none(properties: dict[str, object] | None) -> None:
    assert purpose_of(properties) is None


@pytest.mark.parametrize(
    "purpose",
    [
        None,
        "bijstand",
        {"activity": ACTIVITY_ID},
        {"activity": ACTIVITY_ID, "disclosures": []},
        {"activity": "no uri", "disclosures": [{"id": "a", "digest": "sha256:" + "0" * 64}]},
        {"activity": ACTIVITY_ID, "disclosures": [{"id": "a", "digest": "0" * 64}]},
        {"activity": ACTIVITY_ID, "disclosures": [{"id": "a", "digest": "sha256:" + "0" * 64, "rows": "true"}]},
        {"activity": ACTIVITY_ID, "disclosures": [{"id": "a", "digest": "sha256:" + "0" * 64}], "extra": 1},
    ],
)  # fmt: skip
def test_what_is_no_purpose_is_refused_and_not_half_believed(purpose: object) -> None:
    with pytest.raises(Invalid, match="purpose"):
        purpose_of({PROPERTY: purpose})
