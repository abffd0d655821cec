"""From claims to who is there and for whom they act. Pure.

Which claim tells what, is in the settings; besides, what OIDC-NLGOV 1.0.1 fixes is understood: `sub_id_type`, and a chain
of `represents` whose deepest is who is served and whose middle is the intermediary. What cannot be understood is refused
and never left out: whoever acts for another may not be taken for themselves. Numbers decide; names are only shown.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sluis.identity.register import person_urn
from sluis.identity.sessions import Established, Kind
from sluis.identity.upstream import faults
from sluis.identity.upstream.model import Fact, Method, Officials
from sluis.kernel import ACR, Kvk, Level, Text, Vestiging, nine_digits

PersonOf = Callable[[Kind, str], str]
"""This node's pseudonym of a person, from the kind and value of an identifier (`sessions.person_of`)."""

_EIDAS = re.compile(r"[A-Z]{2}/[A-Z]{2}/[!-~]{1,200}")  # eIDAS SAML Attribute Profile 1.2, 2.2.3
_LONGEST_NAME = 200
_LONGEST_IDENTIFIER = 255
_MOST_SERVICES = 100
_TYPE = re.compile(r"urn:nl-eid-gdi:1\.0:id:([a-z]+)", re.IGNORECASE)  # OIDC-NLGOV 1.0.1, `sub_id_type`
_COMPANY: frozenset[Fact] = frozenset(("kvk", "rsin", "vestiging"))


class Party(msgspec.Struct, frozen=True):
    """Who is represented, or through whom: a URN, a name when there is one, and the BSN of a person."""

    urn: str
    name: str | None = None
    bsn: str = ""

    def __repr__(self) -> str:
        return "Party(•)"


