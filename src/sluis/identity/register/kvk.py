"""Reading what the trade register (Handelsregister) answers: a company, its standing, and who may act for it.

XML: the answer `ophalenInschrijvingResponse` of KVK HR-Dataservice 2015/02, bare or in its SOAP envelope. JSON: a
Basisprofiel of the KVK API; it names nobody who may act and no bankruptcy, so nobody acts by it alone.

An answer is hostile input: bounded, no DTD, no entities, and what stands twice where once is meant is refused. What is not
understood gives no authority, and the company's notes say so. Whether an answer comes from the register is for whoever
fetched it. Names and dates of birth do not get past this module: of each officer a keyed hash is left (`Officer.key`).
"""

import re
import unicodedata
from datetime import date
from typing import Any

from sluis.crypto import read_json
from sluis.identity.register.company import Company, Establishment, RegisteredName
from sluis.identity.register.registration import KeyOf, Reading, day_of, response
from sluis.identity.register.unreadable import NOT_THERE, fault, not_understood, unknown
from sluis.kernel import Invalid, Kvk, Rsin, Vestiging

LARGEST = 4 * 2**20
"""Bytes of one answer."""


def read_company(answer: bytes, kvk: Kvk, today: date, key_of: KeyOf) -> Company:
    """The company in an answer of the register.

    Args:
        answer: as it was received.
        kvk: the number that was asked for; the answer must be about it.
        today: ended functions and suspensions are left out as of this day.
        key_of: the keyed hash of a person's name and date of birth.

    Raises:
        Invalid: `register-answer`: it cannot be understood, is too large, or is about another company.
        NotFound: `unknown-company`: the register says that there is none.
        Upstream: `register-fault`: the register answers with another fault.
    """
    if len(answer) > LARGEST:
        raise not_understood("too-large")
    start = answer.lstrip()[:1]
    if start == b"{":
        return _from_json(answer, kvk, today)
    return Reading(response(answer), kvk, today, key_of).company()


def normal(name: RegisteredName) -> tuple[str, str, str]:
    """The parts of a name as they are compared: case, spaces and composed letters do not matter, all else does. The prefix goes
    with the surname: other sources do not set it apart."""

    def plain(part: str) -> str:
        one = " ".join(unicodedata.normalize("NFC", part).casefold().split())
        return re.sub(r" ?- ?", "-", one)

    return plain(name.given), plain(f"{name.prefix} {name.surname}"), name.born.isoformat()


def _from_json(answer: bytes, kvk: Kvk, today: date) -> Company:
    try:
        profile = read_json(answer)
    except Invalid:
        raise not_understood("not-json") from None
    if isinstance(profile, dict) and isinstance(profile.get("fout"), list):
        codes = {str(one.get("code")) for one in profile["fout"] if isinstance(one, dict)}
        raise unknown() if codes & NOT_THERE else fault()
    if not isinstance(profile, dict) or profile.get("kvkNummer") != kvk:
        raise not_understood("other-company")
    embedded = _object(profile, "_embedded")
    owner, place = _object(embedded, "eigenaar"), _object(embedded, "hoofdvestiging")
    end = _object(profile, "materieleRegistratie").get("datumEinde")
    day = day_of(end if isinstance(end, str) else None)
    over = end is not None and (day is None or day <= today)
    rsin, number = _string(owner, "rsin"), _string(place, "vestigingsnummer")
    return Company(
        kvk,
        _string(profile, "naam"),
        _string(owner, "rechtsvorm"),
        "ended" if over else "unstated",
        Rsin(rsin) if Rsin.accepts(rsin) else None,
        (Establishment(Vestiging(number), _string(place, "eersteHandelsnaam"), True),)
        if Vestiging.accepts(number)
        else (),
        (),
        ("profile", *(["rsin"] if rsin and not Rsin.accepts(rsin) else [])),
    )


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise not_understood("member")
    return found


def _string(parent: dict[str, Any], name: str) -> str:
    found = parent.get(name, "")
    return found if isinstance(found, str) else ""
