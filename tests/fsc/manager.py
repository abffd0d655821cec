"""The Manager of the peer of the tests: FSC Core 2.0.0 section 4.4 and Logging 1.0.0 section 3.2, server side.

It refuses what the standard says must be refused, with the standard's codes. Before each request it asks its script, in
which a test can put one answer after another: that is how this peer misbehaves.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from cryptography import x509
from tests.fsc import jose
from tests.fsc.authority import certificate_thumbprint, domains, peer_id, peer_name, public_key_thumbprint
from tests.fsc.jcs import NotIJson, content_hash, loads
from tests.fsc.papers import BY_THUMBPRINT, CONNECTIONS, PUBLICATIONS, Contract, Json, Refused, check, parties
from tests.fsc.wire import Drop, Raw, Request, Response

if TYPE_CHECKING:
    from tests.fsc.peer import Peer

Step = Callable[[Request], Response | Raw | None]
"""One misbehaviour: an answer instead of the right one, or None to let the right one be given (late, for instance)."""


class Script:
    """What a listener does instead of its work, one step per request; after the last step it works again."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, Step]] = []
        self.seen: list[Request] = []

    def then(self, step: Step, *, times: int = 1, path: str = "") -> "Script":
        """Do this at the next requests, or at the next requests for a path that contains `path`."""
        self.steps += [(path, step)] * times
        return self

    def play(self, request: Request) -> Response | Raw | None:
        self.seen.append(request)
        for position, (path, step) in enumerate(self.steps):
            if path in request.target:
                del self.steps[position]
                return step(request)
        return None


def garbage(_: Request) -> Raw:
    """Bytes that are no HTTP."""
    return Raw(b"\x16\x03\x01 this is no answer\r\n\r\n\xff\xfe")


def garbled_json(_: Request) -> Response:
    """A good status with a body that is no JSON."""
    return Response(200, [("Content-Type", "application/json")], b'{"keys": [')


def drops(_: Request) -> Response:
    """The connection ends without an answer."""
    raise Drop


def slowly(seconds: float) -> Step:
    """The right answer, late."""

    def step(_: Request) -> None:
        time.sleep(seconds)

    return step


def fails(status: int = 503) -> Step:
    """A status and nothing else."""
    return lambda _: Response(status)


