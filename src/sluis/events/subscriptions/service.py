"""Subscriptions: kept, in memory by their owner, and proven before anything is sent.

Proof of control is the handshake of the CloudEvents HTTP Webhooks 1.0.2, section 4: the address itself says that it wants what
this node sends, at once or later over the callback. Every change is in the ledger, in the commit that makes it.
"""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Vault
from sluis.events.cloudevent import Value
from sluis.events.filters import characters_of_sql, compile_filters
from sluis.events.subscriptions import faults, sql
from sluis.events.subscriptions.model import STATES, Credential, State, Subscription
from sluis.events.subscriptions.rules import SubscriptionRequest, Understood, allowed_by, rate_of, understand
from sluis.kernel import Clock, PeerId, Problem, decode, encode, milliseconds, new_span_id, new_trace_id
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store, migrate, see_through

MOST = 100
"""Subscriptions of one owner."""

MOST_SQL = 16_384
"""Characters of CESQL in the subscriptions of one owner: all of it may be evaluated for every event that the owner is told."""

REQUEST_RATE = 6000
"""Requests a minute that this node asks to be allowed."""

_PATIENCE = 10.0  # seconds for the handshake

_TOLD = ("active", "suspended")

Changed = Callable[[Subscription], Awaitable[None]]


class Reached(Protocol):
    """The answer to a call, as far as the handshake looks at it."""

    @property
    def headers(self) -> Mapping[str, str]: ...


class Calls(Protocol):
    """A way to call an address of somebody else, bounded and kept from what lies inside (`web.Outgoing`)."""

    async def call(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *,
        seconds: float, most: int,
    ) -> Reached:  # fmt: skip
        """Call an address.

        Args:
            method: HTTP method.
            url: the whole address.
            body: of the request; None for none.
            headers: beside those that every call has.
            seconds: it may take in all.
            most: bytes of the answer that are read.

        Raises:
            Upstream: it cannot be reached, may not be, or is too slow.
        """


class Here(msgspec.Struct, frozen=True):
    """How this node is known to those it sends to.

    Args:
        origin: a domain name, for `WebHook-Request-Origin`.
        callback: the address under which permission can be given later, without its last two parts; empty for none.
        plain: whether addresses without TLS will do, on a node for tests.
        own: this organisation; None where nothing is its own.
        readers: its programs that may read events over the portal.
    """

    origin: str
    callback: str = ""
    plain: bool = False
    own: PeerId | None = None
    readers: frozenset[str] = frozenset()


class _Known(msgspec.Struct, frozen=True):
    subscription: Subscription
    types: frozenset[str]
    holds: Callable[[Mapping[str, Value]], bool]


