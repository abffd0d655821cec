"""A service behind the inway of the RDW: which car a registration number is of, so that the catalogue has one to read and to try out.
Cars and numbers are invented; none is anybody's."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sluis_demo.agreements import in_time
from sluis_demo.cars import CARS, SERVICE
from sluis_demo.federation import Place


class Vehicles:
    """The service itself, in a thread of this process, on an address of this machine alone."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="vehicles", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def offer(self, owner: Place, asker: Place) -> None:
        """The owner offers it, and the asker has a contract for it. Raises `Problem`."""
        _declare(owner, f"kind: Service\nmetadata: {{ name: {SERVICE} }}\nspec: {{ url: \"{self.address}\", methods: [GET, HEAD] }}")  # fmt: skip
        peer = str.__str__(owner.organisation.oin)
        wish = f'kind: Connection\nmetadata: {{ name: {SERVICE} }}\nspec: {{ service: {{ peer: "{peer}", name: {SERVICE} }} }}'
        made = _declare(asker, wish)
        contract = str(made["outcomes"][0]["contract"])
        path = f"/v1/group/contracts/{quote(contract, safe='')}/signatures"
        in_time(lambda: owner.call("POST", path, {"action": "accept"}))

    def end(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parts = unquote(url.path).strip("/").split("/")
        if parts == ["voertuigen"]:
            wanted = url.query.removeprefix("brandstof=")
            self._answer(200, [one for one in CARS.values() if not url.query or one["brandstof"] == wanted])
        elif len(parts) == 2 and parts[0] == "voertuigen" and parts[1] in CARS:
            self._answer(200, CARS[parts[1]])
        else:
            self._answer(404, {"title": "Er is geen voertuig met dit kenteken."})

    def _answer(self, status: int, found: Any) -> None:
        raw = json.dumps(found, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the demo tells its own story."""


def _declare(place: Place, text: str) -> dict[str, Any]:
    document = {"text": f"apiVersion: sluis/v1\n{text}\n", "name": "demo"}
    found: dict[str, Any] = in_time(lambda: place.call("POST", "/v1/group/declarations", document))
    return found
