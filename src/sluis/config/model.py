"""The settings of a node as structs. Every field has a default that is safe in production, or has no default."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from sluis.events.notificaties import ScopeName
from sluis.gateway import AutoSign
from sluis.grounds import Key, Name
from sluis.kernel import Level, PeerId
from sluis.web import Audience

Environment = Literal["production", "test"]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https://[^/?#@\s]+(/[^?#\s]*)?$(?!\n)", max_length=2000)]
AnyUrl = Annotated[str, msgspec.Meta(pattern=r"^https?://[^@#\s]+$(?!\n)", max_length=2000)]
OwnOrUrl = Annotated[str, msgspec.Meta(pattern=r"^(own|https?://[^@#\s]+)$(?!\n)", max_length=2000)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
HostName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$(?!\n)", max_length=253
    ),
]
Mail = Annotated[str, msgspec.Meta(pattern=r"^[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,190}$(?!\n)")]
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)")]
NetworkAddress = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f.:]+/[0-9]{1,3}$(?!\n)", max_length=50)]
NatsUrl = Annotated[str, msgspec.Meta(pattern=r"^(nats|tls)://[^@/\s]+$(?!\n)", max_length=300)]
Count = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Seconds = Annotated[float, msgspec.Meta(ge=0.1, le=86_400)]


class Address(str):
    """The URL of a database or source, with its password; `repr` and `masked` leave the password out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Address({self.masked!r})"

    @property
    def masked(self) -> str:
        """The URL with `•••` for its password."""
        return re.sub(r"(://[^:@/]*):[^@/]*@", r"\1:•••@", self)


class NodeConfig(msgspec.Struct, frozen=True):
    """Who this node is."""

    oin: PeerId
    name: Words
    alias: Name
    url: Url
    environment: Environment = "production"
    language: Literal["nl", "en"] = "nl"

    @property
    def test(self) -> bool:
        """Whether test authorities are accepted."""
        return self.environment == "test"


class ListenConfig(msgspec.Struct, frozen=True):
    """Where this node listens for its own people. For peers there are Manager and inway."""

    socket: Path = Path("var/node.sock")


class TlsConfig(msgspec.Struct, frozen=True):
    """The certificate by which peers know this node, and the authorities it trusts."""

    certificate: Path = Path("tls/certificate.pem")
    key: Path = Path("tls/key.pem")
    authorities: Annotated[tuple[Path, ...], msgspec.Meta(min_length=1)] = (Path("tls/authority.pem"),)
    crl: Path | None = None


class KeysConfig(msgspec.Struct, frozen=True):
    """Where the node keeps its own signing, sealing and pseudonym keys."""

    directory: Path = Path("keys")


class StoreConfig(msgspec.Struct, frozen=True):
    """The node's own database."""

    url: Address = Address("sqlite:///var/node.db")


class LedgerConfig(msgspec.Struct, frozen=True):
    """The log and who witnesses it."""

    origin: Words | None = None
    witnesses: tuple[Name, ...] = ()


class AnchorConfig(msgspec.Struct, frozen=True):
    """Who stamps checkpoints with the time (RFC 3161), and how often. Without `url` nobody does."""

    url: AnyUrl | None = None
    certificates: tuple[Path, ...] = ()
    hours: Annotated[float, msgspec.Meta(ge=0.1, le=8760)] = 24.0


class PeerConfig(msgspec.Struct, frozen=True):
    """Another organisation, under the name that questions give it. Where it is, the group's directory tells."""

    oin: PeerId
    name: Words


class SourceConfig(msgspec.Struct, frozen=True):
    """A place where data lives."""

    url: Address
    password_file: Path | None = None
    timeout_seconds: Seconds = 30.0
    max_rows: Count = 10_000_000
    pool_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 8


class PersonConfig(msgspec.Struct, frozen=True):
    """An official of this organisation, known by the user name of the operating system, by its directory, or both."""

    os_user: Words | None = None
    signin: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}:\S(.{0,253}\S)?$(?!\n)")] | None = (
        None
    )
    roles: tuple[Key, ...] = ()