class Subscriptions:
    """The subscriptions of a node. Made by `open_subscriptions`; one per store.

    Args:
        store: where they are kept.
        keys: seal credentials, and make the secrets of callbacks.
        ledger: has every change.
        calls: for the handshake.
        here: how this node is known.
        clock: aware UTC.
    """

    def __init__(
        self, store: Store, keys: KeyStore, ledger: Ledger, calls: Calls, here: Here, clock: Clock
    ) -> None:
        self._store, self._keys, self._ledger, self._calls = store, keys, ledger, calls
        self._here, self._clock = here, clock
        self._vault = Vault(keys, VAULT)
        self._known: dict[str, _Known] = {}
        self._by_owner: dict[PeerId, list[_Known]] = {}
        self._lock = asyncio.Lock()
        self._changed: list[Changed] = []

    # Looking

    def all(self) -> list[Subscription]:
        """Every subscription, the oldest first."""
        return [one.subscription for one in self._known.values()]

    def of(self, owner: PeerId) -> list[Subscription]:
        """The subscriptions of one owner, the oldest first."""
        return [one.subscription for one in self._by_owner.get(owner, ())]

    def get(self, owner: PeerId, name: str) -> Subscription:
        """One of an owner. Raises `NotFound` when it is not there, or another's."""
        found = self._known.get(name)
        if found is None or found.subscription.owner != owner:
            raise faults.unknown()
        return found.subscription

    def named(self, name: str) -> Subscription:
        """One of whatever owner. Raises `NotFound`."""
        found = self._known.get(name)
        if found is None:
            raise faults.unknown()
        return found.subscription

    def matching(self, owner: PeerId, attributes: Mapping[str, Value]) -> list[Subscription]:
        """The subscriptions of an owner that want an event with these attributes. What is suspended wants it too: it waits, so
        that nothing is missed when it goes on."""
        return [
            one.subscription
            for one in self._by_owner.get(owner, ())
            if one.subscription.state in _TOLD
            and (not one.types or attributes["type"] in one.types)
            and one.subscription.source in (None, attributes["source"])
            and one.holds(attributes)
        ]

    def has(self, owner: PeerId) -> bool:
        """Whether an owner has any that gets something."""
        return any(one.state in _TOLD for one in self.of(owner))

    def listen(self, changed: Changed) -> None:
        """Have `changed` called after every change that is durable."""
        self._changed.append(changed)

    # Changing

    async def create(self, owner: PeerId, asked: SubscriptionRequest, actor: str) -> Subscription:
        """Keep a new subscription, and try to prove it. What is not proven yet gets nothing.

        Args:
            owner: whose it is.
            asked: the document.
            actor: this node's name for who asks, for the record.

        Raises:
            Invalid: the document is not right.
            Conflict: the owner has too many, or they filter too much.
            Unkept: it could not be kept.
        """
        understood = self._understood(owner, asked)
        async with self._lock:
            if len(self.of(owner)) >= MOST:
                raise faults.too_many(MOST)
            self._check_sql(owner, "", asked)
            made = _subscription(owner, asked, understood, new_trace_id(), milliseconds(self._clock()))
            await see_through(self._keep(made, "subscription.create", actor))
        return await self._prove(made)

    async def replace(self, owner: PeerId, name: str, asked: SubscriptionRequest, actor: str) -> Subscription:
        """Make a subscription what the document says. Another address is proven anew, and one that was suspended goes on when
        it proves that it wants to. A credential that is left out stays as it is, for the same address.

        Raises `NotFound`, `Invalid`, `Conflict`, `Unkept`.
        """
        understood = self._understood(owner, asked)
        async with self._lock:
            before = self.get(owner, name)
            self._check_sql(owner, name, asked)
            made = _subscription(owner, asked, understood, name, before.created)
            if made.sink == before.sink:
                credential = made.credential or before.credential
                kept = before.state == "active"
                made = msgspec.structs.replace(
                    made, credential=credential, rate=before.rate, state="active" if kept else made.state
                )
            await see_through(self._keep(made, "subscription.replace", actor))
        return made if made.state == "active" else await self._prove(made)

    async def delete(self, owner: PeerId, name: str, actor: str) -> None:
        """End a subscription; what still waits for it goes with it. Raises `NotFound`, `Unkept`."""
        async with self._lock:
            ended = _turned(self.get(owner, name), "ended")
            await see_through(self._keep(ended, "subscription.end", actor))

    async def suspend(self, name: str) -> None:
        """The recipient wants nothing more at this address (410). Raises `Unkept`."""
        async with self._lock:
            known = self._known.get(name)
            if known is not None and known.subscription.state == "active":
                suspended = _turned(known.subscription, "suspended", because="gone")
                await see_through(self._keep(suspended, "subscription.suspend", "recipient"))

    async def confirm(self, name: str, secret: str, rate: str | None) -> None:
        """The recipient gives permission over the callback. Raises `NotFound` when the address is not one of ours, `Unkept`.

        Args:
            name: the subscription.
            secret: from the callback's address.
            rate: `WebHook-Allowed-Rate`, when it was given.
        """
        async with self._lock:
            known = self._known.get(name)
            if known is None or not hmac.compare_digest(
                secret.encode(), self._secret(known.subscription).encode()
            ):
                raise faults.unknown()
            if known.subscription.state == "waiting-for-proof":
                allowed = None if rate is None else rate_of(rate)
                proven = _turned(known.subscription, "active", rate=allowed)
                await see_through(self._keep(proven, "subscription.prove", "recipient"))

    def _check_sql(self, owner: PeerId, name: str, asked: SubscriptionRequest) -> None:
        """Raises `Conflict` when there would be too much to evaluate."""
        others = (one.filters for one in self.of(owner) if one.id != name)
        if sum(map(characters_of_sql, others)) + characters_of_sql(asked.filters) > MOST_SQL:
            raise faults.too_much_sql(MOST_SQL)

    def _understood(self, owner: PeerId, asked: SubscriptionRequest) -> Understood:
        readers = self._here.readers if owner == self._here.own else ()
        return understand(asked, self._clock(), self._here.plain, readers)

    async def _prove(self, subscription: Subscription) -> Subscription:
        """Ask the address whether it wants what is sent; gives the subscription as it is then."""
        if subscription.state != "waiting-for-proof":
            return subscription
        headers = {
            "webhook-request-origin": self._here.origin,
            "webhook-request-rate": str(REQUEST_RATE),
        }
        if self._here.callback:
            place = f"{self._here.callback}/{subscription.id}/{self._secret(subscription)}"
            headers["webhook-request-callback"] = place
        try:
            answer = await self._calls.call(
                "OPTIONS", subscription.sink, None, headers, seconds=_PATIENCE, most=0
            )
        except Problem as problem:
            return await self._stay(subscription, problem.code)
        allowed, rate = allowed_by(self._here.origin, answer.headers)
        if not allowed:
            return await self._stay(subscription, "not-allowed")
        async with self._lock:
            if (now := self._now(subscription)) != subscription:
                return now
            proven = _turned(subscription, "active", rate=rate)
            await see_through(self._keep(proven, "subscription.prove", "recipient"))
        return proven

    async def _stay(self, subscription: Subscription, because: str) -> Subscription:
        """It is not proven: why, is shown to its owner."""
        async with self._lock:
            if (now := self._now(subscription)) != subscription:
                return now
            waiting = msgspec.structs.replace(subscription, because=because)
            self._put(waiting)
        return waiting

    def _now(self, subscription: Subscription) -> Subscription:
        """What a subscription is after a while: replaced, confirmed, or ended meanwhile, perhaps."""
        known = self._known.get(subscription.id)
        return _turned(subscription, "ended") if known is None else known.subscription

    def _secret(self, subscription: Subscription) -> str:
        mac = self._keys.mac("events-proof", f"{subscription.id} {subscription.sink}".encode())
        return urlsafe_b64encode(mac).decode().rstrip("=")

    # Keeping

    async def _keep(self, one: Subscription, action: str, actor: str) -> None:
        now = milliseconds(self._clock())
        body = {"owner": str.__str__(one.owner), "mode": one.mode, "state": one.state}
        about = f"urn:sluis:subscription:{one.id}"
        record = Arrangement(one.id, new_span_id(), action, actor, about, now, body=body)
        await self._ledger.append([record], along=lambda connection: self._write(connection, one))
        self._put(one)
        for changed in self._changed:
            await changed(one)

    def _write(self, connection: Connection, one: Subscription) -> None:
        if one.state == "ended":
            connection.execute(text(sql.END), {"id": one.id})
            return
        credential = one.credential and self._vault.seal(encode(one.credential), one.id)
        shown = encode(msgspec.structs.replace(one, credential=None))
        values = {"id": one.id, "created": one.created, "document": shown, "credential": credential}
        connection.execute(text(sql.KEEP), values)

    def _put(self, one: Subscription) -> None:
        if one.state == "ended":
            self._known.pop(one.id, None)
        else:
            before = self._known.get(one.id)
            same = before is not None and before.subscription.filters == one.filters
            holds = before.holds if before is not None and same else compile_filters(one.filters)
            self._known[one.id] = _Known(one, frozenset(one.types), holds)
        by = dict[PeerId, list[_Known]]()
        for known in self._known.values():
            by.setdefault(known.subscription.owner, []).append(known)
        self._by_owner = by

    def load(self) -> None:
        """Go on with what is kept. Blocks."""
        for one in read_subscriptions(self._store, self._vault):
            self._put(one)


