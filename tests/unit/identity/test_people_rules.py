"""Who may represent whom: each rule by name. `test_people_reference.py` holds all of them against another account."""

from typing import Any

import msgspec
import pytest
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    BROKER,
    CARLA,
    COMPANY,
    INTERMEDIARY,
    NAMES,
    NOW,
    OTHER,
    OTHER_COMPANY,
    SECONDS,
    acting,
    director,
    facts,
    function,
    held,
    person,
    registration,
)

from sluis.identity.people.model import (
    ANY,
    Act,
    Allowed,
    Denied,
    Facts,
    Guardianship,
    Mandate,
    Signature,
    Terms,
    Vouched,
)
from sluis.identity.people.reasons import REASONS
from sluis.identity.people.rules import is_side, may_arrange, may_represent, may_sign, properties
from sluis.identity.register import PERSON, Held, person_urn
from sluis.kernel import Acting, Invalid, Vestiging

SERVICE, ACTION = "permits", "apply"


def act(amount: int | None = None, *, who: Acting | None = None, **more: Any) -> Act:
    who = who or acting(ANNE)
    given = {"service": SERVICE, "action": ACTION, "amount": amount}
    return Act(who.entity or person_urn(who.person), who.intermediary, **{**given, **more})


def mandate(
    giver: str = COMPANY, holder: str = person_urn(ANNE), *, state: Any = "accepted", **terms: Any
) -> Mandate:
    given: dict[str, Any] = {
        "services": (SERVICE,),
        "actions": (ACTION,),
        "since": SECONDS - 10,
        "until": SECONDS + 10,
    }
    return Mandate(
        "1" * 32, Terms(giver, holder, **{**given, **terms}), state, BRAM, SECONDS + 5, holder=holder
    )


def ask(known: Facts, who: Acting | None = None, doing: Act | None = None) -> Allowed | Denied:
    who = who or acting(ANNE)
    return may_represent(who, doing or act(who=who), NOW, known)


def rule(found: Allowed | Denied) -> str:
    assert isinstance(found, Denied), found
    assert found.reason == REASONS[found.rule]
    return found.rule


SOLE = held(registration(director(ANNE)))
JOINT = held(registration(director(ANNE, "gb"), director(BRAM, "gb")))
EMPTY = held(registration(director(CARLA)))
BROKERS = held(registration(director(ANNE), kvk=BROKER), BROKER)


# Oneself


@pytest.mark.parametrize("entity", [None, person_urn(ANNE)])
def test_everybody_acts_for_themselves(entity: str | None) -> None:
    assert ask(Facts(), acting(ANNE, entity)) == Allowed("self", digest=act(who=acting(ANNE, entity)).digest)


def test_nobody_acts_for_themselves_through_a_company() -> None:
    assert rule(ask(facts(BROKERS), acting(ANNE, None, INTERMEDIARY))) == "no-representation"


def test_nobody_acts_for_another_person_just_so() -> None:
    assert rule(ask(Facts(), acting(ANNE, person_urn(BRAM)))) == "no-representation"


# Directors


def test_a_director_who_is_authorised_alone_acts_alone() -> None:
    found = ask(facts(SOLE))
    assert isinstance(found, Allowed)
    assert (found.kind, found.needs_second) == ("director", False)
    (evidence,) = found.evidence
    assert (evidence.kind, evidence.reference, evidence.age) == ("register", COMPANY, 60)


def test_a_director_of_another_company_of_nearly_the_same_name_does_not() -> None:
    alike = held(registration(director(ANNE), kvk=OTHER, name="Fictieve Fietser B.V."), OTHER)
    mine = held(registration(director(CARLA), name="Fictieve Fietsen B.V."))
    assert rule(ask(facts(mine, alike))) == "no-representation"
    assert isinstance(ask(facts(mine, alike), acting(ANNE, OTHER_COMPANY)), Allowed)