class FscConfig(msgspec.Struct, frozen=True):
    """The group that this node is a peer of, and what it does there by itself. Without `group` it is in none."""

    group: Path | None = None
    plane: Literal["in-process", "nginx"] = "in-process"
    decision_point: OwnOrUrl | None = None
    metrics_port: Port | None = None
    otlp: AnyUrl | None = None
    auto_sign: tuple[AutoSign, ...] = ()


class ManagerConfig(msgspec.Struct, frozen=True):
    """Where peers make contracts with this node."""

    host: Words = "127.0.0.1"
    port: Port = 8443
    address: Url | None = None


class InwayConfig(msgspec.Struct, frozen=True):
    """Where peers reach the services of this node."""

    host: Words = "127.0.0.1"
    port: Port = 443
    address: Url | None = None


class OutwayConfig(msgspec.Struct, frozen=True):
    """Where programs of this organisation reach the services of peers."""

    host: Words = "127.0.0.1"
    port: Port = 8480
    names: tuple[HostName, ...] = ()


class PortalConfig(msgspec.Struct, frozen=True):
    """Where people reach the pages of this node, and programs its sign-in provider. Without `address` there are none."""

    address: Url | None = None
    host: Words = "127.0.0.1"
    port: Port = 8470
    machine_port: Port | None = None
    certificate: Path | None = None
    key: Path | None = None
    theme: Path | None = None
    logo: Path | None = None


class SignInConfig(msgspec.Struct, frozen=True):
    """A way of signing in: an OpenID provider of others, such as a broker for DigiD and eHerkenning, or the organisation's
    own directory."""

    issuer: Url
    client: Words
    audience: Audience
    title: Words
    scopes: tuple[Words, ...] = ("openid",)
    secret_file: Path | None = None
    levels: dict[str, Level] = {}
    claims: dict[
        Literal["bsn", "kvk", "rsin", "vestiging", "person", "name", "intermediary", "company", "services"],
        Words,
    ] = {}
    hosts: tuple[HostName, ...] = ()
    authorities: tuple[Path, ...] = ()


class ClientConfig(msgspec.Struct, frozen=True):
    """A portal or program that trusts this node to sign people in, or that itself signs in here."""

    title: Words
    redirect_uris: tuple[AnyUrl, ...] = ()
    sign_out_uris: tuple[AnyUrl, ...] = ()
    sign_out_call: AnyUrl | None = None
    keys: Path | None = None
    certificate_subject: Words | None = None
    public: bool = False
    sector: Words | None = None
    scopes: tuple[Words, ...] = ("openid",)
    grants: tuple[Literal["authorization_code", "client_credentials", "token-exchange"], ...] = (
        "authorization_code",
    )
    audiences: tuple[Words, ...] = ()
    level: Level = "low"


class PasskeysConfig(msgspec.Struct, frozen=True):
    """How staff sign in with a device of their own. There are passkeys where there is another way of signing in for staff."""

    level: Literal["low", "substantial", "high"] = "substantial"
    enrol: Literal["low", "substantial", "high"] = "substantial"
    days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30


class PassportIssuerConfig(msgspec.Struct, frozen=True):
    """Who makes credentials that are believed here."""

    title: Words
    certificates: Annotated[tuple[Path, ...], msgspec.Meta(min_length=1)]
    types: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1)]
    identifier: Words | None = None
    status: tuple[Url, ...] = ()


class PassportWayConfig(msgspec.Struct, frozen=True):
    """A way of signing in with what somebody has in a wallet."""

    title: Words
    audience: Literal["citizen", "company"]
    type: Words
    level: Literal["low", "substantial", "high"]
    why: Words
    claims: dict[
        Literal["bsn", "person", "name", "kvk", "company", "given", "surname", "born"],
        Annotated[tuple[Words, ...], msgspec.Meta(min_length=1)],
    ]


