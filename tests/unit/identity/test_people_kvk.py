"""What an answer of the trade register is read as; and that what is not understood, or hostile, gives nobody authority."""

import json
from datetime import date
from pathlib import Path

import pytest
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    KVK,
    NAMES,
    TODAY,
    director,
    function,
    key_of,
    officers,
    person,
    read,
    registration,
)

from sluis.identity.people.reasons import REASONS
from sluis.identity.register import RegisteredName, birthday
from sluis.identity.register.kvk import LARGEST, normal, read_company
from sluis.kernel import Invalid, Kvk, NotFound, Upstream

OVER = "<registratie><datumEinde>20261121</datumEinde></registratie>"
LATER = "<registratie><datumEinde>20261123</datumEinde></registratie>"
EUROS = "<{0}><waarde>{1}</waarde><valuta><code>{2}</code></valuta></{0}>"


def partner(kind: str = "ob", more: str = "", code: str = "13") -> str:
    return function(
        "aansprakelijke", ANNE, code, f"<bevoegdheid><soort><code>{kind}</code></soort>{more}</bevoegdheid>"
    )


def attorney(kind: str = "v", more: str = "", code: str = "01") -> str:
    mandate = f"<volmacht><typeVolmacht><code>{kind}</code></typeVolmacht>{more}</volmacht>"
    return function("gemachtigde", ANNE, code, mandate)


def limited(more: str) -> str:
    return f"<beperkteVolmacht>{more}</beperkteVolmacht>"


# Who may act


