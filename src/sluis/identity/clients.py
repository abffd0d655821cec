"""The portals and programs that trust this node's sign-in provider, and how they prove which one they are.

RFC 7523 (`private_key_jwt`, with what OAuth-NL 1.2 asks of an assertion), RFC 8705 (`tls_client_auth` by the subject of a
certificate that TLS verified, `self_signed_tls_client_auth` by a certificate in the client's own key set), and programs
without a secret. No shared secrets: `client_secret_…` is not known here.
"""

import hmac
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from sluis.crypto import (
    LEEWAY,
    LONGEST_JWT,
    Keys,
    certificate_thumbprint,
    check_claims,
    read_chain,
    read_json,
    read_jwks,
    read_jws,
    read_jwt,
)
from sluis.kernel import Clock, Invalid, Level, Text, Unidentified

if TYPE_CHECKING:  # settings are read without a database
    from sluis.store import Once

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, 2.2."""

GrantType = Literal["authorization_code", "client_credentials", "token-exchange"]
Method = Literal["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"]

METHODS: tuple[Method, ...] = get_args(Method)

_LONGEST = (
    3600  # seconds that an assertion may last: so long its jti is remembered; libraries make them of an hour
)
_SHORTEST_JTI = (
    16  # characters; OAuth-NL 1.2 wants 128 bits, and hexadecimal is the longest way to write those
)
_NAMES = {"serialNumber": NameOID.SERIAL_NUMBER, "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER}


class Client(msgspec.Struct, frozen=True):
    """A portal or program, as it is registered.

    Args:
        id: its name, `client_id`.
        title: as people see it.
        redirect_uris: where codes may go, literally.
        sign_out_uris: where a browser may go after signing out, literally.
        sign_out_call: what is told that somebody signed out.
        keys: for `private_key_jwt`.
        certificates: thumbprints of those in its key set, for `self_signed_tls_client_auth`.
        subject: of the certificate, for `tls_client_auth`.
        public: whether it has no secret at all.
        sector: who gets the same pseudonyms.
        scopes: what it may ask.
        grants: how it gets tokens.
        audiences: for whom it may ask tokens.
        level: the lowest at which somebody signs in to it.
    """

    id: str
    title: str
    redirect_uris: tuple[str, ...]
    sign_out_uris: tuple[str, ...]
    sign_out_call: str | None
    keys: Keys
    certificates: tuple[str, ...]
    subject: x509.Name | None
    public: bool
    sector: str
    scopes: tuple[str, ...]
    grants: tuple[GrantType, ...]
    audiences: tuple[str, ...]
    level: Level

    @property
    def methods(self) -> tuple[Method, ...]:
        """The ways in which it may prove itself."""
        ways: dict[Method, bool] = {
            "private_key_jwt": bool(len(self.keys)),
            "tls_client_auth": self.subject is not None,
            "self_signed_tls_client_auth": bool(self.certificates),
            "none": self.public,
        }
        return tuple(way for way, has in ways.items() if has)


class Authenticated(msgspec.Struct, frozen=True):
    """A client that proved itself, how, and with which certificate on its connection (RFC 8705), if any."""

    client: Client
    method: Method
    thumbprint: str | None = None


class NotProven(Unidentified):
    """Somebody did not prove which program they are. What failed is for this node's operator, and is not told.

    Attributes:
        client: which one it was said to be, if it is registered.
        rule: what failed.
    """

    def __init__(self, rule: str, client: Client | None) -> None:
        super().__init__("client-not-proven", *_NOT_PROVEN, rule=rule)
        self.client = client


def make_client(
    name: str,
    *,
    title: str,
    redirect_uris: tuple[str, ...] = (),
    sign_out_uris: tuple[str, ...] = (),
    sign_out_call: str | None = None,
    keys: bytes | None = None,
    certificate_subject: str | None = None,
    public: bool = False,
    sector: str | None = None,
    scopes: tuple[str, ...] = ("openid",),
    grants: tuple[GrantType, ...] = ("authorization_code",),
    audiences: tuple[str, ...] = (),
    level: Level = "low",
) -> Client:
    """A client from its settings (`[clients.NAME]`), checked.

    Args:
        keys: the content of its key set (JWKS).
        others: as the settings name them.

    Raises:
        Invalid: the settings contradict each other, or what they say is not safe.
    """
    found, certificates = _read_keys(name, keys) if keys is not None else (Keys(), ())
    ways = [public, bool(len(found) or certificates), certificate_subject is not None]
    if ways.count(True) != 1:
        raise _misconfigured(name, _ONE_WAY)
    if public and grants != ("authorization_code",):
        raise _misconfigured(name, _PUBLIC)
    if "authorization_code" in grants and not redirect_uris:
        raise _misconfigured(name, _NOWHERE)
    if not all(_is_safe(uri, public) for uri in (*redirect_uris, *sign_out_uris)):
        raise _misconfigured(name, _UNSAFE)
    return Client(
        id=name,
        title=title,
        redirect_uris=redirect_uris,
        sign_out_uris=sign_out_uris,
        sign_out_call=sign_out_call,
        keys=found,
        certificates=certificates,
        subject=None if certificate_subject is None else _subject(name, certificate_subject),
        public=public,
        sector=sector or (urlsplit(redirect_uris[0]).hostname if redirect_uris else None) or name,
        scopes=scopes,
        grants=grants,
        audiences=audiences,
        level=level,
    )


class Clients:
    """Those that are registered.

    Args:
        clients: by name.
        once: where used assertions are remembered.
        clock: aware UTC.
    """

    def __init__(self, clients: Mapping[str, Client], once: "Once", clock: Clock) -> None:
        self._clients, self._once, self._clock = dict(clients), once, clock

    def get(self, name: str | None) -> Client | None:
        """The client of this name."""
        return self._clients.get(name or "")

    @property
    def all(self) -> Collection[Client]:
        """All of them."""
        return self._clients.values()

    def audience_of(self, name: str) -> str:
        """The sector in which somebody is known to an audience: that of the client of that name, or its own."""
        client = self._clients.get(name)
        return client.sector if client is not None else name

    async def authenticate(
        self, form: Mapping[str, str], certificate: x509.Certificate | None, endpoints: Collection[str]
    ) -> Authenticated:
        """Which client this is, proven; an assertion is spent by it, durably.

        Args:
            form: what was posted.
            certificate: that TLS saw on this connection.
            endpoints: what an assertion may be for: the issuer, and the addresses where it may be shown.

        Raises:
            Unidentified: it is not proven; which part failed is not told.
            Unkept: what was spent cannot be kept.
        """
        assertion = form.get("client_assertion")
        client = self.get(_claimed(assertion) if assertion is not None else form.get("client_id"))
        if client is None or form.get("client_id", client.id) != client.id or "client_secret" in form:
            raise NotProven("unknown" if client is None else "form", client)
        thumbprint = None if certificate is None else certificate_thumbprint(certificate)
        if assertion is not None:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise NotProven("form", client)
            await self._check(client, assertion, endpoints)
            return Authenticated(client, "private_key_jwt", thumbprint)
        method = _by_certificate(client, certificate, thumbprint)
        if method is None:
            raise NotProven("certificate", client)
        return Authenticated(client, method, None if method == "none" else thumbprint)

    async def tidy(self) -> None:
        """Forget assertions that are refused for their age anyway. Raises `Unkept`."""
        await self._once.sweep(int(self._clock().timestamp()))

    async def _check(self, client: Client, assertion: str, endpoints: Collection[str]) -> None:
        """RFC 7523, 3, with the claims of OAuth-NL 1.2; for one audience, so that none can be shown elsewhere."""
        now = int(self._clock().timestamp())
        try:
            claims = read_jwt(assertion, client.keys)
            check_claims(claims, issuer=client.id, audience=endpoints, now=now, longest=_LONGEST)
        except Invalid as failure:
            raise NotProven(f"assertion-{failure.rule or 'form'}", client) from None
        jti, audience = claims.get("jti"), claims["aud"]
        single = isinstance(audience, str) or len(audience) == 1
        if (
            claims.get("sub") != client.id
            or not single
            or not isinstance(jti, str)
            or len(jti) < _SHORTEST_JTI
        ):
            raise NotProven("assertion-claims", client)
        if not await self._once.spend(f"client {client.id}", jti, int(claims["exp"]) + LEEWAY + 1):
            raise NotProven("assertion-used", client)


def _claimed(assertion: str) -> str | None:
    """Who an assertion says it is from; believed only when that one's key signed it."""
    try:
        claims = read_json(read_jws(assertion, LONGEST_JWT).payload)
    except Invalid:
        return None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else None


