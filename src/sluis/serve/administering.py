"""The pages for who runs the node: what the rooms of gateway and events show of it, in the portal; and what they need of the
node as a whole: its certificates, and how its database, disk and log are."""

import asyncio
import shutil
import time
from collections.abc import Sequence

from cryptography import x509
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import make_url, text

from sluis.config import Config
from sluis.crypto import read_certificates
from sluis.events import doctor
from sluis.events import pages as deliveries
from sluis.gateway import (
    GROUP_NAVIGATION,
    OwnCertificates,
    Part,
    Revoked,
    ShownCertificate,
    Step,
    group_page_routes,
)
from sluis.kernel import Problem, Text, figure, milliseconds
from sluis.oversight import examine as examine_register
from sluis.serve.parts import Parts
from sluis.web import Entry, Gate

_SLOW = 1.0  # seconds that reading the database may take
_LITTLE, _LITTLE_PART = 1 << 30, 0.05  # of a disk: bytes, and part of all


def administering_routes(config: Config, parts: Parts) -> list[HTTPRouteHandler]:
    """These pages; those about the group only where there is one."""
    gate, rooms = Gate(parts.point), parts.events
    post = deliveries.Post(
        rooms.queue, rooms.everyone, parts.ledger, rooms.name, config.node.oin, rooms.clock
    )
    routes = deliveries.page_routes(post, gate)
    if parts.membership is None or parts.operator is None or parts.traffic is None:
        return routes
    return routes + group_page_routes(
        parts.membership, parts.operator, parts.traffic, own_certificates(config, parts), looked_at(config, parts), gate,
        parts.activities, rooms.clock,
    )  # fmt: skip


def administering_navigation(parts: Parts) -> tuple[Entry, ...]:
    """What the menu shows of them."""
    return (*(GROUP_NAVIGATION if parts.membership else ()), *deliveries.NAVIGATION)


def looked_at(config: Config, parts: Parts) -> list[Part]:
    """What the doctor looks at beside the group."""

    async def node() -> list[Step]:
        database = await asyncio.to_thread(database_step, parts)
        disk = await asyncio.to_thread(disk_step, config)
        return [database, disk, await log_step(parts), revoked_step(parts)]

    async def events() -> Sequence[Step]:
        rooms = parts.events
        followed = rooms.inbox.followed() if rooms.inbox else None
        standing = await asyncio.to_thread(rooms.queue.standing)
        here = doctor.Here(
            config.node.oin, rooms.everyone.all(), standing, followed, milliseconds(rooms.clock()), rooms.name
        )
        return doctor.examine(here).steps

    async def register() -> Sequence[Step]:
        return await examine_register(parts.oversight)

    return [
        Part("node", Text("Het knooppunt", "The node"), node),
        Part("events", Text("Gebeurtenissen", "Events"), events),
        Part("register", Text("Het register van verwerkingen", "The register of processing"), register),
    ]


def database_step(parts: Parts) -> Step:
    """Whether the node's database answers, and how fast. Blocks."""
    began = time.perf_counter()
    try:
        with parts.store.read() as connection:
            connection.execute(text("SELECT 1")).one()
    except Problem as problem:
        return _wrong("database", problem.why, problem.next)
    took = round((time.perf_counter() - began) * 1000)
    saw = Text(f"De database antwoordt, in {took} ms.", f"The database answers, in {took} ms.")
    if took < _SLOW * 1000:
        return _well("database", saw)
    return _wrong(
        "database", saw,
        Text("Kijk wat de schijf of de databaseserver bezighoudt.", "See what keeps the disk or the database server busy."),
    )  # fmt: skip


def disk_step(config: Config) -> Step:
    """Whether there is room on the disk of keys and database. Blocks."""
    url = make_url(config.store.url)
    folder = config.keys.directory
    if url.drivername.startswith("sqlite") and url.database:
        folder = config.keys.directory.__class__(url.database).parent
    try:
        usage = shutil.disk_usage(folder)
    except OSError as failure:
        return _wrong(
            "disk", Text(f"De schijf is niet te lezen: {failure.strerror}.", f"The disk cannot be read: {failure.strerror}."),
            Text("Controleer pad en rechten.", "Check path and permissions."),
        )  # fmt: skip
    free = usage.free / (1 << 30)
    saw = Text(f"{free:.1f} GB vrij.".replace(".", ",", 1), f"{free:.1f} GB free.")
    if usage.free >= _LITTLE and usage.free >= usage.total * _LITTLE_PART:
        return _well("disk", saw)
    return _wrong(
        "disk", saw,
        Text("Maak ruimte, of geef het knooppunt een grotere schijf. Is zij vol, dan gaat er niets meer door.",
             "Make room, or give the node a larger disk. When it is full, nothing passes any more."),
    )  # fmt: skip


