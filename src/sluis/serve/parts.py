"""The rooms of a node, furnished from its settings. What must go upward gets here what fills its `Protocol`."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import lru_cache

import msgspec
from cryptography import x509

from sluis import disclose
from sluis.catalogue import Accepted, Catalogue, Finder, Harvester, Trying, open_harvester
from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.contact import Contact
from sluis.crypto import (
    FileKeyStore,
    Identity,
    KeyStore,
    Revocations,
    read_certificates,
)
from sluis.disclose import Bounds, Discloser, Use, open_use
from sluis.events.standing import Placer, StandingQuestions, open_standing
from sluis.gateway import Agreed as Purposes
from sluis.gateway import (
    Card,
    Link,
    Membership,
    Operator,
    OwnLink,
    Traffic,
    Witnesses,
    read_card,
    sign_card,
    witness_name,
)
from sluis.grounds import Grounds
from sluis.grounds.consents import Consents, open_consents
from sluis.identity.access import Accesses, Agreed
from sluis.identity.tokens import Tokens
from sluis.kernel import Clock, PeerId, Text, Unkept, milliseconds
from sluis.ledger import Anchors, Ledger, Witness, decisions, open_ledger
from sluis.oversight import Oversight
from sluis.owning import Holdings
from sluis.policy import DecisionPoint, open_versions
from sluis.query import Asker, Desk, Owner, Owners, Shelf, open_shelf
from sluis.rights import Inspection, Rights, Sending
from sluis.serve.catalogue import catalogue_of, terms_of, trying_of, usage_of
from sluis.serve.certificate import Certificate
from sluis.serve.contact import contact_of
from sluis.serve.elsewhere import Logs
from sluis.serve.events import EventRooms, event_rooms
from sluis.serve.group import membership_of, operator_of
from sluis.serve.identity import IdentityRooms, identity_rooms
from sluis.serve.looked import Looking, looking_of
from sluis.serve.oversight import oversight_of
from sluis.serve.owning import GroupContracts, holdings_of
from sluis.serve.people import whom_of
from sluis.serve.provider import tokens_of
from sluis.serve.rights import inspection_of, rights_of
from sluis.serve.standing import OwnersSide, placer_of
from sluis.sources import Source, open_source
from sluis.statement import Combiner, EngineLimits, open_memory
from sluis.store import Store, open_store
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
    config = loaded.config
    certificate = Certificate(config, clock)
    try:
        keys = FileKeyStore(config.keys.directory)
        store = open_store(config.store.url)
    except OSError as failure:
        raise _cannot_keep(failure) from None
    with ExitStack() as undo:
        undo.callback(store.close)
        parts = _furnish(loaded, certificate, keys, store, clock)
        undo.pop_all()
    return parts


def _furnish(loaded: Loaded, certificate: Certificate, keys: KeyStore, store: Store, clock: Clock) -> Parts:
    config, grounds, limits, own = loaded.config, loaded.grounds, loaded.config.limits, loaded.config.node
    identity, anchors = certificate.identity, certificate.anchors
    revocations = Revocations(config.tls.crl, anchors, identity.chain[1:])

    def card_of(jws: str) -> Card:
        return read_card(jws, anchors, clock(), revocations.lists)

    newest = config.keys.directory / "newest.checkpoint"
    ledger = open_ledger(store, keys, config.log_origin, clock, memory=newest)
    memory = open_memory(store, keys)
    refusals = Refusals(ledger, clock)
    versions = open_versions(store)
    versions.keep(loaded.policies, clock())
    point = DecisionPoint(loaded.policies, own.alias, ledger, clock)
    membership = membership_of(config, identity, store, ledger, point, revocations, clock)
    own_link = OwnLink(identity.peer, _names(config))
    link: Link = membership.link if membership else own_link
    card = _card(config, certificate, keys)
    combiner = Combiner(EngineLimits(f"{limits.combine_megabytes}MB", seconds=limits.question_seconds))
    owners = Owners(_known(config), link, card_of, clock, limits.peer_seconds)
    asker = Asker(
        peer=own.oin,
        activities={activity.id: activity for activity in grounds.activities},
        owners=owners,
        link=link,
        ledger=ledger,
        point=point,
        combiner=combiner,
        memory=memory,
        clock=clock,
        seconds=limits.peer_seconds,
        answer_bytes=limits.combine_megabytes << 20,  # more could not be combined
    )
    address = _addresses(config, membership)
    logs = Logs(config, link, owners, membership, clock)
    contact = contact_of(loaded, store, ledger, keys, asker, logs, clock)
    hearer = contact.heard if contact else None
    events = event_rooms(
        config, grounds, store, ledger, keys, point, link, membership, address, hearer, clock
    )
    sources = {name: open_source(source.url, source.pool_size) for name, source in config.sources.items()}
    kept = timedelta(days=config.consents.keep_days)
    consents = open_consents(store, ledger, keys, grounds, clock, kept)
    catalogue = catalogue_of(loaded, membership)
    harvester = open_harvester(store, link, _names(config), clock) if membership else None
    terms = terms_of(config, store, ledger, keys, link, catalogue, harvester, clock)
    if membership:
        membership.inway.accepted = terms.accepted
    discloser = Discloser(
        own=own.oin,
        alias=own.alias,
        grounds=grounds,
        sources=sources,
        log=ledger,
        memory=memory,
        keys=keys,
        card=card,
        card_of=card_of,
        combiner=combiner,
        address=address,
        point=point,
        clock=clock,
        bounds=_bounds(config),
        contracts=membership is not None,
        consents=consents,
        terms=terms.lacking,
    )
    standing = open_standing(
        store,
        ledger,
        keys,
        OwnersSide(discloser, keys.public),
        Purposes(membership.contracts.allowed, clock) if membership else None,
        events.subscriptions,
        events.queue,
        own.oin,
        address,
        own.alias,
        clock,
    )
    if any(one.questions_per_hour is not None for one in grounds.disclosures):
        since = milliseconds(clock() - timedelta(hours=1))
        discloser.recall(found for one in decisions(store, since) if (found := disclose.permit(one)))
    peers = [peer.oin for peer in config.peers.values()]
    access = Access([own.oin, *peers], _people(config).get, refusals.record)
    asked = [config.peers[name].oin for name in config.ledger.witnesses]
    witnesses = Witnesses(link, card_of, asked, peers, clock)
    witness = Witness(store, keys, witness_name(config.log_origin), witnesses.known, clock)
    operator = None
    if membership:
        told = events.registrar.offered
        operator = operator_of(config, grounds, store, membership, owners, told, clock)
    tokens = tokens_of(config, keys, clock)
    rooms = identity_rooms(config, grounds, store, ledger, keys, tokens, Gate(point), refusals.record, clock)
    if contact is not None and rooms is not None:
        contact.represented_by(rooms.representing.may)
        rooms.representing.on_sign_in(contact.consulted.met)
    use = open_use(store, ledger, own.oin, _known_here(grounds))
    stamps = Anchors(config.anchors, _roots(config), clock)
    rights = rights_of(config, store, ledger, keys, clock)
    return Parts(
        certificate=certificate,
        store=store,
        ledger=ledger,
        link=link,
        sources=sources,
        combiner=combiner,
        point=point,
        asker=asker,
        desk=Desk(asker, clock, problem_of),
        shelf=open_shelf(store, keys, clock),
        discloser=discloser,
        use=use,
        oversight=oversight_of(
            loaded, store, ledger, versions, stamps, operator, use, _namer(config, membership), clock
        ),
        holdings=holdings_of(
            loaded,
            store,
            ledger,
            discloser,
            use,
            sources,
            point,
            GroupContracts(operator, membership, clock) if operator and membership else None,
            clock,
        ),
        accesses=_accesses(config, grounds, consents, ledger, operator, membership, clock),
        events=events,
        standing=standing,
        placer=placer_of(config, events.references, events.registrar, link, ledger, address, clock),
        tokens=tokens,
        looking=looking_of(config, grounds, store, tokens, ledger, logs),
        access=access,
        refusals=refusals,
        witness=witness,
        witnesses=witnesses,
        revocations=revocations,
        stamps=stamps,
        card=card,
        membership=membership,
        operator=operator,
        traffic=Traffic(membership, clock) if membership else None,
        own=None if membership else own_link,
        identity=rooms,
        activities={one.id: one.name for one in grounds.activities},
        whom=whom_of(config, keys),
        contact=contact,
        inspection=inspection_of(asker, owners, catalogue, harvester, clock),
        rights=rights,
        sending=Sending(rights, store, link, clock),
        catalogue=catalogue,
        harvester=harvester,
        finder=Finder(catalogue, harvester),
        terms=terms,
        usage=usage_of(config, store, ledger, membership, catalogue, harvester, clock),
        trying=trying_of(loaded, link, membership, harvester),
    )


def _card(config: Config, certificate: Certificate, keys: KeyStore) -> Callable[[], str]:
    """This node's card, signed with the certificate that is in use then."""
    node = config.node

    @lru_cache(maxsize=1)
    def signed(identity: Identity) -> str:
        return sign_card(identity, node.alias, node.url, keys.public, keys.sealing_public, config.log_origin)

    return lambda: signed(certificate.identity)


