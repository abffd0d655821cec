"""Inway and Outway of the peer of the tests: FSC Core 2.0.0 sections 4.6 and 4.7, Logging 1.0.0 sections 3.3 and 3.4."""

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.fsc import jose
from tests.fsc.authority import certificate_thumbprint, peer_id
from tests.fsc.manager import Script
from tests.fsc.papers import Json, uuid7
from tests.fsc.wire import Caller, Raw, Request, Response

if TYPE_CHECKING:
    from tests.fsc.peer import Peer

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class _Denied(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Inway:
    """One peer's Inway, with its services behind it as plain functions."""

    def __init__(self, peer: "Peer") -> None:
        self.peer = peer
        self.script = Script()
        self.log_works = True

    def handle(self, request: Request) -> Response | Raw:
        instead = self.script.play(request)
        if instead is not None:
            return instead
        try:
            claims = self._claims(request)
            record(self.peer, claims, self._transaction(request), "DIRECTION_INCOMING")
            return self.peer.services[claims["svc"]](request)
        except _Denied as error:
            body = {"message": error.code, "domain": "ERROR_DOMAIN_INWAY", "code": error.code}
            headers = [("Content-Type", "application/json"), ("Fsc-Error-Code", error.code)]
            headers += [("WWW-Authenticate", "Bearer")] * (error.status == 401)
            return Response(error.status, headers, json.dumps(body).encode())

    def _claims(self, request: Request) -> Json:
        """Section 4.7.1.2, in the order of the codes."""
        given = request.header("Fsc-Authorization")
        if not given:
            raise _Denied(401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
        scheme, _, token = given.partition(" ")
        try:
            claims = jose.verify(token, self.peer.signing.certificate)
        except jose.BadJws as error:
            raise _Denied(401, "ERROR_CODE_ACCESS_TOKEN_INVALID") from error
        assert request.client is not None
        bound = claims.get("cnf", {}).get("x5t#S256") == certificate_thumbprint(request.client)
        mine = (claims.get("iss"), claims.get("aud")) == (self.peer.id, self.peer.inway_address)
        now = time.time()
        if (
            scheme.lower() != "bearer"
            or not bound
            or not mine
            or claims["nbf"] > now + 60
            or claims["sub"] != peer_id(request.client)
        ):
            raise _Denied(401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
        if claims["exp"] <= now:
            raise _Denied(401, "ERROR_CODE_ACCESS_TOKEN_EXPIRED")
        if claims["gid"] != self.peer.group:
            raise _Denied(403, "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN")
        if claims["svc"] not in self.peer.services:
            raise _Denied(404, "ERROR_CODE_SERVICE_NOT_FOUND")
        return claims

    def _transaction(self, request: Request) -> str:
        given = request.header("Fsc-Transaction-Id")
        if given is None:
            raise _Denied(400, "MISSING_LOG_RECORD_ID")
        if not UUID7.fullmatch(given):
            raise _Denied(400, "INVALID_LOG_RECORD_ID")
        if not self.log_works:
            raise _Denied(500, "TRANSACTION_LOG_WRITE_ERROR")
        return given


def record(peer: "Peer", claims: Json, transaction: str, direction: str) -> None:
    """Write the line of a crossing: Logging section 3.1.1. The roles come from the grant both sides hold."""
    grant = peer.valid_grants().get(claims["gth"], {})
    source: Json = {"type": "SOURCE_TYPE_SOURCE", "outway_peer_id": claims["sub"]}
    if "delegator" in grant:
        source |= {"type": "SOURCE_TYPE_DELEGATED_SOURCE", "delegator_peer_id": grant["delegator"]["peer_id"]}
    destination: Json = {"type": "DESTINATION_TYPE_DESTINATION", "service_peer_id": claims["iss"]}
    if "pdi" in claims:
        destination |= {"type": "DESTINATION_TYPE_DELEGATED_DESTINATION", "delegator_peer_id": claims["pdi"]}
    peer.log.append(
        {
            "transaction_id": transaction,
            "direction": direction,
            "grant_hash": claims["gth"],
            "source": source,
            "destination": destination,
            "service_name": claims["svc"],
            "created_at": int(time.time()),
        }
    )


class Outway:
    """One peer's Outway, used as a function: it fetches a token, writes its line, and sends."""

    def __init__(self, peer: "Peer") -> None:
        self.peer = peer
        self.tokens: dict[tuple[str, str], str] = {}

    def token(self, grant_hash: str, manager: str, **other: str) -> Response:
        """Ask a Manager for a token (section 4.6.1.3). `other` replaces fields of the form."""
        fields = {"grant_type": "client_credentials", "scope": grant_hash, "client_id": self.peer.id, **other}
        return self.peer.form(manager + "/v1/token", fields, identity=self.peer.outway_identity)

    def access(self, grant_hash: str, manager: str) -> str:
        """A token for a grant, from the cache while it is good."""
        key = (grant_hash, self.peer.outway_identity.thumbprint)
        if (held := self.tokens.get(key)) and claims_of(held)["exp"] > time.time() + 5:
            return held
        answer = self.token(grant_hash, manager)
        assert answer.status == 200, (answer.status, answer.body)
        body = json.loads(answer.body)
        assert body["token_type"].lower() == "bearer"
        self.tokens[key] = body["access_token"]
        return str(body["access_token"])

    def send(
        self,
        token: str,
        method: str = "GET",
        target: str = "/",
        headers: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        *,
        transaction: str | None = None,
        **more: Any,
    ) -> Response:
        """A request through an Inway, with a token. `more` goes to the connection: another `identity`, `patience`."""
        claims = claims_of(token)
        assert claims["gid"] == self.peer.group, "section 4.6.1.2: a token of another group is not used"
        transaction = transaction or uuid7()
        record(self.peer, claims, transaction, "DIRECTION_OUTGOING")
        sent = [
            ("Fsc-Authorization", f"Bearer {token}"),
            ("Fsc-Transaction-Id", transaction),
            *(headers or []),
        ]
        with self.connect(claims["aud"], **more) as connection:
            return connection.ask(method, target, sent, body)

    def connect(self, address: str, **more: Any) -> Caller:
        identity = more.pop("identity", self.peer.outway_identity)
        assert urlsplit(address).port in (443, 8443), f"section 4.1.1: {address}"
        return Caller(address, identity, self.peer.authority, **more)


def claims_of(token: str) -> Json:
    """What a token says, unchecked: for the Outway it is opaque but for `aud`, `gid` and `exp`."""
    return jose.parts(token)[1]
