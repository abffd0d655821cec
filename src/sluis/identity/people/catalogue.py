"""The services that a mandate or an administration may be for: what this node knows, each with an explanation.

Who gives authority away must know what it is for. So services are chosen from a list and never written by hand; one that the
node does not know would give a mandate that either opens nothing, or something nobody meant.
"""

from collections.abc import Iterable, Sequence

import msgspec

from sluis.identity.people.model import ANY
from sluis.kernel import Invalid, Text


class Service(msgspec.Struct, frozen=True):
    """A service: its URI or name, what it is called, and what one does there."""

    id: str
    title: Text
    about: Text


class Catalogue:
    """The services of one node, in the order in which they are shown.

    Args:
        services: of which the first of an id counts.
    """

    def __init__(self, services: Iterable[Service]) -> None:
        self.all: Sequence[Service] = [*{one.id: one for one in reversed([*services])}.values()][::-1]
        self._titles = {one.id: one.title for one in self.all}

    def check(self, services: Iterable[str]) -> None:
        """Raises `Invalid` (`unknown-service`), with the list, for a service that is not there."""
        unknown = [one for one in services if one != ANY and one not in self._titles]
        if unknown:
            known = ", ".join(one.id for one in self.all) or "–"
            raise Invalid(
                "unknown-service",
                Text("Deze dienst kent dit knooppunt niet.", "This node does not know this service."),
                Text(f"Het kent deze: {known}.", f"It knows these: {known}."),
                Text("Kies uit deze lijst, of * voor alle diensten.", "Choose from this list, or * for all services."),
                field="services",
            )  # fmt: skip

    def title(self, service: str) -> Text:
        """What a service is called; its id where it is not known any more."""
        return _EVERY if service == ANY else self._titles.get(service, Text(service, service))


_EVERY = Text("alle diensten", "all services")