@pytest.mark.parametrize(
    ("written", "authority", "cap"),
    [
        (director(ANNE), "sole", None),
        (director(ANNE, code="18"), "sole", None),
        (director(ANNE, code="19"), "sole", None),
        (director(ANNE, "gb"), "joint", None),
        (director(ANNE, more=f"<schorsing>{OVER}</schorsing>"), "sole", None),
        (director(ANNE, more=LATER), "sole", None),
        (partner(), "sole", None),
        (partner(code="12"), "sole", None),
        (partner(code="15"), "sole", None),
        (partner(code="16"), "sole", None),
        (partner("bb", EUROS.format("beperkingInEuros", "5000.5", "EUR")), "sole", 500_050),
        (partner("bb", EUROS.format("beperkingInEuros", "5000", "EUR")), "sole", 500_000),
        (attorney(), "sole", None),
        (attorney("b", limited(EUROS.format("beperkingInGeld", "10000.00", "EUR"))), "sole", 1_000_000),
    ],
)  # fmt: skip
def test_an_authority_is_read_with_its_bound(written: str, authority: str, cap: int | None) -> None:
    (officer,) = officers(written)
    assert (officer.authority, officer.cap, officer.why) == (authority, cap, "")
    assert officer.key == key_of(NAMES[ANNE])


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (director(ANNE, "nb"), "office-without-authority"),
        (director(ANNE, "xx"), "office-not-understood"),
        (director(ANNE, ""), "office-not-understood"),
        (director(ANNE, "AZB"), "office-not-understood"),
        (director(ANNE, "azb", "J"), "office-not-understood"),
        (director(ANNE, "gb", "J"), "office-not-understood"),
        (director(ANNE, "gb", ""), "office-not-understood"),
        (director(ANNE, code="09"), "office-not-understood"),
        (director(ANNE, code="20"), "office-not-understood"),
        (director(ANNE, code="29"), "office-not-understood"),
        (director(ANNE, code="13"), "office-not-understood"),
        (function("bestuursfunctie", ANNE, "02"), "office-not-understood"),
        (director(ANNE, more="<schorsing><registratie/></schorsing>"), "office-suspended"),
        (director(ANNE, more=f"<schorsing>{LATER}</schorsing>"), "office-suspended"),
        (director(ANNE, about="<overlijdensdatum>20200101</overlijdensdatum>"), "officer-deceased"),
        (director(ANNE, about="<beperkingInRechtshandeling/>"), "officer-restricted"),
        (director(ANNE, about="<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"),
         "officer-restricted"),
        (partner("nb"), "office-without-authority"),
        (partner("azb"), "office-not-understood"),
        (partner("bb"), "office-not-understood"),
        (partner("ob", EUROS.format("beperkingInEuros", "1", "EUR")), "office-not-understood"),
        (partner("bb", EUROS.format("beperkingInEuros", "5000", "USD")), "office-not-understood"),
        (partner("bb", EUROS.format("beperkingInEuros", "-5", "EUR")), "office-not-understood"),
        (partner("bb", EUROS.format("beperkingInEuros", "5", "EUR")
                 + "<overigeBeperking><code>J</code></overigeBeperking>"), "office-not-understood"),
        (partner(code="28"), "office-not-understood"),
        (partner(code="31"), "office-not-understood"),
        (attorney("x"), "office-not-understood"),
        (attorney("v", "<heeftBetrekkingOp/>"), "office-not-understood"),
        (attorney("v", limited("")), "office-not-understood"),
        (attorney("b"), "office-not-understood"),
        (attorney("b", limited("<beperkingInHandeling/>")), "office-not-understood"),
        (attorney("b", limited(EUROS.format("beperkingInGeld", "1", "EUR")
                               + "<heeftOverigeVolmacht><code>J</code></heeftOverigeVolmacht>")), "office-not-understood"),
        (attorney("b", limited(EUROS.format("beperkingInGeld", "1", "EUR") + "<beperkingInHandeling/>")),
         "office-not-understood"),
        (attorney(code="99"), "office-not-understood"),
        (function("gemachtigde", ANNE, "01"), "office-not-understood"),
        *((function("overigeFunctionaris", ANNE, code), "office-without-authority")
          for code in ("03", "04", "05", "08", "10", "17", "30", "32")),
        *((function("functionarisBijzondereRechtstoestand", ANNE, code), "office-without-authority")
          for code in ("06", "07", "11")),
        *((function("publiekrechtelijkeFunctionaris", ANNE, code), "office-without-authority")
          for code in ("25", "26", "27")),
        (function("nieuweFunctie", ANNE, "02"), "office-without-authority"),
    ],
)  # fmt: skip
def test_what_gives_no_authority_says_why(written: str, why: str) -> None:
    (officer,) = officers(written)
    assert (officer.authority, officer.cap, officer.why) == ("none", None, why)
    assert why in REASONS


def test_what_is_not_understood_is_noted_without_what_stood_there() -> None:
    assert read(registration(director(ANNE, "x y; drop"), partner(code="31"))).notes == (
        "bevoegdheid",
        "aansprakelijke:31",
    )


def test_a_function_that_has_ended_is_no_function() -> None:
    assert officers(director(ANNE, more=OVER)) == []


def test_an_end_that_cannot_be_read_is_an_end() -> None:
    assert officers(director(ANNE, more="<registratie><datumEinde>20260000</datumEinde></registratie>")) == []


def test_a_company_that_is_a_director_gives_nobody_authority() -> None:
    through = "<heeft><bestuursfunctie><door><rechtspersoon/></door><functie><code>02</code></functie></bestuursfunctie></heeft>"
    (officer,) = officers(through)
    assert (officer.key, officer.authority, officer.why) == ("", "none", "officer-is-a-company")


def test_the_owner_of_a_one_man_business_acts_alone() -> None:
    owner = read(registration(owner="natuurlijkPersoon", form="Eenmanszaak", about=person(NAMES[ANNE])))
    assert [(one.function, one.authority) for one in owner.officers] == [("owner", "sole")]


def test_a_natural_person_who_owns_something_else_is_not_understood() -> None:
    owner = read(registration(owner="natuurlijkPersoon", form="Iets Anders", about=person(NAMES[ANNE])))
    assert [(one.authority, one.why) for one in owner.officers] == [("none", "office-not-understood")]