def _by_certificate(
    client: Client, certificate: x509.Certificate | None, thumbprint: str | None
) -> Method | None:
    """How the certificate on the connection proves this client; `none` for one that has nothing to prove."""
    if client.public:
        return "none"
    if certificate is None or thumbprint is None:
        return None
    if client.subject is not None and certificate.subject == client.subject:
        return "tls_client_auth"
    if any(hmac.compare_digest(one, thumbprint) for one in client.certificates):
        return "self_signed_tls_client_auth"
    return None


def _certificates(keys: bytes) -> tuple[str, ...]:
    """Thumbprints of the certificates in a key set (RFC 8705, 2.2)."""
    document: Any = read_json(keys)
    listed = document.get("keys") if isinstance(document, dict) else None
    chains = [read_chain(one.get("x5c")) for one in listed or () if isinstance(one, dict)]
    return tuple(certificate_thumbprint(chain[0]) for chain in chains if chain)


def _read_keys(name: str, document: bytes) -> tuple[Keys, tuple[str, ...]]:
    """The keys in a client's set, and the thumbprints of its certificates. Raises `Invalid` when neither is there."""
    try:
        found = read_jwks(document), _certificates(document)
    except Invalid:
        raise _misconfigured(name, _NO_KEYS) from None
    if not (len(found[0]) or found[1]):
        raise _misconfigured(name, _NO_KEYS)
    return found


