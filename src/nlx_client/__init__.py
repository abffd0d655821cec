"""The client that existing examples for NLX and FSC import, on top of `sluis.client`.

    client = NLXClient(endpoint="https://outway.example:8443", cert_file="client.crt", key_file="client.key")
    client.get(service="brp-service", path="/personen").json()

New programs do better with `sluis.client`, which can also stream and is there for asyncio.
"""

from types import TracebackType
from typing import Any, Self

import httpx

from sluis.client import Client, Connection, GatewayError, InwayError, NoOutway, OutwayError


class NLXClient:
    """Calls services through an outway.

    Args:
        endpoint: base address of the outway.
        cert_file: client certificate for the outway, PEM; None for an outway that asks for none.
        key_file: its key, PEM.
        ca_file: authority of the outway's own certificate, PEM; the system's when absent.
        timeout: seconds that an answer may take.
        transport: httpx's own, for tests.
    """

    def __init__(
        self,
        endpoint: str,
        cert_file: str | None = None,
        key_file: str | None = None,
        ca_file: str | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        pair = (cert_file, key_file) if cert_file and key_file else None
        self._client = Client(
            endpoint, certificate=pair, authority=ca_file, seconds=timeout, transport=transport
        )

    def request(
        self, method: str, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request; the response has `.json()`, `.status_code` and `.text`.

        Args:
            method: HTTP method.
            service: a link of the outway, or `PEER_ID/service`.
            path: of the service, with its query.
            headers: to send.
            more: `params`, `json`, `data`, `content`, `timeout`.

        Raises `GatewayError`, with the FSC error code, the peer, and whether a retry helps. An answer of the service
        is no error, whatever its status.
        """
        peer, slash, name = service.partition("/")
        connection = Connection(peer=peer, service=name) if slash else Connection(link=service)
        return self._client.request(method, connection, path, headers=headers, **more)

    def get(
        self, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """`request` with GET."""
        return self.request("GET", service, path, headers, **more)

    def post(
        self, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """`request` with POST."""
        return self.request("POST", service, path, headers, **more)

    def put(
        self, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """`request` with PUT."""
        return self.request("PUT", service, path, headers, **more)

    def patch(
        self, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """`request` with PATCH."""
        return self.request("PATCH", service, path, headers, **more)

    def delete(
        self, service: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """`request` with DELETE."""
        return self.request("DELETE", service, path, headers, **more)

    def close(self) -> None:
        """Close the connections to the outway."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


__all__ = ["GatewayError", "InwayError", "NLXClient", "NoOutway", "OutwayError"]