def test_a_person_without_a_complete_name_is_nobody() -> None:
    half = "<heeft><bestuursfunctie><door><natuurlijkPersoon><geslachtsnaam>Fictief</geslachtsnaam></natuurlijkPersoon>"
    half += (
        "</door><functie><code>02</code></functie><bevoegdheid><soort><code>azb</code></soort></bevoegdheid>"
    )
    (officer,) = officers(half + "</bestuursfunctie></heeft>")
    assert (officer.key, officer.authority) == ("", "none")


@pytest.mark.parametrize(("born", "adult"), [("20081122", None), ("20081123", date(2026, 11, 23))])
def test_a_minor_is_known_by_the_day_of_coming_of_age(born: str, adult: date | None) -> None:
    written = director(ANNE).replace("19800501", born)
    assert [one.adult for one in officers(written)] == [adult]


def test_a_minor_whom_a_judge_declared_of_age_is_not_one() -> None:
    lifted = "<handlichting><isVerleend><code>J</code></isVerleend></handlichting>"
    assert [one.adult for one in officers(director(ANNE, about=lifted).replace("19800501", "20100101"))] == [
        None
    ]


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)


# Names


def test_case_spaces_and_composed_letters_do_not_make_another_person() -> None:
    one = RegisteredName("Zoe\u0308", "van  der", "Smit - Jansen", date(1990, 1, 1))
    assert normal(one) == normal(RegisteredName("zo\u00eb", "Van der", "SMIT-JANSEN", date(1990, 1, 1)))


@pytest.mark.parametrize(
    "other",
    [
        RegisteredName("Anne", "", "Fictieff", date(1980, 5, 1)),
        RegisteredName("Ann", "", "Fictief", date(1980, 5, 1)),
        RegisteredName("Anne", "de", "Fictief", date(1980, 5, 1)),
        RegisteredName("Anne", "", "Fictief", date(1980, 5, 2)),
        RegisteredName("Anne F", "", "ictief", date(1980, 5, 1)),
    ],
)
def test_a_name_one_letter_apart_is_another_person(other: RegisteredName) -> None:
    assert normal(other) != normal(NAMES[ANNE])


def test_a_prefix_is_part_of_the_surname_where_it_is_not_set_apart() -> None:
    apart, together = (
        RegisteredName("Bram", *name, date(1975, 2, 3)) for name in (("van der", "Vos"), ("", "Van der Vos"))
    )
    assert normal(apart) == normal(together)


# Standing


def insolvent(code: str, more: str = "") -> str:
    return f"<bijzondereRechtstoestand>{more}<soort><code>{code}</code></soort></bijzondereRechtstoestand>"


@pytest.mark.parametrize(
    ("about", "standing"),
    [
        ("", "active"),
        (insolvent("FAIL"), "bankrupt"),
        (insolvent("SURS"), "payments-suspended"),
        (insolvent("SSAN"), "debts-restructured"),
        (insolvent("FAIL", OVER), "active"),
        (insolvent("FAIL", LATER), "bankrupt"),
        (insolvent("NEW"), "not-understood"),
        ("<bijzondereRechtstoestand/>", "not-understood"),
        ("<ontbinding/>", "dissolved"),
        ("<ontbinding><aanleiding><code>OB</code></aanleiding></ontbinding>", "dissolved"),
        ("<beperkingInRechtshandeling/>", "restricted"),
        ("<buitenlandseRechtstoestand/>", "restricted"),
        (f"<beperkingInRechtshandeling>{OVER}</beperkingInRechtshandeling>", "active"),
        ("<datumUitschrijving>20200101</datumUitschrijving>", "ended"),
        (OVER, "ended"),
        (LATER, "active"),
        ("<ontbinding/>" + insolvent("FAIL"), "dissolved"),
    ],
)
def test_the_standing_of_a_company_is_read(about: str, standing: str) -> None:
    assert read(registration(director(ANNE), about=about)).standing == standing


