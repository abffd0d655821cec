"""What stands beside the portals: the simulators of sign-in services and of a message box, in a thread of this process.

They are made ready while the story goes on, so that the first answer does not wait for them, and end with the demo.
"""

import asyncio
import ssl
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from sluis.crypto import Identity, browser_context, read_jwks
from sluis.kernel import PeerId, Text
from sluis.web import BrowserListener, Server
from sluis_demo.activities import UWV, WORK
from sluis_demo.agreements import agree_for, agree_with_itself
from sluis_demo.cars import OWNER
from sluis_demo.chain.cases import Cases
from sluis_demo.chain.nodes import CLIENT, client_keys, portal_of
from sluis_demo.federation import Federation
from sluis_demo.network import SIMULATORS
from sluis_demo.run import Running
from sluis_demo.simulators import DIGID, Client, make_simulators
from sluis_demo.simulators.app import BASE
from sluis_demo.simulators.message_box import MessageBox
from sluis_demo.simulators.model import CITIZEN, Choice, Persona
from sluis_demo.simulators.personas import citizens
from sluis_demo.simulators.settings import client_for
from sluis_demo.vehicles import Vehicles

_NOBODY = PeerId("00000000000000000000")
_NAME = "Simulatoren van de Sluis-demo (fictief)"
_ENDING = 5.0  # seconds


class Reception:
    """Where people are received. Begins to make ready at once.

    Args:
        running: the demo; at its end the simulators end.
        cases: of the migration chain, whose resident can sign in too; None without.

    Attributes:
        box: the message box.
    """

    def __init__(self, running: Running, cases: Cases | None) -> None:
        self._running, self._federation, self._cases = running, running.federation, cases
        self.box = MessageBox(self._federation.box)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._up: Future[None] = Future()
        self._thread = Thread(target=self._run, name="simulators", daemon=True)
        self._thread.start()
        running.ending.callback(self._end)
        agreeing = running.ending.enter_context(ThreadPoolExecutor(1))
        self._agreed = agreeing.submit(self._agree)
        agreeing.submit(self._offer)

    def ready(self) -> None:
        """Wait until people can sign in. Raises what went wrong."""
        self._up.result()
        self._agreed.result()

    @property
    def applicant(self) -> Persona:
        """Who signs in in the story."""
        return applicant(self._federation)

    def _agree(self) -> None:
        """UWV asks the municipality for a contract too, for what residents consent to; and the municipality itself, for what
        it shows residents of their own data."""
        asker = self._federation.asker
        agree_with_itself(asker)
        other = next((one for one in self._federation.places if one.organisation.oin == UWV), None)
        asked = any(one.activity == WORK.id for one in asker.organisation.disclosures)
        if other is not None and asked and other.alias not in self._running.down:
            agree_for(other, asker, [WORK.id])

    def _offer(self) -> None:
        """The RDW offers its service, and the municipality has a contract for it. Nobody waits for that."""
        owner = next((one for one in self._federation.places if one.alias == OWNER), None)
        if owner is not None and owner.alias not in self._running.down:
            vehicles = Vehicles()
            self._running.ending.callback(vehicles.end)
            vehicles.offer(owner, self._federation.asker)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            if not self._up.done():
                self._up.set_exception(failure)

    async def _serve(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        network, authority = self._federation.network, self._federation.authority
        host = network.host(SIMULATORS)
        files = authority.issue(authority.directory / "simulators", _NOBODY, _NAME, [host])
        simulators, wallet = self._simulators(), self._wallet(host)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            path = scope.get("path", "")
            at_wallet = path.startswith((f"{BASE}/wallet", f"{BASE}/passports"))
            chosen = self.box if path.startswith("/berichten") else wallet if at_wallet else simulators
            await chosen(scope, receive, send)

        server = Server(app, browsers=True)
        await server.listen(BrowserListener(host, network.simulators, browser_context(*files)))
        self._up.set_result(None)
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    def _simulators(self) -> Any:
        clients = [_client(client_for(self._federation.portal, None), self._federation.keys)]
        more = [] if self.applicant in citizens() else [self.applicant]
        if self._cases is not None:
            other = client_for(portal_of(self._federation), None, CLIENT)
            clients.append(_client(other, client_keys(self._federation)))
            more.append(resident(self._cases))
        made = make_simulators(self._federation.network.simulated, clients, citizens=tuple(more))
        made.providers[DIGID.kind].jwks()  # makes its key: nobody who signs in waits for that
        return made

    def _wallet(self, host: str) -> Any:
        """A wallet with something of the applicant in it, from an issuer that the portal believes."""
        # Its libraries are heavy: no start waits for them.
        from sluis_demo.simulators.wallet_app import CARDS, make_wallet

        issuers, authority = self._federation.issuers, self._federation.authority
        issuer = Identity.load(*issuers.issue(issuers.directory / "uitgever", _NOBODY, _NAME, [host]))
        given, _, family = self.applicant.name.partition(" ")
        claims = {"given_name": given, "family_name": family, "bsn": self.applicant.number}
        card = (CITIZEN, f"Persoonsgegevens van {self.applicant.name} (verzonnen)", claims)
        context = ssl.create_default_context(cafile=authority.path)
        address = self._federation.network.simulated
        return make_wallet(address, issuer, authority.certificate, context, cards=(card, *CARDS))

    def _end(self) -> None:
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(_ENDING)


def _client(known: Client, file: Path) -> Client:
    """A node that signs with keys that lie in a file, by the time that somebody signs in."""
    return msgspec.structs.replace(known, keys=lambda: read_jwks(file.read_bytes()))


def resident(cases: Cases) -> Persona:
    """The resident of the migration chain, as the simulator of DigiD knows them."""
    about = Text("uit de migratieketen van deze demo", "from the migration chain of this demo")
    return Persona(cases.decision.bsn, cases.name, about, (Choice(Text("uzelf", "yourself")),))


def applicant(federation: Federation) -> Persona:
    """The applicant as the simulator of DigiD knows them: one of its own people, or made of the BSN."""
    for one in citizens():
        if one.number == federation.applicant:
            return one
    about = Text("uit de gegevens van deze demo", "from the data of this demo")
    itself = Choice(Text("uzelf", "yourself"))
    return Persona(federation.applicant, "Aanvrager", about, (itself,))