class PassportConfig(msgspec.Struct, frozen=True):
    """Digital passports: whose are believed, and what is asked of wallets."""

    issuers: dict[Key, PassportIssuerConfig] = {}
    ways: dict[Key, PassportWayConfig] = {}
    certificate: Path | None = None
    key: Path | None = None
    encrypted: bool = True
    wallet: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9+.-]*://[^?#\s]*$(?!\n)", max_length=2000)] = (
        "openid4vp://"
    )
    authorities: tuple[Path, ...] = ()


class TrustConfig(msgspec.Struct, frozen=True):
    """A sign-in provider of another organisation that is believed about who a person is, when that person reads here who
    looked at their data."""

    issuer: Url
    keys: Path
    level: Level = "substantial"


class ContactConfig(msgspec.Struct, frozen=True):
    """How people are reached: when nobody is disturbed, and where it is asked where somebody lives, or a company is registered."""

    quiet_from: ClockTime = "21:00"
    quiet_until: ClockTime = "08:00"
    templates: Path = Path("templates")
    address_sql: Words | None = None
    address_activity: Words | None = None
    company_address_sql: Words | None = None
    company_address_activity: Words | None = None
    consulted: Literal["off", "asked", "known"] = "off"
    consulted_activity: Words | None = None
    consulted_channels: tuple[Key, ...] = ()
    consulted_silent: tuple[Words, ...] = ()


class ChannelConfig(msgspec.Struct, frozen=True):
    """A way to reach people. Which settings a kind needs, `sluis check` says."""

    kind: Literal["smtp", "notify-email", "notify-sms", "notify-letter", "print", "box"]
    host: HostName | None = None
    port: Port | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Mail | None = None
    returns: Mail | None = None
    maildir: Path | None = None
    user: Words | None = None
    secret_file: Path | None = None
    url: AnyUrl | None = None
    template: Words | None = None
    callback_file: Path | None = None
    folder: Path | None = None
    window: Literal["left", "right"] = "left"
    return_address: Words | None = None
    remote: Words | None = None
    key: Path | None = None
    known_hosts: Path | None = None
    authorities: tuple[Path, ...] = ()
    seconds: Annotated[float, msgspec.Meta(ge=1, le=300)] = 30.0


class ApplicationConfig(msgspec.Struct, frozen=True):
    """A program of this organisation that uses the ZGW Notificaties API, under its `client_id`."""

    title: Words
    secret_file: Path
    scopes: tuple[ScopeName, ...]
    callbacks: tuple[AnyUrl, ...] = ()


class NotificatiesConfig(msgspec.Struct, frozen=True):
    """The ZGW Notificaties API of this node. Without applications there is none."""

    activity: Words | None = None
    applications: dict[Key, ApplicationConfig] = {}


class PolicyConfig(msgspec.Struct, frozen=True):
    """The organisation's own Cedar policies, beside what its disclosures say."""

    directory: Path = Path("policies")


class RegisterConfig(msgspec.Struct, frozen=True):
    """The trade register, which says who may act for a company and whether it still can. Without `directory` or `url` it is not
    read: then nobody is a director, and no company is held against it. Where both are set, `url` is asked."""

    directory: Path | None = None
    url: (
        Annotated[str, msgspec.Meta(pattern=r"^https://[^\s#{}@]*\{kvk\}[^\s#{}@]*$(?!\n)", max_length=2000)]
        | None
    ) = None
    key_file: Path | None = None
    authorities: tuple[Path, ...] = ()
    longest_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24


class EventsConfig(msgspec.Struct, frozen=True):
    """What recipients of events may register here, which of their addresses are reached, and where processes that send wake each
    other."""

    inside: tuple[NetworkAddress, ...] = ()
    authorities: tuple[Path, ...] = ()
    interest_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 366
    interests_each: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] = 1_000_000
    nats: NatsUrl | None = None
    nats_authorities: tuple[Path, ...] = ()
    nats_certificate: Path | None = None
    nats_key: Path | None = None
    nats_secret: Path | None = None


