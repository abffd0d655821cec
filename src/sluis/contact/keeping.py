"""What this room keeps: messages, tries, and what is known of people; sealed where it says something about somebody.

Every method blocks and takes a connection, so that whoever calls decides what stands or falls together.
"""

import re
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, String, bindparam, text

from sluis.contact import sql
from sluis.contact.channels.base import Waiting
from sluis.contact.model import (
    TRY,
    Address,
    Content,
    Message,
    Occurrence,
    Pending,
    Preference,
    Scenario,
    Try,
    TryState,
    Whom,
)
from sluis.contact.rules import seconds
from sluis.crypto import KeyStore, Vault, canonical_texts, encode_base64url
from sluis.identity.sessions import person_of
from sluis.kernel import decode, encode

PERSON: Literal["BSN"] = "BSN"
"""The kind of number by which people are reached; whoever signs in with it is the same person."""

_NUMBERS = {PERSON: 9, "urn:nl:kvk": 8, "urn:nl:rsin": 9}
"""The kinds of number by which somebody is reached: of people and of companies. And how many digits each has."""

Thing = Address | Preference | Pending

Place = tuple[int, str, int]
"""Where a try stands among those that are asked about: when it changed, its message, its number."""

_REFERENCE = re.compile(r"[0-9a-f]{32}[0-9]{2}")
_KINDS: dict[str, type[Thing]] = {"address": Address, "preference": Preference, "pending": Pending}


class Known(msgspec.Struct, frozen=True):
    """What is known of one person."""

    addresses: tuple[Address, ...] = ()
    preferences: tuple[Preference, ...] = ()
    pending: tuple[Pending, ...] = ()

    def address(self, kind: str) -> Address | None:
        """The address of a kind, proven to be theirs."""
        return next((one for one in self.addresses if one.kind == kind), None)

    def waiting(self, kind: str) -> Pending | None:
        """The address of a kind to which a code went that may still come back."""
        return next((one for one in self.pending if one.kind == kind), None)

    def preference(self, case: str) -> Preference | None:
        """What they said about a case; empty: in general."""
        return next((one for one in self.preferences if one.case == case), None)


def has_messages(whom: Whom | None) -> bool:
    """Whether there is anybody to reach: a person, or a company."""
    return (
        whom is not None
        and whom.value.isascii()
        and whom.value.isdecimal()
        and len(whom.value) == _NUMBERS.get(whom.kind)
    )