def _addresses(config: Config, membership: Membership | None) -> Callable[[PeerId], str]:
    """Where the other party of a consultation is, for the processing log: as the group knows it."""

    def address(peer: PeerId) -> str:
        if peer == config.node.oin:
            return config.node.url
        known = membership.running.peers.known(peer) if membership else None
        return known.address if known and known.address else f"urn:nld:oin:{peer!s}"

    return address


def _namer(config: Config, membership: Membership | None) -> Callable[[PeerId], str]:
    """What organisations are called, this one too: as the group knows them, or as the settings do."""
    names = {**_names(config), config.node.oin: config.node.name}

    def name(peer: PeerId) -> str:
        if peer == config.node.oin or membership is None:
            return names.get(peer, str.__str__(peer))
        return membership.running.peers.name(peer)

    return name


def _accesses(
    config: Config,
    grounds: Grounds,
    consents: Consents,
    ledger: Ledger,
    operator: Operator | None,
    membership: Membership | None,
    clock: Clock,
) -> Accesses:
    """Who has access to what; in a group only under its contracts."""
    name = _namer(config, membership)

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

    return Accesses(grounds, consents, ledger.log, agreed if operator else None, name, clock)


def _roots(config: Config) -> list[x509.Certificate]:
    """The authorities that are trusted to tell the time. Raises `Invalid` when one cannot be read."""
    return [root for path in config.anchor.certificates for root in read_certificates(path)]


