"""What an operator declares to `sluis apply`: documents with `apiVersion`, `kind`, `metadata` and `spec`.

Seven kinds. Six are ours (`sluis/v1`): the group, its peers, the services that this organisation offers, where they are
published, what it connects to, and the links by which its own programs reach a connection. The seventh is a Service as
public guidance writes it (`fsc.gov.nl/v1`).
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from sluis.gateway.contracts import SPOKEN, Protocol
from sluis.grounds import Purpose
from sluis.kernel import PeerId, Place

Label = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$(?!\n)")]
"""The name of a document."""

ServiceName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$(?!\n)")]
"""FSC Core 2.0.0, service name; unique per peer."""

GroupId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9./_-]{1,100}$(?!\n)")]
"""FSC Core 2.0.0, Group ID."""

ManagerAddress = Annotated[
    str, msgspec.Meta(pattern=r"^https://[^/?#@\s]+:(443|8443)$(?!\n)", max_length=255)
]
"""https and the port said out loud, one of the two of FSC Core 2.0.0."""

Upstream = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$(?!\n)", max_length=2000)]
Organisation = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$(?!\n)")]
"""A Peer ID, or the name of a peer: of a Peer document, or under `[peers]` of the node."""

Permission = Literal["read", "write"]
Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """How a document is called."""

    name: Label
    namespace: Label = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Directory(msgspec.Struct, frozen=True, rename="camel"):
    """The Manager where the group publishes."""

    peer: PeerId
    address: ManagerAddress


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """The rules all peers share. `authorities` are SHA-256 fingerprints (hex) of the trust anchors, so that nobody joins
    a group of the same name with other ones."""

    id: GroupId
    directory: Directory
    authorities: tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")], ...] = ()


class Peer(msgspec.Struct, frozen=True, rename="camel"):
    """Another organisation; the document's name becomes a name for it."""

    id: PeerId
    address: ManagerAddress


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """What these organisations may do: `read` is GET and HEAD, `write` every other method."""

    organizations: Annotated[tuple[Organisation, ...], msgspec.Meta(min_length=1)]
    permissions: Annotated[tuple[Permission, ...], msgspec.Meta(min_length=1)]


class Certificate(msgspec.Struct, frozen=True, rename="camel"):
    """A PEM file of this machine with a client certificate, for the way from the inway to the API. Its key stands in the
    same file, in another of the list, or beside it under the same name with `.key`."""

    name: Label
    path: Annotated[str, msgspec.Meta(pattern=r"^/.+$(?!\n)", max_length=1000)]


class Authentication(msgspec.Struct, frozen=True, rename="camel"):
    """How the inway proves itself to the API behind it."""

    type: Literal["mutual-tls"]
    certificates: Annotated[tuple[Certificate, ...], msgspec.Meta(min_length=1, max_length=8)]


class Service(msgspec.Struct, frozen=True, rename="camel"):
    """An API of this organisation behind its inway. Without rules, whoever has a contract may use all of it."""

    url: Upstream
    alternative: Upstream | None = None
    protocol: Protocol = SPOKEN
    methods: tuple[Method, ...] = ()
    rules: tuple[Rule, ...] = ()
    authentication: Authentication | None = None


class ExternalContract(msgspec.Struct, frozen=True, rename="camel"):
    """A contract outside FSC by which another organisation delegated (External Contract Reference 1.0.0). Who signs must
    have seen it."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    delegator_id: PeerId
    delegator_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Instead(msgspec.Struct, frozen=True, rename="camel"):
    """The service to use when this one cannot be reached."""

    peer: Organisation
    name: ServiceName


class Publication(msgspec.Struct, frozen=True, rename="camel"):
    """A service that the directory should list; `delegator` when it is offered on another's behalf."""

    service: ServiceName
    protocol: Protocol = SPOKEN
    directory: Organisation | None = None
    delegator: Organisation | None = None
    properties: dict[str, Any] = {}
    external_contract: ExternalContract | None = None
    alternative: Instead | None = None


class Wanted(msgspec.Struct, frozen=True, rename="camel"):
    """The service a connection is to; `delegator` is on whose behalf it is offered."""

    peer: Organisation
    name: ServiceName
    delegator: Organisation | None = None


class Validity(msgspec.Struct, frozen=True, rename="camel"):
    """First and last day on which a contract counts, in UTC."""

    since: date
    until: date


class Connection(msgspec.Struct, frozen=True, rename="camel"):
    """A contract by which this organisation's outway may reach a service, and for what purpose."""

    service: Wanted
    delegator: Organisation | None = None
    purpose: Purpose | None = None
    properties: dict[str, Any] = {}
    external_contract: ExternalContract | None = None
    alternative: Instead | None = None
    valid: Validity | None = None


class Link(msgspec.Struct, frozen=True, rename="camel"):
    """The document's name as first segment of a path at the outway leads to this connection document's service."""

    connection: Label


class Endpoint(msgspec.Struct, frozen=True, rename="camel"):
    """One API of a public Service document: it becomes a service of that name."""

    name: ServiceName
    url: Upstream
    methods: tuple[Method, ...] = ()
    authentication: Authentication | None = None


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """Rules under a name."""

    name: Label
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1)]


class Authorization(msgspec.Struct, frozen=True, rename="camel"):
    """Who may use the endpoints: what one of the policies allows."""

    policies: Annotated[tuple[Policy, ...], msgspec.Meta(min_length=1)]


class PublicService(msgspec.Struct, frozen=True, rename="camel"):
    """A Service as public guidance writes it."""

    endpoints: Annotated[tuple[Endpoint, ...], msgspec.Meta(min_length=1)]
    authorization: Authorization | None = None


Spec = Group | Peer | Service | Publication | Connection | Link | PublicService

KINDS: dict[tuple[str, str], type[Spec]] = {
    ("sluis/v1", "Group"): Group,
    ("sluis/v1", "Peer"): Peer,
    ("sluis/v1", "Service"): Service,
    ("sluis/v1", "Publication"): Publication,
    ("sluis/v1", "Connection"): Connection,
    ("sluis/v1", "Link"): Link,
    ("fsc.gov.nl/v1", "Service"): PublicService,
}
"""Each `apiVersion` and `kind`, and what its `spec` holds."""


class Declared(msgspec.Struct, frozen=True):
    """One document: its kind, its name, what it declares, and where it stands."""

    kind: str
    metadata: Metadata
    spec: Spec
    place: Place

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by: a document with the same takes the place of this one."""
        return type(self.spec).__name__, self.metadata.name
