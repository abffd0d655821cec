"""The transaction logs of peers, read over the Logging API (FSC Logging 1.0.0, `GET /logs`) of their Managers.

What comes is hostile until it is read: bounded by the client, decoded strictly, every name checked.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

import msgspec

from sluis.gateway.manager import Managers
from sluis.gateway.transactions import (
    OUTCOME,
    OUTCOMES,
    Crossing,
    Direction,
    Outcome,
    TransactionRecord,
    noted,
)
from sluis.kernel import Invalid, PeerId, Text, Upstream, decode

_PAGE = 1000
_OF_IDS = 10_000  # lines of a page of ids: one id may be that of several requests


class _Source(msgspec.Struct):
    type: Literal["SOURCE_TYPE_SOURCE", "SOURCE_TYPE_DELEGATED_SOURCE"]
    outway_peer_id: str
    delegator_peer_id: str | None = None


class _Destination(msgspec.Struct):
    type: Literal["DESTINATION_TYPE_DESTINATION", "DESTINATION_TYPE_DELEGATED_DESTINATION"]
    service_peer_id: str
    delegator_peer_id: str | None = None


_Name = Annotated[str, msgspec.Meta(max_length=100, pattern=r"\A[ -~]*\Z")]
"""No name in a line is longer or has other characters, and what differs is kept and told in the log."""


class _Record(msgspec.Struct):
    transaction_id: _Name
    direction: Direction
    grant_hash: _Name
    source: _Source
    destination: _Destination
    service_name: _Name
    created_at: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    additional_data: Any = None


class _Pagination(msgspec.Struct, frozen=True):
    next_cursor: str = ""


class _Page(msgspec.Struct):
    records: list[_Record]
    pagination: _Pagination = _Pagination()


class RemoteLogs:
    """A `comparison.Remote` over the Managers of peers."""

    def __init__(self, managers: Managers) -> None:
        self._managers = managers

    async def logs(
        self, peer: PeerId, after: int, before: int, cursor: str
    ) -> tuple[Sequence[TransactionRecord], str]:
        """See `comparison.Remote.logs`."""
        body = await self._managers.logs(
            peer,
            after=str(after),
            before=str(before),
            cursor=cursor,
            limit=str(_PAGE),
            sort_order="SORT_ORDER_ASCENDING",
        )
        page = _read(peer, body)
        return _records(peer, page), page.pagination.next_cursor

    async def logs_of(self, peer: PeerId, transaction_ids: Sequence[str]) -> Sequence[TransactionRecord]:
        """See `comparison.Remote.logs_of`."""
        if not transaction_ids:
            return ()
        body = await self._managers.logs(peer, transaction_ids=",".join(transaction_ids))
        return _records(peer, _read(peer, body, _OF_IDS))


def _read(peer: PeerId, body: bytes, most: int = _PAGE) -> _Page:
    try:
        page = decode(body, _Page)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _no_log(peer) from None
    if len(page.records) > most:
        raise _no_log(peer)
    return page


def _records(peer: PeerId, page: _Page) -> tuple[TransactionRecord, ...]:
    try:
        return tuple(_record(number, one) for number, one in enumerate(page.records))
    except Invalid:
        raise _no_log(peer) from None


def _record(number: int, one: _Record) -> TransactionRecord:
    crossing = Crossing(
        one.grant_hash,
        one.service_name,
        PeerId(one.source.outway_peer_id),
        PeerId(one.destination.service_peer_id),
        _maybe(one.source.delegator_peer_id),
        _maybe(one.destination.delegator_peer_id),
    )
    added = one.additional_data if isinstance(one.additional_data, dict) else {}
    outcome = added.get(OUTCOME)  # the rest of what extensions add is not compared
    if isinstance(outcome, str) and outcome in OUTCOMES:
        crossing = noted(crossing, cast(Outcome, outcome))
    return TransactionRecord(number, one.transaction_id, one.direction, crossing, one.created_at * 1000)


def _maybe(peer: str | None) -> PeerId | None:
    return None if peer is None else PeerId(peer)


def _no_log(peer: PeerId) -> Upstream:
    return Upstream(
        "peer-log-unreadable",
        Text(
            "Het transactielogboek van de ander is niet te lezen.",
            "The other's transaction log cannot be read.",
        ),
        Text(
            "Het heeft niet de vorm van FSC Logging 1.0.0.", "It does not have the form of FSC Logging 1.0.0."
        ),
        Text("Meld het bij die organisatie.", "Tell that organisation."),
        peer=str.__str__(peer),
    )