def test_an_office_that_the_register_no_longer_shows_counts_no_more() -> None:
    before = facts(SOLE)
    after = msgspec.structs.replace(before, companies={COMPANY: EMPTY})
    assert rule(ask(after)) == "office-without-authority"


def test_an_office_within_its_bound() -> None:
    bounded = "<bevoegdheid><soort><code>bb</code></soort><beperkingInEuros><waarde>50</waarde><valuta><code>EUR</code>"
    bounded += "</valuta></beperkingInEuros></bevoegdheid>"
    known = facts(held(registration(function("aansprakelijke", ANNE, "13", bounded))))
    assert isinstance(ask(known, doing=act(5000)), Allowed)
    assert rule(ask(known, doing=act(5001))) == "above-cap"


def test_a_minor_owner_waits_to_come_of_age() -> None:
    young = person(NAMES[ANNE]).replace("19800501", "20100101")
    company = held(registration(owner="natuurlijkPersoon", form="Eenmanszaak", about=young))
    office = msgspec.structs.replace(facts(SOLE).offices[0], officer=company.company.officers[0])
    known = msgspec.structs.replace(facts(company), offices=(office,))
    assert rule(ask(known)) == "officer-minor"
    assert isinstance(
        may_represent(acting(ANNE), act(), NOW.replace(year=2029), msgspec.structs.replace(known, oldest=0)),
        Allowed,
    )


# Companies


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ("<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>", "company-bankrupt"),
        ("<bijzondereRechtstoestand><soort><code>SURS</code></soort></bijzondereRechtstoestand>", "company-payments-suspended"),
        ("<bijzondereRechtstoestand><soort><code>SSAN</code></soort></bijzondereRechtstoestand>", "company-debts-restructured"),
        ("<bijzondereRechtstoestand/>", "company-not-understood"),
        ("<ontbinding/>", "company-dissolved"),
        ("<datumUitschrijving>20200101</datumUitschrijving>", "company-ended"),
        ("<beperkingInRechtshandeling/>", "company-restricted"),
    ],
)  # fmt: skip
def test_a_company_that_cannot_act_is_refused_with_the_reason_whoever_asks(about: str, expected: str) -> None:
    company = held(registration(director(ANNE), about=about))
    assert rule(ask(facts(company))) == expected
    assert rule(ask(facts(company, mandates=(mandate(),)))) == expected
    assert rule(ask(facts(company, vouched=Vouched(COMPANY)))) == expected


def test_an_intermediary_that_cannot_act_is_refused_too() -> None:
    broke = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
    company = held(registration(director(ANNE), kvk=BROKER, about=broke), BROKER)
    known = facts(EMPTY, company, mandates=(mandate(COMPANY, INTERMEDIARY),))
    assert rule(ask(known, acting(ANNE, COMPANY, INTERMEDIARY))) == "company-bankrupt"


def test_what_the_register_said_too_long_ago_is_refused() -> None:
    assert rule(ask(facts(SOLE, oldest=SECONDS - 59))) == "register-too-old"
    assert isinstance(ask(facts(SOLE, oldest=SECONDS - 60)), Allowed)


def test_a_company_that_was_not_read_is_refused() -> None:
    assert rule(ask(facts(mandates=(mandate(),)))) == "register-unavailable"


def test_without_a_register_mandates_hold_and_nobody_is_a_director() -> None:
    assert isinstance(ask(Facts(mandates=(mandate(),), register=False)), Allowed)
    offices = facts(SOLE).offices
    assert rule(ask(Facts(offices=offices, register=False))) == "office-without-authority"


def test_an_organisation_that_is_in_no_trade_register_is_not_held_against_it() -> None:
    ministry = "urn:nld:oin:00000001003214345000"
    known = Facts(mandates=(mandate(ministry),))
    assert isinstance(ask(known, acting(ANNE, ministry)), Allowed)


# Two together


def second(doing: Act, who: str = BRAM, at: int = -1, until: int = 10) -> Signature:
    return Signature(doing.digest, who, SECONDS + at, SECONDS + until)


