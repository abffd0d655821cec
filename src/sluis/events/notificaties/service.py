"""Channels, abonnementen and messages of the ZGW Notificaties API, over the queue and the senders of all events.

An abonnement is in memory a subscription of this organisation in binary mode: the webhook that carries CloudEvents carries
the ZGW message as its body. A message is durable, with its record and its deliveries, before the publisher hears so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Vault, encode_base64url
from sluis.events.cloudevent import CloudEvent
from sluis.events.notificaties import faults, sql
from sluis.events.notificaties.faults import Param, Unfit
from sluis.events.notificaties.model import (
    HIDDEN,
    MOST_CHANNELS,
    MOST_EACH,
    Abonnement,
    Application,
    Kanaal,
    Notificatie,
)
from sluis.events.notificaties.reading import Body, body_of, names_fit, read_auth, read_groups, read_kanaal
from sluis.events.notificaties.rules import event_of, may_call, wants
from sluis.events.queue import Outgoing
from sluis.events.subscriptions import Config, Subscription
from sluis.kernel import Clock, PeerId, Text, Trace, decode, encode, milliseconds, new_span_id
from sluis.ledger import ACTIVITY, Arrangement, Decision, Ledger, Processing
from sluis.policy import (
    APPLICATION,
    KANAAL,
    PUBLISH_NOTIFICATIONS,
    RECEIVE_NOTIFICATIONS,
    Action,
    Decided,
    Evaluation,
    Occasion,
    Resource,
    Subject,
)
from sluis.store import Store, migrate, see_through

Changed = Callable[[Subscription], Awaitable[None]]

VAULT = "notificaties-auth"
"""The name under which it is sealed what abonnementen show at their address."""

_ORDER = "notificaties-order"


class Deliveries(Protocol):
    """Where deliveries wait (`queue.Queue`)."""

    def check_room(self) -> None: ...

    def add(
        self, connection: Connection, additions: Sequence[tuple[CloudEvent, Sequence[Outgoing]]]
    ) -> object: ...


class Deciding(Protocol):
    """Who says whether an application may use a channel (`policy.DecisionPoint`)."""

    def decide(self, evaluation: Evaluation, moment: datetime | None = None) -> Decided: ...

    def record(self, evaluation: Evaluation, decided: Decided, occasion: Occasion) -> Decision: ...


class Settings(msgspec.Struct, frozen=True):
    """What this room is told of the node.

    Args:
        own: the organisation.
        alias: name of the node, for records.
        activity: the processing activity under which messages go.
        test: whether addresses without TLS will do.
    """

    own: PeerId
    alias: str
    activity: str
    test: bool = False


class Notificaties:
    """The ZGW Notificaties API of a node. Made by `open_notificaties`; for one event loop.

    Args:
        settings: of the node.
        applications: who may use it, by `client_id`.
        store: its database.
        keys: seal what abonnementen show at their address.
        ledger: has every change, and every message.
        queue: where deliveries wait.
        point: says which application may use which channel.
        clock: aware UTC.

    Attributes:
        applications: as given.
        clock: as given.
    """

    def __init__(
        self, settings: Settings, applications: Mapping[str, Application], store: Store, keys: KeyStore,
        ledger: Ledger, queue: Deliveries, point: Deciding, clock: Clock,
    ) -> None:  # fmt: skip
        self._point = point
        self.applications = applications
        self._settings, self._store, self._keys, self._ledger = settings, store, keys, ledger
        self._queue, self.clock = queue, clock
        self._vault = Vault(keys, VAULT)
        self._channels: dict[str, Kanaal] = {}  # by name
        self._all: dict[str, Abonnement] = {}
        self._counting: list[Abonnement] = []
        self._lock = asyncio.Lock()
        self._changed: list[Changed] = []

    # Channels

    def kanalen(self, naam: str | None = None) -> list[Kanaal]:
        """Every channel by name, or the one of this name."""
        return [one for name, one in sorted(self._channels.items()) if naam in (None, name)]

    def kanaal(self, id: str) -> Kanaal:
        """One channel. Raises `NotFound`."""
        found = next((one for one in self._channels.values() if one.id == id), None)
        if found is None:
            raise faults.unknown("kanaal")
        return found

    async def create_kanaal(self, application: Application, document: Any) -> Kanaal:
        """Keep a new channel. Raises `Unfit` (also when its name is taken), `Refused`, `Conflict`, `Unkept`."""
        naam, link, filters = read_kanaal(document)
        async with self._lock:
            if naam in self._channels:
                raise Unfit(
                    [
                        Param(
                            "naam",
                            "unique",
                            Text("Er is al een kanaal met deze naam.", "There is a channel of this name."),
                        )
                    ]
                )
            if len(self._channels) >= MOST_CHANNELS:
                raise faults.too_many("kanaal", MOST_CHANNELS)
            made = Kanaal(str(uuid4()), naam, link, filters)
            row = {"id": made.id, "name": naam, "document": encode(made)}
            asked = await self._ask(application, PUBLISH_NOTIFICATIONS, [naam], Trace.begin())
            await see_through(self._record("notificaties.channel.create", made.id, application, lambda connection: connection.execute(text(sql.KEEP_CHANNEL), row), asked))  # fmt: skip
            self._channels[naam] = made
        return made

    # Abonnementen

    def abonnementen(self, application: Application) -> list[Abonnement]:
        """Those of an application, the oldest first."""
        return [one for one in self._all.values() if one.application == application.id]

    def abonnement(self, application: Application, id: str) -> Abonnement:
        """One of an application. Raises `NotFound` when it is not there, or another's."""
        found = self._all.get(id)
        if found is None or found.application != application.id:
            raise faults.unknown("abonnement")
        return found

    async def create(self, application: Application, document: Any) -> Abonnement:
        """Keep a new abonnement. Raises `Unfit`, `Refused`, `Conflict`, `Unkept`."""
        async with self._lock:
            if len(self.abonnementen(application)) >= MOST_EACH:
                raise faults.too_many("abonnement", MOST_EACH)
            begun = Abonnement(str(uuid4()), application.id, "", "", (), milliseconds(self.clock()))
            made = self._read(begun, body_of(document), application, partial=False)
            await see_through(self._keep(made, "create", application, await self._may_receive(made)))
        return made

    async def change(self, application: Application, id: str, document: Any, *, partial: bool) -> Abonnement:
        """Make an abonnement what the document says, or in part (`partial`). What was suspended goes on.

        Raises `NotFound`, `Unfit`, `Refused`, `Unkept`.
        """
        async with self._lock:
            before = self.abonnement(application, id)
            made = self._read(before, body_of(document), application, partial=partial)
            await see_through(self._keep(made, "change", application, await self._may_receive(made)))
        return made

    async def delete(self, application: Application, id: str) -> None:
        """End an abonnement; what still waits for it goes with it. Raises `NotFound`, `Unkept`."""
        async with self._lock:
            ended = self.abonnement(application, id)
            await see_through(self._end(ended, application))

    async def suspend(self, id: str) -> None:
        """The address wants nothing more (410), until it is changed. Of what is not an abonnement nothing is done. Raises `Unkept`."""
        async with self._lock:
            found = self._all.get(id)
            if found is not None and not found.suspended:
                suspended = msgspec.structs.replace(found, suspended=True)
                await see_through(self._keep(suspended, "suspend", self.applications[found.application]))

    def _read(self, before: Abonnement, body: Body, application: Application, *, partial: bool) -> Abonnement:
        callback, auth, kanalen = before.callback, before.auth, before.kanalen
        if not partial or body.has("callbackUrl"):
            callback = body.url("callbackUrl")
            if callback and not may_call(callback, application.callbacks, self._settings.test):
                body.wrong("callbackUrl", "invalid-callback-url", Text("Op dit adres mag deze toepassing niet gebeld worden.", "This application may not be called at this address."))  # fmt: skip
        if not partial or body.has("auth") or callback != before.callback:
            said = read_auth(body)
            auth = before.auth if said == HIDDEN and callback == before.callback else said
            if auth == HIDDEN:
                body.wrong(
                    "auth", "required", Text("Geef de waarde van de header.", "Give the value of the header.")
                )
        if not partial or body.has("kanalen"):
            kanalen = read_groups(body)
            self._check_groups(body, kanalen)
        body.end()
        return msgspec.structs.replace(before, callback=callback, auth=auth, kanalen=kanalen, suspended=False)

    def _check_groups(self, body: Body, kanalen: Sequence[Any]) -> None:
        for place, group in enumerate(kanalen):
            channel = self._channels.get(group.naam)
            if group.naam and channel is None:
                body.wrong(
                    f"kanalen.{place}.naam",
                    "kanaal_naam",
                    Text("Dit kanaal bestaat niet.", "There is no such channel."),
                )
            elif channel is not None and not names_fit([*group.filters], channel.filters):
                body.wrong(f"kanalen.{place}.filters", "inconsistent-abonnement-filters", Text("Dit kanaal heeft andere kenmerken.", "This channel has other features."))  # fmt: skip

    # Messages

    async def publish(self, application: Application, notificatie: Notificatie) -> int:
        """Have a message go to everyone who wants it; durable when this returns.

        Args:
            application: which publishes it.
            notificatie: the message.

        Returns:
            To how many abonnementen it goes.

        Raises:
            Unfit: its channel does not exist, or has other kenmerken.
            Refused: a policy does not let this application publish there.
            Unkept: nothing was published.
        """
        self._check(notificatie)
        self._queue.check_room()
        now, trace = self.clock(), Trace.begin()
        asked = await self._ask(application, PUBLISH_NOTIFICATIONS, [notificatie.kanaal], trace)
        event = event_of(notificatie, str(uuid4()), self._settings.own, application.id, now)
        chosen = [
            one.id for one in self._counting if wants(one, notificatie) and self._receives(one, notificatie)
        ]
        order = encode_base64url(self._keys.mac(_ORDER, notificatie.hoofdObject.encode())[:16])
        outgoing = [Outgoing(id, order, None, "", trace.trace_id) for id in chosen]
        line = self._line(application, notificatie, len(chosen), trace, milliseconds(now))

        def along(connection: Connection) -> None:
            if outgoing:
                self._queue.add(connection, [(event, outgoing)])

        await self._ledger.append([*asked, line], along)
        return len(chosen)

    async def _ask(
        self, application: Application, action: str, kanalen: Sequence[str], trace: Trace
    ) -> list[Decision]:
        """The records of decisions that let an application use channels, to be kept with what it does. Raises `Refused`, after
        that is on record; `Unkept`."""
        records, moment = list[Decision](), self.clock()
        for naam in dict.fromkeys(kanalen):
            evaluation = _evaluation(application, action, naam)
            decided = self._point.decide(evaluation, moment)
            records.append(self._point.record(evaluation, decided, Occasion(trace, moment)))
            if not decided.permit:
                await self._ledger.append(records)
                raise faults.not_permitted(decided, naam)
        return records

    async def _may_receive(self, one: Abonnement) -> list[Decision]:
        names = [group.naam for group in one.kanalen]
        return await self._ask(
            self.applications[one.application], RECEIVE_NOTIFICATIONS, names, Trace.begin()
        )

    def _receives(self, one: Abonnement, notificatie: Notificatie) -> bool:
        """Whether an application may still receive, by the policies as they are now; that it might was put on record when it took
        the abonnement."""
        evaluation = _evaluation(
            self.applications[one.application], RECEIVE_NOTIFICATIONS, notificatie.kanaal
        )
        return self._point.decide(evaluation, self.clock()).permit

    def _check(self, notificatie: Notificatie) -> None:
        channel = self._channels.get(notificatie.kanaal)
        if channel is None:
            raise Unfit(
                [
                    Param(
                        "kanaal",
                        "message_kanaal",
                        Text("Dit kanaal bestaat niet.", "There is no such channel."),
                    )
                ]
            )
        if not names_fit([*notificatie.kenmerken], channel.filters):
            raise Unfit([Param("kenmerken", "kenmerken_inconsistent", Text("Dit kanaal heeft andere kenmerken.", "This channel has other features."))])  # fmt: skip

    def _line(
        self, application: Application, notificatie: Notificatie, told: int, trace: Trace, now: int
    ) -> Processing:
        said = {"channel": notificatie.kanaal, "publisher": application.id, "told": told}
        return Processing(
            trace_id=trace.trace_id,
            span_id=trace.span_id,
            name=f"Notificatie: {notificatie.kanaal}",
            status="Ok",
            start_time=now,
            end_time=now,
            attributes={ACTIVITY: self._settings.activity, "sluis.notification": said},
            resource={"attributes": {"service.name": self._settings.alias}},
        )

    # As subscriptions

    def subscriptions(self) -> list[Subscription]:
        """Every abonnement, as who sends knows it; suspended is what does not count."""
        return [self._subscription(one) for one in self._all.values()]

    def has(self, id: str) -> bool:
        """Whether a subscription is an abonnement of this room."""
        return id in self._all

    def listen(self, changed: Changed) -> None:
        """Have `changed` called after every change of an abonnement that is durable."""
        self._changed.append(changed)

    def _index(self) -> None:
        self._counting = [one for one in self._all.values() if self._counts(one)]

    def _counts(self, one: Abonnement) -> bool:
        """Whether its application still is one, and may still be called there: settings can change after it was made."""
        return _counts(one, self.applications, self._settings.test)

    def _subscription(self, one: Abonnement, ended: bool = False) -> Subscription:
        return _subscription(one, self._settings.own, self._counts(one), ended)

    # Keeping

    async def _keep(
        self, one: Abonnement, what: str, application: Application, asked: Sequence[Decision] = ()
    ) -> None:
        shown = msgspec.structs.replace(one, auth=HIDDEN)
        row = {
            "id": one.id,
            "created": one.created,
            "document": encode(shown),
            "auth": self._vault.seal(one.auth.encode(), one.id),
        }
        await self._record(f"notificaties.subscription.{what}", one.id, application, lambda connection: connection.execute(text(sql.KEEP), row), asked)  # fmt: skip
        self._all[one.id] = one
        self._index()
        await self._tell(self._subscription(one))

    async def _end(self, one: Abonnement, application: Application) -> None:
        await self._record("notificaties.subscription.end", one.id, application, lambda connection: connection.execute(text(sql.END), {"id": one.id}))  # fmt: skip
        del self._all[one.id]
        self._index()
        await self._tell(self._subscription(one, ended=True))

    async def _tell(self, subscription: Subscription) -> None:
        for changed in self._changed:
            await changed(subscription)

    async def _record(
        self, action: str, id: str, application: Application, work: Callable[[Connection], object],
        asked: Sequence[Decision] = (),
    ) -> None:  # fmt: skip
        """One commit for a change and its record."""
        line = Arrangement(
            trace_id=id.replace("-", ""),
            span_id=new_span_id(),
            action=action,
            actor=f"application:{application.id}",
            about=f"urn:uuid:{id}",
            timestamp=milliseconds(self.clock()),
        )
        await self._ledger.append([*asked, line], work)

    def load(self) -> None:
        """Read what is kept. Blocks."""
        with self._store.read() as connection:
            for row in connection.execute(text(sql.CHANNELS)):
                channel = decode(bytes(row.document), Kanaal)
                self._channels[channel.naam] = channel
        self._all = _kept(self._store, self._vault)
        self._index()


