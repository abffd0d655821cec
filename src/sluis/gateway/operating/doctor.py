"""The doctor: walks the whole way to a peer's service, and says what is wrong at which step.

Each step is one that a request takes too, so that what is wrong here is what is wrong there. After the first step that
fails nothing more can be said; the rest is skipped.
"""

from collections.abc import Awaitable, Callable, Sequence

from sluis.crypto import time_left
from sluis.gateway.contracts import VERSION, Contract, Grant, State, state, waiting_for
from sluis.gateway.forward import Outgoing
from sluis.gateway.membership import Membership
from sluis.gateway.operating.model import Diagnosis, Step
from sluis.gateway.streams import FAILURES, Exchange
from sluis.kernel import Clock, PeerId, Problem, Text, Upstream

_SECONDS = 10.0  # that a service may take

Said = Text | tuple[Text, Text]
"""What a step saw; with what helps, when something is wrong."""


class Doctor:
    """Walks for one node.

    Args:
        membership: of the node.
        clock: the node's clock.
    """

    def __init__(self, membership: Membership, clock: Clock) -> None:
        self._membership, self._clock = membership, clock
        self._running, self._own = membership.running, membership.running.manager.own.id

    async def walk(
        self, peer: PeerId, service: str, told: Callable[[Step], None] = lambda step: None
    ) -> Diagnosis:
        """The steps to a service of a peer; `told` hears of each when it was taken."""
        steps: Sequence[tuple[str, Callable[[], Awaitable[Said]]]] = (
            ("certificate", self._certificate),
            ("directory", self._directory),
            ("address", lambda: self._address(peer)),
            ("manager", lambda: self._manager(peer)),
            ("listed", lambda: self._listed(peer, service)),
            ("contract", lambda: self._contract(peer, service)),
            ("token", lambda: self._token(peer, service)),
            ("inway", lambda: self._inway(peer, service)),
            ("service", lambda: self._service(peer, service)),
        )
        found = list[Step]()
        for name, step in steps:
            if found and found[-1].result != "ok":
                found.append(Step(name, "skipped"))
            else:
                found.append(await _taken(name, step))
            told(found[-1])
        return Diagnosis(all(step.result == "ok" for step in found), tuple(found))

    async def _certificate(self) -> Said:
        left = time_left(self._running.manager.identity.certificate, self._clock())
        if left.total_seconds() <= 0:
            return _CERTIFICATE_ENDED
        return Text(f"Nog {left.days} dagen geldig.", f"Valid for {left.days} more days.")

    async def _directory(self) -> Said:
        directory = self._running.manager.group.directory.peer
        if directory == self._own:
            return Text("Dit knooppunt is de directory.", "This node is the directory.")
        info = await self._running.managers.info(directory)
        return _version(info.fsc_version, info.peer_name)

    async def _address(self, peer: PeerId) -> Said:
        if self._running.peers.known(peer) is None and not await self._running.directory.locate(peer):
            return _NOT_IN_GROUP
        known = self._running.peers.known(peer)
        return (
            Text(f"{known.name}: {known.address}.", f"{known.name}: {known.address}.")
            if known
            else _NOT_IN_GROUP
        )

    async def _manager(self, peer: PeerId) -> Said:
        try:
            info = await self._running.managers.info(peer)
        except Upstream as problem:
            if problem.code not in _SILENT:
                raise
            # What the problem itself says helps is that it is tried again; a doctor does not.
            return problem.why, _MANAGER_SILENT
        return _version(info.fsc_version, info.peer_name)

    async def _listed(self, peer: PeerId, service: str) -> Said:
        async for one in self._running.directory.services(peer=str.__str__(peer)):
            if one.name == service:
                return Text(f"{one.name}, {one.protocol}.", f"{one.name}, {one.protocol}.")
        # A contract may be made about a service that is not published, so this alone stops nobody.
        return Text("Niet gepubliceerd; dat hoeft ook niet.", "Not published; it need not be.")

    async def _contract(self, peer: PeerId, service: str) -> Said:
        if self._grants(peer, service):
            return Text("Er is een geldig contract.", "There is a valid contract.")
        return self._no_contract(peer, service)

    async def _token(self, peer: PeerId, service: str) -> Said:
        grant = self._grants(peer, service)[0]
        await self._membership.token(grant)
        return Text("De aanbieder gaf een token.", "The provider gave a token.")

    async def _inway(self, peer: PeerId, service: str) -> Said:
        status = await self._head(peer, service)
        if status is None:
            return _INWAY_SILENT
        return Text(
            "De inway antwoordt, en is van die organisatie.", "The inway answers, and is that organisation's."
        )

    async def _service(self, peer: PeerId, service: str) -> Said:
        status = await self._head(peer, service)
        if status is None or status in (401, 403, 502):
            return (
                Text(f"De inway antwoordt met {status}.", f"The inway answers {status}."),
                Text("Kijk in het logboek van de aanbieder, of vraag het haar.",
                     "Look in the provider's log, or ask it."),
            )  # fmt: skip
        return Text(
            f"De dienst antwoordt met {status} op HEAD /.", f"The service answers HEAD / with {status}."
        )

    async def _head(self, peer: PeerId, service: str) -> int | None:
        """The status of `HEAD /` at the service, sent as the outway sends it; None when nobody answered."""
        grant = self._grants(peer, service)[0]
        forward = await self._membership.outway.decide(Outgoing("HEAD", "/", grant.hash))
        try:
            async with Exchange(self._membership.streams, forward.target, _SECONDS) as exchange:
                await exchange.send("HEAD", forward.path, dict(forward.headers))
                return exchange.status
        except FAILURES:
            return None

    def _grants(self, peer: PeerId, service: str) -> list[Grant]:
        return self._membership.contracts.connections(peer, service, self._now())

    def _no_contract(self, peer: PeerId, service: str) -> Said:
        """The newest contract that would do, and what is the matter with it."""
        found, _ = self._membership.contracts.page(peer, "", 1000)
        meant = [
            one
            for one in found
            if any(_connects(grant, self._own, peer, service) for grant in one.content.grants)
        ]
        if not meant:
            return _NO_CONTRACT
        return self._unfit(meant[0])

    def _unfit(self, contract: Contract) -> Said:
        now = self._now()
        found, waiting = state(contract, now), waiting_for(contract, now)
        if not waiting:
            return (
                Text(f"Het nieuwste contract is {_DUTCH[found]}, niet geldig.", f"The newest contract is {found}, not valid."),
                _ANOTHER,
            )  # fmt: skip
        names = ", ".join(sorted(map(self._running.peers.name, waiting)))
        return (
            Text(f"Het nieuwste contract is {_DUTCH[found]}, niet geldig; het wacht op: {names}.",
                 f"The newest contract is {found}, not valid; it waits for: {names}."),
            Text("Vraag wie nog moet tekenen, of vraag een nieuw contract aan.",
                 "Ask whoever has yet to sign, or request a new contract."),
        )  # fmt: skip

    def _now(self) -> int:
        return int(self._clock().timestamp())


