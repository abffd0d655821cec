"""Standing questions, furnished: events know neither side of a question, so both are handed to them here."""

from collections.abc import Callable

import msgspec

from sluis.config import Config
from sluis.disclose import Discloser
from sluis.events.interests import References, Registrar
from sluis.events.notices import Agreements
from sluis.events.standing import Checked, Placer, Placing, StandingQuestion
from sluis.gateway import Link
from sluis.grounds import Grounds, Offer, Purpose, make_offer
from sluis.kernel import Clock, PeerId, Trace
from sluis.ledger import Ledger
from sluis.serve.names import namer
from sluis.statement import (
    Acting,
    AnswerReader,
    KeyList,
    SubQuestion,
    base_tables,
    bindings,
    keys_asked,
    parse,
    qualify,
    require_steady,
    text,
)


class OwnersSide:
    """The owner's side of a question, for questions that stand.

    Args:
        discloser: answers questions to this node.
        public: this node's raw Ed25519 key, with which answers are signed.
    """

    def __init__(self, discloser: Discloser, public: bytes) -> None:
        self._discloser, self._public = discloser, public

    async def check(
        self,
        peer: PeerId,
        question: StandingQuestion,
        purpose: Purpose | None,
        trace: Trace,
        transaction_id: str,
    ) -> Checked:
        """Whether it may be left standing; nothing is read."""
        found = await self._discloser.check_standing(peer, trace, transaction_id, asked(question), purpose)
        return Checked(*found)

    async def read(
        self,
        peer: PeerId,
        question: StandingQuestion,
        purpose: Purpose | None,
        trace: Trace,
        transaction_id: str,
    ) -> list[bytes]:
        """The rows of its answer now. Held to its receipt, so that half an answer is none."""
        answer = await self._discloser.consult(
            peer, trace, transaction_id, asked(question), purpose, standing=True
        )
        reader, rows = AnswerReader(), list[bytes]()
        async for chunk in answer.body:
            for batch in reader.feed(chunk):
                columns = [column.to_pylist() for column in batch.columns]
                rows += map(msgspec.msgpack.encode, zip(*columns, strict=True))
        reader.finish(self._public)
        return rows


def phrase(placing: Placing, offer: Offer) -> tuple[str, list[tuple[str, str]]]:
    """A question to another organisation as that one reads it, and (kind of key, key) of everybody whom it names. Raises
    `Invalid`."""
    tree = parse(placing.sql)
    require_steady(tree)
    for table in base_tables(tree):
        table.set("db", None)  # the owner knows its datasets by their own names
    types = {column.name: column.type for column in offer.columns}
    visible = {column.name: column.type for column in offer.columns if column.role == "output"}
    tree = qualify(tree, {"": {offer.dataset: types}}, {"": {offer.dataset: visible}})
    found = [
        (offer.subject, constant)
        for one in bindings(tree, {("", offer.dataset): offer.subject})
        for constant in one.constants
        if offer.subject is not None
    ]
    values = {**placing.parameters, **placing.lists}
    return text(tree), sorted(set(keys_asked(found, values)))


def asked(question: StandingQuestion) -> SubQuestion:
    """A question as the owner's side knows questions."""
    return SubQuestion(
        sql=question.sql,
        activity=question.activity,
        case=question.case,
        acting=Acting(question.person, question.acr, question.level),
        disclosures={question.dataset: question.digest},
        parameters=question.parameters,
        keys={name: KeyList("VARCHAR", [*values]) for name, values in question.lists.items()},
    )


def placer_of(
    config: Config,
    references: References,
    registrar: Registrar,
    link: Link,
    ledger: Ledger,
    address: Callable[[PeerId], str],
    clock: Clock,
) -> Placer:
    """What leaves questions of this node standing elsewhere."""
    node, seconds = config.node, config.limits.peer_seconds
    return Placer(
        references, registrar, link, ledger, phrase, namer(config), address, node.alias, clock, seconds
    )


def may_signal(
    grounds: Grounds, own: PeerId, alias: str, agreed: Agreements | None, clock: Clock
) -> Callable[[str, PeerId], bool]:
    """Whether a signal about a disclosure (its id) may leave for a recipient now: from memory, at every sending."""
    datasets = {one.name: one for one in grounds.datasets}
    opened = {
        one.id: (one, make_offer(own, alias, datasets[one.dataset], one).digest)
        for one in grounds.disclosures
        if one.standing is not None
    }

    def may(id: str, recipient: PeerId) -> bool:
        one, digest = opened.get(id, (None, ""))
        if one is None or one.recipient != recipient or not one.valid.holds(clock().date()):
            return False
        return agreed is None or any(
            each.covers(one.activity, id, digest) for each in agreed.purposes(recipient)
        )

    return may
