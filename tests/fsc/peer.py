"""An FSC peer that shares no code with the product: Manager, Inway, Outway and transaction log of a fictitious organisation.

It is there to see the product from outside, in both directions, and to misbehave on request (`manager.script`,
`inway.script`, and what `tests.fsc.jose` forges). Every component has a loopback address of its own, so that each can use
the ports of the standard (section 4.1.1).
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cryptography import x509
from tests.fsc import jose
from tests.fsc.authority import Authority, Identity, certificate_thumbprint, server_context
from tests.fsc.jcs import content_hash
from tests.fsc.manager import Manager
from tests.fsc.papers import Contract, Json, parties
from tests.fsc.proxies import Inway, Outway
from tests.fsc.wire import PATIENCE, BadMessage, Caller, Listener, Request, Response, data_port, free_address

GROUP = "fictieve-groep.test"


def echo(request: Request) -> Response:
    """A service that tells what reached it."""
    seen = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
    }
    return Response(200, [("Content-Type", "application/json")], json.dumps(seen).encode())


class Peer:
    """One organisation. `services` maps names to functions; `accepts` says which contracts it signs by itself."""

    def __init__(
        self,
        authority: Authority,
        oin: str,
        name: str,
        *,
        group: str = GROUP,
        key: str = "P-256",
        host: str | None = None,
    ) -> None:
        self.authority, self.id, self.name, self.group = authority, oin, name, group
        self.manager_host = host or free_address(8443)
        self.inway_host = host or free_address(data_port())
        self.manager_address = f"https://{self.manager_host}:8443"
        self.inway_address = f"https://{self.inway_host}:{data_port()}"
        domain = f"{oin}.fsc.test"
        self.signing = authority.issue(oin, name, [f"manager.{domain}", self.manager_host], key=key)
        self.inway_name = f"inway.{domain}"
        self.inway_identity = authority.issue(oin, name, [self.inway_name, self.inway_host])
        self.outway_domain = f"outway.{domain}"
        self.outway_identity = authority.issue(oin, name, [self.outway_domain])
        self.published_keys: list[Identity] = [self.signing]
        self.services: dict[str, Callable[[Request], Response]] = {}
        self.contracts: dict[str, Contract] = {}
        self.known: dict[str, tuple[str, str]] = {}
        self.announced: list[str] = []
        self.log: list[Json] = []
        self.accepts: Callable[[Contract], bool] = lambda _: False
        self.lasts = 300
        self.manager, self.inway, self.outway = Manager(self), Inway(self), Outway(self)
        self._busy: list[threading.Thread] = []
        self._listeners: list[Listener] = []

    def __enter__(self) -> "Peer":
        self._listeners = [
            Listener(
                self.manager.handle, server_context(self.signing, self.authority), self.manager_host, 8443
            ),
            Listener(
                self.inway.handle,
                server_context(self.inway_identity, self.authority),
                self.inway_host,
                data_port(),
            ),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._busy:
            thread.join(PATIENCE)
        for listener in self._listeners:
            listener.close()

    def away(self) -> None:
        """Stop listening, as a machine that is off."""
        for listener in self._listeners:
            listener.close()
        self._listeners = []

    def back(self) -> None:
        """Listen again on the same addresses."""
        self.__enter__()

    def later(self, work: Callable[[], object]) -> None:
        """Do something after the answer is given. When nobody is there to hear it, it is not tried again: healing that
        is for the other side to show."""

        def once() -> None:
            with contextlib.suppress(OSError, EOFError, BadMessage):
                work()

        thread = threading.Thread(target=once, daemon=True)
        self._busy.append(thread)
        thread.start()

    # Asking other Managers

    def ask(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        identity: Identity | None = None,
        address: str | None = None,
        **more: Any,
    ) -> Response:
        """A request to a Manager, with `Fsc-Manager-Address` when it changes something (section 4.4.4). `body` is JSON, or
        bytes as they are; `address` replaces the own address, "" leaves the header out."""
        split = urlsplit(url)
        headers = [("Accept", "application/json")]
        address = self.manager_address if address is None else address
        if method in ("PUT", "POST") and address:
            headers.append(("Fsc-Manager-Address", address))
        if body is not None:
            headers.append(("Content-Type", "application/json"))
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        elif method in ("PUT", "POST"):
            body = b""
        target = split.path + (f"?{split.query}" if split.query else "")
        with Caller(
            f"{split.scheme}://{split.netloc}", identity or self.signing, self.authority, **more
        ) as caller:
            return caller.ask(method, target, headers, body)

    def form(self, url: str, fields: dict[str, str], *, identity: Identity | None = None) -> Response:
        """A form to a token endpoint."""
        split = urlsplit(url)
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
        with Caller(
            f"{split.scheme}://{split.netloc}", identity or self.outway_identity, self.authority
        ) as caller:
            return caller.ask("POST", split.path, headers, urlencode(fields).encode())

    def announce(self, manager: str) -> Response:
        return self.ask("PUT", manager + "/v1/announce")

    def keys_of(self, other: str) -> list[Json]:
        """The key set another peer publishes; empty when it cannot be had."""
        if other == self.id:
            return list(jose.jwks(self.published_keys)["keys"])
        try:
            answer = self.ask("GET", self.known[other][1] + "/v1/.well-known/jwks.json")
            return list(json.loads(answer.body)["keys"])
        except (OSError, EOFError, ValueError, KeyError):
            return []

    # Contracts

    def statement(self, content: Any, kind: str = "accept", **more: Any) -> str:
        """The own signature on a contract."""
        return jose.statement(more.pop("identity", self.signing), content_hash(content), kind, **more)

    def submit(self, content: Any, manager: str, *, signature: str | None = None, **more: Any) -> Response:
        """Offer a contract to one Manager, accepted by this peer (section 3.5)."""
        body = {
            "content": content,
            "signature": signature if signature is not None else self.statement(content),
        }
        return self.ask("POST", manager + "/v1/contracts", body, **more)

    def put(
        self,
        action: str,
        content: Any,
        manager: str,
        *,
        signature: str | None = None,
        hash_: str | None = None,
        **more: Any,
    ) -> Response:
        """Send one signature on a contract to one Manager."""
        signed = signature if signature is not None else self.statement(content, action)
        path = quote(hash_ if hash_ is not None else content_hash(content), safe="$-_%")
        return self.ask(
            "PUT",
            f"{manager}/v1/contracts/{path}/{action}",
            {"content": content, "signature": signed},
            **more,
        )

    def propose(self, content: Json) -> Contract:
        """Make a contract and offer it to every other party whose address is known."""
        contract = Contract(content)
        contract.signatures["accept"][self.id] = self.statement(content)
        self.keep(contract)
        for other in parties(content) - {self.id}:
            answer = self.submit(
                content, self.known[other][1], signature=contract.signatures["accept"][self.id]
            )
            assert answer.status == 201, (other, answer.status, answer.body)
        return contract

    def say(self, hash_: str, action: str) -> list[Response]:
        """Accept, reject or revoke a contract, and tell every other party (section 4.4.1.3)."""
        contract = self.contracts[hash_]
        contract.signatures[action][self.id] = self.statement(contract.content, action)
        others = [self.known[one][1] for one in parties(contract.content) - {self.id} if one in self.known]
        return [
            self.put(action, contract.content, manager, signature=contract.signatures[action][self.id])
            for manager in others
        ]

    def keep(self, contract: Contract) -> None:
        self.contracts[contract.hash] = contract

    def valid_grants(self) -> dict[str, Json]:
        """The grants of every valid contract, by hash."""
        return {
            name: data
            for one in list(self.contracts.values())
            if one.state() == "valid"
            for name, data in one.grants().items()
        }

    # Tokens

    def claims(self, scope: str, grant: Json, client: x509.Certificate) -> Json:
        """What a token says (section 4.3.1)."""
        now = int(time.time())
        made: Json = {
            "gth": scope,
            "gid": self.group,
            "sub": grant["outway"]["peer_id"],
            "iss": self.id,
            "svc": grant["service"]["name"],
            "aud": self.inway_address,
            "exp": now + self.lasts,
            "nbf": now - 1,
            "cnf": {"x5t#S256": certificate_thumbprint(client)},
            "add": {},
        }
        if "delegator" in grant:
            made["act"] = {"sub": grant["delegator"]["peer_id"]}
        if "delegator" in grant["service"]:
            made["pdi"] = grant["service"]["delegator"]["peer_id"]
        if "properties" in grant:
            made["prp"] = grant["properties"]
        return made

    def make_token(self, claims: Json, identity: Identity | None = None, **more: Any) -> str:
        """A token with these claims, signed."""
        return jose.sign(identity or self.signing, json.dumps(claims).encode(), **more)

    def call(
        self, grant_hash: str, manager: str, method: str = "GET", target: str = "/", **more: Any
    ) -> Response:
        """Token, line, and request: all an Outway does."""
        return self.outway.send(self.outway.access(grant_hash, manager), method, target, **more)