async def _taken(name: str, step: Callable[[], Awaitable[Said]]) -> Step:
    try:
        said = await step()
    except Problem as problem:
        return Step(name, "wrong", problem.why.nl, problem.why.en, problem.next.nl, problem.next.en)
    if isinstance(said, Text):
        return Step(name, "ok", said.nl, said.en)
    saw, helps = said
    return Step(name, "wrong", saw.nl, saw.en, helps.nl, helps.en)


def _connects(grant: Grant, own: PeerId, peer: PeerId, service: str) -> bool:
    ours = grant.outway is not None and grant.outway.peer_id == own
    return ours and (grant.service_peer, grant.service_name) == (peer, service)


def _version(version: str, name: str) -> Said:
    if version == VERSION:
        return Text(f"{name} antwoordt, met FSC {version}.", f"{name} answers, with FSC {version}.")
    return (
        Text(f"{name} heeft FSC {version}, dit knooppunt {VERSION}.", f"{name} has FSC {version}, this node {VERSION}."),
        Text("Hashes van contracten verschillen dan. Gebruik in de groep één versie.",
             "Hashes of contracts differ then. Use one version in the group."),
    )  # fmt: skip


_DUTCH: dict[State, str] = {
    "proposed": "voorgesteld",
    "valid": "getekend",  # and of another purpose, or not begun
    "rejected": "afgewezen",
    "revoked": "ingetrokken",
    "expired": "verlopen",
}
_CERTIFICATE_ENDED = (
    Text("Het certificaat van dit knooppunt is verlopen.", "This node's certificate has ended."),
    Text("Vraag een nieuw certificaat aan.", "Request a new certificate."),
)
_NOT_IN_GROUP = (
    Text("Deze organisatie staat niet in de directory.", "This organisation is not in the directory."),
    Text(
        "Kijk met `sluis fsc peers` wie er wel in staan, of vraag haar zich aan te melden.",
        "See with `sluis fsc peers` who are in it, or ask it to announce itself.",
    ),
)
_NO_CONTRACT = (
    Text("Er is geen contract voor deze dienst.", "There is no contract for this service."),
    Text("Vraag een verbinding aan, met `sluis apply` en een Connection.",
         "Request a connection, with `sluis apply` and a Connection."),
)  # fmt: skip
_ANOTHER = Text(
    "Vraag een nieuw contract aan: geef de Connection een nieuwe naam, en pas haar toe.",
    "Request a new contract: give the Connection a new name, and apply it.",
)
_SILENT = ("peer-too-slow", "peer-unreachable", "peer-broke-off")
_MANAGER_SILENT = Text(
    "Vraag of haar knooppunt draait, en of uw netwerk haar Manager mag bereiken.",
    "Ask whether its node is running, and whether your network may reach its Manager.",
)
_INWAY_SILENT = (
    Text("Op het adres van de inway antwoordt niemand die te vertrouwen is.",
         "Nobody who can be trusted answers at the inway's address."),
    Text("Controleer netwerk en certificaten, aan beide kanten.", "Check network and certificates, at both ends."),
)  # fmt: skip