class Reader:
    """Reads the claims of one way of signing in.

    Args:
        method: the way.
        person_of: makes the pseudonym of somebody who is represented.
        test: whether this node takes official test numbers, which fail the eleven-test.
    """

    def __init__(self, method: Method, person_of: PersonOf, test: bool) -> None:
        self._method, self._person_of, self._test = method, person_of, test

    def wants_more(self, claims: Mapping[str, Any]) -> bool:
        """Whether facts that the settings name are not in these claims, so that userinfo may have them."""
        named = self._method.claims
        if any(self._fact(claims, name) is None for name in named):
            return True
        return (
            self._method.audience == "company" and "represents" not in claims and not _COMPANY & named.keys()
        )

    def established(
        self,
        claims: Mapping[str, Any],
        level: Level | None,
        at: int,
        officials: Officials,
    ) -> Established:
        """Who is there, for whom, at which level.

        Args:
            claims: that are believed.
            level: that they prove.
            at: when the person proved who they are, seconds since the epoch.
            officials: who is known, of a way for staff.

        Raises `Refused`: what this audience needs is not told, or not in the right form.
        """
        kind, value, roles = self._who(claims, officials)
        chosen, intermediary = self._represented(claims, kind, value)
        sid, subject = claims.get("sid"), str(claims["sub"])
        return Established(
            method=self._method.name,
            audience=self._method.audience,
            kind=kind,
            value=value,
            level=level,
            acr=self._method.name if level is None else ACR.get(level, level),
            at=at,
            issuer=self._method.issuer,
            name=_name(self._fact(claims, "name") or claims.get("name")),
            entity=chosen.urn if chosen else None,
            entity_name=chosen.name if chosen else None,
            entity_number=chosen.bsn if chosen else "",
            intermediary=intermediary,
            roles=roles,
            services=self._services(claims),
            upstream_session=upstream_session(sid if isinstance(sid, str) else None, subject),
        )

    def _who(self, claims: Mapping[str, Any], officials: Officials) -> tuple[Kind, str, tuple[str, ...]]:
        """Kind and value of the identifier of who is there, and the roles of an official."""
        person = self._fact(claims, "person") if "person" in self._method.claims else claims["sub"]
        if self._method.audience == "staff":
            official = officials.get(person) if isinstance(person, str) else None
            if official is None:
                raise faults.unknown_official()
            return "staff", official[0], official[1]
        bsn = self._fact(claims, "bsn")
        if bsn is None and self._method.audience == "citizen" and _type_of(claims) == "bsn":
            bsn = claims["sub"]
        if bsn is not None or "bsn" in self._method.claims:
            return "BSN", self._bsn(bsn), ()
        if not isinstance(person, str) or not 0 < len(person) <= _LONGEST_IDENTIFIER:
            raise self._untold(_NO_PERSON)
        if "person" in self._method.claims and _EIDAS.fullmatch(
            person
        ):  # nobody chooses that form for a `sub`
            return "eidas", person, ()
        return "pseudonym", f"{self._method.issuer}|{person}", ()

    def _represented(
        self, claims: Mapping[str, Any], kind: Kind, value: str
    ) -> tuple[Party | None, str | None]:
        """Who is served, and the URN of the intermediary."""
        if self._method.audience == "staff":
            return None, None
        chain, mapped = self._chain(claims), self._mapped(claims)
        if chain and mapped is not None and chain[-1].urn != mapped.urn:
            raise self._untold(_CONTRADICTION)
        served = self._narrowed(claims, chain[-1] if chain else mapped)
        if self._method.audience == "company" and served is None:
            raise self._untold(_NO_COMPANY)
        if served is not None and served.urn == person_urn(self._person_of(kind, value)):
            served = None  # for themselves
        return served, self._through(claims, chain)

    def _mapped(self, claims: Mapping[str, Any]) -> Party | None:
        """The company in claims that the settings name; by its number in the trade register before its RSIN."""
        numbers: tuple[Fact, ...] = ("kvk", "rsin")
        found = [
            self._number(name, told) for name in numbers if (told := self._fact(claims, name)) is not None
        ]
        return Party(found[0], _name(self._fact(claims, "company"))) if found else None

    def _narrowed(self, claims: Mapping[str, Any], served: Party | None) -> Party | None:
        """The establishment, where one is told: who may act for one establishment alone, may not for all of them."""
        told = self._fact(claims, "vestiging")
        if told is None:
            return served
        return Party(self._number("vestiging", told), served.name if served else None)

    def _through(self, claims: Mapping[str, Any], chain: list[Party]) -> str | None:
        told, middle = self._fact(claims, "intermediary"), chain[0].urn if len(chain) == 2 else None
        if told is None:
            return middle
        through = self._number("kvk" if len(str(told)) == 8 else "rsin", told)
        if middle not in (None, through):
            raise self._untold(_CONTRADICTION)
        return through

    def _chain(self, claims: Mapping[str, Any]) -> list[Party]:
        """Those in nested `represents`, from near to far: at most an intermediary and who is served."""
        found, part = list[Party](), claims
        while (inner := part.get("represents")) is not None:
            if not isinstance(inner, Mapping) or len(found) == 2:
                raise self._untold(_LONG_CHAIN)
            found.append(self._party(inner))
            part = inner
        return found

    def _party(self, told: Mapping[str, Any]) -> Party:
        """Somebody in a chain, by number: that of the trade register before others, since companies are known by it."""
        spare = told.get("alt_sub")
        alternatives = [told, *(spare if isinstance(spare, list) else [spare])]
        known = {
            kind: one["sub"]
            for one in reversed(alternatives)
            if isinstance(one, Mapping) and (kind := _type_of(one)) and isinstance(one.get("sub"), str)
        }
        name = _name(told.get("name"))
        if "kvknr" in known:
            return Party(self._number("kvk", known["kvknr"]), name)
        if "rsin" in known:
            return Party(self._number("rsin", known["rsin"]), name)
        if "bsn" in known and self._method.audience == "citizen":
            bsn = self._bsn(known["bsn"])
            return Party(person_urn(self._person_of("BSN", bsn)), name, bsn)
        raise self._untold(_UNKNOWN_PARTY)

    def _number(self, kind: Fact, told: Any) -> str:
        number = str(told) if isinstance(told, str | int) and not isinstance(told, bool) else ""
        fits = {
            "kvk": Kvk.accepts(number),
            "rsin": nine_digits(number, self._test),
            "vestiging": Vestiging.accepts(number),
        }[kind]
        if not fits:
            raise self._untold(_NO_NUMBER)
        return f"urn:nl:{kind}:{number}"

    def _bsn(self, told: Any) -> str:
        number = told if isinstance(told, str) else ""
        if not nine_digits(number, self._test):
            raise self._untold(_NO_BSN)
        return number

    def _services(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        told = self._fact(claims, "services")
        listed = told.split() if isinstance(told, str) else told
        if listed is None:
            return ()
        if (
            not isinstance(listed, list)
            or not all(isinstance(one, str) for one in listed)
            or len(listed) > _MOST_SERVICES
        ):
            raise self._untold(_NO_SERVICES)
        return tuple(listed)

    def _fact(self, claims: Mapping[str, Any], name: Fact) -> Any:
        """What the claim that the settings name for a fact holds; None when there is none, or it is empty."""
        where = self._method.claims.get(name)
        if where is None:
            return None
        told = claims.get(where) if where in claims or not where.startswith("/") else _pointed(claims, where)
        return None if told in ("", [], {}) else told

    def _untold(self, what: Text) -> Exception:
        return faults.not_told(self._method.title, what)


def upstream_session(sid: str | None, subject: str) -> str:
    """What a session at the provider is known by: its own name, else all of this person there."""
    return f"sid {sid}" if sid is not None else f"sub {subject}"


def _type_of(told: Mapping[str, Any]) -> str:
    """The kind of identifier that `sub` is, in small letters; empty when that is not told."""
    named = told.get("sub_id_type")
    found = _TYPE.fullmatch(named) if isinstance(named, str) else None
    return found[1].lower() if found else ""


def _pointed(claims: Mapping[str, Any], pointer: str) -> Any:
    """What a JSON pointer leads to (RFC 6901); None when that is nothing."""
    found: Any = claims
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def _name(told: Any) -> str | None:
    """A name to show, without characters that turn or hide text; None for what is no name."""
    if not isinstance(told, str):
        return None
    shown = "".join(letter for letter in told[:_LONGEST_NAME] if letter.isprintable()).strip()
    return shown or None


_NO_PERSON = Text("De claim met de persoon ontbreekt.", "The claim with the person is not there.")
_NO_BSN = Text("Er is geen geldig BSN.", "There is no valid BSN.")
_NO_COMPANY = Text("Er is geen bedrijf gekozen.", "No company was chosen.")
_NO_NUMBER = Text(
    "Een KVK-nummer, RSIN of vestigingsnummer klopt niet.",
    "A KVK number, RSIN or number of an establishment is not right.",
)
_NO_SERVICES = Text("De lijst met diensten klopt niet.", "The list of services is not right.")
_LONG_CHAIN = Text(
    "Er zit meer dan één organisatie tussen u en wie u vertegenwoordigt.",
    "There is more than one organisation between you and whom you represent.",
)
_UNKNOWN_PARTY = Text(
    "Wie u vertegenwoordigt, wordt niet met een bekend nummer genoemd.",
    "Whom you represent is not named by a known number.",
)
_CONTRADICTION = Text(
    "Er worden twee verschillende organisaties genoemd.", "Two different organisations are named."
)