def _evaluation(application: Application, action: str, naam: str) -> Evaluation:
    who = Subject(APPLICATION, application.id, {"scopes": sorted(application.scopes)})
    return Evaluation(who, Action(action), Resource(KANAAL, naam))


def open_notificaties(
    settings: Settings, applications: Mapping[str, Application], store: Store, keys: KeyStore, ledger: Ledger,
    queue: Deliveries, point: Deciding, clock: Clock,
) -> Notificaties:  # fmt: skip
    """The API over a database; arguments as `Notificaties`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "notificaties", sql.MIGRATIONS)
    made = Notificaties(settings, applications, store, keys, ledger, queue, point, clock)
    made.load()
    return made


def read_subscriptions(
    own: PeerId, applications: Mapping[str, Application], test: bool, store: Store, vault: Vault
) -> list[Subscription]:
    """Every abonnement as it is kept, as who sends knows it: suspended is what does not count, such as all of them when the API is
    off. Blocks. Raises `Unkept`."""
    return [_subscription(one, own, _counts(one, applications, test)) for one in _kept(store, vault).values()]


def _kept(store: Store, vault: Vault) -> dict[str, Abonnement]:
    found = dict[str, Abonnement]()
    with store.read() as connection:
        for row in connection.execute(text(sql.SUBSCRIPTIONS)):
            one = decode(bytes(row.document), Abonnement)
            auth = vault.open(bytes(row.auth), one.id).decode()
            found[one.id] = msgspec.structs.replace(one, auth=auth)
    return found


def _counts(one: Abonnement, applications: Mapping[str, Application], test: bool) -> bool:
    """Whether its application still is one, and may still be called there: settings can change after it was made."""
    application = applications.get(one.application)
    return application is not None and may_call(one.callback, application.callbacks, test)


def _subscription(one: Abonnement, own: PeerId, counts: bool, ended: bool = False) -> Subscription:
    return Subscription(
        id=one.id,
        owner=own,
        sink=one.callback,
        mode="own",
        config=Config(content="binary"),
        headers={"authorization": one.auth},
        state="ended" if ended else "active" if counts and not one.suspended else "suspended",
        created=one.created,
    )
