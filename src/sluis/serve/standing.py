"""Standing questions, furnished: events know neither side of a question, so the owner's side is handed to them here."""

import msgspec

from sluis.disclose import Discloser
from sluis.events.standing import Checked, Question
from sluis.grounds import Purpose
from sluis.kernel import PeerId, Trace
from sluis.statement import Acting, AnswerReader, KeyList, SubQuestion


class OwnersSide:
    """The owner's side of a question, for questions that stand.

    Args:
        discloser: answers questions to this node.
        public: this node's raw Ed25519 key, with which answers are signed.
    """

    def __init__(self, discloser: Discloser, public: bytes) -> None:
        self._discloser, self._public = discloser, public

    async def check(
        self, peer: PeerId, question: Question, purpose: Purpose | None, trace: Trace, transaction_id: str
    ) -> Checked:
        """Whether it may be left standing; nothing is read."""
        found = await self._discloser.check_standing(peer, trace, transaction_id, asked(question), purpose)
        return Checked(*found)

    async def read(
        self, peer: PeerId, question: Question, purpose: Purpose | None, trace: Trace, transaction_id: str
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


def asked(question: Question) -> SubQuestion:
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