def needs_second(found: Allowed | Denied) -> bool:
    assert isinstance(found, Allowed), found
    return found.needs_second


def test_who_is_jointly_authorised_needs_a_second_signature() -> None:
    assert needs_second(ask(facts(JOINT)))


def test_the_signature_of_another_director_under_exactly_this_act_is_one() -> None:
    doing = act(500, document="ab" * 32)
    assert not needs_second(ask(facts(JOINT, signatures=(second(doing),)), doing=doing))


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 501},
        {"amount": None},
        {"service": "subsidies"},
        {"action": "withdraw"},
        {"document": "cd" * 32},
    ],
)
def test_a_signature_under_another_act_is_none(other: dict[str, Any]) -> None:
    doing = act(500, document="ab" * 32)
    signed = msgspec.structs.replace(doing, **other)
    assert needs_second(ask(facts(JOINT, signatures=(second(signed),)), doing=doing))


@pytest.mark.parametrize(
    "wrong",
    [
        second(act(), ANNE),
        second(act(), CARLA),
        second(act(), "d" * 43),
        second(act(), at=1),
        second(act(), until=0),
    ],
    ids=["oneself", "no director", "a stranger", "not yet", "expired"],
)
def test_a_signature_that_does_not_count(wrong: Signature) -> None:
    company = held(
        registration(director(ANNE, "gb"), director(BRAM, "gb"), function("overigeFunctionaris", CARLA, "03"))
    )
    assert needs_second(ask(facts(company, signatures=(wrong,))))


def test_the_same_person_who_signs_in_otherwise_is_not_two() -> None:
    known = facts(JOINT)
    twin = "e" * 43
    again = msgspec.structs.replace(known.offices[0], person=twin)
    known = msgspec.structs.replace(known, offices=(*known.offices, again), signatures=(second(act(), twin),))
    assert needs_second(ask(known))


def test_a_signature_counts_only_while_its_signer_is_a_director() -> None:
    signed = facts(JOINT, signatures=(second(act()),))
    assert not needs_second(ask(signed))
    gone = msgspec.structs.replace(signed, companies={COMPANY: held(registration(director(ANNE, "gb")))})
    assert needs_second(ask(gone))


def test_an_authorised_representative_is_no_second_director() -> None:
    full = "<volmacht><typeVolmacht><code>v</code></typeVolmacht></volmacht>"
    company = held(registration(director(ANNE, "gb"), function("gemachtigde", BRAM, "01", full)))
    known = facts(company, signatures=(second(act()),))
    assert needs_second(ask(known))
    assert not may_sign(BRAM, act(), NOW, known)


def test_a_director_who_also_holds_a_mandate_of_their_own_does_not_need_the_other() -> None:
    assert not needs_second(ask(facts(JOINT, mandates=(mandate(),))))


def test_only_a_director_of_the_company_that_acts_signs() -> None:
    known = facts(JOINT, BROKERS)
    assert may_sign(BRAM, act(), NOW, known)
    through = act(who=acting(ANNE, COMPANY, INTERMEDIARY))
    assert not may_sign(BRAM, through, NOW, known)
    assert may_sign(ANNE, through, NOW, known)


# Mandates


