"""What a gateway tells of itself: every metric is defined here, once, and read from what is counted or kept anyway.

Names and units are those of OpenTelemetry; `metrics` writes them for Prometheus, `otlp` sends them to a collector. Its
conventions have no metric for a gateway that does not record the method of a request, so the names are ours; of its
attributes `error.type` is used. Labels have few values, all of them known beforehand: never a peer, a path or a person.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from sluis.crypto import time_left
from sluis.gateway.comparison import KINDS
from sluis.gateway.faults import FAULTS
from sluis.gateway.membership import Membership
from sluis.gateway.meter import Meter
from sluis.kernel import Clock, milliseconds

Kind = Literal["counter", "gauge", "histogram"]


class Metric(msgspec.Struct, frozen=True):
    """One metric.

    Attributes:
        name: as OpenTelemetry has it.
        kind: a counter and a histogram only go up while the node runs; a gauge is what is so now.
        unit: in the notation of UCUM.
        nl: what it says, in Dutch.
        en: the same, in English.
        labels: the names of its attributes.
    """

    name: str
    kind: Kind
    unit: str
    nl: str
    en: str
    labels: tuple[str, ...] = ()


class Buckets(msgspec.Struct, frozen=True):
    """A histogram: how many were at most as large as each of `meter.BOUNDS` and no less bound, and their sum."""

    counts: tuple[int, ...]
    total: float


Values = Mapping[tuple[str, ...], float | Buckets]
"""By the values of the labels, in their order."""

REQUESTS = Metric(
    "sluis.gateway.requests", "counter", "{request}",
    "Verzoeken, naar soort antwoord; `none` is zonder antwoord.",
    "Requests, by class of the answer; `none` without answer.", ("side", "class"),
)  # fmt: skip
REFUSALS = Metric(
    "sluis.gateway.refusals", "counter", "{request}",
    "Verzoeken die deze kant weigerde, naar foutcode van FSC.",
    "Requests that this side refused, by error code of FSC.", ("side", "error.type"),
)  # fmt: skip
DURATION = Metric(
    "sluis.gateway.duration", "histogram", "s",
    "Hoe lang verzoeken duurden, tot de laatste byte van het antwoord.",
    "How long requests took, to the last byte of the answer.", ("side",),
)  # fmt: skip
BODIES = Metric(
    "sluis.gateway.body.size", "counter", "By",
    "Bytes van berichten: `request` heen, `answer` terug.",
    "Bytes of bodies: `request` there, `answer` back.", ("side", "body"),
)  # fmt: skip
PAUSED = Metric(
    "sluis.outway.paused", "gauge", "{peer}",
    "Organisaties die de outway even met rust laat, omdat zij niet antwoorden.",
    "Peers that the outway leaves alone for a while, because they do not answer.",
)  # fmt: skip
CERTIFICATE = Metric(
    "sluis.certificate.remaining", "gauge", "s",
    "Seconden tot het certificaat van dit knooppunt verloopt.",
    "Seconds until the certificate of this node ends.",
)  # fmt: skip
CONTRACTS = Metric(
    "sluis.contracts", "gauge", "{contract}",
    "Contracten: voorgesteld, door allen getekend, verlopen, of gesloten (geweigerd of ingetrokken).",
    "Contracts: proposed, signed by all, ended, or closed (rejected or revoked).", ("state",),
)  # fmt: skip
OUTBOX = Metric(
    "sluis.outbox.messages", "gauge", "{message}",
    "Berichten aan andere Managers die nog niet aankwamen.",
    "Messages to other Managers that did not arrive yet.",
)  # fmt: skip
DIFFERENCES = Metric(
    "sluis.transactions.differences", "gauge", "{transaction}",
    "Transacties die maar aan één kant staan, of verschillend. Alleen `failed-here` en `failed-there` zijn geen alarm.",
    "Transactions that only one side has, or that differ. Only `failed-here` and `failed-there` are no alarm.",
    ("kind",),
)  # fmt: skip
COMPARED = Metric(
    "sluis.transactions.compared.age", "gauge", "s",
    "Tot hoe lang geleden de transactielogboeken zijn vergeleken, bij de organisatie waar dat het langst is.",
    "Up to how long ago the transaction logs were compared, with the peer where that is longest.",
)  # fmt: skip
UNSEALED = Metric(
    "sluis.transactions.unsealed.age", "gauge", "s",
    "Hoe oud de oudste regel is die nog niet in het logboek is verzegeld; 0 als er geen is.",
    "How old the oldest line is that is not sealed into the ledger yet; 0 when there is none.",
)  # fmt: skip
SIGN_IN = Metric(
    "sluis.provider.results", "counter", "{result}",
    "Wat portalen en programma's van de inlogvoorziening van dit knooppunt kregen, en waarom niet; `client`: een programma dat niet "
    "bewees welk het is.",
    "What portals and programs got of this node's sign-in provider, and why not; `client`: a program that did not prove which "
    "it is.", ("kind", "result"),
)  # fmt: skip

DELIVERIES = Metric(
    "sluis.events.deliveries", "gauge", "{delivery}",
    "Bezorgingen van gebeurtenissen: `waiting` wacht nog, `dead` is onbestelbaar.",
    "Deliveries of events: `waiting` still waits, `dead` is a dead letter.", ("state",),
)  # fmt: skip
DELIVERED = Metric(
    "sluis.events.delivered", "counter", "{delivery}",
    "Bezorgingen van gebeurtenissen die aankwamen.",
    "Deliveries of events that arrived.",
)  # fmt: skip
UNDELIVERED = Metric(
    "sluis.events.oldest.age", "gauge", "s",
    "Hoe lang de gebeurtenis die het langst op bezorging wacht dat al doet; 0 als er geen wacht.",
    "How long the event that waits longest to be delivered has done so; 0 when none does.",
)  # fmt: skip

SENDERS = Metric(
    "sluis.events.senders", "gauge", "{process}",
    "Processen die gebeurtenissen versturen: `own` is het knooppunt alleen, `nats` en `polling` zeggen wat hen wekt.",
    "Processes that send events: `own` is the node alone, `nats` and `polling` say what wakes them.", ("waking",),
)  # fmt: skip

METRICS = (
    REQUESTS, REFUSALS, DURATION, BODIES, PAUSED, CERTIFICATE, CONTRACTS, OUTBOX, DIFFERENCES, COMPARED, UNSEALED, SIGN_IN,
    DELIVERIES, DELIVERED, UNDELIVERED, SENDERS,
)  # fmt: skip
"""All of them."""

Readings = Sequence[tuple[Metric, Values]]
Read = Callable[[], Readings]
"""Reads all metrics. Blocks."""


Counted = Callable[[], Mapping[tuple[str, str], int]]
"""What another room counts, by kind and result."""


class Delivering(msgspec.Struct, frozen=True):
    """How the deliveries of events stand: how many wait, how many are dead letters, how many arrived since the node started,
    since how many seconds the first of those that wait does, and how many processes send, by what wakes them."""

    waiting: int = 0
    dead: int = 0
    arrived: int = 0
    oldest: float = 0.0
    senders: Mapping[str, int] = {}


def reader_of(
    membership: Membership,
    clock: Clock,
    signed_in: Counted = dict,
    delivering: Callable[[], Delivering] = Delivering,
) -> Read:
    """What reads the metrics of a node; `signed_in` has those of its sign-in provider, `delivering` those of events."""
    return lambda: (*metered({"inway": membership.meters.inway, "outway": membership.meters.outway}),
                    *_kept(membership, clock), provided(signed_in), *delivered(delivering()))  # fmt: skip


def delivered(now: Delivering) -> Readings:
    """How the deliveries of events stand."""
    return (
        (DELIVERIES, {("waiting",): now.waiting, ("dead",): now.dead}),
        (DELIVERED, {(): now.arrived}),
        (UNDELIVERED, {(): now.oldest}),
        (SENDERS, {(waking,): count for waking, count in now.senders.items()}),
    )


def provided(signed_in: Counted) -> tuple[Metric, Values]:
    """What the sign-in provider counted."""
    counted = dict(signed_in())  # it goes on counting
    return SIGN_IN, {(kind, result): count for (kind, result), count in counted.items()}


def metered(meters: Mapping[str, Meter]) -> Readings:
    """What was counted, by side (`inway`, `outway`)."""
    return (
        (REQUESTS, {(side, _class(kind)): count for side, one in meters.items() for kind, count in dict(one.requests).items()}),
        (REFUSALS, {(side, code): count for side, one in meters.items()
                    for code, count in dict(one.refusals).items() if code in FAULTS}),
        (DURATION, {(side,): Buckets(tuple(one.seconds), one.total) for side, one in meters.items()}),
        (BODIES, {(side, body): size for side, one in meters.items()
                  for body, size in (("request", one.upward), ("answer", one.downward))}),
    )  # fmt: skip


def _kept(membership: Membership, clock: Clock) -> Iterator[tuple[Metric, Values]]:
    running, now = membership.running, clock()
    seconds = now.timestamp()
    yield PAUSED, {(): membership.outway.paused()}
    yield CERTIFICATE, {(): time_left(running.manager.identity.certificate, now).total_seconds()}
    states = membership.contracts.counts(int(seconds))
    yield CONTRACTS, {(state,): count for state, count in states.items()}
    yield OUTBOX, {(): running.outbox.count()}
    found = membership.comparison.counts()
    yield (
        DIFFERENCES,
        {(kind,): sum(count for (_, one), count in found.items() if one == kind) for kind in KINDS},
    )
    compared = membership.comparison.compared()
    ages = [seconds - compared[one.id] for one in running.peers.every() if one.id in compared]
    yield COMPARED, {(): max(ages, default=0.0)}
    since = membership.evidence.unsealed_since()
    yield UNSEALED, {(): 0.0 if since is None else max(0, milliseconds(now) - since) / 1000}


def _class(kind: int) -> str:
    return f"{kind}xx" if kind else "none"
