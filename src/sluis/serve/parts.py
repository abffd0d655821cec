"""The rooms of a node, furnished from its settings. What must go upward gets here what fills its `Protocol`."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import msgspec
from cryptography import x509

from sluis.catalogue import Accepted, Catalogue, Finder, Harvester, Trying, open_harvester
from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.contact import Contact
from sluis.crypto import (
    Revocations,
    read_certificates,
)
from sluis.disclose import Discloser, Use
from sluis.events.standing import Placer, StandingQuestions
from sluis.gateway import (
    Link,
    Membership,
    Operator,
    OwnLink,
    Traffic,
    Witnesses,
)
from sluis.grounds.consents import Consents
from sluis.identity.access import Accesses, Agreed
from sluis.identity.tokens import Tokens
from sluis.kernel import Clock, PeerId, Text
from sluis.ledger import Anchors, Ledger, Witness
from sluis.oversight import Oversight
from sluis.owning import Holdings
from sluis.policy import DecisionPoint
from sluis.query import Asker, Desk, Shelf, open_shelf
from sluis.rights import Inspection, Rights, Sending
from sluis.serve.answering import answering_of, standing_of
from sluis.serve.catalogue import catalogue_of, terms_of, trying_of, usage_of
from sluis.serve.certificate import Certificate
from sluis.serve.contact import contact_of
from sluis.serve.crossing import Crossing, crossing_of
from sluis.serve.elsewhere import Logs
from sluis.serve.events import EventRooms, event_rooms
from sluis.serve.foundation import Foundation, foundation_of, keys_and_store
from sluis.serve.group import operator_of
from sluis.serve.identity import IdentityRooms, identity_rooms
from sluis.serve.looked import Looking, looking_of
from sluis.serve.names import namer, peer_names
from sluis.serve.oversight import oversight_of
from sluis.serve.owning import GroupContracts, holdings_of
from sluis.serve.people import whom_of
from sluis.serve.provider import tokens_of
from sluis.serve.rights import Identities, inspection_of, rights_of
from sluis.serve.standing import placer_of
from sluis.sources import Source
from sluis.statement import Combiner, EngineLimits
from sluis.store import Store
from sluis.usage import Usage
from sluis.web import Access, Gate, Person, Refusals, problem_of


class Parts(msgspec.Struct, frozen=True):
    """The rooms of a node, furnished."""

    certificate: Certificate
    store: Store
    ledger: Ledger
    link: Link
    sources: Mapping[str, Source]
    combiner: Combiner
    point: DecisionPoint
    asker: Asker
    desk: Desk
    shelf: Shelf
    discloser: Discloser
    use: Use
    oversight: Oversight
    holdings: Holdings | None
    """None where there is no portal."""
    accesses: Accesses
    events: EventRooms
    standing: StandingQuestions
    placer: Placer
    tokens: Tokens | None
    looking: Looking | None
    access: Access
    refusals: Refusals
    witness: Witness
    witnesses: Witnesses
    overlook: Callable[[str], None]
    stamps: Anchors
    revocations: Revocations
    card: Callable[[], str]
    membership: Membership | None
    operator: Operator | None
    traffic: Traffic | None
    own: OwnLink | None
    """The link, where there is no membership."""
    identity: IdentityRooms | None
    activities: Mapping[str, Text]
    """What the processing activities of this organisation are called, by their URI."""
    whom: Callable[[str], str]
    """The pseudonym of who has a BSN."""
    contact: Contact | None
    inspection: Inspection
    rights: Rights
    sending: Sending
    catalogue: Catalogue | None
    harvester: Harvester | None
    """None where there is no group."""
    finder: Finder
    terms: Accepted
    usage: Usage
    trying: Trying

    def close(self) -> None:
        """Give back what is held outside this process. Blocks."""
        for source in self.sources.values():
            source.close()
        self.combiner.close()
        self.store.close()


def build_parts(loaded: Loaded, clock: Clock) -> Parts:
    """The rooms of a node, from its directory.

    Args:
        loaded: what `config.load_node` read.
        clock: gives the present.

    Raises `Problem`: a certificate that has ended or is another's, a test authority in production, an unreadable
    key, a log that another process writes, a full disk.
    """
    certificate = Certificate(loaded.config, clock)
    keys, store = keys_and_store(loaded.config)
    with ExitStack() as undo:
        undo.callback(store.close)
        parts = _furnish(foundation_of(loaded, certificate, keys, store, clock))
        undo.pop_all()
    return parts


def _furnish(base: Foundation) -> Parts:
    """Every room, those below first; in the end what they are handed of each other."""
    loaded, config, grounds, clock = base.loaded, base.config, base.grounds, base.clock
    store, ledger, keys, point = base.store, base.ledger, base.keys, base.point
    own, limits = config.node, config.limits
    crossing = crossing_of(base)
    membership, link, owners = crossing.membership, crossing.link, crossing.owners

    # Asking
    combiner = Combiner(EngineLimits(f"{limits.combine_megabytes}MB", seconds=limits.question_seconds))
    asker = _asker(base, crossing, combiner)

    # Telling people, and organisations
    logs = Logs(config, link, owners, membership, clock)
    contact = contact_of(loaded, store, ledger, keys, asker, logs, clock)
    hearer = contact.heard if contact else None
    events = event_rooms(
        config, grounds, store, ledger, keys, point, link, membership, crossing.address, hearer, clock
    )

    # What can be found, on which terms
    catalogue = catalogue_of(loaded, membership)
    harvester = open_harvester(store, link, peer_names(config), clock) if membership else None
    terms = terms_of(config, store, ledger, keys, link, catalogue, harvester, clock)
    if membership:
        membership.inway.accepted = terms.accepted

    # Answering
    answering = answering_of(base, crossing, combiner, terms)
    discloser, use = answering.discloser, answering.use

    # Who works here
    operator = None
    if membership:
        told = events.registrar.offered
        operator = operator_of(config, grounds, store, membership, owners, told, clock)
    tokens = tokens_of(config, keys, clock)
    rooms = identity_rooms(
        config, grounds, store, ledger, keys, tokens, Gate(point), base.refusals.record, clock
    )
    if contact is not None and rooms is not None:
        contact.represented_by(rooms.representing.may)
        rooms.representing.on_sign_in(contact.consulted.met)
    name = namer(config, membership)
    stamps = Anchors(config.anchors, _roots(config), clock)
    contracts = GroupContracts(operator, membership, clock) if operator and membership else None
    looking = looking_of(config, grounds, store, tokens, ledger, logs)
    identities = Identities(own.oin, looking)
    rights = rights_of(config, store, ledger, keys, clock, identities)
    return Parts(
        certificate=base.certificate,
        store=store,
        ledger=ledger,
        link=link,
        sources=answering.sources,
        combiner=combiner,
        point=point,
        asker=asker,
        desk=Desk(asker, clock, problem_of),
        shelf=open_shelf(store, keys, clock),
        discloser=discloser,
        use=use,
        oversight=oversight_of(loaded, store, ledger, base.versions, stamps, operator, use, name, clock),
        holdings=holdings_of(
            loaded, store, ledger, discloser, use, answering.sources, point, contracts, clock
        ),
        accesses=_accesses(base, answering.consents, operator, name),
        events=events,
        standing=standing_of(base, crossing, discloser, events),
        placer=placer_of(config, events.references, events.registrar, link, ledger, crossing.address, clock),
        tokens=tokens,
        looking=looking,
        access=Access([own.oin, *peer_names(config)], _people(config).get, base.refusals.record),
        refusals=base.refusals,
        witness=crossing.witness,
        witnesses=crossing.witnesses,
        overlook=crossing.overlook,
        revocations=base.revocations,
        stamps=stamps,
        card=crossing.card,
        membership=membership,
        operator=operator,
        traffic=Traffic(membership, clock) if membership else None,
        own=crossing.own,
        identity=rooms,
        activities={one.id: one.name for one in grounds.activities},
        whom=whom_of(config, keys),
        contact=contact,
        inspection=inspection_of(asker, owners, catalogue, harvester, clock),
        rights=rights,
        sending=Sending(rights, store, link, clock, identities.asserted),
        catalogue=catalogue,
        harvester=harvester,
        finder=Finder(catalogue, harvester),
        terms=terms,
        usage=usage_of(config, store, ledger, membership, catalogue, harvester, clock),
        trying=trying_of(loaded, link, membership, harvester),
    )


def _asker(base: Foundation, crossing: Crossing, combiner: Combiner) -> Asker:
    """What asks others, and this node itself."""
    limits = base.config.limits
    return Asker(
        peer=base.config.node.oin,
        activities={activity.id: activity for activity in base.grounds.activities},
        owners=crossing.owners,
        link=crossing.link,
        ledger=base.ledger,
        point=base.point,
        combiner=combiner,
        memory=base.memory,
        clock=base.clock,
        seconds=limits.peer_seconds,
        answer_bytes=limits.answer_megabytes << 20,
    )


def _accesses(
    base: Foundation, consents: Consents, operator: Operator | None, name: Callable[[PeerId], str]
) -> Accesses:
    """Who has access to what; in a group only under its contracts."""

    async def agreed() -> list[Agreed]:
        assert operator is not None
        return [
            Agreed(
                one.contract,
                one.recipient,
                one.service,
                one.purpose,
                one.disclosures,
                one.notices,
                one.since,
                one.until,
            )
            for one in await operator.granted()
        ]

    return Accesses(base.grounds, consents, base.ledger.log, agreed if operator else None, name, base.clock)


def _roots(config: Config) -> list[x509.Certificate]:
    """The authorities that are trusted to tell the time. Raises `Invalid` when one cannot be read."""
    return [root for path in config.anchor.certificates for root in read_certificates(path)]


def _people(config: Config) -> dict[str, Person]:
    return {
        entry.os_user: Person(entry.os_user, name, entry.roles)
        for name, entry in config.people.items()
        if entry.os_user is not None
    }