@pytest.mark.parametrize(
    ("given", "doing", "expected"),
    [
        (mandate(), act(), ""),
        (mandate(cap=100), act(100), ""),
        (mandate(cap=100), act(101), "above-cap"),
        (mandate(cap=100), act(), ""),
        (mandate(cap=0), act(1), "above-cap"),
        (mandate(services=(ANY,)), act(service="anything"), ""),
        (mandate(actions=(ANY,)), act(action="anything"), ""),
        (mandate(), act(service="Permits"), "other-service"),
        (mandate(), act(action="withdraw"), "other-action"),
        (mandate(since=SECONDS, until=SECONDS + 1), act(), ""),
        (mandate(since=SECONDS + 1), act(), "mandate-not-begun"),
        (mandate(until=SECONDS), act(), "mandate-ended"),
        (mandate(state="proposed"), act(), "mandate-proposed"),
        (mandate(state="offered"), act(), "mandate-offered"),
        (mandate(state="declined"), act(), "mandate-declined"),
        (mandate(state="revoked"), act(), "mandate-revoked"),
        (mandate(OTHER_COMPANY), act(), "no-representation"),
        (mandate(holder=person_urn(BRAM)), act(), "no-representation"),
        (mandate(holder=INTERMEDIARY), act(), "no-representation"),
    ],
)
def test_a_mandate_holds_for_what_it_says(given: Mandate, doing: Act, expected: str) -> None:
    found = ask(facts(EMPTY, mandates=(given,)), doing=doing)
    if expected:
        assert rule(found) == expected
    else:
        assert isinstance(found, Allowed)
        assert (found.kind, found.evidence[0].reference) == ("mandate", given.urn)


def test_of_several_obstacles_the_nearest_is_told() -> None:
    both = (mandate(state="revoked"), mandate(cap=5))
    assert rule(ask(facts(EMPTY, mandates=both), doing=act(6))) == "above-cap"
    assert rule(ask(facts(EMPTY, mandates=both[::-1]), doing=act(6))) == "above-cap"


def test_a_mandate_for_establishments_is_for_those_alone() -> None:
    place, elsewhere = "urn:nl:vestiging:990000489902", "urn:nl:vestiging:990000489903"
    narrowed = mandate(establishments=(Vestiging("990000489902"),))
    known = facts(EMPTY, mandates=(narrowed,), wholes={place: COMPANY, elsewhere: COMPANY})
    assert isinstance(ask(known, acting(ANNE, place)), Allowed)
    assert rule(ask(known, acting(ANNE, elsewhere))) == "other-establishment"
    assert rule(ask(known)) == "other-establishment"


def test_who_may_act_for_a_company_may_do_so_for_its_establishments() -> None:
    place = "urn:nl:vestiging:990000489902"
    assert isinstance(ask(facts(SOLE, wholes={place: COMPANY}), acting(ANNE, place)), Allowed)
    assert rule(ask(facts(SOLE), acting(ANNE, place))) == "unknown-entity"


# Chains

CHAINED = acting(ANNE, COMPANY, INTERMEDIARY)
ELSEWHERE = held(registration(director(CARLA), kvk=BROKER), BROKER)


def chain(upper: Mandate | None, lower: Mandate | None, broker: Held = ELSEWHERE) -> Facts:
    return facts(EMPTY, broker, mandates=tuple(one for one in (upper, lower) if one is not None))


UPPER = mandate(COMPANY, INTERMEDIARY)
LOWER = mandate(INTERMEDIARY, onward=True)


def test_a_director_of_the_intermediary_acts_in_a_chain() -> None:
    found = ask(chain(UPPER, None, BROKERS), CHAINED)
    assert isinstance(found, Allowed)
    assert (found.kind, [one.kind for one in found.evidence]) == ("chain", ["mandate", "register"])


def test_who_holds_a_mandate_of_the_intermediary_for_its_clients_does_too() -> None:
    assert isinstance(ask(chain(UPPER, LOWER), CHAINED), Allowed)