class DataConfig(msgspec.Struct, frozen=True):
    """What officials who look after data may see of people. Without `preview_activity` there are no previews."""

    preview_activity: Words | None = None
    secrecy: tuple[
        Annotated[str, msgspec.Meta(pattern=r"^[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,62}$(?!\n)")], ...
    ] = ()


class ConsentsConfig(msgspec.Struct, frozen=True):
    """Consents of people, after they have ended."""

    keep_days: Annotated[int, msgspec.Meta(ge=1, le=36_600)] = 1830


class RightsConfig(msgspec.Struct, frozen=True):
    """What people report and request about their own data: after it was finished, and how much of it may be open."""

    keep_days: Annotated[int, msgspec.Meta(ge=1, le=36_600)] = 730
    open_per_organisation: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 10_000


class ServiceConfig(msgspec.Struct, frozen=True):
    """A service that somebody can be mandated for: what a portal calls it, and what people read."""

    title: Words
    about: Words
    id: Words | None = None


class LimitsConfig(msgspec.Struct, frozen=True):
    """What one question may cost this node."""

    question_seconds: Seconds = 60.0
    peer_seconds: Seconds = 30.0
    combine_megabytes: Annotated[int, msgspec.Meta(ge=16, le=1_000_000)] = 512
    answer_megabytes: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 64


class Config(msgspec.Struct, frozen=True):
    """All settings of a node."""

    node: NodeConfig
    listen: ListenConfig = ListenConfig()
    tls: TlsConfig = TlsConfig()
    keys: KeysConfig = KeysConfig()
    store: StoreConfig = StoreConfig()
    ledger: LedgerConfig = LedgerConfig()
    anchor: AnchorConfig = AnchorConfig()
    peers: dict[Name, PeerConfig] = {}
    sources: dict[Key, SourceConfig] = {}
    people: dict[Key, PersonConfig] = {}
    portal: PortalConfig = PortalConfig()
    signin: dict[Key, SignInConfig] = {}
    passkeys: PasskeysConfig = PasskeysConfig()
    passport: PassportConfig = PassportConfig()
    clients: dict[Key, ClientConfig] = {}
    trust: dict[Key, TrustConfig] = {}
    notificaties: NotificatiesConfig = NotificatiesConfig()
    contact: ContactConfig = ContactConfig()
    channels: dict[Key, ChannelConfig] = {}
    policy: PolicyConfig = PolicyConfig()
    register: RegisterConfig = RegisterConfig()
    events: EventsConfig = EventsConfig()
    services: dict[Key, ServiceConfig] = {}
    data: DataConfig = DataConfig()
    consents: ConsentsConfig = ConsentsConfig()
    rights: RightsConfig = RightsConfig()
    limits: LimitsConfig = LimitsConfig()
    fsc: FscConfig = FscConfig()
    manager: ManagerConfig = ManagerConfig()
    inway: InwayConfig = InwayConfig()
    outway: OutwayConfig = OutwayConfig()

    @property
    def manager_address(self) -> str:
        """The address of this node's Manager, as peers know it."""
        return self.manager.address or f"https://{urlsplit(self.node.url).hostname}:{self.manager.port}"

    @property
    def inway_address(self) -> str:
        """The address of this node's inway, as peers know it."""
        return self.inway.address or f"https://{urlsplit(self.node.url).hostname}:{self.inway.port}"

    @property
    def nginx_folder(self) -> Path:
        """Where nginx works when it is the data plane: beside the socket, one for each node."""
        return self.listen.socket.with_suffix(".nginx")

    @property
    def anchors(self) -> Path:
        """Where stamped checkpoints are kept: outside the database that they prove something about."""
        return self.keys.directory / "anchors"

    @property
    def log_origin(self) -> str:
        """The name of this node's log, as in its checkpoints (C2SP tlog-checkpoint): without scheme, unique."""
        parts = urlsplit(self.node.url)
        return self.ledger.origin or f"{parts.hostname}/{self.node.oin}"