def _subject(name: str, text: str) -> x509.Name:
    try:
        found = x509.Name.from_rfc4514_string(text, _NAMES)
    except ValueError:
        raise _misconfigured(name, _SUBJECT) from None
    if not list(found):  # it would be the name in every certificate that has none
        raise _misconfigured(name, _SUBJECT)
    return found


def _is_safe(uri: str, public: bool) -> bool:
    """HTTPS to a host, without a fragment or a user; HTTP only back to the machine of a public client (RFC 8252, 7.3)."""
    parts = urlsplit(uri)
    local = public and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' \\"<>#*')
    return plain and (parts.scheme == "https" or local) and bool(parts.hostname) and "@" not in parts.netloc


_ONE_WAY = Text(
    "Kies één van `keys`, `certificate_subject` en `public`.",
    "Choose one of `keys`, `certificate_subject` and `public`.",
)
_NO_KEYS = Text(
    "In het bestand van `keys` (JWKS) staat geen bruikbare openbare sleutel. Een sleutel met de geheime helft erbij telt niet.",
    "The file of `keys` (JWKS) has no public key that is of use. A key beside its private half does not count.",
)
_PUBLIC = Text(
    "Een programma zonder geheim kan alleen `authorization_code` gebruiken.",
    "A program without a secret can only use `authorization_code`.",
)
_NOWHERE = Text("Er staat geen `redirect_uris`.", "It has no `redirect_uris`.")
_UNSAFE = Text(
    "Een adres begint niet met https, of heeft tekens die daar niet horen.",
    "An address does not begin with https, or has characters that do not belong there.",
)
_SUBJECT = Text(
    "`certificate_subject` is geen naam (RFC 4514).", "`certificate_subject` is no name (RFC 4514)."
)


def _misconfigured(name: str, why: Text) -> Invalid:
    return Invalid(
        "client-misconfigured",
        Text(
            f"De instellingen van [clients.{name}] kloppen niet.",
            f"The settings of [clients.{name}] are wrong.",
        ),
        why,
        Text("Verbeter de instellingen.", "Correct the settings."),
    )


_NOT_PROVEN = (
    Text("Welk programma dit is, is niet bewezen.", "Which program this is has not been proven."),
    Text(
        "De ondertekende verklaring of het certificaat past niet bij een bekend programma, of is al gebruikt.",
        "The signed assertion or the certificate fits no known program, or was used before.",
    ),
    Text("Maak een nieuwe verklaring en probeer het opnieuw.", "Make a new assertion and try again."),
)
