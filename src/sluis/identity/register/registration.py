"""The XML of a registration: the answer `ophalenInschrijvingResponse` of KVK HR-Dataservice 2015/02.

Read element by element, each in the place and the namespace where the register puts it; one that stands twice where once is
meant is refused. Only the functions and authorities in the tables below count. Those of others, and whatever limits an
authority in words, give none, and the company's notes say so.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sluis.identity.register.company import (
    Company,
    Establishment,
    Officer,
    RegisteredName,
    Standing,
    birthday,
)
from sluis.identity.register.unreadable import NOT_THERE, fault, not_understood, unknown
from sluis.kernel import Kvk, Rsin, Vestiging

MOST_OFFICERS = 2000
MOST_ESTABLISHMENTS = 5000

KeyOf = Callable[[RegisteredName], str]
"""The keyed hash of a name and a date of birth."""

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_SERVICE = "{http://schemas.kvk.nl/schemas/hrip/dataservice/2015/02}"
_CATALOGUE = "{http://schemas.kvk.nl/schemas/hrip/catalogus/2015/02}"

_RELATION = "relatieRegistratie"
_ADULT = 18

# Lists of the register (KVK HR-Dataservice, enumerations). What is not in these tables gives no authority.

OWNERS = {
    "natuurlijkPersoon", "rechtspersoon", "samenwerkingsverband", "buitenlandseVennootschap",
    "eenmanszaakMetMeerdereEigenaren",
}  # fmt: skip
"""Kinds of owner of a registration that can act; a legal person in formation, a name alone, and a closed parent cannot."""

INSOLVENCIES: dict[str, Standing] = {
    "FAIL": "bankrupt",
    "SURS": "payments-suspended",
    "SSAN": "debts-restructured",
}
"""BijzondereRechtstoestand."""

DIRECTORS = {"02", "18", "19"}
"""Bestuursfunctie: director, member of the administrative or of the management organ. Not a liquidator (09), who stands in
for absent directors (20), or who represents a director that is a company (29)."""

PARTNERS = {"12", "13", "15", "16"}
"""Aansprakelijke: co-owner, partner of a VOF or CV, partner of a maatschap, member of a rederij."""

ATTORNEYS = {"01", "21", "22", "23", "24"}
"""Gemachtigde: authorised representative, agent, manager, bookkeeper of a rederij, under private law."""


def response(answer: bytes) -> Element:
    try:
        root: Element = fromstring(answer, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise not_understood("not-xml") from None
    if root.tag == f"{_SOAP}Envelope":
        root = _needed(_needed(root, f"{_SOAP}Body"), f"{_SERVICE}ophalenInschrijvingResponse")
    if root.tag != f"{_SERVICE}ophalenInschrijvingResponse":
        raise not_understood("not-an-answer")
    return root


class Reading:
    """One answer as it is read; gathers notes of what is not understood."""

    def __init__(self, response: Element, kvk: Kvk, today: date, key_of: KeyOf) -> None:
        self._response, self._kvk, self._today, self._key_of = response, kvk, today, key_of
        self._notes: list[str] = []

    def company(self) -> Company:
        activity = self._activity()
        if _text(activity, "kvkNummer") != self._kvk:
            raise not_understood("other-company")
        kind, owner = self._owner(activity)
        standing = self._standing(activity, kind, owner)
        officers = self._officers(kind, owner)
        return Company(
            self._kvk,
            _text(activity, "naam") or _text(owner, "volledigeNaam"),
            _text(owner, "persoonRechtsvorm"),
            standing,
            self._rsin(owner),
            self._establishments(activity),
            officers,
            tuple(dict.fromkeys(self._notes)),
            self._response.get("peilmoment", ""),
        )

    def _activity(self) -> Element:
        messages = _one(self._response, f"{_SERVICE}meldingen")
        for said in [] if messages is None else messages.findall(f"{_SERVICE}fout"):
            code = (said.findtext(f"{_SERVICE}code") or "").strip()
            raise unknown() if code in NOT_THERE else fault()
        product = _needed(self._response, f"{_SERVICE}product")
        return _needed(product, f"{_CATALOGUE}maatschappelijkeActiviteit")

    def _owner(self, activity: Element) -> tuple[str, Element]:
        relation = _needed(activity, f"{_CATALOGUE}heeftAlsEigenaar")
        found = [child for child in relation if child.tag != _CATALOGUE + _RELATION]
        if len(found) != 1 or not found[0].tag.startswith(_CATALOGUE):
            raise not_understood("owner")
        return found[0].tag.removeprefix(_CATALOGUE), found[0]

    # Standing

    def _standing(self, activity: Element, kind: str, owner: Element) -> Standing:
        relation = _needed(activity, f"{_CATALOGUE}heeftAlsEigenaar")
        over = self._is_over(activity) or self._is_over(owner) or self._is_over(relation, _RELATION)
        if over or _one(owner, "datumUitschrijving") is not None:
            return "ended"
        if _one(owner, "ontbinding") is not None:
            return "dissolved"
        insolvency = self._insolvency(owner)
        if insolvency is not None:
            return insolvency
        if self._restricted(owner):
            return "restricted"
        if kind not in OWNERS:
            self._note("owner", kind)
            return "not-understood"
        return "active"

    def _insolvency(self, person: Element) -> Standing | None:
        state = _one(person, "bijzondereRechtstoestand")
        if state is None or self._is_over(state):
            return None
        code = _code(state, "soort")
        if code not in INSOLVENCIES:
            self._note("bijzondereRechtstoestand", code)
            return "not-understood"
        return INSOLVENCIES[code]

    def _restricted(self, person: Element) -> bool:
        found = [_one(person, name) for name in ("beperkingInRechtshandeling", "buitenlandseRechtstoestand")]
        return any(one is not None and not self._is_over(one) for one in found)

    def _is_over(self, element: Element, registered: str = "registratie") -> bool:
        """Whether the registration of something has ended by today; an end that cannot be read is one."""
        registration = _one(element, registered)
        end = None if registration is None else _one(registration, "datumEinde")
        if end is None:
            return False
        day = day_of(end.text)
        return day is None or day <= self._today

    def _holds(self, element: Element) -> bool:
        """Whether something has begun by today and is not over. Of a begin, month or day may be unknown (`00`)."""
        registration = _one(element, "registratie")
        begin = "" if registration is None else _text(registration, "datumAanvang")
        return begin <= f"{self._today:%Y%m%d}" and not self._is_over(element)

    def _held(self, function: Element, name: str) -> Element | None:
        """The authority that goes with a function, while it holds."""
        found = _one(function, name)
        return found if found is not None and self._holds(found) else None

    # Officers

    def _officers(self, kind: str, owner: Element) -> tuple[Officer, ...]:
        found = [self._owner_officer(owner)] if kind == "natuurlijkPersoon" else []
        relations = owner.findall(f"{_CATALOGUE}heeft")
        if len(relations) > MOST_OFFICERS:
            raise not_understood("too-many-officers")
        for relation in relations:
            for function in relation if not self._is_over(relation, _RELATION) else ():
                if function.tag != _CATALOGUE + _RELATION and self._holds(function):
                    found.append(self._officer(function))
        return tuple(found)

    def _owner_officer(self, owner: Element) -> Officer:
        """The owner of a one-man business acts alone; of what else a natural person may own, nothing is known."""
        made = self._person("owner", "director", owner, owner)
        if _text(owner, "persoonRechtsvorm") == "Eenmanszaak":
            return _with(made, "sole", None, made.why)
        self._note("persoonRechtsvorm", _text(owner, "persoonRechtsvorm"))
        return _with(made, "none", None, "office-not-understood")

    def _officer(self, function: Element) -> Officer:
        name, code = function.tag.removeprefix(_CATALOGUE), _code(function, "functie")
        door = _one(function, "door")
        person = None if door is None else _one(door, "natuurlijkPersoon")
        if person is None:
            self._note("door", name)
            return Officer("", "director", code, "none", None, "officer-is-a-company")
        made = self._person(code, "mandate" if name == "gemachtigde" else "director", person, function)
        read = {
            "bestuursfunctie": self._director,
            "aansprakelijke": self._partner,
            "gemachtigde": self._attorney,
        }.get(name)
        if read is None:  # a commissioner, a shareholder, a trustee in bankruptcy, an office of public law
            return _with(made, "none", None, "office-without-authority")
        authority, cap, why = read(function, code)
        if self._is_suspended(function):
            authority, why = "none", "office-suspended"
        return _with(made, authority, cap, made.why or why)

    def _director(self, function: Element, code: str) -> tuple[Any, int | None, str]:
        authority = self._held(function, "bevoegdheid")
        kind = "" if authority is None else _code(authority, "soort")
        if code not in DIRECTORS:
            return self._unclear("bestuursfunctie", code)
        if authority is None or kind not in ("azb", "gb", "nb"):
            return self._unclear("bevoegdheid", kind)
        if kind == "nb":
            return "none", None, "office-without-authority"
        with_others = _code(authority, "isBevoegdMetAnderePersonen")
        if kind == "azb":
            return ("sole", None, "") if with_others in ("", "N") else self._unclear("azb", with_others)
        # With others than directors: with whom stands in the articles of association, not in the register.
        return ("joint", None, "") if with_others == "N" else self._unclear("gb", with_others)

    def _partner(self, function: Element, code: str) -> tuple[Any, int | None, str]:
        authority = self._held(function, "bevoegdheid")
        kind = "" if authority is None else _code(authority, "soort")
        if code not in PARTNERS:
            return self._unclear("aansprakelijke", code)
        if authority is None or kind not in ("ob", "bb", "nb"):
            return self._unclear("bevoegdheid", kind)
        if kind == "nb":
            return "none", None, "office-without-authority"
        if kind == "ob":
            bounded = any(_one(authority, one) is not None for one in ("beperkingInEuros",))
            return self._unclear("ob", "beperkingInEuros") if bounded else ("sole", None, "")
        cap = _euros(authority, "beperkingInEuros")
        if cap is None or _code(authority, "overigeBeperking") not in ("", "N"):
            return self._unclear("bb", "overigeBeperking")
        return "sole", cap, ""

    def _attorney(self, function: Element, code: str) -> tuple[Any, int | None, str]:
        mandate = self._held(function, "volmacht")
        kind = "" if mandate is None else _code(mandate, "typeVolmacht")
        if code not in ATTORNEYS:
            return self._unclear("gemachtigde", code)
        if mandate is None or kind not in ("v", "b") or _one(mandate, "heeftBetrekkingOp") is not None:
            return self._unclear("volmacht", kind)
        bounds = _one(mandate, "beperkteVolmacht")
        if kind == "v":
            return ("sole", None, "") if bounds is None else self._unclear("volmacht", "v")
        return self._bounded(bounds)

    def _bounded(self, bounds: Element | None) -> tuple[Any, int | None, str]:
        """A limited mandate is understood when an amount is its only limit; for which acts it is otherwise, the register
        says in words of its own."""
        if bounds is None:
            return self._unclear("beperkteVolmacht", "")
        others = [child.tag for child in bounds if child.tag not in _AMOUNT_ALONE]
        cap = _euros(bounds, "beperkingInGeld")
        if others or cap is None or _code(bounds, "heeftOverigeVolmacht") not in ("", "N"):
            return self._unclear("beperkteVolmacht", "")
        return "sole", cap, ""

    def _person(self, code: str, kind: Any, person: Element, function: Element) -> Officer:
        """The officer, without an authority yet; `why` is set when the person cannot act at all."""
        born = day_of(_text(person, "geboortedatum"))
        name = (
            _text(person, "voornamen"),
            _text(person, "voorvoegselGeslachtsnaam"),
            _text(person, "geslachtsnaam"),
        )
        key = self._key_of(RegisteredName(*name, born)) if born and name[0] and name[2] else ""
        adult = None if born is None else birthday(born, _ADULT)
        why = ""
        if _one(person, "overlijdensdatum") is not None:
            why = "officer-deceased"
        elif self._insolvency(person) is not None or self._restricted(person):
            why = "officer-restricted"
        elif not key:
            why = "office-not-understood"
        emancipated = any(
            (lift := _one(one, "handlichting")) is not None and _code(lift, "isVerleend") == "J"
            for one in (person, function)
        )
        minor = adult is not None and adult > self._today and not emancipated
        return Officer(key, kind, code, "none", None, why, adult if minor else None)

    def _is_suspended(self, function: Element) -> bool:
        suspension = _one(function, "schorsing")
        return suspension is not None and not self._is_over(suspension)

    def _unclear(self, what: str, code: str) -> tuple[Any, int | None, str]:
        self._note(what, code)
        return "none", None, "office-not-understood"

    # The rest

    def _rsin(self, owner: Element) -> Rsin | None:
        number = _text(owner, "rsin")
        if number and not Rsin.accepts(number):
            self._note("rsin", "")
        return Rsin(number) if Rsin.accepts(number) else None

    def _establishments(self, activity: Element) -> tuple[Establishment, ...]:
        led = _one(activity, "wordtGeleidVanuit")
        main = {one.number for one in _places(led)} if led is not None else set()
        business = _one(activity, "manifesteertZichAls")
        company = None if business is None else _one(business, "onderneming")
        relations = [] if company is None else company.findall(f"{_CATALOGUE}wordtUitgeoefendIn")
        found = {
            one.number: one for relation in ([led] if led is not None else []) for one in _places(relation)
        }
        for relation in relations:
            if not self._is_over(relation, _RELATION):
                found |= {one.number: one for one in _places(relation)}
        if len(found) > MOST_ESTABLISHMENTS:
            raise not_understood("too-many-establishments")
        return tuple(Establishment(one.number, one.name, one.number in main) for one in found.values())

    def _note(self, what: str, code: str) -> None:
        """A code alone: what stands in an answer may be anybody's words."""
        known = code if re.fullmatch(r"[A-Za-z0-9]{1,30}", code) else ""
        self._notes.append(f"{what}:{known}" if known else what)