VAULT = "events-credential"
"""The name under which credentials are sealed."""


def read_subscriptions(store: Store, vault: Vault) -> list[Subscription]:
    """Every subscription as it is kept, the oldest first. Blocks. Raises `Unkept`."""
    with store.read() as connection:
        rows = connection.execute(text(sql.ALL)).all()
    found = list[Subscription]()
    for row in rows:
        sealed = row.credential and vault.open(bytes(row.credential), row.id)
        credential = decode(sealed, Credential) if sealed else None
        found.append(
            msgspec.structs.replace(decode(bytes(row.document), Subscription), credential=credential)
        )
    return found


def open_subscriptions(
    store: Store, keys: KeyStore, ledger: Ledger, calls: Calls, here: Here, clock: Clock
) -> Subscriptions:
    """The subscriptions of a store, its table made when it is not there. Blocks. Arguments as of `Subscriptions`.

    Raises `Conflict` (another process writes, a newer database), `Unkept`.
    """
    migrate(store, "events-subscriptions", sql.MIGRATIONS)
    subscriptions = Subscriptions(store, keys, ledger, calls, here, clock)
    subscriptions.load()
    return subscriptions


def _subscription(
    owner: PeerId, asked: SubscriptionRequest, understood: Understood, name: str, created: int
) -> Subscription:
    state: State = "waiting-for-proof" if understood.mode == "push" else "active"
    return Subscription(
        name, owner, asked.sink, understood.mode, asked.source, asked.types, asked.filters, understood.config,
        asked.config, understood.headers, understood.credential, state, created=created,
    )  # fmt: skip


def _turned(one: Subscription, state: State, *, rate: int | None = None, because: str = "") -> Subscription:
    assert state in STATES[one.state]
    return msgspec.structs.replace(one, state=state, rate=rate, because=because)
