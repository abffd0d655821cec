"""From claims to who is there and for whom they act."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.identity.upstream.providers import BSN, ISSUER, OTHER_BSN, method

from sluis.identity.sessions import Established
from sluis.identity.upstream.claims import Reader
from sluis.kernel import Refused, is_simulator

KVK, OTHER_KVK, RSIN, VESTIGING = "90000003", "90000011", "123456782", "990000000061"
TYPE = "urn:nl-eid-gdi:1.0:id:"


def read(told: dict[str, Any], /, test: bool = False, **changed: Any) -> Established:
    """Who is there, by these claims of a way of signing in."""
    reader = Reader(method(**changed), lambda kind, value: f"{kind}-{value[-3:]}", test)
    return reader.established(
        {"sub": "onderwerp-1", **told}, "low", 1, {"anna@v.nl": ("anna", ("consulent",))}
    )


def company(told: dict[str, Any], /, **changed: Any) -> Established:
    return read(told, **{"audience": "company", "claims": {}, **changed})


def party(number: str, kind: str = "KvKnr", **more: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "sub": number, "sub_id_type": f"{TYPE}{kind}", **more}


def untold(read_them: Any) -> str:
    with pytest.raises(Refused) as refused:
        read_them()
    return f"{refused.value.code}: {refused.value.why.en}"


def test_a_bsn_stands_in_the_claim_of_the_settings() -> None:
    found = read({"urn:broker:bsn": BSN}, claims={"bsn": "urn:broker:bsn"})
    assert (found.kind, found.value) == ("BSN", BSN)


def test_a_subject_that_says_it_is_a_bsn_is_one_for_citizens_alone() -> None:
    claims = {"sub": BSN, "sub_id_type": f"{TYPE}BSN"}
    assert read(claims, claims={}).kind == "BSN"
    assert company({**claims, "represents": party(KVK)}).kind == "pseudonym"


def test_a_bsn_may_stand_inside_another_claim() -> None:
    claims = {"personen": [{"nummers/a": {"bsn": BSN}}]}
    assert read(claims, claims={"bsn": "/personen/0/nummers~1a/bsn"}).value == BSN
    for nowhere in ("/personen/1/x", "/personen/x", "/x/y", "/personen/0/nummers~1a/bsn/0"):
        assert "no valid BSN" in untold(lambda where=nowhere: read(claims, claims={"bsn": where}))


@pytest.mark.parametrize(
    "bsn", ["123456789", "99999001", "9999900199", "99999001x", "000000000", 999990019, None, "", "٩٩٩٩٩٠٠١٩"]
)
def test_what_is_no_bsn_identifies_nobody(bsn: Any) -> None:
    assert "no valid BSN" in untold(lambda: read({"bsn": bsn}))


def test_only_a_test_node_takes_test_numbers_that_fail_the_eleven_test() -> None:
    assert read({"bsn": "123456789"}, test=True).value == "123456789"
    assert "BSN" in untold(lambda: read({"bsn": "12345678x"}, test=True))


def test_a_pseudonym_is_of_its_issuer() -> None:
    found = read({}, claims={})
    assert (found.kind, found.value) == ("pseudonym", f"{ISSUER}|onderwerp-1")
    assert read({"p": "x"}, claims={"person": "p"}).value == f"{ISSUER}|x"


@pytest.mark.parametrize("person", [None, "", 7, "x" * 256])
def test_without_the_claim_for_the_person_nobody_is_there(person: Any) -> None:
    assert "claim with the person" in untold(lambda: read({"p": person}, claims={"person": "p"}))


def test_an_identifier_of_another_member_state_is_known_by_its_form() -> None:
    found = read({"p": "ES/NL/12345-a"}, claims={"person": "p"})
    assert (found.kind, found.value) == ("eidas", "ES/NL/12345-a")


def test_a_subject_of_that_form_is_nobody_from_another_member_state() -> None:
    """Or who may choose their own name at one provider is whoever they like of another."""
    found = read({"sub": "ES/NL/12345-a"}, claims={})
    assert (found.kind, found.value) == ("pseudonym", f"{ISSUER}|ES/NL/12345-a")


def test_an_official_is_who_the_settings_say_by_subject_and_never_by_name() -> None:
    staff: Any = {"audience": "staff", "claims": {"person": "upn", "name": "naam"}}
    found = read({"upn": "anna@v.nl", "naam": "Anna Proefstra"}, **staff)
    assert (found.kind, found.value, found.roles, found.name) == (
        "staff",
        "anna",
        ("consulent",),
        "Anna Proefstra",
    )
    for other in ("Anna@v.nl", "anna@v.nl ", "anna", None, 1):
        assert "unknown-official" in untold(
            lambda upn=other: read({"upn": upn, "naam": "Anna Proefstra"}, **staff)
        )


def test_an_official_represents_nobody() -> None:
    staff: Any = {"audience": "staff", "claims": {"person": "upn"}}
    assert read({"upn": "anna@v.nl", "represents": party(KVK)}, **staff).entity is None


def test_a_company_is_read_from_represents() -> None:
    found = company({"represents": party(KVK, name="Fictieve Bakkerij Proefstra")})
    assert (found.entity, found.entity_name) == (f"urn:nl:kvk:{KVK}", "Fictieve Bakkerij Proefstra")
    assert found.intermediary is None


def test_in_a_chain_the_deepest_is_served_and_the_middle_is_the_intermediary() -> None:
    found = company({"represents": party(KVK, represents=party(RSIN, "RSIN"))})
    assert (found.entity, found.intermediary) == (f"urn:nl:rsin:{RSIN}", f"urn:nl:kvk:{KVK}")


def test_a_longer_chain_is_refused_and_not_shortened() -> None:
    chain = party(KVK, represents=party(OTHER_KVK, represents=party(RSIN, "RSIN")))
    assert "more than one organisation" in untold(lambda: company({"represents": chain}))


def test_a_company_is_known_by_its_number_in_the_trade_register_before_others() -> None:
    alternative = {"sub": KVK, "sub_id_type": f"{TYPE}KvKnr"}
    for spare in (alternative, [alternative], ["x", alternative]):
        assert company({"represents": party(RSIN, "RSIN", alt_sub=spare)}).entity == f"urn:nl:kvk:{KVK}"


@pytest.mark.parametrize(
    "represents",
    [
        {"iss": ISSUER, "sub": KVK},
        party(KVK, "Pseudonym"),
        party("9000000", "KvKnr"),
        party("123456789", "RSIN"),
        party(BSN, "BSN"),
        {"iss": ISSUER, "name": "Fictieve Bakkerij Proefstra"},
        [],
        "urn:nl:kvk:90000003",
        {},
    ],
    ids=str,
)
def test_whoever_cannot_be_known_by_a_number_is_represented_by_nobody(represents: Any) -> None:
    assert "identity-not-told" in untold(lambda: company({"represents": represents}))


def test_a_company_is_read_from_claims_of_the_settings() -> None:
    claims = {"kvk_nr": KVK, "bedrijf": "Fictieve Bakkerij Proefstra", "via": OTHER_KVK}
    found = company(claims, claims={"kvk": "kvk_nr", "company": "bedrijf", "intermediary": "via"})
    assert (found.entity, found.entity_name) == (f"urn:nl:kvk:{KVK}", "Fictieve Bakkerij Proefstra")
    assert found.intermediary == f"urn:nl:kvk:{OTHER_KVK}"
    assert company({"r": RSIN}, claims={"rsin": "r"}).entity == f"urn:nl:rsin:{RSIN}"


def test_who_may_act_for_one_establishment_does_not_act_for_the_company() -> None:
    named: Any = {"kvk": "k", "rsin": "r", "vestiging": "v"}
    assert (
        company({"k": KVK, "r": RSIN, "v": VESTIGING}, claims=named).entity == f"urn:nl:vestiging:{VESTIGING}"
    )
    assert company({"k": KVK, "r": RSIN, "v": ""}, claims=named).entity == f"urn:nl:kvk:{KVK}"
    chain = {"represents": party(KVK), "v": VESTIGING}
    assert company(chain, claims={"vestiging": "v"}).entity == f"urn:nl:vestiging:{VESTIGING}"


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("kvk", "9000000"),
        ("kvk", "90000003 "),
        ("rsin", "123456789"),
        ("vestiging", "1"),
        ("kvk", True),
        ("kvk", [KVK]),
    ],
)
def test_a_number_that_is_none_is_refused(fact: Any, told: Any) -> None:
    assert "not right" in untold(lambda: company({"n": told}, claims={fact: "n"}))


def test_two_companies_that_contradict_each_other_are_refused() -> None:
    claims = {"k": OTHER_KVK, "represents": party(KVK)}
    assert "Two different" in untold(lambda: company(claims, claims={"kvk": "k"}))
    chain = {"via": RSIN, "represents": party(OTHER_KVK, represents=party(KVK))}
    assert "Two different" in untold(lambda: company(chain, claims={"intermediary": "via"}))


def test_without_a_company_nobody_signs_in_for_one() -> None:
    assert "No company" in untold(lambda: company({"name": "Fictieve Bakkerij Proefstra"}))


def test_companies_whose_names_are_one_letter_apart_are_told_apart_by_number() -> None:
    one = company({"represents": party(KVK, name="Fictieve Bakkerij Proefstra")})
    other = company({"represents": party(OTHER_KVK, name="Fictieve Bakkerij Proefstra")})
    assert one.entity_name == other.entity_name
    assert one.entity != other.entity
    same = company({"represents": party(KVK, name="Fictieve Bakkerij Proefsta")})
    assert same.entity == one.entity


def test_a_citizen_may_act_for_another_person() -> None:
    found = read({"bsn": BSN, "represents": party(OTHER_BSN, "BSN", name="Noor Proefstra")})
    assert (found.value, found.entity, found.entity_name) == (
        BSN,
        "urn:sluis:person:BSN-020",
        "Noor Proefstra",
    )
    assert OTHER_BSN not in str(found.entity)


def test_who_represents_themselves_acts_for_themselves() -> None:
    assert read({"bsn": BSN, "represents": party(BSN, "BSN")}).entity is None


def test_who_represents_somebody_unknown_is_not_taken_for_themselves() -> None:
    assert "known number" in untold(lambda: read({"bsn": BSN, "represents": party("p", "Pseudonym")}))


def test_for_which_services_a_mandate_is_may_be_told() -> None:
    told: Any = {"represents": party(KVK)}
    assert company(told | {"s": ["a", "b"]}, claims={"services": "s"}).services == ("a", "b")
    assert company(told | {"s": "a b"}, claims={"services": "s"}).services == ("a", "b")
    assert company(told, claims={"services": "s"}).services == ()
    for wrong in ([1], {"a": 1}, ["x"] * 101, 7):
        assert "services" in untold(lambda s=wrong: company(told | {"s": s}, claims={"services": "s"}))


def test_a_name_is_shown_without_what_turns_or_hides_text() -> None:
    assert read({"bsn": BSN, "name": "Anna\u202e\x00\n Proefstra "}).name == "Anna Proefstra"
    assert read({"bsn": BSN, "name": ["Anna"]}).name is None
    assert len(read({"bsn": BSN, "name": "x" * 1000}).name or "") == 200


def test_a_level_below_eidas_keeps_a_name_of_its_own_and_none_that_of_the_way() -> None:
    reader = Reader(method(), lambda kind, value: "", False)
    claims = {"sub": "s", "bsn": BSN}
    assert reader.established(claims, "basic", 1, {}).acr == "basic"
    assert reader.established(claims, None, 1, {}).acr == "digid"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from([KVK, RSIN, BSN, f"{TYPE}BSN"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["sub", "sub_id_type", "represents", "alt_sub", "name", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_JSON, _JSON, _JSON, st.sampled_from(["citizen", "company"]))
def test_no_claims_make_anything_but_somebody_known_or_a_refusal(
    a: Any, b: Any, c: Any, audience: Any
) -> None:
    claims = {"bsn": a, "represents": b, "name": c}
    try:
        found = read(
            claims,
            audience=audience,
            claims={"bsn": "bsn"} if audience == "citizen" else {"company": "/name/x"},
        )
    except Refused:
        return
    assert found.kind in ("BSN", "pseudonym")
    assert found.entity is None or found.entity.startswith(
        ("urn:nl:kvk:", "urn:nl:rsin:", "urn:sluis:person:")
    )
    assert audience == "citizen" or found.entity is not None


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://x.nl/sluis-simulator/digid", True),
        ("https://x.nl/sluis-simulator", True),
        ("https://x.nl/pad/SLUIS-SIMULATOR/", True),
        ("https://x.nl/sluis-simulators/digid", False),
        ("https://sluis-simulator.nl/", False),
        ("https://x.nl/echt?sluis-simulator/", False),
        ("urn:uuid:b556992a", False),
    ],
)
def test_a_simulator_is_known_by_its_address(issuer: str, expected: bool) -> None:
    assert is_simulator(issuer) is expected