def test_a_registration_that_ended_is_no_company_any_more() -> None:
    assert read(registration(director(ANNE), activity=OVER)).standing == "ended"


@pytest.mark.parametrize(
    "owner", ["rechtspersoonInOprichting", "naamPersoon", "afgeslotenMoeder", "ietsNieuws"]
)
def test_an_owner_of_another_kind_is_not_understood(owner: str) -> None:
    assert read(registration(director(ANNE), owner=owner)).standing == "not-understood"


def test_an_rsin_that_is_none_is_left_out_and_noted() -> None:
    assert (read(registration(about="<rsin>992386032</rsin>")).rsin) == "992386032"
    wrong = read(registration(about="<rsin>992340594</rsin>"))
    assert (wrong.rsin, wrong.notes) == (None, ("rsin",))


# Hostile answers

_BILLION = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<ophalenInschrijvingResponse xmlns="http://schemas.kvk.nl/schemas/hrip/dataservice/2015/02">&b;</ophalenInschrijvingResponse>'
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
_TWICE = registration(director(ANNE)).replace(b"<kvkNummer>", b"<kvkNummer>90000010</kvkNummer><kvkNummer>")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"not xml",
        b"<",
        b"<x/>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><x/>',
        _BILLION.encode(),
        _OUTSIDE.encode(),
        b"<!DOCTYPE x><x/>",
        b"<!DOCTYPE x>" + registration(director(ANNE)),
        _TWICE,
        registration(director(ANNE)).replace(b"catalogus/2015/02", b"catalogus/2099/02"),
        registration(director(ANNE)).replace(b"dataservice/2015/02", b"dataservice/2099/02"),
        registration(director(ANNE)).replace(b"</rechtspersoon>", b"</rechtspersoon><rechtspersoon/>"),
        registration(director(ANNE) * 2001),
        registration(director(ANNE)) + b" " * LARGEST,
        b"<a>" * 100_000 + b"</a>" * 100_000,
    ],
)
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(Invalid) as problem:
        read(answer)
    assert problem.value.code == "register-answer"


@pytest.mark.parametrize("envelope", [True, False])
def test_an_answer_is_read_with_and_without_its_envelope(envelope: bool) -> None:
    assert read(registration(director(ANNE), envelope=envelope)).standing == "active"


def test_an_answer_about_another_company_is_refused_however_alike_its_name() -> None:
    alike = registration(director(ANNE), kvk="90000011", name="Fictieve Fietsen B.V.")
    with pytest.raises(Invalid, match="other-company"):
        read(alike)


@pytest.mark.parametrize(
    ("code", "problem"), [("IPD0004", NotFound), ("IPD0005", NotFound), ("IPD9999", Upstream), ("", Upstream)]
)
def test_a_message_of_the_register_is_told(code: str, problem: type[Exception]) -> None:
    space = "http://schemas.kvk.nl/schemas/hrip/dataservice/2015/02"
    said = f'<ophalenInschrijvingResponse xmlns="{space}"><meldingen><fout><code>{code}</code></fout></meldingen></ophalenInschrijvingResponse>'
    with pytest.raises(problem):
        read(said.encode())
    with pytest.raises(problem):
        read(json.dumps({"fout": [{"code": code}]}).encode())


def test_the_answer_of_one_company_holds_nobody_of_another() -> None:
    (anne,), (bram,) = officers(director(ANNE)), officers(director(BRAM))
    assert anne.key != bram.key


# Basisprofiel


def profile(**changed: object) -> bytes:
    eigenaar = {"rechtsvorm": "Besloten Vennootschap", "rsin": "992386032"}
    place = {"vestigingsnummer": "990000626196", "eersteHandelsnaam": "Fictieve Fietsen B.V."}
    given: dict[str, object] = {
        "kvkNummer": "90000010",
        "naam": "Fictieve Fietsen B.V.",
        "_embedded": {"eigenaar": eigenaar, "hoofdvestiging": place},
    }
    return json.dumps({**given, **changed}).encode()


