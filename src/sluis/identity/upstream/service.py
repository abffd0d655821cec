"""Signing in at an OpenID provider of others, from the first redirect to who is there; and signing out.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700). A sign-in belongs to the
browser that began it: nonce and code verifier are made from a secret in its cookie, and of that secret and the state only
SHA-256 is kept, so that neither who reads the database nor who sees an address can finish it. It can be finished once.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, text

from sluis.crypto import LEEWAY, KeyStore
from sluis.identity.sessions import Established, Way, person_of
from sluis.identity.upstream import faults, rules, sql
from sluis.identity.upstream.calls import Calls, TlsCalls
from sluis.identity.upstream.claims import Reader, upstream_session
from sluis.identity.upstream.model import Begun, Completed, Method, Officials, Started
from sluis.identity.upstream.remote import OwnKeys, Remote
from sluis.kernel import Clock, Level, Text, Upstream, is_simulator, reaches
from sluis.store import Store, migrate
from sluis.web import local_path

SECONDS = 600
"""That signing in may take."""

COOKIE = "__Host-sluis-signin-"
"""Of every sign-in its own, which ends with the first characters of what is kept of its state."""

MOST_UNDERWAY = 100_000
"""Sign-ins underway at once, looked at every minute: anybody can begin one, and each is kept."""

_LONGEST_CODE = 4096
_LONGEST_STATE = 200
_REMEMBERED = 10_000  # logout tokens


def open_upstreams(
    store: Store,
    methods: Sequence[Method],
    *,
    portal: str,
    own: OwnKeys,
    keys: KeyStore,
    clock: Clock,
    test: bool,
    officials: Mapping[str, Officials] | None = None,
    calls: Callable[[Method], Calls] = TlsCalls,
) -> "Upstreams":
    """The ways of signing in at others. Blocks.

    Args:
        store: of this node.
        methods: from the settings.
        portal: the address of this node's pages, without a path.
        own: keys of this node that the providers know.
        keys: make pseudonyms of those who are represented.
        clock: aware UTC.
        test: whether this is a test node, where simulators may be used.
        officials: of each way for staff, who is known.
        calls: how providers are called.

    Raises `Problem`.
    """
    migrate(store, "identity.upstream", sql.MIGRATIONS)
    return Upstreams(store, methods, portal, own, keys, clock, test, officials or {}, calls)


class Upstreams:
    """All ways of signing in at others. Made by `open_upstreams`; for one event loop."""

    def __init__(
        self,
        store: Store,
        methods: Sequence[Method],
        portal: str,
        own: OwnKeys,
        keys: KeyStore,
        clock: Clock,
        test: bool,
        officials: Mapping[str, Officials],
        calls: Callable[[Method], Calls],
    ) -> None:
        self._store, self._portal, self._keys, self._clock = store, portal.rstrip("/"), keys, clock
        self._test, self._officials = test, officials
        self._remotes = {method.name: Remote(method, calls(method), own, clock) for method in methods}
        self._heard: dict[tuple[str, str], float] = {}  # logout tokens, until when they could be sent again

    def ways(self) -> list[Way]:
        """What the sign-in page may offer."""
        return [
            Way(
                name=method.name,
                title=Text(method.title, method.title),
                audience=method.audience,
                levels=method.gives,
                start=f"/sign-in/at/{method.name}",
                test=is_simulator(method.issuer),
            )
            for method in (remote.method for remote in self._remotes.values())
        ]

    def redirect_uri(self, name: str) -> str:
        """Where the provider of a way must send the browser back to. Each way has its own (RFC 9700, 4.4.2)."""
        return f"{self._portal}/sign-in/at/{name}/return"

    async def begin(
        self,
        name: str,
        next: str,
        level: Level | None,
        language: str = "nl",
        *,
        again: bool = False,
        origin: str = "",
    ) -> Begun:
        """Begin a sign-in; durable when this returns.

        Args:
            name: of the way.
            next: local path to go to afterwards.
            level: that is needed.
            language: of the person, `nl` or `en`.
            again: whether the person must prove it anew, also when the provider still knows them.
            origin: the address that the browser comes from.

        Raises `NotFound`, `Refused`, `Upstream`, `Unkept`.
        """
        remote = self._remote(name)
        method = remote.method
        if level is not None and not any(reaches(given, level) for given in method.gives):
            raise faults.level_not_given(method.title)
        provider = await remote.provider()
        state, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        started = Started(name, local_path(next), level, self._now() + SECONDS)
        place = self._keys.mac("sign-in-origins", origin.encode())
        await self._store.write(lambda connection: _begin(connection, state, secret, started, place))
        url = rules.authorization_url(
            method,
            provider,
            self.redirect_uri(name),
            state=state,
            secret=secret,
            level=level,
            language=language,
            again=again,
        )
        return Begun(url, _cookie(state), secret, SECONDS)

    async def complete(self, name: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Completed:
        """Finish a sign-in with the answer that came to the browser.

        Args:
            name: of the way at whose address it came.
            query: of the answer; no member twice.
            cookies: of the browser.

        Raises `Refused`, `Upstream`, `Invalid`, `Unkept`.
        """
        remote = self._remote(name)
        state = query.get("state", "")
        secret = cookies.get(_cookie(state), "") if 0 < len(state) <= _LONGEST_STATE else ""
        started = await self._take(state, secret) if secret else None
        if started is None or started.ends <= self._now():
            raise faults.not_begun()
        if started.method != name:
            raise faults.mixed_up()
        provider = await remote.provider()
        rules.check_answer(remote.method, provider, query)
        failure = rules.error_in(remote.method, query)
        if failure is not None:
            raise failure
        established = await self._established(remote, query.get("code", ""), state, secret, started)
        return Completed(established, started.next, _cookie(state))

    async def farewell(self, established: Established, state: str) -> str | None:
        """Where the browser can sign out at the provider too; None when it has no such place, or is away: then somebody is
        signed out here all the same. `state` comes back with it."""
        remote = self._remotes.get(established.method)
        if remote is None:
            return None
        try:
            provider = await remote.provider()
        except Upstream:
            return None
        return rules.sign_out_url(remote.method, provider, f"{self._portal}/sign-out", state)

    async def signed_out(self, name: str, token: str) -> tuple[str, list[str]]:
        """What a provider says has ended there (OpenID Connect Back-Channel Logout 1.0, 2.6).

        Args:
            name: of the way.
            token: the logout token.

        Returns: the issuer, and what its sessions that ended are known by (`Established.upstream_session`); nothing for
            a token that was heard before. Raises `Invalid`, `Refused`, `Upstream`.
        """
        remote = self._remote(name)
        claims = await remote.signed_out(token)
        now, id = self._clock().timestamp(), (name, str(claims["jti"]))
        self._heard = {known: until for known, until in self._heard.items() if until > now}
        if id in self._heard:
            return remote.method.issuer, []
        if len(self._heard) < _REMEMBERED:
            self._heard[id] = float(claims["exp"]) + LEEWAY
        sid, subject = claims.get("sid"), claims.get("sub")
        ended = [upstream_session(sid, "")] if isinstance(sid, str) else []
        ended += [upstream_session(None, subject)] if isinstance(subject, str) else []
        if not ended:
            raise faults.not_signed_out()
        return remote.method.issuer, ended

    async def tidy(self) -> None:
        """Forget sign-ins that took too long, and of too many those of whoever began most. To be called every minute. Raises
        `Unkept`."""
        now = self._now()

        def work(connection: Connection) -> None:
            connection.execute(text(sql.SWEEP), {"now": now})
            if connection.execute(text(sql.UNDERWAY)).scalar_one() > MOST_UNDERWAY:
                connection.execute(text(sql.CROWD), {"most": MOST_UNDERWAY})

        await self._store.write(work)

    async def close(self) -> None:
        """Close every connection."""
        for remote in self._remotes.values():
            await remote.close()

    async def _established(
        self, remote: Remote, code: str, state: str, secret: str, started: Started
    ) -> Established:
        method = remote.method
        if not 0 < len(code) <= _LONGEST_CODE:
            raise faults.not_understood(method.title, _NO_CODE)
        verifier = rules.derived(secret, state, "verifier")
        id_token, access_token = await remote.redeem(code, self.redirect_uri(method.name), verifier)
        claims = await remote.claims(id_token)
        now = self._clock().timestamp()
        subject = rules.check_token(method, claims, rules.derived(secret, state, "nonce"), now)
        level = rules.check_level(method, claims, started.level)
        reader = Reader(method, lambda kind, value: person_of(self._keys, kind, value), self._test)
        if reader.wants_more(claims):
            claims = {**await remote.userinfo(access_token, subject), **claims}
        if not self._test and any(map(is_simulator, rules.issuers_in(claims))):
            raise faults.simulated()
        known = self._officials.get(method.name, {})
        return reader.established(claims, level, rules.proven_at(claims, now), known)

    async def _take(self, state: str, secret: str) -> Started | None:
        asked = {"state": _digest(state), "browser": _digest(secret)}

        def take(connection: Connection) -> Any:
            return connection.execute(text(sql.TAKE), asked).one_or_none()

        row = await self._store.write(take)
        return None if row is None else Started(row.method, row.next, cast(Level | None, row.level), row.ends)

    def _remote(self, name: str) -> Remote:
        remote = self._remotes.get(name)
        if remote is None:
            raise faults.unknown_method()
        if not self._test and is_simulator(remote.method.issuer):
            raise faults.simulated()
        return remote

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _begin(connection: Connection, state: str, secret: str, started: Started, origin: bytes) -> None:
    row = {"state": _digest(state), "browser": _digest(secret), "method": started.method, "origin": origin}
    connection.execute(
        text(sql.BEGIN), {**row, "next": started.next, "level": started.level, "ends": started.ends}
    )


def _cookie(state: str) -> str:
    return COOKIE + _digest(state).hex()[:12]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


_NO_CODE = Text("In het antwoord staat geen code.", "There is no code in the answer.")