_AMOUNT_ALONE = {
    f"{_CATALOGUE}{name}"
    for name in ("beperkingInGeld", "magOpgaveHandelsregisterDoen", "heeftOverigeVolmacht")
}


def _places(relation: Element) -> Iterator[Establishment]:
    for place in relation:
        if place.tag in (f"{_CATALOGUE}commercieleVestiging", f"{_CATALOGUE}nietCommercieleVestiging"):
            number = _text(place, "vestigingsnummer")
            if Vestiging.accepts(number):
                yield Establishment(
                    Vestiging(number), _text(place, "eersteHandelsnaam") or _text(place, "naam")
                )


def _with(officer: Officer, authority: Any, cap: int | None, why: str) -> Officer:
    authority = "none" if why else authority
    return Officer(
        officer.key,
        officer.kind,
        officer.function,
        authority,
        cap if authority != "none" else None,
        why,
        officer.adult,
    )


def _one(parent: Element, name: str) -> Element | None:
    """The only child of a name; without a namespace, of the catalogue."""
    tag = name if name.startswith("{") else _CATALOGUE + name
    found = parent.findall(tag)
    if len(found) > 1:
        raise not_understood("twice")
    return found[0] if found else None


def _needed(parent: Element, name: str) -> Element:
    found = _one(parent, name)
    if found is None:
        raise not_understood("missing")
    return found


def _text(parent: Element, name: str) -> str:
    found = _one(parent, name)
    return "" if found is None else (found.text or "").strip()


def _code(parent: Element, name: str) -> str:
    found = _one(parent, name)
    return "" if found is None else _text(found, "code")


def _euros(parent: Element, name: str) -> int | None:
    """An amount in cents; None when there is none in euros."""
    money = _one(parent, name)
    if money is None or _code(money, "valuta") != "EUR":
        return None
    match = re.fullmatch(r"(\d{1,13})(?:\.(\d{1,2}))?", _text(money, "waarde"), re.ASCII)
    return None if match is None else int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def day_of(written: str | None) -> date | None:
    match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", (written or "").strip(), re.ASCII)
    try:
        return None if match is None else date(*map(int, match.groups()))
    except ValueError:
        return None
