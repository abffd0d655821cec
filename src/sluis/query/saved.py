"""Questions that officials save: text and activity, and never a value. Their own, and those that colleagues share.

Who saved one is kept as a pseudonym. What nobody used for two years is deleted.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, text
from sqlglot import exp

from sluis.crypto import KeyStore, canonical_texts, encode_base64url
from sluis.kernel import Clock, Conflict, Invalid, NotFound, Text, decode, encode
from sluis.query import sql
from sluis.statement import parse
from sluis.store import Store, migrate

KEPT = timedelta(days=730)
"""After so long without use a question is deleted."""

MOST, MOST_SHARED = 100, 1000
"""Questions that one person saves, and that an organisation shares."""

LONGEST_NAME = 80
_FIELDS = 400  # of a form
_DIGITS = re.compile(r"\d(?:[ .\-]?\d){5,}")
_SHORT = re.compile(r"\d{1,4}", re.ASCII)

Mode = Literal["form", "sql"]


class Content(msgspec.Struct, frozen=True):
    """What is saved: `fields` are those of the form that say what was ticked, without a value."""

    name: str
    activity: str
    mode: Mode
    sql: str
    fields: dict[str, str] = {}


class Saved(msgspec.Struct, frozen=True):
    """A saved question; `own` of who looks."""

    id: str
    content: Content
    shared: bool
    own: bool
    used: int


class Shelf:
    """Where saved questions are kept. Made by `open_shelf`."""

    def __init__(self, store: Store, keys: KeyStore, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    async def save(self, person: str, content: Content, shared: bool) -> str:
        """Save a question; durable when this returns. Gives its id.

        Raises:
            Invalid: it has no name, or something in it may be somebody's data.
            Conflict: there are as many as may be.
        """
        whose, name, now = self._pseudonym(person), secrets.token_hex(8), self._now()
        row = {
            "id": name,
            "person": whose,
            "shared": int(shared),
            "used": now,
            "content": encode(checked(content)),
        }

        def add(connection: Connection) -> None:
            connection.execute(text(sql.SWEEP), {"since": self._since()})
            _hold(connection, sql.COUNT, MOST, person=whose)
            if shared:
                _hold(connection, sql.COUNT_SHARED, MOST_SHARED)
            connection.execute(text(sql.ADD), row)

        await self._store.write(add)
        return name

    async def seen(self, person: str) -> list[Saved]:
        """Their own, and what colleagues share; what was used last first."""
        given = {"most": MOST + MOST_SHARED}
        return await asyncio.to_thread(self._rows, sql.SEEN, self._pseudonym(person), given)

    async def one(self, person: str, id: str) -> Saved:
        """One that they may see. Raises `NotFound`."""
        found = await asyncio.to_thread(self._rows, sql.ONE, self._pseudonym(person), {"id": id})
        if not found:
            raise _gone()
        return found[0]

    async def use(self, person: str, id: str) -> Saved:
        """The same, and note that it was used."""
        found, now = await self.one(person, id), self._now()
        if now - found.used > 86_400:
            await self._store.write(lambda connection: _run(connection, sql.USE, id=id, used=now))
        return found

    async def rename(self, person: str, id: str, name: str, shared: bool) -> None:
        """Give one's own another name, and share it or not. Raises `NotFound`, `Invalid`, `Conflict`."""
        found = await self.one(person, id)
        content = checked(msgspec.structs.replace(found.content, name=name))
        whose = self._pseudonym(person)

        def change(connection: Connection) -> int:
            if shared and not found.shared:
                _hold(connection, sql.COUNT_SHARED, MOST_SHARED)
            return _run(
                connection, sql.CHANGE, id=id, person=whose, content=encode(content), shared=int(shared)
            )

        if not await self._store.write(change):
            raise _gone()

    async def delete(self, person: str, id: str) -> None:
        """Delete one's own. Raises `NotFound`."""
        whose = self._pseudonym(person)
        if not await self._store.write(lambda connection: _run(connection, sql.DELETE, id=id, person=whose)):
            raise _gone()

    def _rows(self, statement: str, whose: str, given: Mapping[str, Any]) -> list[Saved]:
        with self._store.read() as connection:
            rows = connection.execute(text(statement), {"person": whose, "since": self._since(), **given})
            return [
                Saved(row.id, decode(row.content, Content), bool(row.shared), row.person == whose, row.used)
                for row in rows
            ]

    def _pseudonym(self, person: str) -> str:
        return encode_base64url(self._keys.mac("query", canonical_texts("saved", person)))

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _since(self) -> int:
        return self._now() - int(KEPT.total_seconds())


