"""Requests, codes and tokens as they are kept: durable before anybody hears of them, each used once.

In memory are only the tokens of persons that are good now, for whoever checks one, and those of clients that were revoked.
One process writes, so what its writer's thread reads and changes in one go nobody else changes in between.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Vault
from sluis.identity.provider import sql
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.model import (
    CODE_SECONDS,
    GRANT_SECONDS,
    MOST_PENDING,
    MOVES,
    PENDING_SECONDS,
    PUSHED_SECONDS,
    Asked,
    Grant,
    State,
)
from sluis.kernel import Clock, Invalid, Text, decode
from sluis.store import Store, migrate

_TELL_SECONDS = 2 * 3600

Refusal = Callable[[Grant, int], OAuthProblem | None]
"""What is wrong with trading a code, by its grant and when it was made."""


class SignedOut(msgspec.Struct, frozen=True):
    """Who is to be told of a sign-out: the row, the client, and how the person and session are called there."""

    id: str
    client: str
    subject: str
    session: str


class Grants:
    """What one node was asked and granted. Made by `open_grants`."""

    def __init__(self, store: Store, keys: KeyStore, clock: Clock) -> None:
        self._store, self._clock, self._vault = store, clock, Vault(keys, "provider")
        self._keys = keys
        self._by_jti: dict[str, tuple[str, Grant, int]] = {}
        self._revoked: dict[str, int] = {}

    def load(self) -> None:
        """Go on with the tokens that are good. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.TOKENS), {"now": self._now()}).all()
        for row in rows:
            if not row.parent:
                self._revoked[row.jti] = row.until
                continue
            try:
                self._by_jti[row.jti] = (row.parent, self._open(row.sealed, row.parent, Grant), row.until)
            except (Invalid, msgspec.DecodeError):  # of other keys: not good any more
                continue

    def of(self, jti: str) -> Grant | None:
        """The grant of a token that is good; None when it is not, or is not a person's."""
        found = self._by_jti.get(jti)
        return found[1] if found is not None else None

    def is_revoked(self, jti: str) -> bool:
        """Whether the token of a client was revoked."""
        return jti in self._revoked

    async def hold(self, asked: Asked, *, pushed: bool, origin: str = "") -> str:
        """Keep a request. Returns its name, which cannot be guessed. Raises `Unkept`.

        Args:
            asked: the request.
            pushed: whether a client sent it beforehand.
            origin: the address of the browser that has to sign in.
        """
        name = secrets.token_urlsafe(32)
        until = self._now() + (PUSHED_SECONDS if pushed else PENDING_SECONDS)
        row = {
            "digest": _digest(name),
            "pushed": int(pushed),
            "until": until,
            "sealed": self._seal(asked, name),
            "origin": self._origin(origin),
        }
        await self._write(sql.HOLD, row)
        return name

    async def held(self, name: str, *, pushed: bool, origin: str = "") -> Asked | None:
        """A request that was kept; a pushed one is used by this, and waits from now on, for the browser at the address `origin`.
        Raises `Unkept`."""
        digest, now = _digest(name), self._now()

        def work(connection: Connection) -> bytes | None:
            values = {"digest": digest, "pushed": int(pushed), "now": now}
            sealed: bytes | None = connection.execute(text(sql.HELD), values).scalar()
            if sealed is not None and pushed:
                used = {"digest": digest, "until": now + PENDING_SECONDS, "origin": self._origin(origin)}
                connection.execute(text(sql.USE), used)
            return sealed

        sealed = await self._store.write(work) if pushed else self._read(work)
        return None if sealed is None else self._open(sealed, name, Asked)

    async def grant(self, grant: Grant, held: str | None) -> str | None:
        """Keep what is granted; its code, durable.

        Args:
            grant: it.
            held: name of the request that this answers, when it was kept; it is answered once.

        Returns None when that request was answered before. Raises `Unkept`.
        """
        code, name, now = secrets.token_urlsafe(32), secrets.token_urlsafe(18), self._now()
        row = {
            "id": name,
            "code": _digest(code),
            "client": grant.asked.client,
            "session": grant.session,
            "state": State.CODE.value,
            "made": now,
            "until": now + 2 * CODE_SECONDS,  # of a code that nobody trades nothing is to be told
            "sealed": self._seal(grant, name),
        }

        def work(connection: Connection) -> bool:
            if held is not None:
                taken = connection.execute(text(sql.TAKE), {"digest": _digest(held), "now": now})
                if taken.rowcount != 1:
                    return False
            connection.execute(text(sql.GRANT), row)
            return True

        return code if await self._store.write(work) else None

    async def drop(self, held: str) -> bool:
        """A request is answered with a refusal; whether it still stood. Raises `Unkept`."""
        values = {"digest": _digest(held), "now": self._now()}
        return await self._store.write(
            lambda connection: connection.execute(text(sql.TAKE), values).rowcount == 1
        )

    async def redeem(self, code: str, jti: str, until: int, refusal: Refusal) -> Grant:
        """Trade a code for a token, once. Whatever is wrong with the attempt, the code is not good any more after it;
        and when it was traded before, nothing that came of it is (RFC 6749, 4.1.2).

        Args:
            code: as it was handed out.
            jti: of the token that it is traded for.
            until: when that token ends, seconds since the epoch.
            refusal: says what is wrong.

        Raises:
            OAuthProblem: invalid_grant.
            Unkept: nothing changed.
        """

        def work(connection: Connection) -> tuple[str, Grant | None, OAuthProblem | None]:
            row = connection.execute(text(sql.BY_CODE), {"code": _digest(code)}).first()
            if row is None:
                return "", None, OAuthProblem("invalid_grant", _NO_CODE)
            state = State(row.state)
            grant = self._open(row.sealed, row.id, Grant)
            problem = OAuthProblem("invalid_grant", _NO_CODE)
            wrong = problem if state != State.CODE else refusal(grant, row.made)
            _move(connection, row.id, state, State.SPENT if wrong is None else State.REVOKED)
            if wrong is None:
                connection.execute(text(sql.LAST), {"id": row.id, "until": self._now() + GRANT_SECONDS})
                connection.execute(text(sql.NOTE), {"jti": jti, "parent": row.id, "until": until})
            return row.id, grant, wrong

        name, grant, wrong = await self._store.write(work)
        if wrong is not None or grant is None:
            if grant is not None:  # of a code that never was there is nothing to look for
                self._forget([name])
            raise wrong or OAuthProblem("invalid_grant", _NO_CODE)
        self._by_jti[jti] = (name, grant, until)
        return grant

    async def follow(self, parent: str, jti: str, until: int) -> None:
        """A token comes of another one, and is good for as long as that one's grant. Raises `OAuthProblem`, `Unkept`."""
        found = self._by_jti.get(parent)
        if found is None:
            raise OAuthProblem("invalid_grant", _NO_CODE)
        await self._write(sql.NOTE, {"jti": jti, "parent": found[0], "until": until})
        if parent not in self._by_jti:  # revoked meanwhile; the table knows
            raise OAuthProblem("invalid_grant", _NO_CODE)
        self._by_jti[jti] = (found[0], found[1], until)

    async def revoke(self, jti: str, until: int) -> None:
        """Revoke a token, and all that came of the same grant. Raises `Unkept`."""
        found = self._by_jti.get(jti)
        if found is not None:
            await self._write(sql.MOVE, {"id": found[0], "state": State.REVOKED.value})
            self._forget([found[0]])
        else:
            await self._write(sql.NOTE, {"jti": jti, "parent": "", "until": until})
            self._revoked[jti] = until

    async def end(self, session: str, told: Callable[[Grant], tuple[str, str] | None]) -> None:
        """A session is over: nothing that rests on it is good any more, and its clients are to be told. Raises `Unkept`.

        Args:
            session: its handle.
            told: what the person and the session are called at a client; None when that one is not to be told.
        """
        self._forget([name for name, grant, _ in self._by_jti.values() if grant.session == session])
        until = self._now() + _TELL_SECONDS

        def work(connection: Connection) -> None:
            clients = set[str]()
            for row in connection.execute(text(sql.OF_SESSION), {"session": session}).all():
                _move(connection, row.id, State(row.state), State.ENDED)
                if row.state != State.CODE and row.client not in clients:
                    clients.add(row.client)
                    self._tell(connection, row.client, told(self._open(row.sealed, row.id, Grant)), until)

        await self._store.write(work)

    def sessions(self) -> list[str]:
        """Handles of the sessions in which something was granted, and whose end is not told yet. Blocks."""
        with self._store.read() as connection:
            return [row.session for row in connection.execute(text(sql.SESSIONS))]

    def clients_of(self, session: str) -> list[str]:
        """To whom somebody was signed in with a session. Blocks."""
        with self._store.read() as connection:
            return [row.client for row in connection.execute(text(sql.CLIENTS), {"session": session})]

    def to_tell(self) -> list[SignedOut]:
        """Who is to be told of sign-outs. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.TO_TELL), {"now": self._now()}).all()
        return [
            SignedOut(row.id, row.client, *self._open(row.sealed, row.id, tuple[str, str])) for row in rows
        ]

    async def told(self, name: str) -> None:
        """It was told. Raises `Unkept`."""
        await self._write(sql.TOLD, {"id": name})

    async def sweep(self, alive: Callable[[str], bool]) -> None:
        """Let go of what is over. `alive` says whether the session of a handle is. Raises `Unkept`."""
        now = self._now()
        self._by_jti = {jti: one for jti, one in self._by_jti.items() if one[2] > now}
        self._revoked = {jti: until for jti, until in self._revoked.items() if until > now}

        def work(connection: Connection) -> None:
            for row in connection.execute(text(sql.OLD), {"now": now}).all():
                if alive(row.session):
                    values = {"until": now + GRANT_SECONDS, "session": row.session}
                    connection.execute(text(sql.KEEP), values)
            for statement in sql.SWEEP:
                connection.execute(text(statement), {"now": now})
            if connection.execute(text(sql.WAITING)).scalar_one() > MOST_PENDING:
                connection.execute(text(sql.CROWD), {"most": MOST_PENDING})

        await self._store.write(work)

    def _tell(self, connection: Connection, client: str, names: tuple[str, str] | None, until: int) -> None:
        if names is not None:
            name = secrets.token_urlsafe(18)
            row = {"id": name, "client": client, "until": until, "sealed": self._seal(names, name)}
            connection.execute(text(sql.TELL), row)

    def _forget(self, names: Iterable[str]) -> None:
        gone = set(names)
        for jti in [jti for jti, (name, _, _) in self._by_jti.items() if name in gone]:
            del self._by_jti[jti]

    def _seal(self, content: Any, name: str) -> bytes:
        return self._vault.seal(msgspec.json.encode(content), name)

    def _open(self, sealed: Any, name: str, kind: type[Any]) -> Any:
        return decode(self._vault.open(bytes(sealed), name), kind)

    def _origin(self, address: str) -> bytes:
        """What is kept of where a browser comes from: enough to see which requests come from the same place."""
        return self._keys.mac("request-origins", address.encode())

    def _read(self, work: Callable[[Connection], Any]) -> Any:
        with self._store.read() as connection:
            return work(connection)

    async def _write(self, statement: str, values: Mapping[str, Any]) -> None:
        await self._store.write(lambda connection: connection.execute(text(statement), values) and None)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_grants(store: Store, keys: KeyStore, clock: Clock) -> Grants:
    """What this node granted, its tables made when they are not there. Blocks. Raises as `migrate`."""
    migrate(store, "identity.provider", sql.MIGRATIONS)
    grants = Grants(store, keys, clock)
    grants.load()
    return grants


def _move(connection: Connection, name: str, before: State, after: State) -> None:
    if after in MOVES[before]:
        connection.execute(text(sql.MOVE), {"id": name, "state": after.value})


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


_NO_CODE = Text("Dit is niet uitgegeven, of al gebruikt.", "This was not issued, or was used before.")
