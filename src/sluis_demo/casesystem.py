"""A system of the municipality that hears when its list of work changes, and that refuses the first message: it is being renewed, and
does not know this kind yet. So there is a dead letter for who runs the node; tried again, it arrives. All of it is fictitious.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from uuid import uuid4

from sluis.cli.local import call_at
from sluis_demo.federation import Place
from sluis_demo.organisations import CHANGED

_EVENT = "application/cloudevents+json"


class CaseSystem:
    """The system, in a thread of this process, on an address of this machine alone."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="case system", daemon=True)
        self._thread.start()

    def listen(self, asker: Place) -> None:
        """Subscribe at its node, and have something happen there. Raises `Problem`."""
        sink = f"http://127.0.0.1:{self._server.server_address[1]}/gebeurtenissen"
        asker.call("POST", "/v1/subscriptions", {"sink": sink, "protocol": "HTTP", "types": [CHANGED.type]})
        event = {
            "specversion": "1.0", "id": str(uuid4()), "source": "urn:sluis:demo", "type": CHANGED.type,
            "datacontenttype": "application/json", "data": {"facts": {"soort": "bijstand"}},
        }  # fmt: skip
        call_at(asker.socket, asker.directory, "POST", "/v1/events", event, content_type=_EVENT)

    def end(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class _Answering(BaseHTTPRequestHandler):
    refused: ClassVar[set[tuple[str, int]]] = set()
    """At which addresses the first message was refused."""

    def do_OPTIONS(self) -> None:
        """That it wants what is sent (CloudEvents HTTP Webhooks 1.0.2, section 4)."""
        origin = self.headers.get("webhook-request-origin", "")
        self._answer(200, {"webhook-allowed-origin": origin, "allow": "POST"})

    def do_POST(self) -> None:
        """Take a message, but not the first."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        place: Any = self.server.server_address
        first = place not in self.refused
        self.refused.add(place)
        self._answer(422 if first else 204, {})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the demo tells its own story."""