@pytest.mark.parametrize(
    ("upper", "lower", "amount", "expected"),
    [
        (None, LOWER, None, "no-representation"),
        (UPPER, None, None, "no-representation"),
        (UPPER, mandate(INTERMEDIARY), None, "chain-not-onward"),
        (mandate(COMPANY, INTERMEDIARY, state="revoked"), LOWER, None, "mandate-revoked"),
        (UPPER, mandate(INTERMEDIARY, onward=True, state="revoked"), None, "mandate-revoked"),
        (mandate(COMPANY, INTERMEDIARY, cap=100), mandate(INTERMEDIARY, onward=True, cap=50), 51, "above-cap"),
        (mandate(COMPANY, INTERMEDIARY, cap=50), mandate(INTERMEDIARY, onward=True, cap=100), 51, "above-cap"),
        (mandate(COMPANY, INTERMEDIARY, until=SECONDS), LOWER, None, "mandate-ended"),
        (UPPER, mandate(INTERMEDIARY, onward=True, until=SECONDS), None, "mandate-ended"),
        (UPPER, mandate(INTERMEDIARY, onward=True, since=SECONDS + 1), None, "mandate-not-begun"),
        (mandate(COMPANY, INTERMEDIARY, services=("subsidies",)), LOWER, None, "other-service"),
        (UPPER, mandate(INTERMEDIARY, onward=True, services=("subsidies",)), None, "other-service"),
        (UPPER, mandate(INTERMEDIARY, onward=True, actions=("read",)), None, "other-action"),
        (UPPER, mandate(INTERMEDIARY, onward=True, establishments=(Vestiging("990000489902"),)), None, "other-establishment"),
        (mandate(COMPANY, person_urn(ANNE)), LOWER, None, "no-representation"),
    ],
)  # fmt: skip
def test_a_chain_holds_for_what_both_its_links_say(
    upper: Mandate | None, lower: Mandate | None, amount: int | None, expected: str
) -> None:
    assert rule(ask(chain(upper, lower), CHAINED, act(amount, who=CHAINED))) == expected


def test_a_mandate_of_the_company_itself_is_no_chain_and_a_chain_is_not_direct() -> None:
    assert rule(ask(chain(UPPER, LOWER), acting(ANNE))) == "no-representation"
    assert rule(ask(facts(EMPTY, ELSEWHERE, mandates=(mandate(),)), CHAINED)) == "no-representation"


def test_a_chain_has_one_intermediary() -> None:
    between = mandate(COMPANY, OTHER_COMPANY), mandate(OTHER_COMPANY, INTERMEDIARY, onward=True), LOWER
    other = held(registration(director(CARLA), kvk=OTHER), OTHER)
    assert rule(ask(facts(EMPTY, ELSEWHERE, other, mandates=between), CHAINED)) == "no-representation"


def test_directors_of_the_intermediary_who_are_jointly_authorised_sign_together() -> None:
    both = held(registration(director(ANNE, "gb"), director(BRAM, "gb"), kvk=BROKER), BROKER)
    doing = act(who=CHAINED)
    assert needs_second(ask(chain(UPPER, None, both), CHAINED, doing))
    signed = msgspec.structs.replace(chain(UPPER, None, both), signatures=(second(doing),))
    assert not needs_second(ask(signed, CHAINED, doing))


# Guardians and the way of signing in


def guardian(**changed: Any) -> Guardianship:
    given = {
        "kind": "curator",
        "guardian": ANNE,
        "ward": BRAM,
        "since": SECONDS,
        "until": None,
        "evidence": "C/1",
    }
    return Guardianship("2" * 32, **{**given, **changed})


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (guardian(), ""),
        (guardian(kind="parent", until=SECONDS + 1), ""),
        (guardian(kind="parent", until=SECONDS), "guardian-ended"),
        (guardian(since=SECONDS + 1), "guardian-not-begun"),
        (guardian(ward=CARLA), "no-representation"),
        (guardian(guardian=CARLA), "no-representation"),
    ],
)
def test_a_guardian_acts_for_their_ward_while_it_lasts(one: Guardianship, expected: str) -> None:
    found = ask(Facts(guardianships=(one,)), acting(ANNE, PERSON + BRAM))
    if expected:
        assert rule(found) == expected
    else:
        assert isinstance(found, Allowed)
        assert found.kind == "guardian"