async def log_step(parts: Parts) -> Step:
    """Whether the log is written and signed."""
    try:
        note = await parts.ledger.checkpoint()
    except Problem as problem:
        return _wrong("log", problem.why, problem.next)
    size = figure(int(note.split("\n")[1]))
    return _well(
        "log", Text(f"{size.nl} regels, ondertekend en verzegeld.", f"{size.en} records, signed and sealed.")
    )


def revoked_step(parts: Parts) -> Step:
    """Whether the lists of revoked certificates are in time, and of every authority."""
    revocations = parts.revocations
    if ended := revocations.ended(parts.events.clock()):
        return _wrong(
            "revoked", Text(f"Deze lijst is te oud: {ended[0][:200]}.", f"This list is too old: {ended[0][:200]}."),
            Text("Zet een nieuwe lijst in het bestand van tls.crl.", "Put a new list into the file of tls.crl."),
        )  # fmt: skip
    if unlisted := revocations.unlisted:
        return _wrong(
            "revoked", Text(f"Er is geen lijst van {unlisted[0][:200]}.", f"There is no list of {unlisted[0][:200]}."),
            Text("Zet ook die lijst in het bestand van tls.crl.", "Put that list into the file of tls.crl as well."),
        )  # fmt: skip
    lists = len(revocations.lists)
    if not lists:
        saw = Text("Dit knooppunt gebruikt geen lijsten van ingetrokken certificaten.",
                   "This node uses no lists of revoked certificates.")  # fmt: skip
    else:
        saw = Text(f"{lists} {'lijst' if lists == 1 else 'lijsten'}, geen te oud.",
                   f"{lists} {'list' if lists == 1 else 'lists'}, none too old.")  # fmt: skip
    return _well("revoked", saw)


def own_certificates(config: Config, parts: Parts) -> OwnCertificates:
    """The certificates of this node, and those that it trusts; and the lists of revoked ones."""

    def shown() -> list[ShownCertificate]:
        node = parts.certificate
        found = [ShownCertificate(_NODE, node.identity.certificate, _RENEW)]
        if config.portal.certificate is not None:
            found += [ShownCertificate(_PORTAL, one, _RENEW) for one in _read(config)[:1]]
        return found + [
            ShownCertificate(Text(f"Autoriteit {place}", f"Authority {place}"), one, _AUTHORITY)
            for place, one in enumerate(node.anchors, 1)
        ]

    def lists() -> list[Revoked]:
        return [
            Revoked(one.issuer.rfc4514_string(), one.last_update_utc, one.next_update_utc, len(one))
            for one in parts.revocations.lists
        ]

    return OwnCertificates(shown, lists, lambda: parts.revocations.unlisted)


def _read(config: Config) -> Sequence[x509.Certificate]:
    """The portal's own certificate as it lies in its file; none when that cannot be read just now."""
    assert config.portal.certificate is not None
    try:
        return read_certificates(config.portal.certificate)
    except Problem:
        return ()


def _well(name: str, saw: Text) -> Step:
    return Step(name, "ok", saw.nl, saw.en)


def _wrong(name: str, saw: Text, helps: Text) -> Step:
    return Step(name, "wrong", saw.nl, saw.en, helps.nl, helps.en)


_NODE = Text(
    "Dit knooppunt: verbinden en tekenen in de groep", "This node: connecting and signing in the group"
)
_PORTAL = Text("Het portaal, voor browsers", "The portal, for browsers")
_RENEW = Text(
    "Vraag een nieuw certificaat aan en zet het met zijn sleutel in dezelfde bestanden. Het knooppunt neemt het zelf in gebruik.",
    "Request a new certificate and put it with its key into the same files. The node takes it in use by itself.",
)
_AUTHORITY = Text(
    "Vraag de beheerder van de groep naar de volgende autoriteit, en zet haar in de instellingen voor deze eindigt.",
    "Ask who runs the group for the next authority, and put it into the settings before this one ends.",
)
