"""Statements of use: put together from counts, contracts and prices; once a month is over they are kept, and do not change any more."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from sqlalchemy import Connection, text

from sluis.gateway import SERVICE, Membership, TransactionLog
from sluis.grounds import purpose_if_readable
from sluis.kernel import Clock, NotFound, PeerId, Text, decode, encode
from sluis.ledger import Ledger
from sluis.store import Store, migrate
from sluis.usage import sql
from sluis.usage.metering import Metering
from sluis.usage.model import Agreed, Compared, Side, Statement, Tally, Tariff, Term
from sluis.usage.rules import after, lines_of, month_of, number_of, rate_of, read_month, tax_of

_MOST = 1000  # contracts that are looked through: the newest


class Prices(Protocol):
    """What services cost."""

    def __call__(self, side: Side, peer: PeerId, service: str) -> Sequence[Tariff]:
        """Of a service of this node (`supply`), or of a peer (`use`) as its catalogue says. Blocks."""


Contracted = tuple[dict[str, Agreed], dict[Agreed, list[Term]]]
"""By the hash of a grant its agreement, and of each agreement its contracts."""


class Usage:
    """What a node uses and supplies. Made by `open_usage`.

    Args:
        store: where statements are kept.
        metering: counts.
        membership: of its group; None where there is none.
        prices: what services cost.
        own: this node.
        names: what organisations are called, this one among them.
        clock: aware UTC.
    """

    def __init__(
        self,
        store: Store,
        metering: Metering,
        membership: Membership | None,
        prices: Prices,
        own: PeerId,
        names: Mapping[PeerId, str],
        clock: Clock,
    ) -> None:
        self._store, self.metering, self._membership, self._prices = store, metering, membership, prices
        self._own, self._names, self._clock = own, dict(names), clock
        self._contracts: Contracted = ({}, {})
        self._changed = True
        if membership is not None:
            membership.contracts.on_change(self._note)

    async def statements(self, month: date) -> list[Statement]:
        """Those of a month (its first day), the largest amounts first; counted up to now. Raises `Unkept`."""
        await self.metering.count()
        return await asyncio.to_thread(self._statements, month)

    async def statement(self, number: str) -> Statement:
        """One of these. Raises `NotFound`."""
        month = read_month(number[:7])
        if month is None:
            raise no_statement()
        found = next((one for one in await self.statements(month) if one.number == number), None)
        if found is None:
            raise no_statement()
        return found

    async def months(self) -> list[date]:
        """The months in which something was used, newest first, and this one."""
        found = [date.fromisoformat(f"{one}-01") for one in await asyncio.to_thread(self.metering.months)]
        return sorted({*found, self.this_month()}, reverse=True)

    def this_month(self) -> date:
        """The first day of the month that it is (UTC)."""
        now = self._clock()
        return date(now.year, now.month, 1)

    async def close(self) -> None:
        """Count, and keep the statements of months that are over; to be called every hour."""
        await self.metering.count()
        for month in await self.months():
            if after(month) <= self._clock().date():
                await asyncio.to_thread(self._statements, month)

    def _statements(self, month: date) -> list[Statement]:
        with self._store.read() as connection:
            rows = connection.execute(text(sql.KEPT), {"month": f"{month:%Y-%m}"}).all()
        kept = {one.number: one for one in (decode(bytes(row.statement), Statement) for row in rows)}
        made = {one.number: one for one in self._made(month) if one.number not in kept}
        final = [one for one in made.values() if one.final]
        if final:
            self._store.write_blocking(lambda connection: _keep(connection, final))
        return sorted([*kept.values(), *made.values()], key=lambda one: (-one.total, one.agreed))

    def _made(self, month: date) -> Iterable[Statement]:
        grants, terms = self._contracted()
        counts: dict[Agreed, dict[str, int]] = {}
        for row in self.metering.calls(month):
            agreed = grants.get(row.grant_hash) or Agreed(row.side, PeerId(row.peer), row.service)
            _count(counts, agreed, calls=row.calls, failed=row.failed)
        for row in self.metering.charges(month):
            agreed = Agreed(row.side, PeerId(row.peer), SERVICE, row.activity)
            _count(counts, agreed, questions=row.questions, persons=row.persons, cents=row.cents)
        compared = self._compared(month, grants)
        everything = {*counts, *(one for one in terms if self._holds(terms[one], month))}
        for agreed in everything:
            if agreed.service == SERVICE and not agreed.activity:
                continue  # nodes that read each other's cards, offers and catalogues: nobody uses anything
            made = self._one(month, agreed, Tally(**counts.get(agreed, {})), terms.get(agreed, []), compared)
            if made.counted != Tally() or made.lines:
                yield made

    def _one(
        self,
        month: date,
        agreed: Agreed,
        counted: Tally,
        terms: Sequence[Term],
        compared: Mapping[Agreed, Compared],
    ) -> Statement:
        # Data is priced by the disclosure, in each receipt; a service behind an inway by its description.
        tariffs = () if agreed.service == SERVICE else self._prices(agreed.side, agreed.peer, agreed.service)
        lines = lines_of(counted, tariffs, terms, month)
        net, vat = sum(one.cents for one in lines), rate_of(tariffs)
        tax, now = tax_of(net, vat), self._clock()
        here, there = self._names.get(self._own, ""), self._names.get(agreed.peer, str.__str__(agreed.peer))
        supplier, user = (there, here) if agreed.side == "use" else (here, there)
        held = tuple(one.contract for one in terms if self._holds([one], month))
        return Statement(
            number=number_of(month, agreed), month=month, agreed=agreed, supplier=supplier, user=user, service=agreed.service,
            contracts=held, counted=counted, lines=lines, net=net, vat=vat, tax=tax, total=net + tax,
            compared=compared.get(agreed, Compared(until=self._until(agreed.peer))), final=after(month) <= now.date(), made=now,
        )  # fmt: skip

    def _compared(self, month: date, grants: Mapping[str, Agreed]) -> dict[Agreed, Compared]:
        if self._membership is None:
            return {}
        counts: dict[Agreed, dict[str, int]] = {}
        names = {"only-here": "only_here", "only-there": "only_there", "differs": "differs"}
        for one in self._membership.comparison.newest():
            agreed = grants.get(one.line.crossing.grant_hash)
            if agreed is not None and one.kind in names and month_of(one.line.at * 1000) == month:
                _count(counts, agreed, **{names[one.kind]: 1})
        return {agreed: Compared(**of, until=self._until(agreed.peer)) for agreed, of in counts.items()}

    def _until(self, peer: PeerId) -> datetime | None:
        found = self._membership.comparison.compared().get(peer) if self._membership else None
        return None if found is None else datetime.fromtimestamp(found, UTC)

    @staticmethod
    def _holds(terms: Iterable[Term], month: date) -> bool:
        since, until = _seconds(month), _seconds(after(month))
        return any(one.since < until and one.until >= since for one in terms)

    def _note(self, *told: object) -> None:
        self._changed = True

    def _contracted(self) -> Contracted:
        """What grants are part of which agreements, of contracts that were signed by all; read again when one changed."""
        if self._membership is None or not self._changed:
            return self._contracts
        self._changed = False
        grants: dict[str, Agreed] = {}
        terms: dict[Agreed, list[Term]] = {}
        for number, one in enumerate(self._membership.contracts.every(self._own)):
            if number >= _MOST:
                break
            agreed_by = one.signed("accept").keys()
            if one.content.parties - agreed_by or one.signed("reject"):
                continue
            ended = min(
                (each.signed_at for each in one.signed("revoke").values()), default=one.content.not_after
            )
            for grant in one.content.grants:
                if grant.outway is None or grant.outway.peer_id == grant.service_peer:
                    continue
                side: Side = "supply" if grant.service_peer == self._own else "use"
                peer = grant.outway.peer_id if side == "supply" else grant.service_peer
                purpose = purpose_if_readable(grant.properties)
                agreed = Agreed(side, peer, grant.service_name, purpose.activity if purpose else "")
                grants[grant.hash] = agreed
                terms.setdefault(agreed, []).append(Term(one.content.hash, one.content.not_before, ended))
        self._contracts = grants, terms
        return self._contracts


def open_usage(
    store: Store,
    ledger: Ledger,
    membership: Membership | None,
    prices: Prices,
    own: PeerId,
    names: Mapping[PeerId, str],
    clock: Clock,
) -> Usage:
    """What a node used and supplied, as it was counted. Blocks. Raises as `migrate`."""
    migrate(store, "usage", sql.MIGRATIONS)
    transactions: TransactionLog | None = membership.transactions if membership else None
    return Usage(store, Metering(store, ledger, transactions, own), membership, prices, own, names, clock)


def _count(counts: dict[Agreed, dict[str, int]], agreed: Agreed, **more: int) -> None:
    of = counts.setdefault(agreed, {})
    for name, number in more.items():
        of[name] = of.get(name, 0) + number


def _keep(connection: Connection, final: Iterable[Statement]) -> None:
    rows = [{"number": one.number, "month": f"{one.month:%Y-%m}", "statement": encode(one)} for one in final]
    connection.execute(text(sql.KEEP), rows)


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def no_statement() -> NotFound:
    """There is none with this number."""
    return NotFound(
        "no-such-statement",
        Text("Dit overzicht is er niet.", "This statement does not exist."),
        Text(
            "Geen overzicht van dit knooppunt heeft dit nummer.", "No statement of this node has this number."
        ),
        Text("Kies er een uit de lijst van de maand.", "Choose one from the list of the month."),
    )
