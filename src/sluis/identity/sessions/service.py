"""Sessions, server-side: begun, found, listed for their owner, ended.

OWASP ASVS 5.0, chapter 7. The browser holds a random secret, and this node only its SHA-256: who reads the database
cannot use a session of it. All that are alive are in memory, where a request finds its own; what changes is durable before
anybody hears of it. When a session was last used is written now and then, so after a crash it may be a minute older.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Vault, canonical_texts, encode_base64url
from sluis.identity.sessions import rules, sql
from sluis.identity.sessions.model import Established, Kind, Listed, Session
from sluis.kernel import Clock, Invalid, NotFound, Text, decode
from sluis.store import Store, migrate
from sluis.web import SignedIn

OnEnd = Callable[[SignedIn], None]
"""Told of a session that ended, once that is durable."""


Current = Callable[[Established], Established | None]
"""What is true now of somebody who signed in before, such as the roles of an official; None: they are not known any more."""


def open_sessions(
    store: Store, keys: KeyStore, clock: Clock, current: Current = lambda established: established
) -> "Sessions":
    """The sessions of this node, with those that are still alive. Blocks. Raises `Problem`.

    Args:
        store: of the node.
        keys: of the node.
        clock: aware UTC.
        current: asked of each that is kept: settings may have changed meanwhile.
    """
    migrate(store, "identity.sessions", sql.MIGRATIONS)
    sessions = Sessions(store, keys, clock)
    sessions.load(current)
    return sessions


def person_of(keys: KeyStore, kind: Kind, value: str) -> str:
    """This node's pseudonym of a person: HMAC-SHA256 as 43 characters base64url.

    Args:
        keys: of this node.
        kind: of the identifier.
        value: as in `Established`.
    """
    return encode_base64url(keys.mac("person", canonical_texts(kind, value)))


class Sessions:
    """The sessions of one node. Made by `open_sessions`. A secret is text of 43 characters; a handle names a session to its
    owner and to the rooms of this node, and opens nothing."""

    def __init__(self, store: Store, keys: KeyStore, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._vault = Vault(keys, "sessions")
        self._by_digest: dict[bytes, Session] = {}
        self._by_handle: dict[str, Session] = {}
        self._by_person: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        self._seen: dict[bytes, int] = {}
        self._unwritten: dict[bytes, int] = {}  # when it was last used, not yet in the database
        self._forgotten: set[bytes] = set()  # ended, and still in the database
        self._on_end: list[OnEnd] = []

    def load(self, current: Current) -> None:
        """Go on with the sessions that are kept. Those that this node's keys do not open, or whose person is not known any
        more, are no more. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ALL)).all()
        now = self._now()
        for row in rows:
            digest, sealed = bytes(row.digest), bytes(row.sealed)
            try:
                established = current(self._open(row.handle, sealed))
            except (Invalid, msgspec.DecodeError):
                established = None
            if established is None:
                self._forgotten.add(digest)
                continue
            signed_in = rules.signed_in(established, row.handle, self._person(established))
            upstream = rules.upstream_digest(established.issuer, established.upstream_session)
            self._take(Session(digest, signed_in, sealed, row.begun, row.ends, upstream), row.seen)
            if rules.is_over(row.seen, row.ends, now):
                self._drop(row.handle)

    def on_end(self, told: OnEnd) -> None:
        """Have `told` called for every session that ends."""
        self._on_end.append(told)

    async def begin(self, established: Established, *, replaces: str | None = None) -> tuple[str, SignedIn]:
        """Begin a session; durable when this returns.

        Args:
            established: what a way of signing in found out.
            replaces: the secret that the browser held before. It opens nothing from now on. When the new session goes on
                where that one was, it keeps its handle, and what was signed in with it stays so; otherwise that one ends.

        Returns the new secret, for the cookie, and the session. Raises `Unkept`.
        """
        before = self._alive(replaces) if replaces else None
        person = self._person(established)
        handle, begun = secrets.token_urlsafe(18), self._now()
        if before is not None and rules.continues(before.signed_in, rules.signed_in(established, "", person)):
            handle = before.signed_in.session
        signed_in = rules.signed_in(established, handle, person)
        gone = [before] if before is not None else []
        gone += self._too_many(person, gone)
        secret = await self._replace(established, signed_in, begun, begun + rules.LONGEST, gone)
        return secret, signed_in

    async def act_for(
        self, handle: str, entity: str | None, name: str | None, intermediary: str | None = None
    ) -> tuple[str, SignedIn]:
        """Act for a company or person from now on; whether that may be is for who calls this to find out.

        Args:
            handle: of the session.
            entity: a URN; None: for themselves.
            name: of the company or person.
            intermediary: through which company, as a URN.

        Returns a new secret, and the session as it is now. Raises `NotFound`, `Unkept`.
        """
        before = self._get(handle)
        found = self._open(handle, before.sealed)
        established = msgspec.structs.replace(
            found, entity=entity, entity_name=name, intermediary=intermediary, said=found.vouched
        )
        after = rules.signed_in(established, handle, before.signed_in.acting.person)
        if not rules.continues(before.signed_in, after):
            after = msgspec.structs.replace(after, session=secrets.token_urlsafe(18))
        secret = await self._replace(established, after, before.begun, before.ends, [before], before)
        return secret, after

    def by_cookie(self, secret: str) -> SignedIn | None:
        """The session of this secret, which is in use now; None when there is none, or not any more."""
        session = self._alive(secret)
        if session is None:
            return None
        self._seen[session.digest] = self._unwritten[session.digest] = self._now()
        return session.signed_in

    def by_handle(self, handle: str) -> SignedIn | None:
        """The session of this handle; None when it is over."""
        session = self._by_handle.get(handle)
        return session.signed_in if session is not None and not self._is_over(session) else None

    def of(self, person: str, programs: Callable[[str], Iterable[str]] = lambda handle: ()) -> list[Listed]:
        """The sessions of a person, the one that was used last first. May be called from any thread.

        Args:
            person: as `acting.person`.
            programs: titles of what was signed in with the session of a handle; when it blocks, so does this.
        """
        held = [(one, self._seen.get(one.digest, 0)) for one in [*self._by_person.get(person, {}).values()]]
        now = self._now()
        return [
            Listed(
                one.signed_in.session,
                one.signed_in.method,
                one.signed_in.audience,
                one.begun,
                seen,
                one.signed_in.represented if one.signed_in.acting.entity else None,
                tuple(programs(one.signed_in.session)),
            )
            for one, seen in sorted(held, key=lambda pair: (-pair[1], pair[0].signed_in.session))
            if not rules.is_over(seen, one.ends, now)
        ]

    def established(self, handle: str) -> Established:
        """All that was found out at signing in, for rooms that must have it. Raises `NotFound`."""
        return self._open(handle, self._get(handle).sealed)

    def subject(self, handle: str) -> tuple[Kind, str]:
        """The raw identifier of the person. Raises `NotFound`."""
        established = self.established(handle)
        return established.kind, established.value

    async def end(self, handle: str) -> None:
        """End a session, at once and for good. One that is over already stays so. Raises `Unkept`."""
        await self._end([one] if (one := self._by_handle.get(handle)) else [])

    async def end_all(self, person: str, *, but: str | None = None) -> None:
        """End all sessions of a person, except the one with handle `but`. Raises `Unkept`."""
        await self._end([one for handle, one in self._by_person.get(person, {}).items() if handle != but])

    async def end_upstream(self, issuer: str, session: str) -> None:
        """End what another provider says has ended there (OpenID Connect Back-Channel Logout 1.0). Raises `Unkept`."""
        key = rules.upstream_digest(issuer, session)
        await self._end([one for one in self._by_digest.values() if one.upstream == key])

    async def tidy(self) -> None:
        """End what is over, and write down what was last used. To be called every minute. Raises `Unkept`."""
        await self._end([one for one in self._by_digest.values() if self._is_over(one)])
        seen = dict(self._unwritten)
        if seen:
            rows = [{"digest": digest, "seen": moment} for digest, moment in seen.items()]
            await self._store.write(lambda connection: _execute(connection, sql.SEE, rows))
        for digest, moment in seen.items():
            if self._unwritten.get(digest) == moment:
                del self._unwritten[digest]

    async def _replace(
        self,
        established: Established,
        signed_in: SignedIn,
        begun: int,
        ends: int,
        gone: Sequence[Session],
        rests_on: Session | None = None,
    ) -> str:
        """Keep a session under a new secret instead of those that are gone; gives that secret. Raises `NotFound` when the
        one that it rests on was ended meanwhile."""
        secret, handle, now = secrets.token_urlsafe(32), signed_in.session, self._now()
        sealed = self._vault.seal(msgspec.json.encode(established), handle)
        upstream = rules.upstream_digest(established.issuer, established.upstream_session)
        session = Session(rules.digest_of(secret), signed_in, sealed, begun, ends, upstream)
        row = {
            "digest": session.digest,
            "handle": handle,
            "begun": begun,
            "seen": now,
            "ends": ends,
            "sealed": sealed,
        }

        def keep(connection: Connection) -> None:
            _execute(connection, sql.FORGET, [{"digest": one.digest} for one in gone])
            _execute(connection, sql.KEEP, [row])

        await self._store.write(keep)
        if rests_on is not None and rests_on.digest not in self._by_digest:
            self._forgotten.add(session.digest)
            await self._end([])
            raise _no_session()
        for one in gone:
            self._drop(one.signed_in.session)
            self._forgotten.discard(one.digest)
        self._take(session, now)
        self._tell([one for one in gone if one.signed_in.session != handle])
        return secret

    async def _end(self, gone: Sequence[Session]) -> None:
        for one in gone:
            self._drop(one.signed_in.session)
        forgotten = [{"digest": digest} for digest in self._forgotten]
        if forgotten:
            await self._store.write(lambda connection: _execute(connection, sql.FORGET, forgotten))
            self._forgotten.difference_update(row["digest"] for row in forgotten)
        self._tell(gone)

    def _tell(self, gone: Sequence[Session]) -> None:
        for one in gone:
            for told in self._on_end:
                told(one.signed_in)

    def _take(self, session: Session, seen: int) -> None:
        handle = session.signed_in.session
        self._by_digest[session.digest] = self._by_handle[handle] = session
        self._by_person[session.signed_in.acting.person][handle] = session
        self._seen[session.digest] = seen

    def _drop(self, handle: str) -> None:
        """Out of memory, so that nobody finds it any more."""
        session = self._by_handle.pop(handle, None)
        if session is None:
            return
        self._forgotten.add(session.digest)
        self._by_digest.pop(session.digest, None)
        self._seen.pop(session.digest, None)
        self._unwritten.pop(session.digest, None)
        person = session.signed_in.acting.person
        self._by_person[person].pop(handle, None)
        if not self._by_person[person]:
            del self._by_person[person]

    def _too_many(self, person: str, gone: Sequence[Session]) -> list[Session]:
        """Those that make room for one more."""
        held = [one for one in self._by_person.get(person, {}).values() if one not in gone]
        held.sort(key=lambda one: self._seen[one.digest])
        return held[: max(len(held) - rules.MOST + 1, 0)]

    def _alive(self, secret: str) -> Session | None:
        # What is looked up is a digest, so how long that takes tells nothing about any secret.
        session = self._by_digest.get(rules.digest_of(secret))
        return session if session is not None and not self._is_over(session) else None

    def _is_over(self, session: Session) -> bool:
        return rules.is_over(self._seen[session.digest], session.ends, self._now())

    def _get(self, handle: str) -> Session:
        session = self._by_handle.get(handle)
        if session is None or self._is_over(session):
            raise _no_session()
        return session

    def _open(self, handle: str, sealed: bytes) -> Established:
        return decode(self._vault.open(sealed, handle), Established)

    def _person(self, established: Established) -> str:
        return person_of(self._keys, established.kind, established.value)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _execute(connection: Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(text(statement), list(rows))


def _no_session() -> NotFound:
    return NotFound(
        "no-session",
        Text("U bent niet meer ingelogd.", "You are no longer signed in."),
        Text("Deze sessie is verlopen of beëindigd.", "This session expired, or was ended."),
        Text("Log opnieuw in.", "Sign in again."),
    )