class Manager:
    """One peer's Manager. `handle` is what its listener calls."""

    def __init__(self, peer: "Peer") -> None:
        self.peer = peer
        self.script = Script()
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response | Raw:
        instead = self.script.play(request)
        if instead is not None:
            return instead
        path = urlsplit(request.target).path
        try:
            for method, pattern, work in _ROUTES:
                if method == request.method and (matched := re.fullmatch(pattern, path)):
                    return work(self, request, self._caller(request), *map(unquote, matched.groups()))
        except Refused as error:
            body = {"message": str(error), "domain": "ERROR_DOMAIN_MANAGER", "code": error.code}
            return _json(body, error.status, [("Fsc-Error-Code", error.code)])
        return Response(404)

    def _caller(self, request: Request) -> str:
        assert request.client is not None
        found = peer_id(request.client)
        if found is None:
            raise Refused(
                "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED", "no Peer ID in the certificate", 400
            )
        return found

    def _remember(self, request: Request, caller: str) -> None:
        address = request.header("Fsc-Manager-Address") or ""
        split = urlsplit(address)
        if split.scheme != "https" or not split.port:
            raise Refused(
                "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", f"no address with a port: {address!r}", 400
            )
        assert request.client is not None
        self.peer.known[caller] = (peer_name(request.client), address)

    def announce(self, request: Request, caller: str) -> Response:
        self._remember(request, caller)
        self.peer.announced.append(caller)
        return Response(200)

    def submit(self, request: Request, caller: str) -> Response:
        found, signature = self._submitted(request, caller)
        contract = self._taken(found, signature, "accept", caller)
        if self.peer.accepts(contract):
            self.peer.later(lambda: self.peer.say(contract.hash, "accept"))
        return Response(201)

    def sign(self, request: Request, caller: str, hash_: str, action: str) -> Response:
        found, signature = self._submitted(request, caller)
        if content_hash(found) != hash_:
            raise Refused("ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH", "the path names another contract")
        self._taken(found, signature, action, caller)
        return Response(201)

    def _submitted(self, request: Request, caller: str) -> tuple[Json, str]:
        self._remember(request, caller)
        try:
            body = loads(request.body)
            found = body.get("content", body.get("contract_content"))
            signature = body["signature"]
        except (NotIJson, AttributeError, KeyError, TypeError) as error:
            raise Refused(
                "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", f"no contract and signature: {error!r}", 400
            ) from error
        if not isinstance(found, dict) or not isinstance(signature, str):
            raise Refused("ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", "no contract and signature", 400)
        return found, signature

    def _taken(self, found: Json, signature: str, action: str, caller: str) -> Contract:
        """Check all there is to check, then keep it: contracts and signatures of several peers may come at once."""
        check(found, self.peer.group, self.peer.id, caller, set(self.peer.services))
        self._check_signature(Contract(found), signature, action, caller)
        with self._lock:
            contract = self.peer.contracts.get(content_hash(found))
            if contract is None:
                if any(one.content["iv"] == found["iv"] for one in self.peer.contracts.values()):
                    raise Refused("ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED", "another contract has this iv")
                contract = Contract(found)
                self.peer.keep(contract)
            contract.signatures[action][caller] = signature
        return contract

    def _check_signature(self, contract: Contract, signature: str, action: str, caller: str) -> None:
        """Section 4.2.3: every check of a signature."""
        try:
            header, payload, _, _ = jose.parts(signature)
            certificate = self._signer(caller, jose.thumbprint_in(header))
            if peer_id(certificate) != caller:
                raise Refused("ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH", "signed by another peer")
            jose.verify(signature, certificate)
        except jose.BadJws as error:
            code = (
                "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE"
                if error.unknown_algorithm
                else "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED"
            )
            raise Refused(code, str(error)) from error
        if payload.get("contract_content_hash") != contract.hash:
            raise Refused("ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH", "signed another contract")
        if payload.get("type") != action or type(payload.get("signed_at")) is not int:
            raise Refused("ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", "another kind of signature")

    def _signer(self, caller: str, thumbprint: str | None) -> x509.Certificate:
        for key in self.peer.keys_of(caller):
            chain = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in key.get("x5c", [])]
            if chain and certificate_thumbprint(chain[0]) == thumbprint:
                if not self.peer.authority.trusts(chain):
                    break
                return chain[0]
        raise Refused("ERROR_CODE_SIGNATURE_VERIFICATION_FAILED", f"no certificate {thumbprint} at {caller}")

    def contracts(self, request: Request, caller: str) -> Response:
        query = _query(request)
        mine = [one for one in self.peer.contracts.values() if caller in parties(one.content)]
        if hashes := query.get("grant_hash"):
            wanted = set(hashes.split(","))
            return self._page(
                [one for one in mine if wanted & one.grants().keys()], {}, "contracts", _contract
            )
        if kind := query.get("grant_type"):
            mine = [
                one for one in mine if any(grant["data"]["type"] == kind for grant in one.content["grants"])
            ]
        mine.sort(key=lambda one: (one.content["created_at"], one.hash))
        return self._page(mine, query, "contracts", _contract)

    def token(self, request: Request, caller: str) -> Response:
        form = dict(parse_qsl(request.body.decode()))
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        if form.get("client_id") != caller:
            return _json(
                {
                    "error": "invalid_client",
                    "error_description": "client_id is not the peer of the certificate",
                },
                400,
            )
        data = self.peer.valid_grants().get(form.get("scope", ""))
        if data is None or data["type"] not in CONNECTIONS:
            return _json(
                {"error": "invalid_grant", "error_description": "no valid contract has this grant"}, 400
            )
        service, outway = data["service"], data["outway"]
        assert request.client is not None
        if (
            service["peer_id"] != self.peer.id
            or service["name"] not in self.peer.services
            or outway["peer_id"] != caller
        ):
            return _json(
                {
                    "error": "invalid_grant",
                    "error_description": "another peer, or a service that is not offered",
                },
                400,
            )
        identification = outway["identification"]
        if identification["type"] == BY_THUMBPRINT:
            fits = public_key_thumbprint(request.client) == identification["public_key_thumbprint"]
        else:
            fits = identification["domain_name"] in domains(request.client)
        if not fits:
            return _json({"error": "unauthorized_client", "error_description": "another outway"}, 400)
        claims = self.peer.claims(form["scope"], data, request.client)
        return _json({"access_token": self.peer.make_token(claims), "token_type": "bearer"})

    def about(self, request: Request, caller: str) -> Response:
        extensions = {"EXTENSION_DELEGATION": "1.0.0", "EXTENSION_TRANSACTION_LOGGING": "1.0.0"}
        body = {
            "peer_id": self.peer.id,
            "peer_name": self.peer.name,
            "fsc_version": "2.0.0",
            "enabled_extensions": extensions,
        }
        return _json(body)

    def peers(self, request: Request, caller: str) -> Response:
        query = _query(request)
        rows = sorted((id_, *rest) for id_, rest in self.peer.known.items())
        if ids := query.get("peer_id"):
            return self._page([row for row in rows if row[0] in ids.split(",")], {}, "peers", _peer)
        wanted = query.get("peer_name", "").lower()
        return self._page([row for row in rows if wanted in row[1].lower()], query, "peers", _peer)

    def services(self, request: Request, caller: str) -> Response:
        query = _query(request)
        found = [grant for grant in self.peer.valid_grants().values() if grant["type"] in PUBLICATIONS]
        filters = []
        if peer := query.get("peer_id"):
            filters.append(lambda grant: grant["service"]["peer_id"] == peer)
        if name := query.get("service_name"):
            filters.append(lambda grant: name.lower() in grant["service"]["name"].lower())
        if filters:
            found = [grant for grant in found if any(one(grant) for one in filters)]
        return self._page(found, query, "services", self._listing)

    def _listing(self, grant: Json) -> Json:
        service = grant["service"]
        data = {
            "type": "SERVICE_TYPE_SERVICE",
            "peer": _peer((service["peer_id"], *self.peer.known.get(service["peer_id"], ("", "")))),
            "name": service["name"],
            "protocol": service["protocol"],
        }
        if "delegator" in grant:
            id_ = grant["delegator"]["peer_id"]
            name = self.peer.known.get(id_, ("", ""))[0]
            data |= {
                "type": "SERVICE_TYPE_DELEGATED_SERVICE",
                "delegator": {"peer_id": id_, "peer_name": name},
            }
        return {"data": data}

    def jwks(self, request: Request, caller: str) -> Response:
        return _json(jose.jwks(self.peer.published_keys))

    def logs(self, request: Request, caller: str) -> Response:
        query = _query(request)
        mine = [one for one in self.peer.log if caller in _involved(one)]
        if ids := query.get("transaction_ids"):
            return self._page(
                [one for one in mine if one["transaction_id"] in ids.split(",")], {}, "records", dict
            )
        mine = [
            one
            for one in mine
            if int(query.get("after", 0)) <= one["created_at"] <= int(query.get("before", 2**40))
        ]
        hashes, names = (set(query.get(key, "").split(",")) - {""} for key in ("grant_hash", "service_name"))
        if hashes or names:
            mine = [one for one in mine if one["grant_hash"] in hashes or one["service_name"] in names]
        return self._page(mine, query, "records", dict)

    def _page(
        self, rows: list[Any], query: dict[str, str], name: str, form: Callable[[Any], Any]
    ) -> Response:
        if query.get("sort_order", "SORT_ORDER_DESCENDING") == "SORT_ORDER_DESCENDING":
            rows = rows[::-1]
        limit, start = int(query.get("limit", 25 if query else len(rows) or 1)), int(query.get("cursor") or 0)
        left = str(start + limit) if start + limit < len(rows) else ""
        return _json(
            {name: [form(row) for row in rows[start : start + limit]], "pagination": {"next_cursor": left}}
        )