def open_shelf(store: Store, keys: KeyStore, clock: Clock) -> Shelf:
    """The saved questions of a node, their table made when it is not there. Blocks. Raises as `migrate`."""
    migrate(store, "query", sql.MIGRATIONS)
    return Shelf(store, keys, clock)


def checked(content: Content) -> Content:
    """A question as it may be saved, with its SQL laid out anew: without comments, and without anything that may be a value.

    Raises:
        Invalid: `no-name`, `digits-in-name`, `value-in-question`, or what is wrong with the SQL.
    """
    name = " ".join(content.name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise _wrong("no-name", f"Geef een naam van hoogstens {LONGEST_NAME} tekens.",
                     f"Give a name of at most {LONGEST_NAME} characters.", "name")  # fmt: skip
    if _DIGITS.search(name):
        raise _wrong("digits-in-name", "Er staat een lang nummer in de naam. Dat kan van iemand zijn.",
                     "There is a long number in the name. It may be somebody's.", "name")  # fmt: skip
    tree = parse(content.sql)
    if any(literal.is_string or not _SHORT.fullmatch(literal.name) for literal in tree.find_all(exp.Literal)):
        raise _wrong("value-in-question", "Er staat een waarde in de vraag. Bewaar alleen parameters, zoals $bsn.",
                     "There is a value in the question. Save parameters alone, such as $bsn.", "sql")  # fmt: skip
    written = tree.sql(dialect="duckdb", pretty=True, comments=False)
    if _DIGITS.search(written):
        raise _wrong("value-in-question", "Er staat een lang nummer in de vraag. Dat kan van iemand zijn.",
                     "There is a long number in the question. It may be somebody's.", "sql")  # fmt: skip
    fields = {field: value for field, value in content.fields.items() if _is_choice(field, value)}
    if len(fields) > _FIELDS:
        fields = {}
    return Content(name, content.activity, content.mode, written, fields)


def _is_choice(field: str, value: str) -> bool:
    """Whether a field of the form says what was ticked, and no more: names of columns and operators."""
    chosen = field.startswith(("c.", "j.")) or re.fullmatch(r"w\d\.(column|is)", field) is not None
    return chosen and len(field) <= 200 and len(value) <= 200 and not _DIGITS.search(field + " " + value)


def _run(connection: Connection, statement: str, **given: Any) -> int:
    return connection.execute(text(statement), given).rowcount


def _hold(connection: Connection, statement: str, most: int, **given: Any) -> None:
    if int(connection.execute(text(statement), given).scalar() or 0) >= most:
        raise Conflict(
            "too-many-saved",
            Text("De vraag is niet bewaard.", "The question was not saved."),
            Text(f"Er staan er al {most}.", f"There are {most} already."),
            Text("Verwijder eerst een vraag die niemand meer gebruikt.", "First delete one that nobody uses any more."),
        )  # fmt: skip


def _wrong(code: str, nl: str, en: str, field: str) -> Invalid:
    return Invalid(
        code, Text("De vraag is niet bewaard.", "The question was not saved."), Text(nl, en),
        Text("Pas het aan en bewaar opnieuw.", "Change it and save again."), field=field,
    )  # fmt: skip


def _gone() -> NotFound:
    return NotFound(
        "no-such-question",
        Text("Deze bewaarde vraag is er niet (meer).", "This saved question is not there (any more)."),
        Text("Hij is verwijderd, of van een collega die hem niet deelt.", "It was deleted, or is a colleague's who does not share it."),
        Text("Kies een vraag uit uw lijst.", "Choose a question of your list."),
    )  # fmt: skip