class Keeping:
    """The tables of this room.

    Args:
        keys: seal, and name people and messages.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys, self._vault = keys, Vault(keys, "contact")

    def person(self, value: str) -> str:
        """The pseudonym of a person with this number."""
        return person_of(self._keys, PERSON, value)

    def entity(self, urn: str) -> str:
        """The pseudonym of a company with this number, as a URN."""
        return encode_base64url(self.digest("entity", urn))

    def whose(self, kind: str, value: str) -> str:
        """The pseudonym of whoever has a number of a kind."""
        return self.person(value) if kind == PERSON else self.entity(f"{kind}:{value}")

    def digest(self, *parts: str) -> bytes:
        """A keyed digest, 32 bytes."""
        return self._keys.mac("contact", canonical_texts(*parts))

    # Messages

    def add(
        self, connection: Connection, scenario: Scenario, occurrence: Occurrence, trace: str, now: int
    ) -> None:
        """Keep that somebody must be told of what happened; nothing when that is known already.

        Args:
            connection: of the transaction of what happened.
            scenario: by which they are told.
            occurrence: what happened, and about whom.
            trace: id that its line in the log gets.
            now: seconds since the epoch.
        """
        assert occurrence.about is not None
        person = self.whose(occurrence.about.kind, occurrence.about.value)
        name = self.digest("message", person, occurrence.type, occurrence.id, scenario.id)[:16].hex()
        case = str(occurrence.facts.get(scenario.case, "")) if scenario.case else ""
        content = Content(
            (occurrence.about.kind, occurrence.about.value), dict(occurrence.facts), trace, case
        )
        values = {
            "id": name,
            "person": person,
            "scenario": scenario.id,
            "created": now,
            "ends": now + seconds(scenario.retention),
            "sealed": self.sealed(name, content),
        }
        connection.execute(text(sql.ADD), values)

    def due(self, connection: Connection, now: int, most: int) -> list[str]:
        """The names of messages with which something must be done, the longest waiting first."""
        return list(connection.execute(text(sql.DUE), {"now": now, "most": most}).scalars())

    def message(self, connection: Connection, name: str) -> tuple[Message, Content] | None:
        """One message."""
        row = connection.execute(text(sql.ONE), {"id": name}).one_or_none()
        return None if row is None else self._message(row)

    def of_person(
        self, connection: Connection, person: str, scenarios: frozenset[str] | None, until: int, most: int
    ) -> list[tuple[Message, Content]]:
        """The messages of a person from before a moment, newest first; of some scenarios, None: of all. So many, and those of the
        same second as the last."""
        statement = text(sql.OF_PERSON).bindparams(bindparam("scenarios", type_=String(), expanding=True))
        values = {
            "person": person, "until": until, "others": most - 1,
            "every": scenarios is None, "scenarios": [*(scenarios or ())],
        }  # fmt: skip
        rows = connection.execute(statement, values)
        return [self._message(row) for row in rows]

    def set_message(self, connection: Connection, name: str, state: str, due: int | None) -> None:
        """Keep how far a message is."""
        connection.execute(text(sql.SET_MESSAGE), {"id": name, "state": state, "due": due})

    def set_content(self, connection: Connection, name: str, content: Content) -> None:
        """Keep what a message says."""
        connection.execute(text(sql.SET_CONTENT), {"id": name, "sealed": self.sealed(name, content)})

    def sealed(self, name: str, content: Content) -> bytes:
        """What is kept of a message."""
        return self._vault.seal(encode(content), f"message|{name}")

    def _message(self, row: Row[Any]) -> tuple[Message, Content]:
        message = Message(row.id, row.person, row.scenario, row.state, row.created, row.due, row.ends)
        return message, decode(self._vault.open(bytes(row.sealed), f"message|{row.id}"), Content)

    # Tries

    def tries(self, connection: Connection, message: str) -> list[Try]:
        """The tries of a message, first to last."""
        return [Try(*row) for row in connection.execute(text(sql.TRIES), {"message": message})]

    def tries_of_person(self, connection: Connection, person: str) -> list[Try]:
        """All tries to reach a person."""
        return [Try(*row) for row in connection.execute(text(sql.TRIES_OF_PERSON), {"person": person})]

    def tried(self, connection: Connection, reference: str) -> Try | None:
        """The try of a reference, which came from elsewhere."""
        if not _REFERENCE.fullmatch(reference):
            return None
        values = {"message": reference[:32], "number": int(reference[32:])}
        row = connection.execute(text(sql.ONE_TRY), values).one_or_none()
        return None if row is None else Try(*row)

    def keep_try(self, connection: Connection, tried: Try) -> None:
        """Keep a try, in the place of what it was before."""
        connection.execute(text(sql.KEEP_TRY), msgspec.structs.asdict(tried))

    def under_way(
        self, connection: Connection, statement: str, channel: str, after: Place, most: int
    ) -> list[tuple[Waiting, Place]]:
        """Tries of a channel of which a report may still come, each with its place, as `sql.UNDER_WAY` or `sql.UNREAD` finds
        them."""
        changed, message, number = after
        values = {"channel": channel, "changed": changed, "message": message, "number": number, "most": most}
        return [
            (Waiting(f"{row.message}{row.number:02d}", row.remote), (row.changed, row.message, row.number))
            for row in connection.execute(text(statement), values)
        ]

    # People

    def known(self, connection: Connection, person: str) -> Known:
        """What is known of a person."""
        found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
        for row in connection.execute(text(sql.KEPT), {"person": person}):
            opened = self._vault.open(bytes(row.sealed), f"{person}|{row.kind}|{row.name}")
            found[row.kind].append(decode(opened, _KINDS[row.kind]))
        return Known(tuple(found["address"]), tuple(found["preference"]), tuple(found["pending"]))

    def keep(self, connection: Connection, person: str, thing: Thing, now: int) -> None:
        """Keep something of a person, in the place of what it was before."""
        kind, name = self._name(thing)
        sealed = self._vault.seal(encode(thing), f"{person}|{kind}|{name}")
        values = {"person": person, "kind": kind, "name": name, "changed": now, "sealed": sealed}
        connection.execute(text(sql.KEEP), values)

    def forget(self, connection: Connection, person: str, thing: Thing) -> None:
        """Keep it no longer."""
        kind, name = self._name(thing)
        connection.execute(text(sql.FORGET), {"person": person, "kind": kind, "name": name})

    def _name(self, thing: Thing) -> tuple[str, str]:
        """A row's kind and name; the reference of a case stands there as a digest."""
        match thing:
            case Preference():
                return "preference", self.digest("case", thing.case).hex() if thing.case else ""
            case Address():
                return "address", thing.kind
            case _:
                return "pending", thing.kind

    def sweep(self, connection: Connection, now: int, pending_before: int) -> None:
        """Destroy what was kept long enough."""
        connection.execute(text(sql.SWEEP), {"now": now})
        connection.execute(text(sql.SWEEP_PENDING), {"before": pending_before})


def with_state(tried: Try, state: TryState, now: int, **more: Any) -> Try:
    """A try in another state. Raises `ValueError` for one that does not follow (`TRY`)."""
    if state not in TRY[tried.state]:
        raise ValueError(f"{state} does not follow {tried.state}")
    return msgspec.structs.replace(tried, state=state, changed=now, **more)
