"""From YAML to what is declared, and from names to peers. Pure: nothing is read or asked here."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from sluis.gateway.contracts import SPOKEN
from sluis.gateway.documents.model import (
    KINDS,
    Authentication,
    Connection,
    Declared,
    Link,
    Metadata,
    Peer,
    Publication,
    PublicService,
    Rule,
    Service,
    Spec,
)
from sluis.gateway.documents.yaml import parse_documents
from sluis.grounds import PROPERTY, Document, Fault, faults, meant
from sluis.kernel import Invalid, PeerId, Place, Text

_TOP = ("apiVersion", "kind", "metadata", "spec")


class Offered(msgspec.Struct, frozen=True):
    """A service to offer, whichever kind of document declared it. `certificates` are the files with which the inway
    proves itself to the API; `rules` is None when everyone with a contract may use all of it."""

    name: str
    url: str
    alternative: str | None = None
    methods: tuple[str, ...] = ()
    rules: tuple[Rule, ...] | None = None
    certificates: tuple[str, ...] = ()


def read(text: str, name: str) -> tuple[tuple[Declared, ...], tuple[Invalid, ...]]:
    """What YAML text declares, and everything that is wrong with it.

    Args:
        text: one or more documents.
        name: what messages call the file.

    Raises `Invalid` when it is no YAML at all.
    """
    declared, problems = list[Declared](), list[Invalid]()
    for document in parse_documents(text, name):
        found = list(_faults(document))
        if found:
            problems += [fault.problem(document) for fault in found]
        else:
            declared.append(_declared(document))
    problems += [*_doubled(declared), *_not_ours_to_offer(declared)]
    return tuple(declared), tuple(problems)


def names(documents: Iterable[Declared], known: Mapping[str, PeerId]) -> dict[str, PeerId]:
    """Every name of an organisation and its Peer ID: those already known, and those of Peer documents, which go first."""
    return {**known, **{one.metadata.name: one.spec.id for one in documents if isinstance(one.spec, Peer)}}


def peer_named(name: str, known: Mapping[str, PeerId], place: Place | None = None) -> PeerId:
    """The organisation that a name or a Peer ID stands for.

    Args:
        name: as a document writes it.
        known: what `names` gives.
        place: of the document, for the message.

    Raises `Invalid` (`unknown-organisation`).
    """
    if name in known:
        return known[name]
    if PeerId.accepts(name):
        return PeerId(name)
    raise Invalid(
        "unknown-organisation",
        Text(
            f"De organisatie `{name}` is hier niet bekend.", f"The organisation `{name}` is not known here."
        ),
        Text(
            "Het is geen Peer ID en geen naam van een Peer-document of uit `[peers]`.",
            "It is no Peer ID, and no name of a Peer document or under `[peers]`.",
        ),
        meant(name, known),
        place=place,
    )


def offered(documents: Iterable[Declared]) -> tuple[Offered, ...]:
    """The services to offer. Of a public Service document, each endpoint is one."""
    services = list[Offered]()
    for one in documents:
        if isinstance(one.spec, Service):
            spec = one.spec
            services.append(
                Offered(
                    one.metadata.name,
                    spec.url,
                    spec.alternative,
                    spec.methods,
                    spec.rules or None,
                    _files(spec.authentication),
                )
            )
        elif isinstance(one.spec, PublicService):
            services += _endpoints(one.spec)
    return tuple(services)


def missing(documents: Iterable[Declared], known: Mapping[str, PeerId]) -> tuple[Invalid, ...]:
    """References that lead nowhere, or to two things: organisations, delegators, and connections that a link names."""
    declared = tuple(documents)
    everyone = names(declared, known)
    connections = {one.metadata.name for one in declared if isinstance(one.spec, Connection)}
    problems = list[Invalid]()
    for one in declared:
        for name in _organisations(one.spec):
            try:
                peer_named(name, everyone, one.place)
            except Invalid as problem:
                problems.append(problem)
        if (
            isinstance(one.spec, Connection | Publication)
            and one.spec.external_contract
            and one.spec.delegator
        ):
            problems.append(_delegated_twice(one))
        if isinstance(one.spec, Link) and one.spec.connection not in connections:
            problems.append(_unknown_connection(one, connections))
    return tuple(problems)


def _endpoints(spec: PublicService) -> Iterator[Offered]:
    rules = (
        tuple(rule for policy in spec.authorization.policies for rule in policy.rules)
        if spec.authorization
        else None
    )
    for endpoint in spec.endpoints:
        yield Offered(
            endpoint.name,
            endpoint.url,
            methods=endpoint.methods,
            rules=rules,
            certificates=_files(endpoint.authentication),
        )


def _files(authentication: Authentication | None) -> tuple[str, ...]:
    return () if authentication is None else tuple(one.path for one in authentication.certificates)


def _organisations(spec: Spec) -> Iterator[str]:
    match spec:
        case Service(rules=rules):
            yield from (name for rule in rules for name in rule.organizations)
        case PublicService(authorization=authorization) if authorization:
            yield from (
                name
                for policy in authorization.policies
                for rule in policy.rules
                for name in rule.organizations
            )
        case Publication(directory=directory, delegator=delegator, alternative=instead):
            yield from filter(None, (directory, delegator, instead and instead.peer))
        case Connection(service=service, delegator=delegator, alternative=instead):
            yield from filter(None, (service.peer, service.delegator, delegator, instead and instead.peer))


def _faults(document: Document) -> Iterator[Fault]:
    tables = document.tables
    for name in tables.keys() - set(_TOP):
        yield Fault(
            (name,),
            "unknown-key",
            Text(f"`{name}` is hier niet bekend.", f"`{name}` is not known here."),
            Text("Een document heeft vier namen.", "A document has four names."),
            meant(name, _TOP),
        )
    kind = tables.get("apiVersion"), tables.get("kind")
    if kind not in KINDS:
        yield _unknown_kind(kind)
        return
    yield from _below("metadata", Metadata, tables)
    yield from _below("spec", KINDS[kind], tables)
    yield from _empty_purpose(tables.get("spec"))


def _empty_purpose(spec: object) -> Iterator[Fault]:
    purpose = spec.get("purpose") if isinstance(spec, dict) else None
    if isinstance(purpose, dict) and not (purpose.get("disclosures") or purpose.get("notices")):
        yield Fault(
            ("spec", "purpose"),
            "empty-purpose",
            Text("Dit doel opent niets.", "This purpose opens nothing."),
            Text("Er staat geen verstrekking en geen kennisgeving in.", "It names no disclosure and no notice."),
            Text("Noem onder `disclosures` of `notices` wat u vraagt.",
                 "Name under `disclosures` or `notices` what you ask for."),
        )  # fmt: skip


def _below(key: str, kind: type, tables: dict[str, object]) -> Iterator[Fault]:
    for fault in faults(tables.get(key, {}), kind):
        yield msgspec.structs.replace(fault, keys=(key, *fault.keys))


def _declared(document: Document) -> Declared:
    tables = document.tables
    spec = msgspec.convert(
        tables["spec"],
        KINDS[tables["apiVersion"], tables["kind"]],
        dec_hook=lambda kind, value: kind(value),
    )
    metadata = msgspec.convert(tables["metadata"], Metadata)
    return Declared(tables["kind"], metadata, spec, document.place(()))


def _doubled(declared: Iterable[Declared]) -> Iterator[Invalid]:
    seen = dict[tuple[str, str], Declared]()
    for one in declared:
        first = seen.setdefault(one.key, one)
        if first is not one:
            yield Invalid(
                "declared-twice",
                Text(
                    f"{one.kind} `{one.metadata.name}` staat er twee keer.",
                    f"{one.kind} `{one.metadata.name}` stands there twice.",
                ),
                Text(
                    f"De eerste staat op regel {first.place.line}.",
                    f"The first is on line {first.place.line}.",
                ),
                Text("Houd er één, of geef een andere naam.", "Keep one of them, or give it another name."),
                place=one.place,
            )


def _not_ours_to_offer(declared: Iterable[Declared]) -> Iterator[Invalid]:
    """What no contract of this organisation may say, told where it stands."""
    for one in declared:
        if isinstance(one.spec, Publication) and PROPERTY in one.spec.properties:
            yield Invalid(
                "purpose-in-publication",
                Text(
                    f"Publication `{one.metadata.name}` noemt een doel.",
                    f"Publication `{one.metadata.name}` names a purpose.",
                ),
                Text(
                    "Een publicatie is voor iedereen: zo zou de directory vertellen wie waarnaar kijkt.",
                    "A publication is for everyone: the directory would tell who looks at what.",
                ),
                Text(
                    f"Haal `{PROPERTY}` weg; een doel staat in `purpose` van een Connection.",
                    f"Remove `{PROPERTY}`; a purpose stands in `purpose` of a Connection.",
                ),
                place=one.place,
            )
        if isinstance(one.spec, Publication | Service) and one.spec.protocol != SPOKEN:
            yield Invalid(
                "protocol-not-spoken",
                Text(
                    f"{one.kind} `{one.metadata.name}` belooft HTTP/2.",
                    f"{one.kind} `{one.metadata.name}` promises HTTP/2.",
                ),
                Text("De inway spreekt alleen HTTP/1.1.", "The inway speaks HTTP/1.1 only."),
                Text(
                    f"Schrijf {SPOKEN}, of laat `protocol` weg.", f"Write {SPOKEN}, or leave `protocol` out."
                ),
                place=one.place,
            )


def _unknown_kind(kind: tuple[object, object]) -> Fault:
    listed = ", ".join(f"{version} {name}" for version, name in KINDS)
    return Fault(
        ("kind",),
        "unknown-kind",
        Text("Dit soort document is niet bekend.", "This kind of document is not known."),
        Text(
            f"Er staat apiVersion `{str(kind[0])[:60]}` en kind `{str(kind[1])[:60]}`.",
            f"It says apiVersion `{str(kind[0])[:60]}` and kind `{str(kind[1])[:60]}`.",
        ),
        Text(f"Kies uit: {listed}.", f"Choose from: {listed}."),
    )


def _delegated_twice(one: Declared) -> Invalid:
    return Invalid(
        "delegated-twice",
        Text(
            f"{one.kind} `{one.metadata.name}` is op twee manieren namens een ander.",
            f"{one.kind} `{one.metadata.name}` is on behalf of another in two ways.",
        ),
        Text(
            "`delegator` laat die ander meetekenen; `externalContract` is er voor wie dat niet kan.",
            "`delegator` has that other sign too; `externalContract` is for who cannot.",
        ),
        Text("Houd één van beide.", "Keep one of the two."),
        place=one.place,
    )


def _unknown_connection(one: Declared, connections: Iterable[str]) -> Invalid:
    assert isinstance(one.spec, Link)
    return Invalid(
        "unknown-connection",
        Text(
            f"Link `{one.metadata.name}` wijst naar een verbinding die er niet is.",
            f"Link `{one.metadata.name}` points to a connection that is not there.",
        ),
        Text(
            f"Geen Connection-document heet `{one.spec.connection}`.",
            f"No Connection document is called `{one.spec.connection}`.",
        ),
        meant(one.spec.connection, connections),
        place=one.place,
    )