def _known(config: Config) -> list[Owner]:
    """Who can be asked: every peer, and this node itself, which then answers as it would anybody."""
    known = [Owner(alias, peer.oin, peer.name) for alias, peer in config.peers.items()]
    return [*known, Owner(config.node.alias, config.node.oin, config.node.name)]


def _names(config: Config) -> dict[PeerId, str]:
    """The peers of a node."""
    return {peer.oin: peer.name for peer in config.peers.values()}


def _known_here(grounds: Grounds) -> frozenset[str]:
    """The datasets and activities that are counted by name."""
    return frozenset([one.name for one in grounds.datasets] + [one.id for one in grounds.activities])


def _bounds(config: Config) -> Bounds:
    """What a question may cost here: where sources differ, what the strictest allows."""
    sources = list(config.sources.values())
    if not sources:
        return Bounds()
    seconds = min(source.timeout_seconds for source in sources)
    return Bounds(seconds=seconds, scanned_rows=min(source.max_rows for source in sources))


def _people(config: Config) -> dict[str, Person]:
    return {
        entry.os_user: Person(entry.os_user, name, entry.roles)
        for name, entry in config.people.items()
        if entry.os_user is not None
    }


_CANNOT_START = Text("Dit knooppunt kan niet starten.", "This node cannot start.")


def _cannot_keep(failure: OSError) -> Unkept:
    cause = failure.strerror or "?"
    return Unkept(
        "cannot-keep",
        _CANNOT_START,
        Text(f"De map voor sleutels of database is niet te gebruiken: {cause}.",
             f"The directory for keys or database cannot be used: {cause}."),
        Text("Controleer pad, rechten en ruimte.", "Check path, permissions and space."),
    )  # fmt: skip