@pytest.mark.parametrize(
    ("said", "who", "expected"),
    [
        (Vouched(COMPANY), acting(ANNE), ""),
        (Vouched(COMPANY, services=(SERVICE,)), acting(ANNE), ""),
        (Vouched(COMPANY, services=("other",)), acting(ANNE), "other-service"),
        (Vouched(OTHER_COMPANY), acting(ANNE), "signed-in-for-another"),
        (Vouched(COMPANY), CHAINED, "signed-in-for-another"),
        (Vouched(COMPANY, intermediary=INTERMEDIARY), acting(ANNE), "signed-in-for-another"),
        (Vouched(COMPANY, intermediary=INTERMEDIARY), CHAINED, ""),
        (Vouched(COMPANY, intermediary=OTHER_COMPANY), CHAINED, "signed-in-for-another"),
    ],
)
def test_what_the_way_of_signing_in_says_holds_for_exactly_that(
    said: Vouched, who: Acting, expected: str
) -> None:
    found = ask(facts(EMPTY, ELSEWHERE, vouched=said), who)
    assert (rule(found) if expected else isinstance(found, Allowed)) == (expected or True)


# Giving on, and looking


def test_a_mandate_is_given_by_directors_and_never_by_who_holds_one() -> None:
    everything = mandate(services=(ANY,), actions=(ANY,))
    known = facts(EMPTY, mandates=(everything,), vouched=Vouched(COMPANY))
    assert isinstance(ask(known), Allowed)
    assert rule(may_arrange(acting(ANNE), act(), NOW, known)) == "no-representation"
    full = "<volmacht><typeVolmacht><code>v</code></typeVolmacht></volmacht>"
    attorney = facts(held(registration(function("gemachtigde", ANNE, "01", full))))
    assert isinstance(ask(attorney), Allowed)
    assert rule(may_arrange(acting(ANNE), act(), NOW, attorney)) == "no-representation"
    assert isinstance(may_arrange(acting(ANNE), act(), NOW, facts(SOLE)), Allowed)


def test_who_sees_what_was_agreed_for_a_company_is_a_director_of_it_also_when_it_is_bankrupt() -> None:
    broke = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
    known = facts(
        held(registration(director(ANNE, "gb"), about=broke)), mandates=(mandate(holder=person_urn(CARLA)),)
    )
    assert is_side(acting(ANNE), NOW, known)
    assert not is_side(acting(CARLA), NOW, known)
    assert not is_side(acting(ANNE, COMPANY, INTERMEDIARY), NOW, known)
    assert is_side(acting(CARLA, None), NOW, known)


# Wrong questions


def test_an_act_for_somebody_else_is_no_question() -> None:
    with pytest.raises(Invalid, match="somebody else"):
        ask(facts(SOLE), acting(ANNE), act(who=acting(ANNE, OTHER_COMPANY)))
    with pytest.raises(Invalid, match="somebody else"):
        ask(facts(SOLE), acting(ANNE), act(who=CHAINED))


def test_an_amount_below_zero_is_no_amount() -> None:
    with pytest.raises(Invalid, match="zero or more"):
        ask(facts(SOLE), doing=act(-1))


# For the decision point


def test_the_decision_point_gets_plain_values_and_only_what_is_in_force() -> None:
    known = facts(JOINT, mandates=(mandate(cap=100), mandate(state="revoked"), mandate(since=SECONDS + 1)))
    grants = [
        {"kind": "director", "services": ["*"], "actions": ["*"], "joint": True},
        {"kind": "mandate", "services": [SERVICE], "actions": [ACTION], "joint": False, "cap": 100},
    ]
    found = properties(acting(ANNE), NOW, known)
    assert found == {
        "entity": COMPANY,
        "standing": "active",
        "kinds": ["director", "mandate"],
        "services": ["*", SERVICE],
        "grants": grants,
    }


def test_a_bankrupt_company_has_nothing_to_give_to_the_decision_point() -> None:
    broke = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
    found = properties(acting(ANNE), NOW, facts(held(registration(director(ANNE), about=broke))))
    assert (found["standing"], found["grants"]) == ("company-bankrupt", [])


def test_every_reason_is_told_in_two_languages_and_ends() -> None:
    assert all(one.nl.endswith(".") and one.en.endswith(".") and one.nl != one.en for one in REASONS.values())
