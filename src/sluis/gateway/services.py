"""What this peer offers behind its inway: where each service is, and who may do what with it.

A contract says that a peer may connect to a service. A policy may narrow that: which organisations may read (GET and
HEAD) and which may write (every other method). It never widens: without a contract nobody comes this far.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import msgspec

from sluis.gateway.documents import Offered, Permission, Rule, peer_named
from sluis.gateway.forward import READING, Target, read_url
from sluis.kernel import Invalid, PeerId, Text


class Service(msgspec.Struct, frozen=True):
    """A service that is offered.

    Args:
        name: unique at this peer.
        target: where it is.
        prefix: the path below which its requests go, without slash at its end.
        alternative: where it also is; the same prefix counts there.
        methods: those that it takes; empty for all.
        may: what each peer may do; None when there is no policy.
    """

    name: str
    target: Target
    prefix: str = ""
    alternative: Target | None = None
    methods: frozenset[str] = frozenset()
    may: Mapping[PeerId, frozenset[Permission]] | None = None

    def takes(self, method: str) -> bool:
        """Whether the service takes this method from anyone. CONNECT asks for a tunnel, which nobody gets."""
        return method in self.methods if self.methods else method != "CONNECT"

    def allows(self, peer: PeerId, method: str) -> bool:
        """Whether its policy lets a peer use this method. What the policy does not name is not allowed."""
        if self.may is None:
            return True
        return ("read" if method in READING else "write") in self.may.get(peer, ())

    def holds(self, path: str) -> bool:
        """Whether a request target stays below the prefix, however the service reads it: beside it may be what another
        contract is for."""
        return not self.prefix or (path.startswith("/") and not _climbs(path.partition("?")[0]))


class Services:
    """The services of this peer, by name. Replaced as a whole: a request sees all of the old or all of the new."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self._services: Mapping[str, Service] = {}
        self.replace(services)

    def replace(self, services: Iterable[Service]) -> None:
        """Offer these from now on, and no others."""
        self._services = {service.name: service for service in services}

    def get(self, name: str) -> Service | None:
        """The service of this name."""
        return self._services.get(name)

    def names(self) -> frozenset[str]:
        """Every name there is; what the Manager gives tokens for."""
        return frozenset(self._services)


def service_of(offered: Offered, aliases: Mapping[str, PeerId]) -> Service:
    """A service as it was declared, ready for use.

    Args:
        offered: the declaration.
        aliases: what organisations are called, and their Peer IDs.

    Raises:
        Invalid: an address that is none, an alternative with another path, a client certificate without TLS, or an
            organisation nobody knows.
    """
    target, prefix = _place(offered, offered.url)
    alternative = None
    if offered.alternative is not None:
        alternative, other = _place(offered, offered.alternative)
        if other != prefix:
            raise _wrong(offered.name, _OTHER_PATH)
    may = None if offered.rules is None else _may(offered.rules, aliases)
    return Service(offered.name, target, prefix, alternative, frozenset(offered.methods), may)


def _place(offered: Offered, url: str) -> tuple[Target, str]:
    target, prefix = read_url(url)
    if offered.certificates and not target.tls:
        raise _wrong(offered.name, _WITHOUT_TLS)
    return msgspec.structs.replace(target, shows=offered.certificates), prefix


_AGAIN = 3
"""How often a service, and what stands before it, may take the percent signs out of a path."""


def _climbs(path: str) -> bool:
    """Whether a segment leads up: some read `\\` as `/`, and nothing in what follows a `;`."""
    for _ in range(_AGAIN):
        path = unquote(path, "latin-1")
    return any(segment.partition(";")[0] == ".." for segment in path.replace("\\", "/").split("/"))


def _may(rules: Iterable[Rule], aliases: Mapping[str, PeerId]) -> dict[PeerId, frozenset[Permission]]:
    may: dict[PeerId, frozenset[Permission]] = {}
    for rule in rules:
        for organization in rule.organizations:
            peer = peer_named(organization, aliases)
            may[peer] = may.get(peer, frozenset()) | frozenset(rule.permissions)
    return may


def _wrong(which: str, because: tuple[Text, Text]) -> Invalid:
    return Invalid(
        "service-unusable",
        Text("Deze dienst kan zo niet worden aangeboden.", "This service cannot be offered like this."),
        Text(f"{which}: {because[0].nl}", f"{which}: {because[0].en}"),
        because[1],
    )


_OTHER_PATH = (
    Text("de tweede bron heeft een ander pad.", "the alternative source has another path."),
    Text("Geef beide bronnen hetzelfde pad.", "Give both sources the same path."),
)
_WITHOUT_TLS = (
    Text(
        "het adres is http, en daar laat niemand een clientcertificaat zien.",
        "the address is http, where nobody shows a client certificate.",
    ),
    Text("Gebruik https, of laat `authentication` weg.", "Use https, or leave `authentication` out."),
)