def _query(request: Request) -> dict[str, str]:
    return {
        name: values[-1]
        for name, values in parse_qs(urlsplit(request.target).query, keep_blank_values=True).items()
    }


def _json(body: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Response:
    return Response(
        status, [("Content-Type", "application/json"), *(headers or [])], json.dumps(body).encode()
    )


def _contract(contract: Contract) -> Json:
    return {"content": contract.content, "signatures": contract.signatures}


def _peer(row: tuple[str, ...]) -> Json:
    return {"id": row[0], "name": row[1], "manager_address": row[2]}


def _involved(record: Json) -> set[str]:
    ends = (record["source"], record["destination"])
    return {
        end[name]
        for end in ends
        for name in ("outway_peer_id", "service_peer_id", "delegator_peer_id")
        if name in end
    }


_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("PUT", "/v1/announce", Manager.announce),
    ("POST", "/v1/contracts", Manager.submit),
    ("GET", "/v1/contracts", Manager.contracts),
    ("PUT", "/v1/contracts/([^/]+)/(accept|reject|revoke)", Manager.sign),
    ("POST", "/v1/token", Manager.token),
    ("GET", "/v1/peer", Manager.about),
    ("GET", "/v1/peers", Manager.peers),
    ("GET", "/v1/services", Manager.services),
    ("GET", r"/v1/\.well-known/jwks\.json", Manager.jwks),
    ("GET", "/v1/logs", Manager.logs),
]
