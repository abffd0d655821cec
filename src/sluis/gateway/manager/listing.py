"""What the lists of the Manager API are asked, and how they are written (FSC Core 2.0.0 and Logging 1.0.0). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from sluis.gateway.contracts import Action, Contract, Grant, GrantType
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.gateway.peers import Known, in_pages, name_holds
from sluis.gateway.transactions import TransactionRecord
from sluis.kernel import PeerId, Text, read_fields

MOST, USUAL = 1000, 25
"""Items on a page: at most, and when the caller does not say."""

LARGEST = 8 * 2**20
"""Bytes of services on a page, unless the first is larger: publications carry properties, and one peer's large ones would
keep everybody from reading the list."""

GRANT_TYPES = frozenset(get_args(GrantType))

_ORDERS = {"SORT_ORDER_ASCENDING": False, "SORT_ORDER_DESCENDING": True}
_ACTIONS: tuple[Action, ...] = ("accept", "reject", "revoke")


class Query(msgspec.Struct, frozen=True):
    """The parameters in a URL, each at most once."""

    given: Mapping[str, str]

    @classmethod
    def read(cls, raw: bytes) -> "Query":
        """Raises `FscProblem` when it is not text, or says something twice."""
        try:
            return cls(read_fields(raw.decode("ascii"), 50))
        except ValueError:
            raise wrong_parameter("?") from None

    def text(self, name: str, most: int = 255) -> str:
        """A parameter, empty when it is not there."""
        value = self.given.get(name, "")
        if len(value) > most or "\0" in value:
            raise wrong_parameter(name)
        return value

    def number(self, name: str, otherwise: int | None, least: int, most: int) -> int | None:
        """A whole number."""
        value = self.given.get(name)
        if value is None:
            return otherwise
        if not (value.isascii() and value.isdigit() and len(value) < 19 and least <= int(value) <= most):
            raise wrong_parameter(name)
        return int(value)

    def several(self, name: str) -> list[str] | None:
        """A list with commas; None when it is not there. No more than a page is asked for at once."""
        value = self.given.get(name)
        if value is None or not value:
            return None
        found = value.split(",")
        if len(found) > MOST:
            raise wrong_parameter(name)
        return found

    @property
    def limit(self) -> int:
        """How many at most."""
        return self.number("limit", USUAL, 1, MOST) or USUAL

    @property
    def cursor(self) -> str:
        """Where the page begins."""
        return self.text("cursor", 1024)

    @property
    def descending(self) -> bool:
        """From the last to the first, which is usual."""
        order = self.given.get("sort_order", "SORT_ORDER_DESCENDING")
        if order not in _ORDERS:
            raise wrong_parameter("sort_order")
        return _ORDERS[order]


def page_of(name: str, items: Iterable[Any], next_cursor: str = "") -> bytes:
    """A page, JSON."""
    return msgspec.json.encode({name: list(items), "pagination": {"next_cursor": next_cursor}})


def contract_document(contract: Contract) -> dict[str, Any]:
    """A contract as it is listed: its content byte for byte as it was received, and all three maps of signatures."""
    signatures = {
        action: {str.__str__(peer): one.jws for peer, one in contract.signed(action).items()}
        for action in _ACTIONS
    }
    return {"content": msgspec.Raw(contract.content.json), "signatures": signatures}


def peer_document(known: Known) -> dict[str, str]:
    """A peer as it is listed."""
    return {"id": str.__str__(known.id), "name": known.name, "manager_address": known.address}


def services_page(
    grants: Sequence[Grant], known: Mapping[PeerId, Known], query: Query
) -> tuple[list[dict[str, Any]], str]:
    """The services that a directory lists, and where the next page begins.

    Args:
        grants: of publication, in force, with this peer as directory.
        known: the peers in them. A service of a peer that is not known is left out: nobody could reach it.
        query: `peer_id` and `service_name` filter; of the two, one is enough.
    """
    peer, name = query.text("peer_id"), query.text("service_name")
    listed = {
        _place(grant): grant
        for grant in grants
        if grant.service_peer in known and (not (peer or name) or _is_sought(grant, peer, name))
    }
    page, following = in_pages(listed, query.cursor, query.limit, query.descending)
    made, size = list[dict[str, Any]](), 0
    for number, place in enumerate(page):
        made.append({"data": _service(listed[place], known)})
        size += len(msgspec.json.encode(made[-1]))
        if size > LARGEST and number:
            return made[:-1], page[number - 1]
    return made, following


def log_document(record: TransactionRecord) -> dict[str, Any]:
    """A line of the transaction log (Logging 1.0.0, log record)."""
    crossing = record.crossing
    source: dict[str, str] = {"type": "SOURCE_TYPE_SOURCE", "outway_peer_id": crossing.outway_peer}
    if crossing.outway_delegator is not None:
        source["type"] = "SOURCE_TYPE_DELEGATED_SOURCE"
        source["delegator_peer_id"] = crossing.outway_delegator
    target: dict[str, str] = {
        "type": "DESTINATION_TYPE_DESTINATION",
        "service_peer_id": crossing.service_peer,
    }
    if crossing.service_delegator is not None:
        target["type"] = "DESTINATION_TYPE_DELEGATED_DESTINATION"
        target["delegator_peer_id"] = crossing.service_delegator
    written = {
        "transaction_id": record.transaction_id,
        "direction": record.direction,
        "grant_hash": crossing.grant_hash,
        "source": {name: str.__str__(value) for name, value in source.items()},
        "destination": {name: str.__str__(value) for name, value in target.items()},
        "service_name": crossing.service_name,
        "created_at": record.created_at // 1000,
    }
    more = {"additional_data": msgspec.Raw(crossing.additional.encode())} if crossing.additional else {}
    return {**written, **more}


def wrong_parameter(name: str) -> FscProblem:
    """A parameter in the URL that cannot be."""
    return manager_fault(
        "ERROR_CODE_MALFORMED_REQUEST",
        Text(f"De parameter '{name}' klopt niet.", f"The parameter '{name}' is wrong."),
        code="wrong-parameter",
    )


def _is_sought(grant: Grant, peer: str, name: str) -> bool:
    of_peer = bool(peer) and grant.service_peer == peer
    return of_peer or (bool(name) and name_holds(grant.service_name, name))


def _place(grant: Grant) -> str:
    """What a service is listed by. Of one that is published twice, one is listed."""
    return "/".join([grant.service_peer, grant.service_name, grant.delegator or ""])


def _service(grant: Grant, known: Mapping[PeerId, Known]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "SERVICE_TYPE_SERVICE",
        "peer": peer_document(known[grant.service_peer]),
        "name": grant.service_name,
        "protocol": grant.protocol,
    }
    if grant.delegator is not None:
        delegator = known.get(grant.delegator)
        id = str.__str__(grant.delegator)
        document["type"] = "SERVICE_TYPE_DELEGATED_SERVICE"
        document["delegator"] = {"peer_id": id, "peer_name": delegator.name if delegator else id}
    if grant.properties is not None:
        document["properties"] = grant.properties
    return document