def test_a_profile_names_a_company_and_nobody_who_may_act() -> None:
    company = read(profile())
    assert (company.standing, company.officers, company.notes) == ("unstated", (), ("profile",))
    assert (company.rsin, company.form, company.establishments[0].main) == (
        "992386032",
        "Besloten Vennootschap",
        True,
    )


@pytest.mark.parametrize(
    ("end", "standing"), [("20261121", "ended"), ("20261123", "unstated"), ("ooit", "ended"), (5, "ended")]
)
def test_a_profile_says_when_a_company_has_ended(end: object, standing: str) -> None:
    assert read(profile(materieleRegistratie={"datumEinde": end})).standing == standing


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b"{",
        b'{"kvkNummer":"90000010","kvkNummer":"90000011"}',
        b'{"kvkNummer":90000010}',
        profile(kvkNummer="90000011"),
        profile(_embedded=[]),
        profile(_embedded={"eigenaar": 5}),
        b"[" * 50_000,
    ],
)
def test_a_profile_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(Invalid):
        read_company(answer, KVK, TODAY, key_of)


def test_another_number_than_was_asked_for_is_refused() -> None:
    with pytest.raises(Invalid):
        read_company(profile(), Kvk("90000011"), TODAY, key_of)


RELATION_OVER = "<relatieRegistratie><datumEinde>20261122</datumEinde></relatieRegistratie>"


@pytest.mark.parametrize("begin", ["20261123", "20990000", "20270100"])
def test_a_function_that_has_not_begun_gives_no_authority(begin: str) -> None:
    later = f"<registratie><datumAanvang>{begin}</datumAanvang></registratie>"
    assert officers(director(ANNE, more=later)) == []


@pytest.mark.parametrize("begin", ["20261122", "19820000", "20261100", ""])
def test_a_function_that_began_counts_also_when_the_day_is_not_known(begin: str) -> None:
    began = f"<registratie><datumAanvang>{begin}</datumAanvang></registratie>"
    (officer,) = officers(director(ANNE, more=began))
    assert officer.authority == "sole"


def test_an_officer_whose_relation_with_the_company_ended_is_none_any_more() -> None:
    ended = director(ANNE).replace("<heeft>", f"<heeft>{RELATION_OVER}")
    assert officers(ended) == []
    (left,) = officers(
        director(ANNE).replace("<heeft>", f"<heeft>{RELATION_OVER.replace('20261122', '20270101')}")
    )
    assert left.authority == "sole"


def test_a_company_whose_owner_is_its_owner_no_more_is_ended() -> None:
    answer = registration(director(ANNE)).replace(
        b"<heeftAlsEigenaar>", b"<heeftAlsEigenaar>" + RELATION_OVER.encode()
    )
    assert read(answer).standing == "ended"


@pytest.mark.parametrize("what", [OVER, LATER.replace("Einde", "Aanvang")])
def test_an_authority_that_ended_or_has_not_begun_is_none(what: str) -> None:
    found = [
        director(ANNE).replace("<bevoegdheid>", f"<bevoegdheid>{what}"),
        partner().replace("<bevoegdheid>", f"<bevoegdheid>{what}"),
        attorney(more=what),
    ]
    assert [one.authority for one in officers(*found)] == ["none"] * 3


def test_the_answer_in_the_how_to_is_one_of_two_who_sign_together() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/machtigingen.md").read_text()
    answer = page.partition("```xml\n")[2].partition("```")[0]
    found = read(answer.encode(), Kvk("99900021"))
    people = [
        RegisteredName("Fenna", "", "Fictief", date(1990, 1, 1)),
        RegisteredName("Bram", "", "Bedacht", date(1961, 5, 17)),
    ]
    assert found.standing == "active"
    assert [(one.key, one.authority) for one in found.officers] == [(key_of(one), "joint") for one in people]
