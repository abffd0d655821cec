"""The inway decides: whether a request of a peer may pass to a service, and where that is (FSC Core 2.0.0, Inway).

No sockets here: both data planes ask the same `Inway`. What stays the same between two requests with one token is
looked up once; the certificate, the end of the token, the contract and the policy are asked at every request.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from cryptography import x509

from sluis.crypto import certificate_thumbprint, peer_of
from sluis.gateway.contracts import Grant
from sluis.gateway.faults import inway_fault
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Incoming
from sluis.gateway.services import Service, Services
from sluis.gateway.tokens import Claims, Recent, check, check_again, invalid
from sluis.gateway.transactions import (
    INCOMING,
    Line,
    Passage,
    TransactionLog,
    Write,
    crossing_of,
    read_transaction_id,
)
from sluis.kernel import Clock, PeerId, Refused, Text

InForce = Callable[[str, int], Grant | None]
"""The grant of this hash, when its contract is in force at this time (seconds since the epoch)."""


class _Caller(msgspec.Struct, frozen=True, gc=False):
    """Who a client certificate speaks for, and until when (seconds since the epoch)."""

    peer: PeerId
    thumbprint: str
    until: float


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """What was found of a token."""

    claims: Claims
    passage: Passage
    grant: Grant


class Inway:
    """The deciding side of an inway.

    Args:
        own: this peer.
        group: the group.
        addresses: the URIs under which this inway is reached: scheme, host and port.
        keys: the certificates that this peer's Manager signs with, by thumbprint; asked when a token is new.
        services: what this peer offers.
        in_force: the contracts of this peer.
        transactions: the log; nothing passes without a line in it.
        clock: the node's clock.
        revoked: whether a certificate (DER) was revoked; asked at every request, also over an open connection.
    """

    def __init__(
        self,
        own: PeerId,
        group: str,
        addresses: Collection[str],
        keys: Callable[[], Mapping[str, x509.Certificate]],
        services: Services,
        in_force: InForce,
        transactions: TransactionLog,
        clock: Clock,
        revoked: Callable[[bytes], bool] = lambda certificate: False,
    ) -> None:
        self._own, self._group, self._addresses, self._keys = own, group, frozenset(addresses), keys
        self._services, self._in_force, self._transactions = services, in_force, transactions
        self._clock, self._revoked = clock, revoked
        self.accepted: Callable[[PeerId, str], bool] = lambda peer, service: True
        """Whether a peer accepted what must be accepted before a service is used; asked at every request."""
        self._seen = Recent[str, _Seen]()
        self._callers = Recent[bytes, _Caller]()

    def admit(self, request: Incoming) -> tuple[Forward, Write]:
        """As `judge`, with what writes the line: nothing may pass before `durable` of what that gives returns.

        A service in this very process has records of its own, which go into the same commit as the line.
        """
        forward, line = self.judge(request)
        return forward, self._transactions.once(line)

    def judge(self, request: Incoming) -> tuple[Forward, Line]:
        """Let a request pass, or not. Its line has yet to be given to `write`, with others perhaps; nothing may pass before
        it is durable.

        Raises:
            FscProblem: the first thing that keeps it from passing, in the order of FSC Core 2.0.0 and Logging 1.0.0.
        """
        now = self._clock().timestamp()
        caller = self._caller(request.client_certificate, now)
        seen = self._token(request.authorization, caller, now)
        service = self._service(seen.claims, caller.peer, request, now)
        line = _transaction_id(request.transaction_id), seen.passage
        headers = (AUTHORIZATION, request.authorization or ""), (TRANSACTION, request.transaction_id or "")
        path = service.prefix + request.path
        return Forward(service.target, path, headers, headers[1][1], service.alternative, seen.grant), line

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """Add lines that `judge` gave to the log: see `TransactionLog.write`."""
        return self._transactions.write(lines)

    def _caller(self, der: bytes, now: float) -> _Caller:
        caller = self._callers.get(der) or self._callers.put(der, _read(der))
        if caller.until < now:
            raise invalid(_CERTIFICATE_ENDED)
        if self._revoked(der):
            raise invalid(_CERTIFICATE_REVOKED)
        return caller

    def _token(self, authorization: str | None, caller: _Caller, now: float) -> _Seen:
        if not authorization:
            raise inway_fault("ERROR_CODE_ACCESS_TOKEN_MISSING", _NO_TOKEN)
        seen = self._seen.get(authorization)
        if seen is None:
            return self._seen.put(authorization, self._first_seen(authorization, caller, now))
        check_again(seen.claims, caller.thumbprint, now)
        return seen

    def _first_seen(self, authorization: str, caller: _Caller, now: float) -> _Seen:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise invalid(_NO_BEARER)
        claims = check(token, self._keys(), self._own, self._addresses, caller.thumbprint, now)
        if claims.sub != str.__str__(caller.peer):
            raise invalid(_OTHER_PEER)
        if claims.gid != self._group:
            raise inway_fault("ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN", _OTHER_GROUP)
        if self._services.get(claims.svc) is None:
            raise inway_fault("ERROR_CODE_SERVICE_NOT_FOUND", _NO_SERVICE)
        grant = self._grant(claims, now)
        if grant.service_name != claims.svc:
            raise invalid(_OTHER_SERVICE)
        return _Seen(claims, self._transactions.passage(INCOMING, crossing_of(grant)), grant)

    def _service(self, claims: Claims, peer: PeerId, request: Incoming, now: float) -> Service:
        service = self._services.get(claims.svc)
        if service is None:
            raise inway_fault("ERROR_CODE_SERVICE_NOT_FOUND", _NO_SERVICE)
        self._grant(claims, now)
        if not service.takes(request.method):
            raise inway_fault("ERROR_CODE_NOT_ALLOWED", _NO_METHOD, code="method-not-offered")
        if not service.allows(peer, request.method):
            raise inway_fault("ERROR_CODE_NOT_ALLOWED", _NO_PERMISSION)
        if not self.accepted(peer, claims.svc):
            raise inway_fault("ERROR_CODE_NOT_ALLOWED", _NO_TERMS, code="terms-not-accepted")
        if not service.holds(request.path):
            raise inway_fault("ERROR_CODE_NOT_ALLOWED", _ELSEWHERE, code="path-outside-service")
        return service

    def _grant(self, claims: Claims, now: float) -> Grant:
        grant = self._in_force(claims.gth, int(now))
        if grant is None:
            raise invalid(_NOT_IN_FORCE)
        return grant


def _read(der: bytes) -> _Caller:
    try:
        certificate = x509.load_der_x509_certificate(der)
        peer = peer_of(certificate)
    except (ValueError, Refused):
        raise invalid(_NO_PEER) from None
    return _Caller(peer.id, certificate_thumbprint(der), certificate.not_valid_after_utc.timestamp())


def _transaction_id(text: str | None) -> bytes:
    if text is None:
        raise inway_fault("MISSING_LOG_RECORD_ID", _NO_TRANSACTION)
    found = read_transaction_id(text)
    if found is None:
        raise inway_fault("INVALID_LOG_RECORD_ID", _WRONG_TRANSACTION)
    return found


_NO_PEER = Text(
    "Het clientcertificaat noemt geen organisatie.", "The client certificate names no organisation."
)
_CERTIFICATE_ENDED = Text("Het clientcertificaat is verlopen.", "The client certificate has ended.")
_CERTIFICATE_REVOKED = Text(
    "Het clientcertificaat is ingetrokken.", "The client certificate has been revoked."
)
_NO_TOKEN = Text("Fsc-Authorization ontbreekt.", "Fsc-Authorization is missing.")
_NO_BEARER = Text(
    "In Fsc-Authorization hoort Bearer en een token.", "Fsc-Authorization should be Bearer and a token."
)
_OTHER_PEER = Text("Het token is van een andere organisatie.", "The token is of another organisation.")
_OTHER_GROUP = Text("Het token is van een andere groep.", "The token is of another group.")
_NO_SERVICE = Text(
    "De dienst in het token is er niet (meer).", "The service in the token is not here (any more)."
)
_OTHER_SERVICE = Text(
    "Het token is voor een andere dienst dan de grant.", "The token is for another service than the grant."
)
_NOT_IN_FORCE = Text("Het contract is niet van kracht.", "The contract is not in force.")
_NO_METHOD = Text("De dienst kent deze methode niet.", "The service does not take this method.")
_NO_PERMISSION = Text(
    "Deze organisatie mag dit niet met deze dienst.", "This organisation may not do this with this service."
)
_NO_TERMS = Text(
    "Deze organisatie heeft de voorwaarden van deze dienst niet aanvaard. Dat doet zij in de catalogus van haar eigen portaal.",
    "This organisation did not accept the terms of this service. It does so in the catalogue of its own portal.",
)
_ELSEWHERE = Text("Dit pad leidt buiten de dienst.", "This path leads outside the service.")
_NO_TRANSACTION = Text("Fsc-Transaction-Id ontbreekt.", "Fsc-Transaction-Id is missing.")
_WRONG_TRANSACTION = Text("Fsc-Transaction-Id is geen UUIDv7.", "Fsc-Transaction-Id is not a UUIDv7.")
